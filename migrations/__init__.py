"""How the base came to its shape: one migration, one step, each works with the release before it."""

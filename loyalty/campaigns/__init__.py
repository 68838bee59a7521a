"""Messages to many: who is written to, what, and what became of it."""

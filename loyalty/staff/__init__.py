"""People of the panel: accounts, roles and permissions, invitations, the journal of who did what."""

"""What needs every room: the proof of the ledger, and the owner's first steps."""

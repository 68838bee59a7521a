"""A stand-in for an SMS gateway, and the phones behind it."""

"""The ledger: entries that only grow, lots with their dates, spending and expiry, tiers."""

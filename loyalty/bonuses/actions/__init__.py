"""Moving bonuses: one entry and its lots, by hand, gifts given once, expiry."""

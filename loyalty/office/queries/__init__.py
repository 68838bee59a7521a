"""Reads over every room: the proof of the books, where bonuses went, what another programme would have cost."""

"""Saved audiences: who belongs together, by hand."""

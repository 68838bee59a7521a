"""Messengers: each parses what arrives into events, and sends neutral content with what it can do."""

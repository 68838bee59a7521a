"""Telling other programs of the shop what happens here: who listens, what is told, what became of it."""

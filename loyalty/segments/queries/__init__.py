"""Reads of the client base and of segments."""

"""Changing purchases: recording a sale once, taking it back."""

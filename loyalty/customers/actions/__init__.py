"""Changing people: their profiles, their messengers, notes about them."""

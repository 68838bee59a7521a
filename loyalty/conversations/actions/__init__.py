"""Changing conversations: what arrives, what a turn decides, what is sent, pictures, shown cards."""

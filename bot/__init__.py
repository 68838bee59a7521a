"""The messengers' door."""

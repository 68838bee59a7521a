"""The stand-in for the Telegram Bot API: one bot and its people."""

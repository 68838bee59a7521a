"""What the bot talks about, written once for all messengers: one module a topic, one line in the engine's list."""

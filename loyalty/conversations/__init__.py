"""What arrived, what was said and what is to be said: updates, messages (log and outbox in one), media."""

"""What is done with campaigns: starting, feeding the outbox, standing still, ending."""

"""Endpoints and what is told to them; the deliverer's lease and outcome."""

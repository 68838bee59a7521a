"""A sale before it is recorded and what it would move, and what a refund undoes. Pure."""

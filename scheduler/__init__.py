"""Time's door: duties that fall due, done by one process of the installation at a time."""

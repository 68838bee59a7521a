"""What someone has to do, for whom, by when."""

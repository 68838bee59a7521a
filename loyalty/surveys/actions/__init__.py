"""What is done with surveys: setting them up, inviting, asking, answering, asking many on demand."""

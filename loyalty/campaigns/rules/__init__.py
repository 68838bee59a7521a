"""Messages to many: how one stands, what it says, whom it leaves out and why, when it begins. Pure."""

"""What makes a segment sound, trees of conditions and the periods in them. Pure."""

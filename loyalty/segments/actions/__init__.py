"""What changes about segments, and what people keep of the base's table."""

"""All that is true about the business; the only package that touches the database."""

"""The people's door: pages for staff, made on the server, alive through htmx."""

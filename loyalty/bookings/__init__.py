"""Bookings: who serves whom with what, and when. They arrive from other programs, from files and by hand."""

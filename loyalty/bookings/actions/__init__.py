"""Changing bookings: who serves with what, appointments, what is counted of them."""

"""The chain itself: its name and currency, its locations, the programme's settings with their history."""

"""Reads of surveys: the programme, whom asking reaches, runs, and what the answers add up to."""

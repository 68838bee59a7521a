"""Reads of campaigns: how each stands, who got it, and whom one would reach."""

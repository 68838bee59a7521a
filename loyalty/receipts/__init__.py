"""Purchases and refunds: what a sale would earn and burn, recording it once, taking it back."""

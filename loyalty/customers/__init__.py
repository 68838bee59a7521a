"""The person who buys: profile, phone, card, consents, notes, and the narrow row of facts about them."""

"""How likely people are to recommend the shop: asking, answers, the score."""

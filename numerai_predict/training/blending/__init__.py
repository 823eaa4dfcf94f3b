"""Transforms of a model's predictions, and the search for the one with the best payout."""

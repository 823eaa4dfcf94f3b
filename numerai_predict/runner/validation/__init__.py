"""Validates what a model returned: decoding, the tournament's rules, the file of predictions."""

"""Scores and exposures, by the tournament's own library."""

"""Scores and exposures of predictions, computed with numerai-tools."""

"""The report of a fleet run."""

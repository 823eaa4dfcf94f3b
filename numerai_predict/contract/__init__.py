"""Types, limits, verdicts and errors that every package shares.

The leaf of the package: it imports no other part of it and nothing heavy.
"""

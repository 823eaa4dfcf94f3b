"""What every room shares: the types, limits, verdicts and errors of a run.

The leaf of the package: it imports nothing of ours and nothing heavy.
"""

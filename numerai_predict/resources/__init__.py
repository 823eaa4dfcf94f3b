"""Measures what a model uses of the machine (memory, processes, files) and enforces its limits."""

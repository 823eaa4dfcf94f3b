"""The model process: it gets the data and nothing else."""

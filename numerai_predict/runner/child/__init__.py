"""The process that holds the model: started with the data and nothing else."""

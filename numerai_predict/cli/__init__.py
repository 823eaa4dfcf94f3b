"""The command line `numerai-predict`: it parses, calls and prints, nothing else."""

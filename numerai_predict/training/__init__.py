"""From snapshot to bundle: walk-forward windows, trainers, checkpoints, ensembles, the pickle."""

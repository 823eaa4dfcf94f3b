"""From snapshot to bundle: folds, trainers, checkpoints, ensembles, the pickle."""

"""Many trainings as one experiment: seeds, folds, held-out sources, and the search for hyper-parameters."""

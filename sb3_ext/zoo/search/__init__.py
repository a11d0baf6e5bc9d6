"""Hyperparameter search: the spaces of our algorithms, trials with masks, and the manager's part of it."""

"""Checks of what the user gives: options, hyperparameters, arguments of environments."""

"""Hyperparameters by algorithm (``<algo>.yml``) and trained agents (``agents/``), as data of a package."""

"""Masked deep Q-learning, and what goes with it, for Stable-Baselines3."""

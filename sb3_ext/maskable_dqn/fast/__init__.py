"""Passes through plain ReLU networks, written by hand, and when they may stand in for PyTorch's."""

"""Policies on the same draws and the same luck, side by side."""

from echo_env.pathways.evaluation.comparison import Comparison, evaluate

__all__ = ["Comparison", "evaluate"]

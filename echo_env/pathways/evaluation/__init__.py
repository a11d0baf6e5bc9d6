"""Comparisons of policies on common random numbers."""

from echo_env.pathways.evaluation.comparison import Comparison, evaluate

__all__ = ["Comparison", "evaluate"]

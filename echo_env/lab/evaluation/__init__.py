"""Policies on the same days, side by side."""

from echo_env.lab.evaluation.comparison import Comparison, evaluate

__all__ = ["Comparison", "evaluate"]

"""Comparison of policies on the same days."""

from echo_env.lab.evaluation.comparison import Comparison, evaluate

__all__ = ["Comparison", "evaluate"]

"""A day in named numbers."""

from echo_env.lab.simulation.metrics.old import (
    METRICS,
    DayNumbers,
    Metric,
    day_metrics,
    metric_labels,
    metric_meanings,
    metrics_table,
)
from echo_env.lab.simulation.metrics.results import DayResults, day_results, joined_results, staff_minutes

__all__ = [
    "METRICS",
    "DayNumbers",
    "DayResults",
    "Metric",
    "day_metrics",
    "day_results",
    "joined_results",
    "metric_labels",
    "metric_meanings",
    "metrics_table",
    "staff_minutes",
]

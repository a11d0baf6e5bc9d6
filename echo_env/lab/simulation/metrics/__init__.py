"""A day in named numbers."""

from echo_env.lab.simulation.metrics.day_numbers import DayNumbers
from echo_env.lab.simulation.metrics.metric import Metric
from echo_env.lab.simulation.metrics.of_lab import (
    METRICS,
    day_metrics,
    metric_labels,
    metric_meanings,
    metrics_of,
    metrics_table,
    told_metrics,
)
from echo_env.lab.simulation.metrics.of_patients import BY_TYPE
from echo_env.lab.simulation.metrics.results import DayResults, day_results, joined_results, staff_minutes

__all__ = [
    "BY_TYPE",
    "METRICS",
    "DayNumbers",
    "DayResults",
    "Metric",
    "day_metrics",
    "day_results",
    "joined_results",
    "metric_labels",
    "metric_meanings",
    "metrics_of",
    "metrics_table",
    "staff_minutes",
    "told_metrics",
]

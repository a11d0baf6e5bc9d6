"""The metrics of a lab: those of any lab, and those of its exam types and groups.

To add a metric, add a record to :data:`METRICS`: nothing else names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from echo_env.lab.config.lab import Lab
from echo_env.lab.simulation.metrics.day_numbers import DayNumbers
from echo_env.lab.simulation.metrics.metric import LabParts, Metric, lab_parts
from echo_env.lab.simulation.metrics.of_patients import BY_TYPE, PATIENT_METRICS, type_metrics
from echo_env.lab.simulation.metrics.of_staff import BY_GROUP, STAFF_METRICS, group_metrics
from echo_env.lab.simulation.metrics.results import DayResults, Floats, day_results
from echo_env.lab.simulation.trace import Trace

METRICS: dict[str, Metric] = {metric.name: metric for metric in (*PATIENT_METRICS, *STAFF_METRICS)}
"""Name -> record of every metric that all labs have; :func:`metrics_of` has those of one lab."""

SECTIONS = ("penalty", "waiting", BY_TYPE, "patients", "workload", BY_GROUP, "staff", "cost", "absence")
"""Sections in the order of tables and files; metrics of any other section come last."""


def metrics_of(config: Lab) -> dict[str, Metric]:
    """Name -> record of every number that :func:`day_metrics` gives in a lab, in the order of tables and files.

    >>> from echo_env.lab import load_lab
    >>> metrics_of(load_lab("scarce"))["wait_non_fetal_min"].meaning
    'mean waiting time of non-fetal patients served'

    :param config: the lab
    """
    return _metrics_of(lab_parts(config.plan), tuple(METRICS.values()))


@lru_cache(maxsize=64)
def _metrics_of(parts: LabParts, common: tuple[Metric, ...]) -> dict[str, Metric]:
    found = {metric.name: metric for metric in common}
    for metric in (*type_metrics(parts), *group_metrics(parts)):
        name = metric.name
        while name in found:
            # An exam type called late, say: wait_late_min is the wait of late patients.
            name += "_"
        found[name] = metric._replace(name=name)
    place = {section: number for number, section in enumerate(SECTIONS)}
    return {
        metric.name: metric for metric in sorted(found.values(), key=lambda own: place.get(own.section, len(place)))
    }


def told_metrics(config: Lab) -> dict[str, Metric]:
    """Those of :func:`metrics_of` that environments tell at the end of a day; nobody may write to them.

    :param config: the lab
    """
    return _told_metrics(lab_parts(config.plan), tuple(METRICS.values()))


@lru_cache(maxsize=64)
def _told_metrics(parts: LabParts, common: tuple[Metric, ...]) -> dict[str, Metric]:
    return {name: metric for name, metric in _metrics_of(parts, common).items() if metric.told}


def metric_labels(config: Lab) -> dict[str, str]:
    """What tables call each metric.

    :param config: the lab, whose day ends at a certain time
    """
    end = config.hours.clock(config.hours.end_min)
    return {name: metric.label.replace("{end}", end) for name, metric in metrics_of(config).items()}


def metric_meanings(metrics: Mapping[str, Metric]) -> dict[str, dict[str, str]]:
    """Unit and meaning of each metric, for ``summary.json``.

    :param metrics: records by name
    """
    return {name: {"unit": metric.unit, "meaning": metric.meaning} for name, metric in metrics.items()}


def metrics_table(config: Lab, results: DayResults, metrics: Mapping[str, Metric] | None = None) -> dict[str, Floats]:
    """Numbers of days, (n,) float64 each. A mean over nobody is nan.

    :param config: the lab
    :param results: of n days
    :param metrics: which; by default those of :func:`metrics_of`
    """
    days = DayNumbers(config, results)
    wanted = metrics_of(config) if metrics is None else metrics
    return {name: np.asarray(metric.of(days), dtype=np.float64) for name, metric in wanted.items()}


def day_metrics(trace: Trace, metrics: Mapping[str, Metric] | None = None) -> dict[str, float]:
    """Numbers of one day. A mean over nobody is nan.

    :param trace: the day
    :param metrics: which; by default those of :func:`metrics_of`
    """
    table = metrics_table(trace.config, day_results(trace), metrics)
    return {name: values.item() for name, values in table.items()}

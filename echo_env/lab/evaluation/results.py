"""Files of a comparison: a summary, a row for each policy and day; and running means for TensorBoard."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from echo_env.common import results
from echo_env.common.files.tables import CSV, ROWS, table_written
from echo_env.lab.config.lab import Lab
from echo_env.lab.evaluation.comparison import Comparison
from echo_env.lab.simulation.metrics import metric_meanings

DAYS = "days"
"""Name of the table of days, without its ending."""

Curve = tuple[list[int], list[float]]
"""(days so far, value)."""


def write_days(folder: Path, comparison: Comparison, kind: str = CSV) -> None:
    """Write ``days.csv`` or ``days.parquet``: ``policy``, ``day``, then every metric; nan is an empty field, or null.

    :param folder: folder to write to
    :param comparison: the comparison
    :param kind: one of :data:`~echo_env.common.files.tables.FORMATS`
    """
    days = np.arange(comparison.days)
    with table_written(folder / f"{DAYS}.{kind}", ["policy"], list(comparison.metrics), ["day"]) as write:
        for name, table in comparison.values.items():
            for first in range(0, len(days), ROWS):
                # Columns anew for each block: what is read of a file is forgotten with them.
                part = {metric: table[metric][first : first + ROWS] for metric in comparison.metrics}
                own = days[first : first + ROWS]
                write({"policy": name, "day": own, **part}, len(own))


def write_summary(folder: Path, comparison: Comparison, config: Lab, env: str, **more: Any) -> None:
    """Write ``summary.json``; written last, as it lists the files in the folder.

    It holds :meth:`~echo_env.lab.evaluation.comparison.Comparison.to_dict`, the reference, the days needed for each
    difference, the engines, units and meanings of the metrics, and the lab.

    :param folder: folder to write to
    :param comparison: the comparison
    :param config: the lab
    :param env: name of the env
    :param more: further entries
    """
    needed = {
        name: {metric: _whole(comparison.days_needed(name, metric)) for metric in comparison.metrics}
        for name in comparison.others
    }
    summary = {
        **comparison.to_dict(env),
        "reference": comparison.reference,
        "days_needed": needed,
        "engines": comparison.engines,
        "metrics": metric_meanings(comparison.metrics),
        "lab": asdict(cast(Any, config)),
        **more,
    }
    results.write_summary(folder, summary)


def _whole(days: float) -> int | None:
    return None if math.isinf(days) else int(days)


def running_means(comparison: Comparison, policy: str, points: int = 100) -> dict[str, Curve]:
    """Running means of a policy's metrics and of its paired differences to the reference.

    ``mean/<metric>`` ends at the mean of all days, ``minus_<reference>/<metric>`` at the mean difference. Days
    without a value are left out, as are differences that are 0 on every day.

    :param comparison: the comparison
    :param policy: one of them
    :param points: maximum number of points along the days
    """
    own, base = comparison.values[policy], comparison.values[comparison.reference]
    days = np.unique(np.linspace(1, comparison.days, min(points, comparison.days)).astype(int))
    curves = {f"mean/{metric}": _running_mean(own[metric], days) for metric in own}
    for metric in own:
        difference = own[metric] - base[metric]
        if np.nan_to_num(difference).any():
            curves[f"minus_{comparison.reference}/{metric}"] = _running_mean(difference, days)
    return {name: curve for name, curve in curves.items() if curve[0]}


def _running_mean(values: NDArray[np.float64], days: NDArray[np.int64]) -> Curve:
    count = np.cumsum(~np.isnan(values))[days - 1]
    total = np.nancumsum(values)[days - 1]
    known = count > 0
    return days[known].tolist(), (total[known] / count[known]).tolist()

"""A day in named numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config import LabConfig
from echo_env.lab.patient import NO_SHOW, TURNED_AWAY
from echo_env.lab.penalty import penalty_points
from echo_env.lab.trace import Trace

METRICS = {
    "penalty": ("points", "penalty of the day"),
    "waiting_penalty": ("points", "penalty without its idle part"),
    "penalty_on_time": ("points", "part for on-time patients waiting"),
    "penalty_late": ("points", "part for late patients waiting"),
    "penalty_overtime": ("points", "part for patients waiting after closing"),
    "penalty_idle": ("points", "part for idle rooms and sonographers"),
    "wait_min": ("minutes", "mean waiting time of patients served"),
    "wait_fetal_min": ("minutes", "mean waiting time of fetal patients served"),
    "wait_non_fetal_min": ("minutes", "mean waiting time of non-fetal patients served"),
    "longest_wait_min": ("minutes", "longest waiting time of a patient served"),
    "served": ("patients", "patients whose exam began"),
    "left_waiting": ("patients", "patients still waiting at the end of the day"),
    "no_show": ("patients", "patients who did not come"),
    "turned_away": ("patients", "patients who came after closing"),
    "workload": ("exams", "mean exams per sonographer present"),
    "workload_spread": ("exams", "most minus fewest exams of a sonographer present"),
    "absent": ("sonographers", "sonographers absent"),
    "absence_rate": ("probability", "absence rate of the day"),
}
"""Name -> (unit, meaning) of every number that :func:`day_metrics` gives."""


class DayResults(NamedTuple):
    """What metrics are computed from, for n days with P patients and S sonographers.

    :param scheduled: (P,) or (n, P) int64, appointment, minutes since opening
    :param fetal: (P,) or (n, P) bool
    :param arrival: (n, P) int64, as in :class:`~echo_env.lab.day.Day`
    :param start: (n, P) int64, minute in which the exam began, -1 if it did not
    :param sonographer: (n, P) int64, who did it, -1 if nobody
    :param present: (n, S) bool, who was there
    :param absence_rate: (n,) float64
    :param units: (n, 4) int64, as in :class:`~echo_env.lab.trace.Trace`
    """

    scheduled: NDArray[np.int64]
    fetal: NDArray[np.bool_]
    arrival: NDArray[np.int64]
    start: NDArray[np.int64]
    sonographer: NDArray[np.int64]
    present: NDArray[np.bool_]
    absence_rate: NDArray[np.float64]
    units: NDArray[np.int64]


def day_results(trace: Trace) -> DayResults:
    """The results of one day."""
    day = trace.day
    start, sonographer = np.full((2, 1, len(day.scheduled)), -1, dtype=np.int64)
    if trace.exams:
        patients, _, staff, begun, *_ = np.array(trace.exams).T
        start[0, patients], sonographer[0, patients] = begun, staff
    batch = (day.arrival[None], start, sonographer, day.present[None])
    return DayResults(day.scheduled, day.fetal, *batch, np.array([day.absence_rate]), np.array([trace.units]))


def metrics_table(config: LabConfig, results: DayResults) -> dict[str, NDArray[np.float64]]:
    """The numbers of :data:`METRICS`, (n,) float64 each. A mean over nobody is nan."""
    parts = penalty_points(config, results.units.T)
    served = results.start >= 0
    wait = np.maximum(results.start - np.maximum(results.arrival, results.scheduled), 0)
    staff = np.arange(results.present.shape[1])
    exams = (results.sonographer[..., None] == staff).sum(axis=1)
    most = np.where(results.present, exams, 0).max(axis=1)
    fewest = np.where(results.present, exams, len(results.arrival[0]) + 1).min(axis=1)
    table = {
        "penalty": parts.total,
        "waiting_penalty": parts.waiting,
        "penalty_on_time": parts.on_time,
        "penalty_late": parts.late,
        "penalty_overtime": parts.overtime,
        "penalty_idle": parts.idle,
        "wait_min": _mean(wait, served),
        "wait_fetal_min": _mean(wait, served & results.fetal),
        "wait_non_fetal_min": _mean(wait, served & ~results.fetal),
        "longest_wait_min": np.where(served.any(axis=1), np.where(served, wait, 0).max(axis=1), np.nan),
        "served": served.sum(axis=1),
        "left_waiting": ((results.arrival >= 0) & ~served).sum(axis=1),
        "no_show": (results.arrival == NO_SHOW).sum(axis=1),
        "turned_away": (results.arrival == TURNED_AWAY).sum(axis=1),
        "workload": _mean(exams, results.present),
        "workload_spread": most - fewest,
        "absent": (~results.present).sum(axis=1),
        "absence_rate": results.absence_rate,
    }
    return {name: np.asarray(values, dtype=np.float64) for name, values in table.items()}


def day_metrics(trace: Trace) -> dict[str, float]:
    """The numbers of :data:`METRICS` for one day. A mean over nobody is nan."""
    table = metrics_table(trace.config, day_results(trace))
    return {name: values.item() for name, values in table.items()}


def _mean(values: NDArray[np.int64], which: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean along the second axis of the values that count."""
    count = which.sum(axis=1)
    return np.where(which, values, 0).sum(axis=1) / np.where(count, count, np.nan)

"""A day in named numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config import LabConfig
from echo_env.lab.day import NO_SHOW, TURNED_AWAY
from echo_env.lab.simulation.patient import Punctuality, punctuality, waits_since
from echo_env.lab.simulation.penalty import penalty_points
from echo_env.lab.simulation.trace import Trace

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
    "wait_on_time_min": ("minutes", "mean waiting time of patients who were on time when served"),
    "wait_late_min": ("minutes", "mean waiting time of patients who were late when served"),
    "wait_early_min": ("minutes", "mean waiting time of patients who were early when served, which is 0"),
    "longest_wait_min": ("minutes", "longest waiting time of a patient served"),
    "served": ("patients", "patients whose exam began"),
    "left_waiting": ("patients", "patients still waiting at the end of the day"),
    "no_show": ("patients", "patients who did not come"),
    "turned_away": ("patients", "patients who came after closing"),
    "workload": ("exams", "mean exams per sonographer present"),
    "workload_spread": ("exams", "most minus fewest exams of a sonographer present"),
    "room_utilisation": ("share", "share of the rooms' minutes, opening to end of day, with an exam in them"),
    "sonographer_utilisation": ("share", "share of present sonographers' minutes, breaks included, spent on exams"),
    "overtime_min": ("minutes", "minutes from closing until the last exam ends, 0 if it ends before"),
    "absent": ("sonographers", "sonographers absent"),
    "absence_rate": ("probability", "absence rate of the day"),
}
"""Name -> (unit, meaning) of every number that :func:`day_metrics` gives."""


class DayResults(NamedTuple):
    """What metrics are computed from, for n days with P patients and S sonographers.

    :param scheduled: (P,) or (n, P) int64, appointment, minutes since opening
    :param fetal: (P,) or (n, P) bool
    :param arrival: (n, P) int64, as in :class:`~echo_env.lab.day.day.Day`
    :param start: (n, P) int64, minute in which the exam began, -1 if it did not
    :param end: (n, P) int64, minute in which its room and sonographer were let go, -1 if it did not begin
    :param sonographer: (n, P) int64, who did it, -1 if nobody
    :param patient_class: (n, P) int64, the :class:`~echo_env.lab.simulation.patient.PatientClass` when it began, or -1
    :param present: (n, S) bool, who was there
    :param absence_rate: (n,) float64
    :param units: (n, 4) int64, as in :class:`~echo_env.lab.simulation.trace.Trace`
    """

    scheduled: NDArray[np.int64]
    fetal: NDArray[np.bool_]
    arrival: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    sonographer: NDArray[np.int64]
    patient_class: NDArray[np.int64]
    present: NDArray[np.bool_]
    absence_rate: NDArray[np.float64]
    units: NDArray[np.int64]


def day_results(trace: Trace) -> DayResults:
    """The results of one day."""
    day = trace.day
    sonographer, start, end, kind = np.full((4, 1, len(day.scheduled)), -1, dtype=np.int64)
    for exam in trace.exams:
        p = exam.patient
        sonographer[0, p], start[0, p], end[0, p], kind[0, p] = exam[2:]
    return DayResults(
        scheduled=day.scheduled,
        fetal=day.fetal,
        arrival=day.arrival[None],
        start=start,
        end=end,
        sonographer=sonographer,
        patient_class=kind,
        present=day.present[None],
        absence_rate=np.array([day.absence_rate]),
        units=np.array([trace.units]),
    )


def metrics_table(config: LabConfig, results: DayResults) -> dict[str, NDArray[np.float64]]:
    """The numbers of :data:`METRICS`, (n,) float64 each. A mean over nobody is nan."""
    parts = penalty_points(config, results.units.T)
    served = results.start >= 0
    wait = np.where(served, np.maximum(results.start - waits_since(results.scheduled, results.arrival), 0), 0)
    present = results.present.sum(axis=1)
    exams = (results.sonographer[..., None] == np.arange(results.present.shape[1])).sum(axis=1)
    most = np.where(results.present, exams, 0).max(axis=1)
    fewest = np.where(results.present, exams, len(results.arrival[0]) + 1).min(axis=1)
    hours = config.hours
    busy = np.where(served, np.minimum(results.end, hours.end_min) - results.start, 0).sum(axis=1)
    table = {
        "penalty": parts.total,
        "waiting_penalty": parts.waiting,
        "penalty_on_time": parts.on_time,
        "penalty_late": parts.late,
        "penalty_overtime": parts.overtime,
        "penalty_idle": parts.idle,
        **_mean_waits(results, served, wait),
        "longest_wait_min": np.where(served.any(axis=1), wait.max(axis=1), np.nan),
        "served": served.sum(axis=1),
        "left_waiting": ((results.arrival >= 0) & ~served).sum(axis=1),
        "no_show": (results.arrival == NO_SHOW).sum(axis=1),
        "turned_away": (results.arrival == TURNED_AWAY).sum(axis=1),
        "workload": _ratio((exams * results.present).sum(axis=1), present),
        "workload_spread": np.where(present > 0, most - fewest, np.nan),
        "room_utilisation": busy / (config.rooms.total * hours.end_min),
        "sonographer_utilisation": _ratio(busy, present * hours.end_min),
        "overtime_min": np.maximum(results.end.max(axis=1) - hours.closing_min, 0),
        "absent": results.present.shape[1] - present,
        "absence_rate": results.absence_rate,
    }
    return {name: np.asarray(values, dtype=np.float64) for name, values in table.items()}


def day_metrics(trace: Trace) -> dict[str, float]:
    """The numbers of :data:`METRICS` for one day. A mean over nobody is nan."""
    table = metrics_table(trace.config, day_results(trace))
    return {name: values.item() for name, values in table.items()}


def _mean_waits(
    results: DayResults, served: NDArray[np.bool_], wait: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """Mean waiting times: of all served, by kind, and by punctuality when served."""
    when = punctuality(results.patient_class)
    groups = {
        "wait_min": served,
        "wait_fetal_min": served & results.fetal,
        "wait_non_fetal_min": served & ~results.fetal,
        "wait_on_time_min": served & (when == Punctuality.ON_TIME),
        "wait_late_min": served & (when == Punctuality.LATE),
        "wait_early_min": served & (when == Punctuality.EARLY),
    }
    who = np.stack(list(groups.values()))
    return dict(zip(groups, _ratio((who * wait).sum(axis=2), who.sum(axis=2)), strict=True))


def _ratio(total: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[np.float64]:
    """Total by count; nan where there is nothing to count."""
    return total / np.where(count, count, np.nan)

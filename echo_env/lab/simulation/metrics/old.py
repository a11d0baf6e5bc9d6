"""A day in named numbers. To add a metric, add a record to :data:`METRICS`: nothing else names it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.lab import Lab
from echo_env.lab.day import NO_SHOW, TURNED_AWAY
from echo_env.lab.simulation.patient import Punctuality, punctuality, waits_since
from echo_env.lab.simulation.penalty import PenaltyParts, penalty_points
from echo_env.lab.simulation.metrics.results import DayResults, day_results
from echo_env.lab.simulation.trace import Trace

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Metric(NamedTuple):
    """A number of a day. Tables, files, infos, TensorBoard and axes take all they say about it from here.

    :param name: as in files and :data:`METRICS`
    :param unit: its unit
    :param meaning: what it is, for files and titles of figures
    :param label: what tables call it; ``{end}`` stands for the time at which the day ends
    :param section: metrics of the same section stand together in tables
    :param of: computes it, (n,), from n days
    """

    name: str
    unit: str
    meaning: str
    label: str
    section: str
    of: Callable[[DayNumbers], Any]


class DayNumbers:
    """What metrics of n days are computed from, each intermediate number once.

    :param config: the lab
    :param results: what happened
    """

    def __init__(self, config: Lab, results: DayResults) -> None:
        self.config = config
        self.results = results
        self.served: NDArray[np.bool_] = results.start >= 0
        """(n, P) bool, whose exam began."""

    @cached_property
    def points(self) -> PenaltyParts:
        """Penalty points by cause, (n,) float64 each."""
        return penalty_points(self.config, self.results.units.T)

    @property
    def fetal(self) -> NDArray[np.bool_]:
        """(P,) or (n, P) bool, in a lab of fetal and non-fetal exams: whose exam is fetal."""
        return self.results.exam_type == 0

    @cached_property
    def wait(self) -> Ints:
        """(n, P) int64, minutes waited by those served, 0 for the others."""
        since = waits_since(self.results.scheduled, self.results.arrival)
        return np.where(self.served, np.maximum(self.results.start - since, 0), 0)

    @cached_property
    def punctuality(self) -> Ints:
        """(n, P) int64, :class:`~echo_env.lab.simulation.patient.Punctuality` when the exam began."""
        return np.asarray(punctuality(self.results.patient_class))

    @cached_property
    def present(self) -> Ints:
        """(n,) int64, sonographers present."""
        return np.asarray(self.results.present.sum(axis=1))

    @cached_property
    def exams(self) -> Ints:
        """(n, S) int64, exams of each sonographer."""
        numbers = np.arange(self.results.present.shape[1])
        return np.asarray((self.results.sonographer[..., None] == numbers).sum(axis=1))

    @cached_property
    def exams_spread(self) -> Floats:
        """(n,) float64, most minus fewest exams of a sonographer present; nan if nobody is."""
        most = np.where(self.results.present, self.exams, 0).max(axis=1)
        fewest = np.where(self.results.present, self.exams, len(self.results.arrival[0]) + 1).min(axis=1)
        return np.where(self.present > 0, most - fewest, np.nan)

    @cached_property
    def busy(self) -> Ints:
        """(n,) int64, minutes of exams up to the end of the day."""
        minutes = np.minimum(self.results.end, self.config.hours.end_min) - self.results.start
        return np.asarray(np.where(self.served, minutes, 0).sum(axis=1))

    def mean_wait(self, who: NDArray[np.bool_]) -> Floats:
        """(n,) float64, mean wait of some of the patients served; nan if there is none.

        :param who: (n, P) bool
        """
        return _ratio((who * self.wait).sum(axis=1), who.sum(axis=1))


def _ratio(total: Ints, count: Ints) -> Floats:
    """Total by count; nan where there is nothing to count."""
    return total / np.where(count, count, np.nan)


METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            "penalty",
            "points",
            "penalty of the day",
            "penalty a day",
            "penalty",
            lambda day: day.points.total,
        ),
        Metric(
            "waiting_penalty",
            "points",
            "penalty without its idle part",
            "waiting part",
            "penalty",
            lambda day: day.points.waiting,
        ),
        Metric(
            "penalty_on_time",
            "points",
            "part for on-time patients waiting",
            "- on-time patients",
            "penalty",
            lambda day: day.points.on_time,
        ),
        Metric(
            "penalty_late",
            "points",
            "part for late patients waiting",
            "- late patients",
            "penalty",
            lambda day: day.points.late,
        ),
        Metric(
            "penalty_overtime",
            "points",
            "part for patients waiting after closing",
            "- all after closing",
            "penalty",
            lambda day: day.points.overtime,
        ),
        Metric(
            "penalty_idle",
            "points",
            "part for idle rooms and sonographers",
            "idle part",
            "penalty",
            lambda day: day.points.idle,
        ),
        Metric(
            "wait_min",
            "minutes",
            "mean waiting time of patients served",
            "wait (min)",
            "waiting",
            lambda day: day.mean_wait(day.served),
        ),
        Metric(
            "wait_fetal_min",
            "minutes",
            "mean waiting time of fetal patients served",
            "fetal wait (min)",
            "waiting",
            lambda day: day.mean_wait(day.served & day.fetal),
        ),
        Metric(
            "wait_non_fetal_min",
            "minutes",
            "mean waiting time of non-fetal patients served",
            "non-fetal wait (min)",
            "waiting",
            lambda day: day.mean_wait(day.served & ~day.fetal),
        ),
        Metric(
            "wait_on_time_min",
            "minutes",
            "mean waiting time of patients who were on time when served",
            "on time when served (min)",
            "waiting",
            lambda day: day.mean_wait(day.served & (day.punctuality == Punctuality.ON_TIME)),
        ),
        Metric(
            "wait_late_min",
            "minutes",
            "mean waiting time of patients who were late when served",
            "late when served (min)",
            "waiting",
            lambda day: day.mean_wait(day.served & (day.punctuality == Punctuality.LATE)),
        ),
        Metric(
            "wait_early_min",
            "minutes",
            "mean waiting time of patients who were early when served, which is 0",
            "early when served (min)",
            "waiting",
            lambda day: day.mean_wait(day.served & (day.punctuality == Punctuality.EARLY)),
        ),
        Metric(
            "longest_wait_min",
            "minutes",
            "longest waiting time of a patient served",
            "longest wait (min)",
            "waiting",
            lambda day: np.where(day.served.any(axis=1), day.wait.max(axis=1), np.nan),
        ),
        Metric(
            "served",
            "patients",
            "patients whose exam began",
            "patients served",
            "patients",
            lambda day: day.served.sum(axis=1),
        ),
        Metric(
            "left_waiting",
            "patients",
            "patients still waiting at the end of the day",
            "left at {end}",
            "patients",
            lambda day: ((day.results.arrival >= 0) & ~day.served).sum(axis=1),
        ),
        Metric(
            "no_show",
            "patients",
            "patients who did not come",
            "no-shows",
            "patients",
            lambda day: (day.results.arrival == NO_SHOW).sum(axis=1),
        ),
        Metric(
            "turned_away",
            "patients",
            "patients who came after closing",
            "turned away",
            "patients",
            lambda day: (day.results.arrival == TURNED_AWAY).sum(axis=1),
        ),
        Metric(
            "workload",
            "exams",
            "mean exams per sonographer present",
            "exams a sonographer",
            "workload",
            lambda day: _ratio((day.exams * day.results.present).sum(axis=1), day.present),
        ),
        Metric(
            "workload_spread",
            "exams",
            "most minus fewest exams of a sonographer present",
            "- most minus fewest",
            "workload",
            lambda day: day.exams_spread,
        ),
        Metric(
            "room_utilisation",
            "share",
            "share of the rooms' minutes, opening to end of day, with an exam in them",
            "room utilisation",
            "workload",
            lambda day: day.busy / (len(day.config.plan.room_group) * day.config.hours.end_min),
        ),
        Metric(
            "sonographer_utilisation",
            "share",
            "share of present sonographers' minutes, breaks included, spent on exams",
            "sonographer utilisation",
            "workload",
            lambda day: _ratio(day.busy, day.present * day.config.hours.end_min),
        ),
        Metric(
            "overtime_min",
            "minutes",
            "minutes from closing until the last exam ends, 0 if it ends before",
            "overtime (min)",
            "workload",
            lambda day: np.maximum(day.results.end.max(axis=1) - day.config.hours.closing_min, 0),
        ),
        Metric(
            "absent",
            "sonographers",
            "sonographers absent",
            "sonographers absent",
            "absence",
            lambda day: day.results.present.shape[1] - day.present,
        ),
        Metric(
            "absence_rate",
            "probability",
            "absence rate of the day",
            "absence rate",
            "absence",
            lambda day: day.results.absence_rate,
        ),
    )
}
"""Name -> record of every number that :func:`day_metrics` gives, in the order of tables and files."""


def metric_labels(config: Lab) -> dict[str, str]:
    """What tables call each metric.

    :param config: the lab, whose day ends at a certain time
    """
    end = config.hours.clock(config.hours.end_min)
    return {name: metric.label.format(end=end) for name, metric in METRICS.items()}


def metric_meanings() -> dict[str, dict[str, str]]:
    """Unit and meaning of each metric, for ``summary.json``."""
    return {name: {"unit": metric.unit, "meaning": metric.meaning} for name, metric in METRICS.items()}


def metrics_table(config: Lab, results: DayResults) -> dict[str, Floats]:
    """The numbers of :data:`METRICS`, (n,) float64 each. A mean over nobody is nan.

    :param config: the lab
    :param results: of n days
    """
    days = DayNumbers(config, results)
    return {name: np.asarray(metric.of(days), dtype=np.float64) for name, metric in METRICS.items()}


def day_metrics(trace: Trace) -> dict[str, float]:
    """The numbers of :data:`METRICS` for one day. A mean over nobody is nan.

    :param trace: the day
    """
    table = metrics_table(trace.config, day_results(trace))
    return {name: values.item() for name, values in table.items()}

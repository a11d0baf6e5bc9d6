"""Numbers of a day about its patients: who was served, and how long they waited."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from echo_env.lab.config.lab import Lab
from echo_env.lab.day import NO_SHOW, TURNED_AWAY
from echo_env.lab.simulation.metrics.results import Bools, DayResults, Floats, Ints
from echo_env.lab.simulation.patient import Punctuality, punctuality, waits_since
from echo_env.lab.simulation.penalty import PenaltyParts, penalty_points


class PatientNumbers:
    """What metrics of n days say about patients, each intermediate number once.

    Properties of shape (1 + K, n) hold a number of all patients, then of those of each exam type.

    :param config: the lab
    :param results: what happened
    """

    def __init__(self, config: Lab, results: DayResults) -> None:
        self.config = config
        self.results = results
        self.served: Bools = results.start >= 0
        """(n, P) bool, whose exam began."""

    @cached_property
    def points(self) -> PenaltyParts:
        """Penalty points by cause, (n,) float64 each."""
        return penalty_points(self.config, self.results.units.T)

    @cached_property
    def came(self) -> Bools:
        """(n, P) bool, who came before closing."""
        return self.results.arrival >= 0

    @cached_property
    def left(self) -> Bools:
        """(n, P) bool, who came and was not examined."""
        return self.came & ~self.served

    @cached_property
    def kinds(self) -> Bools:
        """(1 + K, n, P) bool, everybody, then the patients of each exam type."""
        kinds = np.arange(-1, len(self.config.plan.types))[:, None, None]
        return (kinds < 0) | (self.results.exam_type == kinds)

    @cached_property
    def wait(self) -> Ints:
        """(n, P) int64, minutes waited by those served, 0 for the others."""
        return np.where(self.served, np.maximum(self.results.start - self._since, 0), 0)

    @cached_property
    def overall_wait(self) -> Ints:
        """(n, P) int64, minutes waited by those who came, up to the end of the day if they were left waiting."""
        return np.where(self.came, np.maximum(self._until - self._since, 0), 0)

    @cached_property
    def _since(self) -> Ints:
        """(n, P) int64, from when waiting counts."""
        return np.asarray(waits_since(self.results.scheduled, self.results.arrival))

    @cached_property
    def _after_schedule(self) -> Ints:
        """(n, P) int64, start minus appointment, or minus arrival of those without one; only of those served."""
        return self.results.start - self.results.scheduled

    @cached_property
    def _until(self) -> Ints:
        """(n, P) int64, up to when patients who came wait: the start of the exam, or the end of the day."""
        return np.where(self.served, self.results.start, self.config.hours.end_min)

    @cached_property
    def _sums(self) -> dict[str, Floats]:
        """(1 + K, n) float64 each, sums of numbers of patients."""
        booked = self.served & ~self.results.unscheduled
        columns: dict[str, Ints | Bools] = {
            "served": self.served,
            "wait": self.wait,
            "came": self.came,
            "overall wait": self.overall_wait,
            "within 15": self.served & (self._after_schedule <= 15),
            "within 30": self.served & (self._after_schedule <= 30),
            "booked": booked,
            "start minus schedule": self._after_schedule * booked,
            "since check-in": (self._until - self.results.arrival) * self.came,
            "left": self.left,
        }
        return dict(zip(columns, sums_by_kind(list(columns.values()), self.kinds), strict=True))

    @cached_property
    def waits(self) -> Floats:
        """(1 + K, n) float64, mean wait of those served; nan for nobody."""
        return ratio(self._sums["wait"], self._sums["served"])

    @cached_property
    def overall_waits(self) -> Floats:
        """(1 + K, n) float64, mean wait of everybody who came."""
        return ratio(self._sums["overall wait"], self._sums["came"])

    @cached_property
    def p90_waits(self) -> Floats:
        """(1 + K, n) float64, 90th percentile of the waits of everybody who came that day."""
        return percentiles(self.overall_wait, self.came & self.kinds, 0.9)

    @cached_property
    def within_15(self) -> Floats:
        """(1 + K, n) float64, share of those who came whose exam began at most 15 minutes after the appointment."""
        return ratio(self._sums["within 15"], self._sums["came"])

    @cached_property
    def within_30(self) -> Floats:
        """(1 + K, n) float64, the same with 30 minutes."""
        return ratio(self._sums["within 30"], self._sums["came"])

    @cached_property
    def starts_minus_schedule(self) -> Floats:
        """(1 + K, n) float64, mean start minus appointment of those served who have one."""
        return ratio(self._sums["start minus schedule"], self._sums["booked"])

    @cached_property
    def check_in_waits(self) -> Floats:
        """(1 + K, n) float64, mean time since the arrival of everybody who came."""
        return ratio(self._sums["since check-in"], self._sums["came"])

    @property
    def left_waiting(self) -> Floats:
        """(1 + K, n) float64, who came and was not examined."""
        return self._sums["left"]

    @cached_property
    def waits_by_punctuality(self) -> Floats:
        """(3, n) float64, mean wait of those served, by :class:`~echo_env.lab.simulation.patient.Punctuality` when the
        exam began."""
        when = punctuality(self.results.patient_class) == np.array(Punctuality)[:, None, None]
        total, count = sums_by_kind((self.wait, self.served), when & self.served)
        return ratio(total, count)

    @cached_property
    def longest_wait(self) -> Floats:
        """(n,) float64, longest wait of a patient served; nan for nobody."""
        return np.where(self.served.any(axis=1), self.wait.max(axis=1, initial=0), np.nan)

    @cached_property
    def number_served(self) -> Ints:
        """(n,) int64, whose exam began."""
        return np.asarray(self.served.sum(axis=1))

    @cached_property
    def no_shows(self) -> Ints:
        """(n,) int64, who did not come."""
        return np.asarray((self.results.arrival == NO_SHOW).sum(axis=1))

    @cached_property
    def turned_away(self) -> Ints:
        """(n,) int64, who came after closing."""
        return np.asarray((self.results.arrival == TURNED_AWAY).sum(axis=1))


def sums_by_kind(columns: Sequence[Ints | Bools], kinds: Bools) -> Floats:
    """(columns, kinds, n) float64, sums of numbers of patients over those of each kind, exact for whole numbers.

    :param columns: (n, P) each
    :param kinds: (kinds, n, P) bool
    """
    stacked = np.stack(columns, axis=1).astype(np.float64)
    return np.asarray((stacked @ kinds.astype(np.float64).transpose(1, 2, 0)).transpose(1, 2, 0))


def ratio(total: Ints | Floats, count: Ints | Floats) -> Floats:
    """Total by count; nan where there is nothing to count."""
    return np.asarray(total / np.where(count, count, np.nan))


def percentiles(values: Ints, who: Bools, share: float) -> Floats:
    """(..., n) float64, percentiles of (n, P) values over some of the patients, linear between neighbours; nan for
    nobody.

    :param values: (n, P)
    :param who: (..., n, P) bool
    :param share: 0 to 1
    """
    if not who.shape[-1]:
        return np.full(who.shape[:-1], np.nan)
    # Those who do not count come last.
    ordered = np.sort(np.where(who, values, np.iinfo(np.int64).max), axis=-1).ravel()
    count = who.sum(axis=-1)
    last = np.maximum(count - 1, 0)
    place = share * last
    low = place.astype(np.int64)
    first = np.arange(count.size).reshape(count.shape) * who.shape[-1]
    below, above = ordered[first + low], ordered[first + np.minimum(low + 1, last)]
    return np.where(count > 0, below + (place - low) * (above - below), np.nan)

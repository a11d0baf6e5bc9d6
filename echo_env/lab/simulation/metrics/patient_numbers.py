"""Numbers of a day about its patients: who was served, and how long they waited."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from echo_env.lab.config.lab import Lab
from echo_env.lab.day import REBOOKED
from echo_env.lab.simulation.metrics.columns import Column, Sum
from echo_env.lab.simulation.metrics.constants import constants_of
from echo_env.lab.simulation.metrics.results import Bools, DayResults, Floats, Ints
from echo_env.lab.simulation.patient import CLASSES_PER_TYPE
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
        self._constants = constants_of(config.plan)
        self.served: Bools = results.start >= 0
        """(n, P) bool, whose exam began."""

    @cached_property
    def points(self) -> PenaltyParts:
        """Penalty points by cause, (n,) float64 each."""
        return penalty_points(self.config, self.results.units.T)

    @cached_property
    def _summed(self) -> tuple[Ints, Floats]:
        """(2, n, P) minutes waited by each patient, and (12, 1 + K + 3, n) sums: see
        :func:`~echo_env.lab.simulation.metrics.patient_sums.sum_patients`."""
        results, types = self.results, len(self.config.plan.types)
        patients = np.empty((len(Column), *results.start.shape), dtype=np.int64)
        patients[Column.SCHEDULED], patients[Column.EXAM_TYPE] = results.scheduled, results.exam_type
        patients[Column.UNSCHEDULED], patients[Column.ARRIVAL] = results.unscheduled, results.arrival
        patients[Column.START], patients[Column.PATIENT_CLASS] = results.start, results.patient_class
        waited = np.zeros((2, *results.start.shape), dtype=np.int64)
        sums = np.zeros((len(results.start), 1 + types + CLASSES_PER_TYPE, len(Sum)))
        # Imported here: who computes no metrics does not wait for a compiler.
        from echo_env.lab.simulation.metrics.patient_sums import sum_patients

        sum_patients(patients, self.config.hours.end_min, waited, sums)
        return waited, sums.T

    def _sums(self, what: Sum) -> Floats:
        """(1 + K, n) float64, sums over patients."""
        return self._summed[1][what, :-CLASSES_PER_TYPE]

    @property
    def wait(self) -> Ints:
        """(n, P) int64, minutes waited by those served, 0 for the others."""
        return self._summed[0][0]

    @property
    def overall_wait(self) -> Ints:
        """(n, P) int64, minutes waited by those who came, up to the end of the day if they were left waiting."""
        return self._summed[0][1]

    @cached_property
    def kinds(self) -> Bools:
        """(1 + K, n, P) bool, everybody, then the patients of each exam type."""
        return (self._constants.kinds < 0) | (self.results.exam_type == self._constants.kinds)

    @cached_property
    def waits(self) -> Floats:
        """(1 + K, n) float64, mean wait of those served; nan for nobody."""
        return ratio(self._sums(Sum.WAIT), self._sums(Sum.SERVED))

    @cached_property
    def overall_waits(self) -> Floats:
        """(1 + K, n) float64, mean wait of everybody who came."""
        return ratio(self._sums(Sum.OVERALL_WAIT), self._sums(Sum.CAME))

    @cached_property
    def p90_waits(self) -> Floats:
        """(1 + K, n) float64, 90th percentile of the waits of everybody who came that day."""
        return percentiles(self.overall_wait, (self.results.arrival >= 0) & self.kinds, 0.9)

    @cached_property
    def within_15(self) -> Floats:
        """(1 + K, n) float64, share of those who came whose exam began at most 15 minutes after the appointment."""
        return ratio(self._sums(Sum.WITHIN_15), self._sums(Sum.CAME))

    @cached_property
    def within_30(self) -> Floats:
        """(1 + K, n) float64, the same with 30 minutes."""
        return ratio(self._sums(Sum.WITHIN_30), self._sums(Sum.CAME))

    @cached_property
    def starts_minus_schedule(self) -> Floats:
        """(1 + K, n) float64, mean start minus appointment of those served who have one."""
        return ratio(self._sums(Sum.START_MINUS_SCHEDULE), self._sums(Sum.BOOKED))

    @cached_property
    def check_in_waits(self) -> Floats:
        """(1 + K, n) float64, mean time since the arrival of everybody who came."""
        return ratio(self._sums(Sum.SINCE_CHECK_IN), self._sums(Sum.CAME))

    @property
    def left_waiting(self) -> Floats:
        """(1 + K, n) float64, who came and was not examined."""
        return self._sums(Sum.LEFT)

    @cached_property
    def waits_by_punctuality(self) -> Floats:
        """(3, n) float64, mean wait of those served, by :class:`~echo_env.lab.simulation.patient.Punctuality` when the
        exam began."""
        sums = self._summed[1][:, -CLASSES_PER_TYPE:]
        return ratio(sums[Sum.WAIT], sums[Sum.SERVED])

    @cached_property
    def longest_wait(self) -> Floats:
        """(n,) float64, longest wait of a patient served; nan for nobody."""
        return np.where(self.number_served > 0, self.wait.max(axis=1, initial=0), np.nan)

    @property
    def number_served(self) -> Floats:
        """(n,) float64, whose exam began."""
        return self._sums(Sum.SERVED)[0]

    @property
    def no_shows(self) -> Floats:
        """(n,) float64, who did not come."""
        return self._sums(Sum.NO_SHOW)[0]

    @property
    def rebooked(self) -> Ints:
        """(n,) int64, whose appointment was moved to another day."""
        return np.asarray((self.results.arrival == REBOOKED).sum(axis=1))

    @property
    def turned_away(self) -> Floats:
        """(n,) float64, who came after closing."""
        return self._sums(Sum.TURNED_AWAY)[0]


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

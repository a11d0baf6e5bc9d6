"""Sums over the patients of days, in one pass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo_env.common.jit import njit
from echo_env.lab.day import NO_SHOW, TURNED_AWAY
from echo_env.lab.simulation.metrics.columns import Sum
from echo_env.lab.simulation.patient import CLASSES_PER_TYPE, punctuality, waits_since

_waits_since, _punctuality = njit(waits_since), njit(punctuality)


_SERVED, _CAME, _LEFT, _NO_SHOW, _TURNED_AWAY, _WAIT, _OVERALL_WAIT, _WITHIN_15, _WITHIN_30, _BOOKED = range(10)
_START_MINUS_SCHEDULE, _SINCE_CHECK_IN = 10, 11
_SUMS = len(Sum)


@njit
def sum_patients(
    patients: NDArray[np.int64],
    end_min: int,
    waited: NDArray[np.int64],
    sums: NDArray[np.float64],
) -> None:
    """Sum over all patients, over those of each exam type, and over those served by punctuality when they began.

    :param patients: (6, n, P), see :class:`Column`
    :param end_min: end of the day
    :param waited: (2, n, P), zeros, filled with the minutes waited by those served and by those who came
    :param sums: (n, 1 + K + 3, 12), zeros, filled; see :class:`Sum`
    """
    types = sums.shape[1] - 1 - CLASSES_PER_TYPE
    mine = np.zeros(_SUMS, np.int64)
    for day in range(patients.shape[1]):
        for p in range(patients.shape[2]):
            scheduled, arrival, start = patients[0, day, p], patients[3, day, p], patients[4, day, p]
            served, came = start >= 0, arrival >= 0
            if not (served or came or arrival in (NO_SHOW, TURNED_AWAY)):
                continue
            since = _waits_since(scheduled, arrival)
            until = start if served else end_min
            booked = served and not patients[2, day, p]
            waited[0, day, p] = max(start - since, 0) if served else 0
            waited[1, day, p] = max(until - since, 0) if came else 0
            mine[_SERVED], mine[_CAME], mine[_LEFT] = served, came, came and not served
            mine[_NO_SHOW], mine[_TURNED_AWAY] = arrival == NO_SHOW, arrival == TURNED_AWAY
            mine[_WAIT], mine[_OVERALL_WAIT] = waited[0, day, p], waited[1, day, p]
            mine[_WITHIN_15] = served and start - scheduled <= 15
            mine[_WITHIN_30] = served and start - scheduled <= 30
            mine[_BOOKED] = booked
            mine[_START_MINUS_SCHEDULE] = start - scheduled if booked else 0
            mine[_SINCE_CHECK_IN] = until - arrival if came else 0
            kind = 1 + patients[1, day, p]
            when = 1 + types + _punctuality(patients[5, day, p])
            sums[day, 0] += mine
            sums[day, kind] += mine
            if served:
                sums[day, when] += mine


@njit
def add_up(whose: NDArray[np.int64], numbers: NDArray[np.int64], sums: NDArray[np.int64]) -> None:
    """Add numbers to the sums of those they belong to.

    :param whose: (n, m), -1 for nobody
    :param numbers: (n, m)
    :param sums: (n, count), added to
    """
    for day in range(whose.shape[0]):
        for k in range(whose.shape[1]):
            if whose[day, k] >= 0:
                sums[day, whose[day, k]] += numbers[day, k]

"""The cost of waiting: the waiting part of the penalty, patient by patient.

The waiting part of a day's penalty is a sum over patients, and a patient's share depends on nothing but when the
exam begins. That makes it linear in a plan, for :mod:`~echo_env.lab.bounds.bounds` and
:mod:`~echo_env.lab.policies.rolling_horizon`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config import LabConfig
from echo_env.lab.simulation.patient import Punctuality, class_of, on_time_from, punctuality

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def waiting_points(config: LabConfig, scheduled: Ints, arrival: Ints) -> Floats:
    """Points paid for patients who wait, by the minute in which their exam begins.

    Entry [p, s] is what patient p has cost by minute s, the minutes before s; the last column, of minute
    ``hours.end_min``, is that of a patient who is never served. The sum over the patients of a day who came is the
    waiting part of :func:`~echo_env.lab.simulation.penalty.penalty_points`.

    :param config: the lab
    :param scheduled: (n,) int64, appointments, minutes since opening
    :param arrival: (n,) int64, arrival minutes; who does not come has no place here
    :return: (n, minutes of the day + 1) float64
    """
    hours, weight, margin = config.hours, config.penalty, config.arrival.on_time_margin_min
    minute = np.arange(hours.end_min)
    late = punctuality(class_of(0, scheduled, arrival, arrival, margin)) == Punctuality.LATE
    # Early patients cost nothing until they become on time.
    since = np.where(late, arrival, np.maximum(arrival, on_time_from(scheduled, margin)))
    rate = np.where(late, weight.late, weight.on_time)[:, None] * (minute >= since[:, None])
    rate = rate + weight.overtime * ((minute >= hours.closing_min) & (minute >= arrival[:, None]))
    paid = np.zeros((len(arrival), hours.end_min + 1))
    np.cumsum(rate, axis=1, out=paid[:, 1:])
    return paid

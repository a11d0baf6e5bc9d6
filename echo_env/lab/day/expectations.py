"""Conditional expectations given the present: mean remaining exam time, and probability and mean minute of an arrival.

For planners that use means in place of distributions; :mod:`~echo_env.lab.compiled.redraw` draws from the same
conditional laws.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config import Arrival, ExamLaw
from echo_env.lab.day.laws import duration_probability, offset_probability

Floats = NDArray[np.float64]


class Coming(NamedTuple):
    """Expected arrival of a patient who has not arrived.

    :param probability: of arriving by closing
    :param minute: mean arrival minute given an arrival by closing, later than now; 0 if that is impossible
    """

    probability: float
    minute: float


class ExpectedExam:
    """Mean remaining time of an exam, given the minutes elapsed.

    :param law: of its length, that of the exam type
    """

    def __init__(self, law: ExamLaw) -> None:
        longest = max(math.ceil(law.longest_min), 1)
        at_most = duration_probability(law, np.arange(longest + 1))
        # Exams take whole minutes, at least one.
        at_most[0] = 0.0
        longer = 1 - at_most[:-1]
        # E[D - e | D > e] is the sum of P(D > k) over k from e on, by P(D > e).
        rest = np.cumsum(longer[::-1])[::-1]
        self.rests = np.maximum(rest / np.maximum(longer, 1e-12), 1.0)
        """(n,) float64, mean remaining minutes after 0, 1, ... elapsed; the last is that of all longer exams."""
        share, minutes = np.diff(at_most), np.arange(1, longest + 1)
        mean = float(share @ minutes)
        variance = float(share @ minutes**2) - mean**2
        self.variation = math.sqrt(max(variance, 0.0)) / mean
        """Standard deviation of its length by the mean."""

    def rest(self, elapsed: int) -> float:
        """Mean remaining minutes, at least 1.

        :param elapsed: minutes elapsed, 0 for an exam that has not begun
        """
        return float(self.rests[min(elapsed, len(self.rests) - 1)])


class ExpectedArrival:
    """Probability and mean minute of the arrival of patients who have not arrived.

    :param law: of arrival, that of the exam type
    :param closing_min: nobody is let in after this minute
    """

    def __init__(self, law: Arrival, closing_min: int) -> None:
        self._no_show, self._closing = law.no_show_rate, closing_min
        earliest = min(law.offsets_min) if law.model == "empirical" else -math.ceil(law.early_max_min)
        # Nobody comes so early that the first offset is not above this one.
        self._first = min(earliest, 0) - 1
        offsets = np.arange(self._first, closing_min + 1)
        self._at_most = offset_probability(law, offsets)
        share = np.diff(self._at_most, prepend=0.0)
        self._moment = np.cumsum(share * offsets)

    def coming(self, due: int, now: int) -> Coming:
        """Condition on no arrival by now.

        :param due: the expected check-in, which is the appointment in a lab without a lead, minutes since opening
        :param now: minute by which the patient has not arrived
        """
        passed, closing = self._place(now - due), self._place(self._closing - due)
        in_time = (1 - self._no_show) * (self._at_most[closing] - self._at_most[passed])
        possible = self._no_show + (1 - self._no_show) * (1 - self._at_most[passed])
        if in_time <= 0 or possible <= 0:
            return Coming(0.0, 0.0)
        offset = (self._moment[closing] - self._moment[passed]) / (self._at_most[closing] - self._at_most[passed])
        return Coming(float(in_time / possible), max(due + float(offset), now + 1.0))

    def _place(self, offset: int) -> int:
        return min(max(offset - self._first, 0), len(self._at_most) - 1)

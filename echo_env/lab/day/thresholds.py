"""Whole minutes from uniform numbers: the inverse distribution function of a law, rounded up, without inverting it."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.chance import ExamLaw
from echo_env.lab.day.laws import duration_probability

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TABLES = 256
_CELLS = 1024
"""The unit interval is divided into so many cells, a power of two so that their ends are exact."""


class MinuteTable:
    """Whole minutes by the thresholds of a distribution function.

    A length lies above m - 1 and not above m minutes where its uniform number lies above the distribution function's
    value at m - 1 and not above that at m.

    :param at_most: (m + 1,) ascending, its values at 0, 1, ..., m minutes, the last one 1
    :param least: minutes of the smallest number
    """

    def __init__(self, at_most: Floats, least: int = 0) -> None:
        self._at_most, self._least = at_most, least
        ends = np.arange(_CELLS + 1) / _CELLS
        first = self._search(ends)
        self._first, self._is_one = first[:-1], first[:-1] == first[1:]

    def __call__(self, draws: Floats) -> Ints:
        """Whole minutes.

        :param draws: uniform numbers from [0, 1), any shape
        :return: int64, of the same shape
        """
        cell = (draws * _CELLS).astype(np.int64)
        minutes: Ints = self._first[cell]
        # Most cells hold one minute alone; in the others a threshold decides.
        others = ~self._is_one[cell]
        minutes[others] = self._search(draws[others])
        return minutes

    def _search(self, draws: Floats) -> Ints:
        return np.maximum(np.searchsorted(self._at_most, draws), self._least)


@lru_cache(maxsize=_TABLES)
def minute_table(law: ExamLaw, least: int = 0) -> MinuteTable:
    """Whole minutes of a law of lengths: its lengths rounded up.

    :param law: of lengths
    :param least: fewest minutes
    """
    at_most = duration_probability(law, np.arange(math.ceil(law.longest_min) + 1))
    return MinuteTable(at_most, max(math.ceil(law.shortest_min), least))

"""Cleaning of rooms after exams: the least time between two exams in a room."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from echo_env.lab.calibration.fitting.estimates import Estimate
from echo_env.lab.config.loading import Values

if TYPE_CHECKING:
    import pandas as pd

Ints = NDArray[np.int64]

LEAST_GAPS = 20
"""Gaps between exams from which a turnover can be told."""
_ODD = 50
"""One of so many gaps is taken to be a slip of the pen, and is left out at the lower end."""
_NEXT = 10
"""Gaps above the shortest ones that tell how dense gaps are there."""


@dataclass(frozen=True)
class Turnover:
    """How long a room is cleaned after an exam.

    No gap is shorter, and the k-th shortest of many gaps is longer by a gamma variable of shape k, whose scale is the
    mean step from one gap to the next.

    :param shortest: the shortest gap that is no slip, minutes
    :param rank: its rank k
    :param step: mean step between the gaps above it, minutes
    :param rows: number of gaps
    """

    shortest: int
    rank: int
    step: float
    rows: int

    @property
    def minutes(self) -> int:
        """The most likely turnover, whole minutes, at least 0."""
        return self._less(self.rank * self.step)

    def _less(self, excess: float) -> int:
        return max(round(self.shortest - excess), 0)

    def estimate(self, name: str) -> Estimate:
        """The field of a room group, with its interval.

        :param name: of the group
        """
        longest, least = (float(stats.gamma.ppf(share, self.rank)) * self.step for share in (0.975, 0.025))
        # Clocks are read to the whole minute.
        low, high = math.floor(self.shortest - longest) - 1, math.ceil(self.shortest - least)
        low, high = max(min(low, self.minutes), 0), max(high, self.minutes)
        path, words = f"room_groups.{name}.turnover_min", f"turnover of rooms {name} (min)"
        source = "shortest gaps between consecutive exams in a room"
        return Estimate(path, words, self.minutes, low, high, self.rows, source)

    def resampled(self, names: tuple[str, ...], rng: np.random.Generator) -> Values:
        """The turnover of a bootstrap sample, the same in all groups.

        :param names: of the groups
        :param rng: random generator
        """
        minutes = self._less(float(rng.gamma(self.rank, self.step)) if self.step else 0.0)
        return {f"room_groups.{name}.turnover_min": minutes for name in names}


def turnover_of(table: pd.DataFrame) -> Turnover | None:
    """The turnover of all rooms; None where there are too few gaps to tell.

    :param table: of visits
    """
    gaps = np.sort(room_gaps(table))
    if len(gaps) < LEAST_GAPS:
        return None
    rank = 1 + len(gaps) // _ODD
    above = gaps[rank - 1 : rank + _NEXT]
    step = float(above[-1] - above[0]) / (len(above) - 1)
    return Turnover(int(above[0]), rank, step, len(gaps))


def room_gaps(table: pd.DataFrame) -> Ints:
    """Begin of each exam minus end of the one before it in the same room and day, minutes.

    :param table: of visits
    """
    exams = table[table["begin"].notna() & (table["room"] != "")].sort_values(["day", "room", "begin"])
    gaps = exams["begin"] - exams.groupby(["day", "room"])["end"].shift()
    return np.asarray(gaps.dropna().to_numpy(dtype=np.int64))

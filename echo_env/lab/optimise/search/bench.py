"""Values of the levers on common days: what a search asks, and when it has to end."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np

from echo_env.lab.optimise.levers import Choice, Values
from echo_env.lab.optimise.search.objective import Objective, Scores

_STRICT = 10.0
"""How dear it is if a protected metric rises: see :meth:`Bench.cost`."""


class TimeIsUp(Exception):
    """The time for the search is over."""


@dataclass
class Clock:
    """When a search has to end.

    :param seconds: from now on
    """

    seconds: float
    begun: float = field(default_factory=time.monotonic)

    def check(self) -> None:
        """Go on, or not.

        :raises TimeIsUp: the time is over
        """
        if self.is_over:
            raise TimeIsUp

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() - self.begun > self.seconds


class Bench:
    """Values of the levers, played on the same days and compared with today's.

    :param objective: what is made smaller
    :param choice: what may change
    :param days: number of days
    :param clock: ends the search
    """

    def __init__(self, objective: Objective, choice: Choice, days: int, clock: Clock) -> None:
        self.objective, self.choice, self.levers, self.days = objective, choice, choice.levers, days
        self._clock = clock
        self._known: dict[Values, float] = {}
        # Without these there is nothing to compare with, however little time there is.
        today = objective.scores(choice.lab(choice.today), 0, days)
        self._bounds = today.protected + objective.slack[:, None]
        # What a rise is measured in, so that metrics of different units count alike.
        self._units = np.maximum(today.protected.mean(axis=1) + today.protected.std(axis=1), 1e-9)
        self.reference = float(today.objective.mean())
        self._scale = max(abs(self.reference), 1e-9)

    @property
    def played(self) -> int:
        """How many values were played."""
        return len(self._known)

    def scores(self, values: Values) -> Scores:
        """Play the days.

        :param values: of each lever
        :raises TimeIsUp: the time is over
        """
        self._clock.check()
        return self.objective.scores(self.choice.lab(values), 0, self.days)

    def cost(self, values: Values) -> float:
        """The mean objective, and more where a protected metric may be above what is allowed.

        That is, where the mean paired difference and two of its standard errors are above 0; each hundredth of the
        metric's mean and spread costs a tenth of today's objective. Values that do not fit together cost inf.

        :param values: of each lever
        """
        if values not in self._known:
            if not self.choice.fits(values):
                return math.inf
            scores = self.scores(values)
            more = scores.protected - self._bounds
            sure = more.mean(axis=1) + 2 * more.std(axis=1) / np.sqrt(self.days)
            rise = np.maximum(sure, 0) / self._units
            self._known[values] = float(scores.objective.mean()) + _STRICT * self._scale * float(rise.sum())
        return self._known[values]

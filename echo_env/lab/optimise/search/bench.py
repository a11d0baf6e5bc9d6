"""Values of the levers on common days: what a search asks, and when it has to end."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np

from echo_env.common.parallel import Signal
from echo_env.lab.optimise.levers import Choice, Values
from echo_env.lab.optimise.search.journal import Part
from echo_env.lab.optimise.search.objective import Objective, Scores

_STRICT = 10.0
"""How dear it is if a protected metric rises: see :meth:`Bench.cost`."""
_ROOM = 0.005
"""What room for a rise is worth: it leads a search whose objective, such as patients examined, few values change."""


class TimeIsUp(Exception):
    """The time for the search is over."""


@dataclass
class Clock:
    """When a search has to end.

    :param seconds: from now on
    :param stop: it ends once this is given
    """

    seconds: float
    stop: Signal | None = None
    begun: float = field(default_factory=time.monotonic)

    def check(self) -> None:
        """Go on, or not.

        :raises TimeIsUp: the time is over
        """
        if self.is_over:
            raise TimeIsUp

    @property
    def is_over(self) -> bool:
        """Whether the time is over, or somebody has stopped it."""
        return time.monotonic() - self.begun > self.seconds or self.is_stopped

    @property
    def is_stopped(self) -> bool:
        """Whether somebody has stopped it."""
        return self.stop is not None and self.stop.is_given()


class Bench:
    """Values of the levers, played on the same days and compared with today's.

    :param objective: what is made smaller
    :param choice: what may change
    :param days: number of days
    :param clock: ends the search
    :param kept: what is known already, and where what is played is written down
    """

    def __init__(self, objective: Objective, choice: Choice, days: int, clock: Clock, kept: Part | None = None) -> None:
        self.objective, self.choice, self.levers, self.days = objective, choice, choice.levers, days
        self._clock, self._kept = clock, kept
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
        """How many values were played, or were known already when they were asked for."""
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
        metric's mean and spread costs a tenth of today's objective. Of values alike in the objective, those that leave
        more room for a rise cost a little less. Values that do not fit together cost inf.

        :param values: of each lever
        """
        if values not in self._known:
            if not self.choice.fits(values):
                return math.inf
            known = None if self._kept is None else self._kept.cost(self.days, values)
            self._known[values] = self._played(values) if known is None else known
        return self._known[values]

    def _played(self, values: Values) -> float:
        scores = self.scores(values)
        more = scores.protected - self._bounds
        mean = more.mean(axis=1)
        sure = mean + 2 * more.std(axis=1) / np.sqrt(self.days)
        rise = (_STRICT * np.maximum(sure, 0) + _ROOM * np.minimum(mean, 0)) / self._units
        cost = float(scores.objective.mean()) + self._scale * float(rise.sum())
        if self._kept is not None:
            self._kept.keep(self.days, values, cost)
        return cost

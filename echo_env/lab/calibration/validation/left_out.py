"""Leave one day out: does a lab that is fitted without a day behave like that day?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from echo_env.common.parallel import Jobs, map_in_order
from echo_env.lab.calibration.validation.agreement import agreement
from echo_env.lab.calibration.validation.exams import simulated_exams, wait_sums
from echo_env.lab.calibration.validation.recorded import only_days, spread
from echo_env.lab.calibration.validation.replay import Replayer
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config.lab import Lab

Refit = Callable[[Visits], Lab]

MOST_DAYS = 20
"""No more days than these are left out, spread evenly over the record."""
FEWEST_EXAMS = 3
"""Days with fewer exams say nothing about the mean of a day."""


class LeftOut(NamedTuple):
    """A day, and the lab that was fitted without it.

    :param day: its name
    :param n: number of its exams with a check-in
    :param seen_wait: mean minutes from check-in to the exam
    :param replayed_wait: the same, with the day played again in that lab
    :param error: mean absolute difference of begins, minutes
    :param low: 2.5 % quantile of the mean wait of simulated days of that lab
    :param high: 97.5 % quantile
    """

    day: str
    n: int
    seen_wait: float
    replayed_wait: float
    error: float
    low: float
    high: float

    @property
    def inside(self) -> bool:
        """Whether the day is one that the lab expects."""
        return self.low <= self.seen_wait <= self.high


def leave_one_day_out(
    visits: Visits, refit: Refit, rule: str, after_vitals_min: int, days: int, seed: int, jobs: Jobs = 1
) -> tuple[LeftOut, ...]:
    """Fit without a day, and play that day; for each day in turn. A day without which nothing can be fitted is skipped.

    :param visits: the record
    :param refit: fits a lab
    :param rule: days are played under this rule
    :param after_vitals_min: minutes from the recorded end of the preparation to being ready
    :param days: simulated days
    :param seed: of the simulated days
    :param jobs: number of processes, or a cluster's workers
    """
    leave_out = partial(_without, visits, refit, rule, after_vitals_min, days, seed)
    found = map_in_order(leave_out, _days_left_out(visits), jobs, lambda day, left_out: None)
    return tuple(own for own in found if own is not None)


def _without(
    visits: Visits, refit: Refit, rule: str, after_vitals_min: int, days: int, seed: int, day: str
) -> LeftOut | None:
    try:
        config = refit(only_days(visits, [day], keep=False))
        replayer = Replayer(only_days(visits, [day]), config)
    except ValueError:
        return None
    found = agreement(replayer.play(rule, after_vitals_min=after_vitals_min))
    waits = wait_sums(simulated_exams(config, rule, days, seed)).known
    low, high = np.quantile(waits.total / waits.values, [0.025, 0.975])
    return LeftOut(day, found.n, found.seen_wait, found.simulated_wait, found.error, float(low), float(high))


def _days_left_out(visits: Visits) -> list[str]:
    days = [day for day in visits.days if _says_something(visits, day)]
    return spread(days, MOST_DAYS) if len(days) > 1 else []


def _says_something(visits: Visits, day: str) -> bool:
    own = visits.table[visits.table["day"] == day]
    return int((own["begin"].notna() & own["actual"].notna()).sum()) >= FEWEST_EXAMS

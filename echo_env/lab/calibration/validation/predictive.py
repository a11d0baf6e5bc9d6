"""Posterior predictive checks: could days like those recorded have come out of the lab?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from echo_env.common.stats import Estimate
from echo_env.lab.calibration.validation.exams import Exams, Number, Sums

REPLICATES = 4000
SURPRISING = 0.05
"""A two-sided posterior predictive p below this, shared among all checks (Bonferroni), is no chance."""


class Check(NamedTuple):
    """A number of the recorded days against simulated ones.

    :param number: which
    :param recorded: its mean over the recorded days, with its interval; n is how many days say something
    :param simulated: its mean over the simulated days
    :param low: 2.5 % quantile of the mean over as many simulated days as were recorded
    :param high: 97.5 % quantile
    :param p: two-sided posterior predictive p; nan where no recorded day says anything
    """

    number: Number
    recorded: Estimate
    simulated: Estimate
    low: float
    high: float
    p: float

    @property
    def difference(self) -> float:
        """Simulated minus recorded; of ``exams`` as a share."""
        difference = self.simulated.mean - self.recorded.mean
        return difference / self.recorded.mean if self.number.name == "exams" else difference

    def contradicts(self, checks: int) -> bool:
        """Whether the record contradicts the lab: a difference that matters, and no chance.

        It is no chance if hardly any mean over as many simulated days is so far out, and if the record's own interval
        excludes the lab's mean: one extraordinary day is in no small sample of simulated ones, but widens the interval.

        :param checks: so many checks share the probability of a wrong alarm
        """
        inside = self.recorded.low <= self.simulated.mean <= self.recorded.high
        return self.matters and self.p < SURPRISING / checks and not inside

    @property
    def matters(self) -> bool:
        """Whether the two differ by more than the tolerance."""
        return abs(self.difference) > self.number.tolerance


def predictive_checks(
    numbers: Sequence[Number], recorded: Exams, simulated: Sequence[Exams], seed: int
) -> tuple[Check, ...]:
    """Compare recorded and simulated days.

    The mean over the recorded days is looked up among means over as many simulated days, drawn again and again. Where
    there are simulated days of several labs, as of a bootstrap, each draw takes those of one: then the p counts that
    the lab is not exactly known.

    :param numbers: what to compare
    :param recorded: the record
    :param simulated: days of each lab
    :param seed: of the draws
    """
    rng = np.random.default_rng(seed)
    return tuple(
        check_of(number, number.of(recorded), [number.of(days) for days in simulated], rng) for number in numbers
    )


def check_of(number: Number, recorded: Sums, simulated: Sequence[Sums], rng: np.random.Generator) -> Check:
    """Compare a number of recorded and simulated days.

    :param number: which
    :param recorded: of the recorded days
    :param simulated: of the simulated days of each lab
    :param rng: draws the means
    """
    seen, everything = recorded.mean(), Sums(*map(np.concatenate, zip(*simulated, strict=True))).mean()
    known = [days.known for days in simulated if len(days.known.total)]
    if not seen.n or not known:
        return Check(number, seen, everything, np.nan, np.nan, np.nan)
    share = -(-REPLICATES // len(known))
    means = np.sort(np.concatenate([_means(days, seen.n, share, rng) for days in known]))
    below, above = np.searchsorted(means, seen.mean, "left"), np.searchsorted(means, seen.mean, "right")
    # Ties count half; rounding must not tell them apart.
    tail = (below + above) / 2 / len(means)
    low, high = np.quantile(means, [0.025, 0.975])
    return Check(number, seen, everything, float(low), float(high), float(2 * min(tail, 1 - tail)))


def _means(days: Sums, size: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """(count,) means over so many days each."""
    drawn = rng.integers(len(days.total), size=(count, size))
    return np.asarray(days.total[drawn].sum(axis=1) / days.values[drawn].sum(axis=1))

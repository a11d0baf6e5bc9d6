"""A lab with what a generalist's training needs of it: its better rule, and the unit of its rewards."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.compiled import batch
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Days, sample_days
from echo_env.lab.family.family import LabFamily, Stream
from echo_env.lab.policies.rule_action import compiled_rule
from echo_env.lab.simulation.penalty import UNITS, penalty_points

RULES = ("policy_2", "scarce_first")
"""The rules of which the better one is the yardstick of a lab."""
DECIDING_DAYS, DECIDING_SEED = 100, 71_100_000
"""Days of their own on which the better rule is decided: no environment plays the days of an evaluation."""
LEAST_SHARE = 0.02
"""The unit of rewards is at least this share of the mean penalty under the better rule, and a point."""


class Prepared(NamedTuple):
    """A lab of a place.

    :param config: the lab
    :param rule: its better rule, one of :data:`RULES`
    :param unit: points that are a reward of 1: the spread of the two rules' difference over days
    """

    config: Lab
    rule: str
    unit: float


def rule_points(config: Lab, rule: str, days: Days) -> NDArray[np.float64]:
    """What a rule pays on days (needs numba).

    :param config: the lab
    :param rule: a rule that serves by class
    :param days: n days
    :return: (n,) points
    """
    labs = batch.make_labs(config, len(days))
    every = np.arange(len(days))
    batch.begin_days(config, labs, every, days)
    nothing = np.zeros((len(days), 0, UNITS), dtype=np.int64)
    batch.run_days(labs, batch.rules_of(config), compiled_rule(config, rule, "rule"), nothing)
    return np.asarray(penalty_points(config, labs.lab[:, batch.layout.PAID].astype(np.int64).T).total)


def prepare(config: Lab) -> Prepared:
    """Decide which rule is the better one, on days of their own (needs numba).

    :param config: the lab
    """
    days = sample_days(config, DECIDING_DAYS, DECIDING_SEED)
    plain, scarce = (rule_points(config, rule, days) for rule in RULES)
    better = RULES[int(scarce.mean() < plain.mean())]
    least = max(LEAST_SHARE * min(plain.mean(), scarce.mean()), 1.0)
    return Prepared(config, better, float(max((plain - scarce).std(), least)))


class LabPool:
    """The first labs of a stream of a family, each prepared when it is first asked for.

    :param family: the family
    :param size: how many
    :param stream: of which
    :param only: this lab alone in place of a family's
    """

    def __init__(self, family: LabFamily, size: int, stream: Stream, only: Lab | None = None) -> None:
        self.size = 1 if only is not None else size
        self._family, self._stream, self._only = family, stream, only
        self._kept: OrderedDict[int, Prepared] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles hold: no prepared labs, which can be prepared again."""
        return {**self.__dict__, "_kept": OrderedDict()}

    def __getitem__(self, number: int) -> Prepared:
        if number not in self._kept:
            self._kept[number] = prepare(self._only or self._family.lab(number, self._stream))
        return self._kept[number]

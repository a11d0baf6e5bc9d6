"""Visits of places to labs: a few days in each, drawn and begun together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.compiled import batch
from echo_env.lab.compiled.layout import Floats, Ints, Labs, Rules
from echo_env.lab.compiled.observations import Shown, shown_of
from echo_env.lab.day import draw_days
from echo_env.lab.envs.base_rule import BaseRule
from echo_env.lab.family.prepared import LabPool, Prepared


class Visit(NamedTuple):
    """The days of a place in a lab.

    :param lab: the lab
    :param rules: its rules
    :param shown: what observations need of it
    :param cells: (days, cells) int32, at minute 0 before its events
    :param break_draw: (days, S, n) float64
    :param base: (days, minutes + 1) float64, what the better rule pays before each minute; (days, 0) for another reward
    """

    lab: Prepared
    rules: Rules
    shown: Shown
    cells: Ints
    break_draw: Floats
    base: NDArray[np.float64]


def draw_visit(
    pool: LabPool, rng: np.random.Generator, days: int, paired: bool, reservations: Sequence[int] = ()
) -> Visit:
    """Draw a lab, and days in it: those that a single environment plays after the same resets.

    :param pool: the labs
    :param rng: the place's generator
    :param days: how many
    :param paired: whether the reward is paired
    :param reservations: minutes of the reservations that are actions
    """
    lab = pool[int(rng.integers(pool.size))]
    config, drawn = lab.config, draw_days(lab.config, [rng] * days)
    labs: Labs = batch.make_labs(config, days)
    batch.begin_days(config, labs, np.arange(days), drawn)
    base = BaseRule(config, lab.rule, days).paid(drawn) if paired else np.zeros((days, 0))
    rules = batch.rules_of(config, reservations)
    return Visit(lab, rules, shown_of("rows_wide", config), labs.lab, labs.break_draw, base)

"""Continuations: copies of labs played to the end of their day after a first action.

A copy plays the day that its lab holds, future included: its outcome may be used in training, and on days whose future
has been redrawn (:mod:`~echo_env.lab.compiled.redraw`), never by a policy on the day itself.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from gymnasium.error import InvalidAction
from numpy.typing import NDArray

from echo_env.common.jit import njit
from echo_env.lab.compiled import batch, kernel
from echo_env.lab.compiled import steps as batch_steps
from echo_env.lab.compiled.batch import TierTable
from echo_env.lab.compiled.layout import END, MINUTE, PAID, UNITS, Labs, Rules
from echo_env.lab.compiled.offers import action_count, carry_out
from echo_env.lab.simulation.penalty import UNITS as UNIT_KINDS

Choose = Callable[[NDArray[np.float32], NDArray[np.bool_]], NDArray[np.int64]]
"""(observations (n, ...), action masks (n, actions)) -> (n,) feasible actions."""

ChooseIn = Callable[[Labs, NDArray[np.bool_]], NDArray[np.int64]]
"""(n labs, action masks (n, actions)) -> (n,) feasible actions."""

THE_RULE = -1
"""In place of a first action: whatever the rule does."""


def copy_labs(labs: Labs, which: NDArray[np.int64]) -> Labs:
    """Copies of some labs; one may be copied several times.

    :param labs: the arrays
    :param which: (n,) which labs
    """
    return Labs._make(array[which] for array in labs)


def continue_under_rule(
    labs: Labs, which: NDArray[np.int64], actions: NDArray[np.int64], rules: Rules, joint: bool, tiers: TierTable
) -> NDArray[np.int64]:
    """Take a first action, then follow a rule to the end of the day. The labs themselves stay as they are.

    After a single start the rule decides in the same minute on; after a joint action, or stop, from the next one on.

    :param labs: labs in the middle of a day
    :param which: (n,) which of them to copy
    :param actions: (n,) each copy's first action, feasible, or :data:`THE_RULE`
    :param rules: what is the same in all of them
    :param joint: whether actions are joint ones
    :param tiers: (3 K,) int64, the rule
    :return: (n, 7) int64, the whole day's penalty units, with those already paid
    """
    units = np.zeros((len(which), UNIT_KINDS), dtype=np.int64)
    scratch = Labs._make(np.zeros_like(array[:1]) for array in labs)
    # In one piece, or they would be of another type to the compiler.
    which, actions = np.array(which), np.array(actions, dtype=np.int64)
    _continue_under_tiers(which, actions, labs, scratch, rules, joint, tiers, units)
    return units


@njit
def _continue_under_tiers(
    which: NDArray[np.int64],
    actions: NDArray[np.int64],
    labs: Labs,
    scratch: Labs,
    rules: Rules,
    joint: bool,
    tiers: TierTable,
    units: NDArray[np.int64],
) -> None:
    """Copy labs into the one scratch lab, one after the other, and play them there."""
    rule, odds = rules.numbers, rules.odds
    cell, draw = scratch.lab[0], scratch.break_draw[0]
    nothing = np.zeros((0, UNIT_KINDS), np.int64)
    for n in range(len(which)):
        cell[:], draw[:] = labs.lab[which[n]], labs.break_draw[which[n]]
        if actions[n] >= 0 and carry_out(joint, actions[n], cell, rule):
            kernel.advance(rule[END], cell, rule, draw, odds)
        if cell[MINUTE] < rule[END]:
            batch.run_day(cell, rule, draw, odds, tiers, nothing)
        for k in range(UNIT_KINDS):
            units[n, k] = cell[UNITS + k]


def continue_under_choices(
    labs: Labs,
    which: NDArray[np.int64],
    actions: NDArray[np.int64],
    rules: Rules,
    joint: bool,
    idling: bool,
    choose: ChooseIn,
) -> NDArray[np.int64]:
    """Take a first action, then ask for one wherever there is a choice. The labs themselves stay as they are.

    The chooser gets all unfinished copies in one batch.

    :param labs: labs in the middle of a day
    :param which: (n,) which of them to copy
    :param actions: (n,) each copy's first action, feasible
    :param rules: what is the same in all of them
    :param joint: whether actions are joint ones
    :param idling: whether masks include idling actions
    :param choose: decides
    :return: (n, 7) int64, the whole day's penalty units, with those already paid
    :raises InvalidAction: ``choose`` gives an infeasible action
    """
    units = np.zeros((len(which), UNIT_KINDS), dtype=np.int64)
    playing = np.arange(len(which))
    labs, actions = copy_labs(labs, which), np.array(actions, dtype=np.int64)
    mask = np.zeros((len(which), action_count(rules, joint)), dtype=np.bool_)
    size, first = np.zeros((2, len(which)), dtype=np.int64)
    while len(playing):
        batch_steps.step_labs(actions, labs, rules, joint, idling, True, mask, size, first)
        over = labs.lab[:, MINUTE] >= rules.numbers[END]
        if over.any():
            units[playing[over]] = labs.lab[over, PAID]
            rest = np.flatnonzero(~over)
            playing, labs, mask = playing[rest], copy_labs(labs, rest), mask[rest]
            size, first = size[rest], first[rest]
        if len(playing):
            actions = checked(choose(labs, mask.copy()), mask)
    return units


def checked(actions: NDArray[np.int64], mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Actions as the engine takes them.

    :param actions: (n,) what a chooser gave
    :param mask: (n, actions) bool, what is feasible
    :return: (n,) int64
    :raises InvalidAction: one is not feasible
    """
    actions = np.array(actions, dtype=np.int64)
    inside = (actions >= 0) & (actions < mask.shape[1])
    allowed = inside & mask[np.arange(len(mask)), np.where(inside, actions, 0)]
    if not allowed.all():
        raise InvalidAction(
            f"choose() gave action {actions[np.argmin(allowed)]}, which is not feasible in the state it was given: "
            "it must be one that the mask allows"
        )
    return actions

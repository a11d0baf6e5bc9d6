"""Places in the middle of their days, copied and played to the end of the day after a first action.

As in :mod:`~echo_env.lab.compiled.continuation`, whose functions are for labs of one kind, copies play the days that
the places hold, future included: for training only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo_env.common.jit import njit
from echo_env.lab.compiled import kernel
from echo_env.lab.compiled.batch import run_day
from echo_env.lab.compiled.continuation import Choose, checked
from echo_env.lab.compiled.layout import AT_ROWS, CLASSES_PER_TYPE, END, KINDS, MINUTE, PAID, UNITS
from echo_env.lab.compiled.offers import carry_out
from echo_env.lab.compiled.places.stepping import Places, own_action, step_places
from echo_env.lab.decisions.padding import Padding
from echo_env.lab.simulation.penalty import UNITS as UNIT_KINDS


def continue_under_rules(
    places: Places, which: NDArray[np.int64], actions: NDArray[np.int64], tiers: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Take a first action, then follow each lab's own rule to the end of the day. The places stay as they are.

    :param places: in the middle of their days
    :param which: (n,) which of them to copy; one may be copied several times
    :param actions: (n,) each copy's first action, feasible, or :data:`~echo_env.lab.compiled.continuation.THE_RULE`
    :param tiers: (B, 24) int64, the rule of each place, of which a lab of K exam types uses the first 3 K
    :return: (n, 7) int64, the whole day's penalty units, with those already paid
    """
    units = np.zeros((len(which), UNIT_KINDS), dtype=np.int64)
    lab, draw = np.zeros((1, places.lab.shape[1]), np.int32), np.zeros(places.break_draw.shape[1:])
    # In one piece, or they would be of another type to the compiler.
    which, actions = np.array(which), np.array(actions, dtype=np.int64)
    _continue_under_tiers(which, actions, places, lab, draw, tiers, units)
    return units


@njit
def _continue_under_tiers(which, actions, places, lab, draw, tiers, units):
    """Copy places into the one lab, one after the other, and play them there."""
    nothing = np.zeros((0, UNIT_KINDS), np.int64)
    for n in range(len(which)):
        b = which[n]
        numbers, odds = places.numbers[b], places.odds[b]
        cell, own = lab[0, : numbers[AT_ROWS]], tiers[b, : CLASSES_PER_TYPE * numbers[KINDS]]
        cell[:] = places.lab[b, : numbers[AT_ROWS]]
        draw[:] = places.break_draw[b]
        if actions[n] >= 0 and carry_out(False, own_action(actions[n], numbers), cell, numbers):
            kernel.advance(numbers[END], cell, numbers, draw, odds)
        if cell[MINUTE] < numbers[END]:
            run_day(cell, numbers, draw, odds, own, nothing)
        for k in range(UNIT_KINDS):
            units[n, k] = cell[UNITS + k]


def continue_under_choices(
    places: Places,
    which: NDArray[np.int64],
    actions: NDArray[np.int64],
    idling: bool,
    choose: Choose,
    padding: Padding,
) -> NDArray[np.int64]:
    """Take a first action, then ask for one wherever there is a choice. The places stay as they are.

    The chooser gets all unfinished copies in one batch.

    :param places: in the middle of their days
    :param which: (n,) which of them to copy; one may be copied several times
    :param actions: (n,) each copy's first action, feasible
    :param idling: whether masks include idling actions
    :param choose: decides
    :param padding: makes what the chooser sees
    :return: (n, 7) int64, the whole day's penalty units, with those already paid
    :raises InvalidAction: ``choose`` gives an infeasible action
    """
    units = np.zeros((len(which), UNIT_KINDS), dtype=np.int64)
    playing = np.arange(len(which))
    copies, actions = _copied(places, which), np.array(actions, dtype=np.int64)
    while len(playing):
        step_places(actions, copies, idling, True)
        over = copies.lab[:, MINUTE] >= copies.numbers[:, END]
        if over.any():
            units[playing[over]] = copies.lab[over, PAID]
            rest = np.flatnonzero(~over)
            playing, copies = playing[rest], _copied(copies, rest)
        if len(playing):
            seen = padding.shown(copies.observation, copies.kept, copies.mask)
            actions = checked(choose(seen, copies.mask.copy()), copies.mask)
    return units


def _copied(places: Places, which: NDArray[np.int64]) -> Places:
    return Places._make(array[which] for array in places)

"""The actions of an agent: which are feasible, and what they begin.

Two action spaces: ``joint``, (729,), for labs of two nested exam types, and ``start``, for any lab: (3 K + 1,),
or (3 K + 1 + K D,) with reservations of D lengths. See
:class:`~echo_env.lab.decisions.actions.JointActions` and :class:`~echo_env.lab.decisions.starts.StartActions`.
"""

from __future__ import annotations

import numpy as np

from echo_env.common.jit import njit
from echo_env.lab.compiled.keeping import keep, offer_reservations
from echo_env.lab.compiled.layout import CLASSES_PER_TYPE, COUNTS, KINDS, RESERVATIONS, Rules
from echo_env.lab.compiled.starts import commit, open_types, pairs_for
from echo_env.lab.decisions.actions import ACTIONS, CLASSES, MOST_PER_CLASS, PLACE_VALUES

_PLACES = tuple(int(value) for value in PLACE_VALUES)


def action_count(rules: Rules, joint: bool) -> int:
    """How many actions there are.

    :param rules: of the lab
    :param joint: whether actions are joint ones; else single starts
    """
    kinds, lengths = rules.numbers[[KINDS, RESERVATIONS]].tolist()
    return ACTIONS if joint else CLASSES_PER_TYPE * kinds + 1 + kinds * lengths


@njit
def offer(joint, idling, cell, rule, mask):
    """Counterpart of ``ActionSet.offered``: fills the mask; returns how many actions are feasible, and the lowest.

    :param joint: whether actions are joint
    :param idling: whether time may pass while somebody could begin
    :param cell: a lab
    :param rule: the numbers of its rules
    :param mask: (actions,) bool
    """
    for k in range(len(mask)):
        mask[k] = False
    if joint:
        return _offer_joint(idling, cell, rule, mask)
    return _offer_starts(idling, cell, rule, mask)


@njit
def offer_none(joint, rule, mask):
    """Counterpart of ``ActionSet.none``: the action that lets time pass, and no other."""
    stop = 0 if joint else CLASSES_PER_TYPE * rule[KINDS]
    for k in range(len(mask)):
        mask[k] = k == stop
    return 1, stop


@njit
def carry_out(joint, action, cell, rule):
    """Counterpart of ``ActionSet.carry_out``: begins exams; returns whether time is to pass then."""
    if joint:
        if action:
            start_action(action, cell, rule)
        return True
    stop = CLASSES_PER_TYPE * rule[KINDS]
    if action == stop:
        return True
    if action < stop:
        commit(action, cell, rule)
    else:
        keep(action - stop - 1, cell, rule)
    return False


@njit
def start_action(action, cell, rule):
    """Begin the exams of a joint action, fetal claims first."""
    for kind in range(CLASSES):
        digit = action // _PLACES[kind] % (MOST_PER_CLASS + 1)
        for _ in range(digit):
            if cell[COUNTS + kind] and open_types(cell, rule) >> (kind // CLASSES_PER_TYPE) & 1:
                commit(kind, cell, rule)


@njit
def _offer_starts(idling, cell, rule, mask):
    size, first, stop = 0, -1, CLASSES_PER_TYPE * rule[KINDS]
    types = open_types(cell, rule)
    for kind in range(stop):
        if cell[COUNTS + kind] and types >> (kind // CLASSES_PER_TYPE) & 1:
            mask[kind] = True
            size += 1
            if first < 0:
                first = kind
    if idling or size == 0:
        mask[stop] = True
        size += 1
        if first < 0:
            first = stop
    if rule[RESERVATIONS]:
        size += offer_reservations(cell, rule, mask)
    return size, first


@njit
def _offer_joint(idling, cell, rule, mask):
    free_f, free = pairs_for(0b01, cell, rule), pairs_for(0b11, cell, rule)
    most = np.empty(CLASSES, np.int64)
    for kind in range(CLASSES):
        most[kind] = min(cell[COUNTS + kind], MOST_PER_CLASS)
    size, first = 0, -1
    for a in range(min(most[0], free_f) + 1):
        for b in range(min(most[1], free_f - a) + 1):
            for c in range(min(most[2], free_f - a - b, free - a - b) + 1):
                fetal = a + b + c
                if fetal > free:
                    continue
                more_f = fetal < free_f and (a < most[0] or b < most[1] or c < most[2])
                for d in range(min(most[3], free - fetal) + 1):
                    for e in range(min(most[4], free - fetal - d) + 1):
                        for f in range(min(most[5], free - fetal - d - e) + 1):
                            more = more_f or d < most[3] or e < most[4] or f < most[5]
                            if not idling and more and fetal + d + e + f < free:
                                continue
                            action = a * _PLACES[0] + b * _PLACES[1] + c * _PLACES[2]
                            action += d * _PLACES[3] + e * _PLACES[4] + f
                            mask[action] = True
                            size += 1
                            if first < 0:
                                first = action
    return size, first

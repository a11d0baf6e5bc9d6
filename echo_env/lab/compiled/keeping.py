"""Reservations: what keeps the last free room and member of staff for an exam type, and when it ends."""

from __future__ import annotations

from echo_env.common.jit import njit
from echo_env.lab.compiled.layout import (
    AT_KEPT_SINCE,
    AT_KEPT_UNTIL,
    CLASSES_PER_TYPE,
    KEPT,
    KINDS,
    MINUTE,
    OF_RESERVATIONS,
    RESERVATIONS,
)
from echo_env.lab.compiled.starts import open_types, open_types_beside, open_types_in_all
from echo_env.lab.config.plan import NEVER


@njit
def keep(choice, cell, rule):
    """Begin a reservation: counterpart of ``Whiteboard.keep``.

    :param choice: its type and its length as one number, in the order of actions
    """
    kind, length = divmod(choice, rule[RESERVATIONS])
    cell[KEPT] |= 1 << kind
    cell[rule[AT_KEPT_SINCE] + kind] = cell[MINUTE]
    cell[rule[AT_KEPT_UNTIL] + kind] = cell[MINUTE] + rule[rule[OF_RESERVATIONS] + length]


@njit
def end_reservations(cell, rule):
    """Counterpart of ``Whiteboard.end_reservations``."""
    possible = open_types_in_all(cell, rule)
    for kind in range(rule[KINDS]):
        if possible >> kind & 1 or cell[rule[AT_KEPT_UNTIL] + kind] <= cell[MINUTE]:
            cell[KEPT] &= ~(1 << kind)


@njit
def next_to_end(cell, rule):
    """The minute in which the next reservation ends at the latest; there is one."""
    soonest = NEVER
    for kind in range(rule[KINDS]):
        if cell[KEPT] >> kind & 1:
            soonest = min(soonest, cell[rule[AT_KEPT_UNTIL] + kind])
    return soonest


@njit
def offer_reservations(cell, rule, mask):
    """Fill in which reservations are feasible, and return how many: counterpart of ``StartActions.reservable``.

    Where there is one, a start is feasible as well.
    """
    first, size = CLASSES_PER_TYPE * rule[KINDS] + 1, 0
    possible = open_types(cell, rule)
    if not possible:
        return size
    in_all = open_types_in_all(cell, rule)
    for kind in range(rule[KINDS]):
        if (cell[KEPT] | in_all) >> kind & 1:
            continue
        if open_types_beside(cell[KEPT] | 1 << kind, cell, rule) != possible:
            for length in range(rule[RESERVATIONS]):
                mask[first + kind * rule[RESERVATIONS] + length] = True
                size += 1
    return size

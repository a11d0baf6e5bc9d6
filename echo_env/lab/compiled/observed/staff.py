"""The numbers of ``staffed`` on staff, rooms and reservations: see :mod:`~echo_env.lab.decisions.staffed`."""

from __future__ import annotations

import numpy as np

from echo_env.common.jit import njit
from echo_env.lab.compiled import layout
from echo_env.lab.compiled.observed.free_again import away, exam_left, turnover_of
from echo_env.lab.decisions.numbers import LONGEST_SHOWN
from echo_env.lab.decisions.staffed import KINDS

_KINDS = len(KINDS)


@njit
def fill_staff_numbers(cell, rule, rest, at, row):
    """Counterpart of ``numbers_of_staff``.

    :param cell: a lab
    :param rule: the numbers of its rules
    :param rest: (K, n) float64, see :func:`~echo_env.lab.decisions.free_again.exam_rests`
    :param at: where the numbers begin
    :param row: (numbers,) float64, filled from there
    """
    now = cell[layout.MINUTE]
    room_free = np.full(rule[layout.ROOMS], np.float64(LONGEST_SHOWN))
    # The first and second fetal-capable member, and anybody.
    soonest = np.full(3, np.float64(LONGEST_SHOWN))
    row[at], row[at + 1] = 0, 0
    for s in range(rule[layout.MEMBERS]):
        member = rule[layout.AT_STAFF] + layout.STAFF_COLUMNS * s
        status = cell[member + layout.STATUS]
        if status in (layout.ABSENT, layout.OFF_DUTY):
            continue
        group = rule[layout.OF_STAFF] + layout.STAFF_GROUP_COLUMNS * cell[member + layout.GROUP]
        able = rule[group + layout.CAN]
        if able in (2, 3):
            row[at + able - 2] += 1
        if status == layout.FREE_NOW:
            left = 0.0
        elif status == layout.IN_EXAM:
            left = exam_left(cell, rule, member, rest)
            room_free[cell[member + layout.ROOM]] = left
        else:
            left = np.float64(away(cell, rule, member, group))
        soonest[2] = min(soonest[2], left)
        if able & 1:
            soonest[1] = min(soonest[1], max(soonest[0], left))
            soonest[0] = min(soonest[0], left)
    for k in range(3):
        row[at + 2 + k] = soonest[k]
    _rooms(cell, rule, room_free, at + 5, row)
    for kind in range(_KINDS):
        kept = cell[layout.KEPT] >> kind & 1
        since, until = cell[rule[layout.AT_KEPT_SINCE] + kind], cell[rule[layout.AT_KEPT_UNTIL] + kind]
        row[at + 7 + 2 * kind] = min(now - since, LONGEST_SHOWN) if kept else 0
        row[at + 8 + 2 * kind] = min(until - now, LONGEST_SHOWN) if kept else 0


@njit
def _rooms(cell, rule, in_exam, at, row):
    """Minutes until a fetal-capable room, and until any, is expected to be free.

    :param in_exam: (R,) float64, expected minutes left of the exam in each room
    """
    row[at], row[at + 1] = LONGEST_SHOWN, LONGEST_SHOWN
    for room in range(rule[layout.ROOMS]):
        own = rule[layout.AT_ROOMS] + layout.ROOM_COLUMNS * room
        group, use, left = cell[own + layout.ROOM_GROUP], cell[own + layout.USE], np.float64(LONGEST_SHOWN)
        if use == layout.ROOM_FREE:
            left = 0.0
        elif use == layout.IN_USE:
            left = in_exam[room] + turnover_of(rule, group)
        elif use == layout.CLEANING:
            left = np.float64(max(cell[own + layout.CLEAN_AT] - cell[layout.MINUTE], 1))
        row[at + 1] = min(row[at + 1], left)
        if rule[rule[layout.OF_ROOMS_CAN] + group] & 1:
            row[at] = min(row[at], left)

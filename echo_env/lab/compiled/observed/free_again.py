"""When whoever is busy is expected to be free again: see :mod:`~echo_env.lab.decisions.free_again`."""

from __future__ import annotations

from echo_env.common.jit import njit
from echo_env.lab.compiled import layout
from echo_env.lab.decisions.free_again import minutes_away

_minutes_away = njit(minutes_away)


@njit
def exam_left(cell, rule, member, rest):
    """Expected minutes that are left of a member's exam.

    :param cell: a lab
    :param rule: the numbers of its rules
    :param member: where those of the member begin
    :param rest: (K, n) float64, see :func:`~echo_env.lab.decisions.free_again.exam_rests`
    """
    kind = cell[rule[layout.AT_PATIENTS] + layout.PATIENT_COLUMNS * cell[member + layout.PATIENT] + layout.TYPE]
    return rest[kind, min(cell[layout.MINUTE] - cell[member + layout.BUSY_SINCE], rest.shape[1] - 1)]


@njit
def away(cell, rule, member, group):
    """Minutes for which a member on a break or at lunch is expected to stay away; the longest shown for others.

    :param cell: a lab
    :param rule: the numbers of its rules
    :param member: where those of the member begin
    :param group: where the rules of its group begin
    """
    elapsed = cell[layout.MINUTE] - cell[member + layout.BUSY_SINCE]
    return _minutes_away(
        cell[member + layout.STATUS], elapsed, rule[group + layout.BREAK_MIN], rule[group + layout.LUNCH_MIN]
    )


@njit
def turnover_of(rule, group):
    """Minutes for which a room of a group is cleaned after an exam.

    :param rule: the numbers of a lab's rules
    :param group: of rooms
    """
    return rule[rule[layout.OF_ROOMS] + layout.ROOM_GROUP_COLUMNS * group + layout.TURNOVER]

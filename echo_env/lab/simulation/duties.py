"""Where a member of staff goes: the rules of shifts, lunch and planned breaks.

Plain arithmetic, which the SimPy engine calls and the compiled engine compiles.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any


class Status(IntEnum):
    """What a member of staff is doing."""

    FREE = 0
    IN_EXAM = 1
    ON_BREAK = 2
    ABSENT = 3
    OFF_DUTY = 4
    AT_LUNCH = 5


class RoomStatus(IntEnum):
    """What a room is used for."""

    FREE = 0
    IN_USE = 1
    CLEANING = 2
    CLOSED = 3


_FREE, _ON_BREAK, _OFF_DUTY, _AT_LUNCH = (
    int(status) for status in (Status.FREE, Status.ON_BREAK, Status.OFF_DUTY, Status.AT_LUNCH)
)


def next_duty(
    minute: int,
    until: int,
    lunch_left: int,
    lunch_begin: int,
    lunch_latest: int,
    at_lunch: int,
    at_once: int,
    lunch_put_off: int,
    planned_break: int,
    put_off_min: int,
    wanted: int,
) -> int:
    """What a member of staff does who has nothing to do: goes home, has lunch, has a planned break, or is free.

    Lunch is taken at the first free minute from the beginning of its window, while no more than so many of the group
    are at lunch; from the last minute on from which it fits into its window it is taken by force. A planned break is
    taken at the first free minute from its time on. Both may be put off while the member is wanted: lunch until it is
    taken by force, a break for so many minutes.

    :param minute: now
    :param until: end of the shift
    :param lunch_left: 1 if the member has had no lunch, but is to have one
    :param lunch_begin: first minute of its window
    :param lunch_latest: last minute from which it fits into its window
    :param at_lunch: how many of the group are at lunch
    :param at_once: how many may be
    :param lunch_put_off: 1 if lunch may be put off
    :param planned_break: time of the member's next planned break
    :param put_off_min: minutes for which it may be put off
    :param wanted: 1 if a patient waits whom the member may begin to examine now
    :return: a :class:`Status`
    """
    if minute >= until:
        return _OFF_DUTY
    may_go = at_lunch < at_once and not (lunch_put_off and wanted)
    if lunch_left and minute >= lunch_begin and (minute >= lunch_latest or may_go):
        return _AT_LUNCH
    if minute >= planned_break and (minute >= planned_break + put_off_min or not wanted):
        return _ON_BREAK
    return _FREE


def is_closed(minute: int, closed: Any) -> bool:
    """Whether a room is closed.

    :param minute: now
    :param closed: (n, 2) stretches [from, until)
    """
    inside = False
    for i in range(len(closed)):
        inside = inside or closed[i][0] <= minute < closed[i][1]
    return inside

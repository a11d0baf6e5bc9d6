"""What the values of the roster's levers mean: the plan with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal, NamedTuple, TypeVar

from echo_env.lab.config.exam_types import A_DAY
from echo_env.lab.config.plan import NEVER, LabPlan, RoomGroup, StaffGroup

What = Literal["count", "begin", "length", "on_call", "training", "rooms"]
"""What a lever is of."""
NEW = -1
"""In place of the number of a group: one that is added."""
NOBODY = -1
"""The value of the lever of members on call if there are none."""

T = TypeVar("T", StaffGroup, RoomGroup)


class Part(NamedTuple):
    """What a lever decides.

    :param what: regular members; first minute of the shift, since opening; its length, minutes; members on call with
        their minute, see :func:`call_of`; members who are trained; rooms that are equipped
    :param group: number of the staff group, or of the room group for ``rooms``
    :param target: number of the group that trained members and equipped rooms join, or ``NEW``
    :param name: of that group
    """

    what: What
    group: int
    target: int = NEW
    name: str = ""


Decided = Mapping[Part, int]
"""Values of the levers."""


class Call(NamedTuple):
    """Members on call.

    :param number: how many
    :param minute: when they come, since opening
    """

    number: int
    minute: int


def call_of(value: int) -> Call:
    """What a value of the lever of members on call means: one number for both, since neither is of use alone.

    :param value: ``NOBODY``, or the minute and a day more for each further member
    """
    return Call(0, 0) if value == NOBODY else Call(value // A_DAY + 1, value % A_DAY)


def call_value(call: Call) -> int:
    """The value of the lever.

    :param call: members on call
    """
    return (call.number - 1) * A_DAY + call.minute if call.number else NOBODY


def with_roster(plan: LabPlan, decided: Decided) -> LabPlan:
    """The plan with these values. Groups keep their places, and new ones come last, so that luck stays where it was.

    :param plan: of the lab
    :param decided: values of the levers
    """
    staff = [_with_terms(own, _of_group(decided, number)) for number, own in enumerate(plan.staff_groups)]
    rooms = list(plan.room_groups)
    every = (1 << len(plan.types)) - 1
    for part, number in decided.items():
        if part.what == "training" and number:
            _train(staff, part, number, every)
        elif part.what == "rooms" and number:
            added = replace(rooms[part.group], name=part.name, count=number, can=every)
            rooms[part.group] = _more(rooms[part.group], -number)
            _join(rooms, part, number, added)
    return replace(plan, staff_groups=tuple(staff), room_groups=tuple(rooms))


def _of_group(decided: Decided, group: int) -> dict[str, int]:
    return {part.what: value for part, value in decided.items() if part.group == group and part.what != "rooms"}


def _with_terms(own: StaffGroup, decided: Mapping[str, int]) -> StaffGroup:
    """A group with other members, another shift and others on call."""
    count, shift, call = decided.get("count", own.count), shift_of(own, decided), Call(own.on_call, own.on_call_min)
    if "on_call" in decided and call_of(decided["on_call"]) != call:
        call = call_of(decided["on_call"])
        # Nobody comes before the shift begins.
        call = Call(call.number, max(call.minute, shift[0] if shift else 0) if call.number else 0)
    return replace(
        own,
        count=count,
        always_present=min(own.always_present, count),
        shift=shift,
        on_call=call.number,
        on_call_min=call.minute,
    )


def shift_of(own: StaffGroup, decided: Mapping[str, int]) -> tuple[int, int] | None:
    """The shift of a group.

    :param own: the group as it is
    :param decided: values of its levers
    :return: [from, until) in minutes since opening; None for the whole day
    """
    begin, until = own.shift or (0, NEVER)
    length = decided.get("length", until - begin)
    begin = decided.get("begin", begin)
    if own.shift is None and not begin:
        return None
    return begin, until if until == NEVER else begin + length


def _train(staff: list[StaffGroup], part: Part, number: int, every: int) -> None:
    """Let the last members of a group join another one, in place; who is always there stays so."""
    own = staff[part.group]
    always = max(own.always_present - (own.count - number), 0)
    added = replace(own, name=part.name, count=number, can=every, always_present=always, on_call=0, on_call_min=0)
    staff[part.group] = replace(_more(own, -number), always_present=own.always_present - always)
    if part.target != NEW:
        target = staff[part.target]
        staff[part.target] = replace(target, always_present=target.always_present + always)
    _join(staff, part, number, added)


def _join(groups: list[T], part: Part, number: int, added: T) -> None:
    if part.target == NEW:
        groups.append(added)
    else:
        groups[part.target] = _more(groups[part.target], number)


def _more(own: T, number: int) -> T:
    return replace(own, count=own.count + number)


def supersets(can: int, others: Iterable[int]) -> list[int]:
    """Places of those who can do all of it and more, those who can do most first.

    :param can: bit set of exam types
    :param others: bit sets
    """
    found = [(other, place) for place, other in enumerate(others) if other != can and other & can == can]
    return [place for other, place in sorted(found, key=lambda own: (-own[0].bit_count(), own[1]))]

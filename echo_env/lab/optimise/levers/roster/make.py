"""What may change of a roster: a lever for each number of each group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from echo_env.lab.config import GeneralLabConfig
from echo_env.lab.config.exam_types import A_DAY
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.plan import NEVER, LabPlan, RoomGroup, StaffGroup
from echo_env.lab.optimise.levers.lever import Lever
from echo_env.lab.optimise.levers.roster.decision import Roster
from echo_env.lab.optimise.levers.roster.plans import NEW, NOBODY, Call, Part, call_value, supersets
from echo_env.lab.optimise.levers.workable import needed_stretch

KINDS = ("count", "shift", "on_call", "training", "rooms")
"""What may be decided: members by group, begin and end of shifts, members on call, training of members, equipment of
rooms."""
_MOST_MEMBERS = 999

Found = Iterator[tuple[Part, Lever]]
T = TypeVar("T", StaffGroup, RoomGroup)


def roster(
    config: Lab,
    extra: int = 1,
    on_call: int = 1,
    grid_min: int = 15,
    trained: int = 1,
    rooms: int = 1,
    shift_min: tuple[int, int] = (240, 600),
    kinds: Sequence[str] = KINDS,
) -> Roster:
    """The roster of a lab.

    :param config: the lab, of the general form: see :func:`~echo_env.lab.config.lab.as_general`
    :param extra: so many members may be added to each group of staff
    :param on_call: so many may be on call in each group whose members can be absent
    :param grid_min: minutes between the times, from opening on, at least 1
    :param trained: so many members of each group may be trained for more exam types
    :param rooms: so many rooms of each group may be made fit for more exam types
    :param shift_min: shortest and longest shift, minutes; today's lengths are allowed besides
    :param kinds: what may change, of :data:`KINDS`
    :raises ValueError: a lab of the short form, an unknown kind, or a number that is not allowed; one sentence
    """
    if not isinstance(config, GeneralLabConfig):
        raise ValueError(f"the lab {config.name!r} has no groups of staff, but a roster needs them: use as_general")
    _check(extra, on_call, grid_min, trained, rooms, shift_min, kinds)
    plan = config.plan
    found: list[tuple[Part, Lever]] = []
    for group in range(len(plan.staff_groups)):
        found += _counts(plan, group, extra) if "count" in kinds else ()
        found += _shifts(plan, group, grid_min, shift_min) if "shift" in kinds else ()
        found += _calls(plan, group, on_call, grid_min) if "on_call" in kinds else ()
        found += _training(config, group, trained) if "training" in kinds else ()
    for group in range(len(plan.room_groups)):
        found += _equipment(config, group, rooms) if "rooms" in kinds else ()
    return Roster(config, tuple(part for part, _ in found), tuple(lever for _, lever in found))


def _check(
    extra: int,
    on_call: int,
    grid_min: int,
    trained: int,
    rooms: int,
    shift_min: tuple[int, int],
    kinds: Sequence[str],
) -> None:
    numbers = (("extra", extra, 0), ("on_call", on_call, 0), ("trained", trained, 0), ("rooms", rooms, 0))
    for name, value, low in (*numbers, ("grid_min", grid_min, 1)):
        if value < low:
            raise ValueError(f"{name} is {value!r}, but must be at least {low}")
    if not 1 <= shift_min[0] <= shift_min[1]:
        raise ValueError(f"shift_min is {shift_min!r}, but must be the shortest and then the longest shift in minutes")
    for kind in kinds:
        if kind not in KINDS:
            raise ValueError(f"kinds has {kind!r}, but only {', '.join(KINDS)} of a roster can change")


def _lever(part: Part, today: int, allowed: set[int]) -> Found:
    yield part, Lever(today, tuple(sorted(allowed | {today})), ("roster", *part))


def _counts(plan: LabPlan, group: int, extra: int) -> Found:
    own = plan.staff_groups[group]
    others = [other for number, other in enumerate(plan.staff_groups) if number != group and other.count]
    alone = any(
        own.can >> kind & 1 and not any(other.can >> kind & 1 for other in others) for kind in range(len(plan.types))
    )
    low, high = min(own.count, int(alone)), min(own.count + extra, _MOST_MEMBERS)
    return _lever(Part("count", group), own.count, set(range(low, high + 1)))


def _shifts(plan: LabPlan, group: int, grid_min: int, shift_min: tuple[int, int]) -> Found:
    """Begin and length, so that a shift that is moved keeps its hours."""
    own, (shortest, longest) = plan.staff_groups[group], shift_min
    begin, until = own.shift or (0, NEVER)
    first, last = needed_stretch(own)
    latest = min(first, (plan.closing_min if until == NEVER else plan.end_min) - shortest)
    yield from _lever(Part("begin", group), begin, set(range(0, latest + 1, grid_min)))
    if until != NEVER:
        length = until - begin
        longest = min(longest, plan.end_min)
        shortest = max(shortest, last - first)
        lengths = range(length % grid_min or grid_min, longest + 1, grid_min)
        yield from _lever(Part("length", group), length, {own for own in lengths if own >= shortest})


def _calls(plan: LabPlan, group: int, on_call: int, grid_min: int) -> Found:
    own = plan.staff_groups[group]
    if not own.on_call and (own.absence_rate == 0 or own.count <= own.always_present):
        return
    until = min(own.shift[1] if own.shift else NEVER, plan.closing_min)
    most = max(on_call, own.on_call)
    calls = {(number - 1) * A_DAY + minute for number in range(1, most + 1) for minute in range(0, until, grid_min)}
    yield from _lever(Part("on_call", group), call_value(Call(own.on_call, own.on_call_min)), calls | {NOBODY})


def _training(config: GeneralLabConfig, group: int, trained: int) -> Found:
    groups = config.plan.staff_groups
    own = groups[group]
    if own.can == _every(config) or not own.count:
        return
    most = min(trained, own.count)
    # Training leaves everybody the hours that they have, and does not change who is how often absent: where that is
    # otherwise in a group that could be joined, those who are trained are a group of their own.
    alike = ("shift", "starts_past_shift", "hands_over", "absence_rate")
    part = Part("training", group, NEW, _new_name(groups, f"{own.name}_cross_trained"))
    if own.always_present <= own.count - most:
        part = _joining(part, groups, alike)
    yield from _lever(part, 0, set(range(most + 1)))


def _equipment(config: GeneralLabConfig, group: int, rooms: int) -> Found:
    groups = config.plan.room_groups
    own = groups[group]
    if own.can == _every(config) or not own.count:
        return
    part = Part("rooms", group, NEW, _new_name(groups, f"{own.name}_equipped"))
    part = _joining(part, groups, ("turnover_min", "closed"))
    yield from _lever(part, 0, set(range(min(rooms, own.count) + 1)))


def _joining(part: Part, groups: Sequence[T], alike: Sequence[str]) -> Part:
    """The part with a group that can do more and is alike else, if there is one, in place of a new group."""
    own = groups[part.group]
    for place in supersets(own.can, [other.can for other in groups]):
        if all(getattr(own, field) == getattr(groups[place], field) for field in alike):
            return part._replace(target=place, name=groups[place].name)
    return part


def _new_name(groups: Sequence[T], name: str) -> str:
    taken = {own.name for own in groups}
    while name in taken:
        name += "_2"
    return name


def _every(config: GeneralLabConfig) -> int:
    return (1 << len(config.plan.types)) - 1

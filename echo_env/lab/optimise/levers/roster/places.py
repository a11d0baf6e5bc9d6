"""Where a plan with another roster differs from that of a config, as fields of its file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from echo_env.lab.config import GeneralLabConfig, GroupOfRooms, GroupOfStaff, Shift
from echo_env.lab.config.plan import NEVER, LabPlan, RoomGroup, StaffGroup
from echo_env.lab.optimise.levers.break_words import breaks_in_file
from echo_env.lab.optimise.levers.lever import Place
from echo_env.lab.optimise.levers.roster.plans import Part


def roster_in_file(config: GeneralLabConfig, plan: LabPlan, added: Sequence[Part]) -> dict[Place, Any]:
    """Fields of the groups that differ, and whole sections of new groups.

    :param config: the lab as it is
    :param plan: with another roster
    :param added: what the new groups come from, in their order
    """
    places: dict[Place, Any] = {}
    for staff, other in zip(config.plan.staff_groups, plan.staff_groups, strict=False):
        places |= {("staff_groups", staff.name, *field): value for field, value in _differences(config, staff, other)}
    for room, new in zip(config.plan.room_groups, plan.room_groups, strict=False):
        if room.count != new.count:
            places["room_groups", room.name, "count"] = new.count
    new_staff = plan.staff_groups[len(config.staff_groups) :]
    for part, group in zip([part for part in added if part.what == "training"], new_staff, strict=True):
        places["staff_groups", group.name] = _staff_section(config, part, group)
    new_rooms = plan.room_groups[len(config.room_groups) :]
    for part, rooms in zip([part for part in added if part.what == "rooms"], new_rooms, strict=True):
        places["room_groups", rooms.name] = _room_section(config, part, rooms)
    return places


def _differences(config: GeneralLabConfig, old: StaffGroup, new: StaffGroup) -> list[tuple[Place, Any]]:
    """Fields of a group whose values differ."""
    clock = config.hours.clock
    found: list[tuple[Place, Any]] = [
        ((name,), getattr(new, name))
        for name in ("count", "always_present")
        if getattr(old, name) != getattr(new, name)
    ]
    before, after = old.shift or (0, NEVER), new.shift or (0, NEVER)
    if old.shift is None and new.shift is not None:
        # The whole section, and no end: a base may have a shift with one, which the file took out.
        found.append((("shift",), {"from": clock(after[0]), "until": None}))
    else:
        sides = [(side, name) for side, name in enumerate(("from", "until")) if before[side] != after[side]]
        found += [(("shift", name), clock(after[side])) for side, name in sides]
    if bool(old.on_call) != bool(new.on_call):
        call = {"count": new.on_call, "from": clock(new.on_call_min)} if new.on_call else None
        found.append((("on_call",), call))
    else:
        if old.on_call != new.on_call:
            found.append((("on_call", "count"), new.on_call))
        if old.on_call_min != new.on_call_min:
            found.append((("on_call", "from"), clock(new.on_call_min)))
    return found


def _staff_section(config: GeneralLabConfig, part: Part, new: StaffGroup) -> dict[str, Any]:
    """The section of a group whose members can do all exams, and else are like those whom they come from."""
    own = list(config.staff_groups.values())[part.group]
    shift = own.shift
    if new.shift is not None:
        begin, until = new.shift
        shift = replace(shift or Shift(), from_min=begin, until_min=None if until == NEVER else until)
    section = replace(
        own, count=new.count, exam_types=None, shift=shift, always_present=new.always_present, on_call=None
    )
    fields = _dumped(config, GroupOfStaff, section)
    # Breaks and lunch may have been decided before.
    others = breaks_in_file(config.plan.staff_groups[part.group], new, config.hours.clock)
    for (name, field), value in others.items():
        fields[name] = {**fields[name], field: value}
    return fields


def _room_section(config: GeneralLabConfig, part: Part, new: RoomGroup) -> dict[str, Any]:
    own = list(config.room_groups.values())[part.group]
    return _dumped(config, GroupOfRooms, replace(own, count=new.count, exam_types=None))


def _dumped(config: GeneralLabConfig, cls: type, section: Any) -> dict[str, Any]:
    context = {"opening": config.hours.opening_min}
    found: dict[str, Any] = TypeAdapter(cls).dump_python(
        section, mode="json", by_alias=True, exclude_defaults=True, context=context
    )
    return found

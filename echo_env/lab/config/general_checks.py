"""What must hold between the sections of a lab with exam types, room groups and staff groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from echo_env.common.config_model import ConfigError, Loc
from echo_env.common.words import did_you_mean
from echo_env.lab.config.exam_types import Unbooked, rebooked_places
from echo_env.lab.config.plan import MOST_TYPES, NEVER, LabPlan, RoomGroup, StaffGroup

if TYPE_CHECKING:
    from echo_env.lab.config.clock import Stretch
    from echo_env.lab.config.exam_types import ExamType
    from echo_env.lab.config.general import GeneralLabConfig
    from echo_env.lab.config.groups import GroupOfRooms, GroupOfStaff


def check_lab(config: GeneralLabConfig) -> None:
    """Refuse a lab whose sections do not fit together.

    :param config: the lab, each section of which is valid by itself
    :raises ConfigError: names the field, its value and what is allowed
    """
    if len(config.exam_types) > MOST_TYPES:
        raise ConfigError(f"exam_types has {len(config.exam_types)} entries, but must have 1 to {MOST_TYPES}")
    for name, kind in config.exam_types.items():
        _check_type(config, name, kind)
    for name, rooms in config.room_groups.items():
        _check_rooms(config, ("room_groups", name), rooms)
    for name, staff in config.staff_groups.items():
        _check_staff(config, ("staff_groups", name), staff)
    for name, kind in config.exam_types.items():
        with _at(("exam_types", name, "arrival")):
            kind.arrival.over(config.arrival)
        with _at(("exam_types", name, "exam")):
            kind.exam.over(config.exam)
    _check_somebody_comes(config)
    check_somebody_can(config.plan)


def _check_type(config: GeneralLabConfig, name: str, kind: ExamType) -> None:
    hours, place = config.hours, f"exam_types.{name}"
    for number, minute in enumerate(kind.appointments):
        if minute is not None and minute > hours.closing_min:
            raise ConfigError(
                f"{place}.appointments has one at {hours.clock(minute)}, but the lab closes at "
                f"{hours.clock(hours.closing_min)}",
                ("exam_types", name, "appointments", number),
            )
    for minute in kind.unscheduled:
        if minute >= hours.closing_min:
            raise ConfigError(
                f"{place}.unscheduled has the hour from {hours.clock(minute)}, but the lab closes at "
                f"{hours.clock(hours.closing_min)}",
                ("exam_types", name, "unscheduled", hours.clock(minute)),
            )
    _check_rebooking(config, name, kind)


def _check_rebooking(config: GeneralLabConfig, name: str, kind: ExamType) -> None:
    try:
        rebooked_places(kind.appointments, kind.rebook_when_absent)
    except Unbooked as error:
        clock, number = config.hours.clock, kind.appointments.count(error.minute)
        again = " once more" if number else ""
        there = "is no appointment" if not number else "is one appointment" if number == 1 else f"are {number}"
        times = ", ".join(clock(minute) for minute in sorted({own for own in kind.appointments if own is not None}))
        raise ConfigError(
            f"exam_types.{name}.rebook_when_absent.{error.absent} has {clock(error.minute)}{again}, "
            f"but there {there} at that time; the appointments are at {times or 'no time'}",
            ("exam_types", name, "rebook_when_absent", str(error.absent), error.entry),
        ) from None


def _check_rooms(config: GeneralLabConfig, place: Loc, group: GroupOfRooms) -> None:
    _check_names(config, place, group.exam_types)
    for number, stretch in enumerate(group.closed):
        _check_inside_day(config, (*place, "closed", number), stretch)


def _check_staff(config: GeneralLabConfig, place: Loc, group: GroupOfStaff) -> None:
    hours, end = config.hours, config.hours.end_min
    _check_names(config, place, group.exam_types)
    begin, until, span = 0, end, f"the day, which is {hours.clock(0)} to {hours.clock(end)}"
    if group.shift is not None:
        _check_inside_day(config, (*place, "shift"), group.shift)
        begin, until = group.shift.from_min, group.shift.ends(end)
        span = f"the shift, which is {hours.clock(begin)} to {hours.clock(until)}"

    def check(field: Loc, low: int, high: int, said: str) -> None:
        if low < begin or high > until:
            raise ConfigError(f"{_dotted((*place, *field))} is {said}, but must be inside {span}", (*place, *field))

    if group.lunch is not None:
        low, high = group.lunch.from_min, group.lunch.until_min
        check(("lunch",), low, high, f"{hours.clock(low)} to {hours.clock(high)}")
    for number, minute in enumerate(group.breaks.planned if group.breaks else ()):
        check(("breaks", "planned", number), minute, minute + 1, f"at {hours.clock(minute)}")
    if group.on_call is not None:
        minute = group.on_call.from_min
        check(("on_call", "from"), max(minute, begin), minute + 1, hours.clock(minute))


def _check_names(config: GeneralLabConfig, place: Loc, names: Iterable[str] | None) -> None:
    for number, name in enumerate(names or ()):
        if name not in config.exam_types:
            hint = did_you_mean(name, config.exam_types)
            raise ConfigError(
                f"{_dotted(place)}.exam_types has {name!r}, which is no exam type{hint}; exam_types has "
                f"{', '.join(config.exam_types)}",
                (*place, "exam_types", number),
            )


def _check_inside_day(config: GeneralLabConfig, place: Loc, stretch: Stretch) -> None:
    hours, end = config.hours, config.hours.end_min
    for name, minute in (("from", stretch.from_min), ("until", stretch.ends(end))):
        if minute > end or (name == "from" and minute == end):
            raise ConfigError(
                f"{_dotted(place)}.{name} is {hours.clock(minute)}, but must be inside the day, which is "
                f"{hours.clock(0)} to {hours.clock(end)}",
                (*place, name),
            )


def _check_somebody_comes(config: GeneralLabConfig) -> None:
    for kind in config.exam_types.values():
        if any(minute is not None for minute in kind.appointments) or any(kind.unscheduled.values()):
            return
    raise ConfigError("exam_types has nobody who comes, but must have an appointment or an unscheduled patient")


def check_somebody_can(plan: LabPlan) -> None:
    """Refuse an exam type for which no room or no member of staff is there long enough.

    A type for which nobody comes needs nobody.

    :param plan: of the lab
    :raises ConfigError: names the exam type and what is missing
    """
    for bit, kind in enumerate(plan.types):
        if not kind.unscheduled and all(minute is None for minute in kind.scheduled):
            continue
        rooms = [room for room in plan.room_groups if room.can >> bit & 1 and room.count]
        staff = [group for group in plan.staff_groups if group.can >> bit & 1 and group.count]
        expected = int(plan.expected_min[bit])
        problem = ""
        if not rooms:
            problem = "no room group that has rooms has it in its exam_types"
        elif not staff:
            problem = "no staff group that has members has it in its exam_types"
        elif not any(_opens(room, plan.end_min) for room in rooms):
            problem = "every room in which it could be done is closed all day"
        elif not any(_stays(group, expected) for group in staff):
            problem = (
                f"an exam is expected to take {expected} minutes, and no shift of those who can do it is as long "
                "(or set starts_past_end)"
            )
        if problem:
            raise ConfigError(f"exam_types.{kind.name} could never be examined: {problem}")


def _opens(room: RoomGroup, end_min: int) -> bool:
    """Whether a room is open in any minute of the day."""
    minute = 0
    for begin, until in room.closed:
        if begin > minute:
            return True
        minute = max(minute, until)
    return minute < end_min


def _stays(group: StaffGroup, expected: int) -> bool:
    """Whether a shift is long enough to begin an exam in."""
    begin, until = group.shift or (0, NEVER)
    return group.starts_past_shift or begin + expected <= until


@contextmanager
def _at(place: Loc) -> Iterator[None]:
    """Put the place before what a law has to say."""
    try:
        yield
    except ConfigError as error:
        # The law may have named a section of its own.
        path, _, said = str(error).partition(" ")
        name = path.rpartition(".")[2]
        raise ConfigError(f"{_dotted(place)}.{name} {said}", (*place, name)) from None


def _dotted(place: Loc) -> str:
    return ".".join(str(part) for part in place if isinstance(part, str))

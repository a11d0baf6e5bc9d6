"""The plan of a lab with exam types, room groups and staff groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from echo_env.lab.config.exam_types import rebooked_places
from echo_env.lab.config.plan import NEVER, BreakPlan, LabPlan, LunchPlan, RoomGroup, StaffGroup, TypePlan

if TYPE_CHECKING:
    from echo_env.lab.config.exam_types import ExamType
    from echo_env.lab.config.general import GeneralLabConfig
    from echo_env.lab.config.groups import GroupOfRooms, GroupOfStaff


def general_plan(config: GeneralLabConfig) -> LabPlan:
    """The plan of a lab: exam types, rooms and members of staff in the order of the config.

    :param config: the lab
    """
    hours = config.hours
    return LabPlan(
        opening_min=hours.opening_min,
        closing_min=hours.closing_min,
        end_min=hours.end_min,
        types=tuple(_type(config, name, kind) for name, kind in config.exam_types.items()),
        room_groups=tuple(_rooms(config, name, group) for name, group in config.room_groups.items()),
        staff_groups=tuple(_staff(config, name, group) for name, group in config.staff_groups.items()),
    )


def _type(config: GeneralLabConfig, name: str, kind: ExamType) -> TypePlan:
    return TypePlan(
        name=name,
        scheduled=kind.appointments,
        exam=kind.exam.over(config.exam),
        arrival=kind.arrival.over(config.arrival),
        weight=kind.weight,
        check_in_lead_min=kind.check_in_lead_min,
        preparation=kind.preparation.law() if kind.preparation else None,
        may_begin_early=kind.may_begin_early,
        unscheduled=tuple((minute, number) for minute, number in kind.unscheduled.items() if number),
        rebook_from=rebooked_places(kind.appointments, kind.rebook_when_absent) if kind.rebook_when_absent else (),
    )


def _rooms(config: GeneralLabConfig, name: str, group: GroupOfRooms) -> RoomGroup:
    closed = tuple(sorted((stretch.from_min, stretch.ends(config.hours.end_min)) for stretch in group.closed))
    return RoomGroup(
        name, group.count, _can(config, group.exam_types), group.turnover_min, closed, group.price_per_hour
    )


def _staff(config: GeneralLabConfig, name: str, group: GroupOfStaff) -> StaffGroup:
    shift, lunch, breaks, on_call = group.shift, group.lunch, group.breaks, group.on_call
    return StaffGroup(
        name=name,
        count=group.count,
        can=_can(config, group.exam_types),
        breaks=BreakPlan()
        if breaks is None
        else BreakPlan(
            number=breaks.number,
            minutes=breaks.minutes,
            both_probability=breaks.both_probability,
            one_probability=breaks.one_probability,
            last_probability=breaks.last_probability,
            planned=breaks.planned,
            put_off_min=breaks.put_off_min,
        ),
        absence_rate=group.absence_rate,
        always_present=group.always_present,
        # Without an end of its own, a shift does not limit what is begun, and overtime counts from closing.
        shift=None if shift is None else (shift.from_min, NEVER if shift.until_min is None else shift.until_min),
        starts_past_shift=shift is not None and shift.starts_past_end,
        hands_over=shift is not None and shift.hand_over,
        lunch=None
        if lunch is None
        else LunchPlan(
            begin_min=lunch.from_min,
            latest_min=lunch.until_min - lunch.minutes,
            minutes=lunch.minutes,
            at_once=lunch.at_once or NEVER,
            put_off=lunch.put_off,
        ),
        on_call=on_call.count if on_call else 0,
        on_call_min=on_call.from_min if on_call else 0,
        price_per_hour=group.price_per_hour,
        overtime_factor=group.overtime_factor,
    )


def _can(config: GeneralLabConfig, names: tuple[str, ...] | None) -> int:
    """Bit set of exam types."""
    order = list(config.exam_types)
    return (1 << len(order)) - 1 if names is None else sum(1 << order.index(name) for name in set(names))

"""Whether a plan could be a lab: what :mod:`echo_env.lab.config.general_checks` asks of a config, asked of a plan."""

from __future__ import annotations

from echo_env.lab.config import ConfigError
from echo_env.lab.config.general_checks import check_somebody_can
from echo_env.lab.config.plan import NEVER, LabPlan, StaffGroup


def is_workable(plan: LabPlan) -> bool:
    """Whether shifts hold what happens in them, and there are a room and a member of staff for every exam type.

    :param plan: of a lab, with numbers and times that a decision has put in
    """
    if not all(_holds(own, plan.end_min) for own in plan.staff_groups):
        return False
    if any(own.count < 0 for own in plan.room_groups):
        return False
    try:
        check_somebody_can(plan)
    except ConfigError:
        return False
    return True


def _holds(own: StaffGroup, end_min: int) -> bool:
    """Whether a group has no less than nobody, and its shift has lunch, planned breaks and calls inside it."""
    if own.count < 0 or (own.on_call and not own.count):
        return False
    begin, until = own.shift or (0, NEVER)
    last = end_min if until == NEVER else until
    if not 0 <= begin < last <= end_min:
        return False
    low, high = needed_stretch(own)
    return begin <= low and high <= last


def needed_stretch(own: StaffGroup) -> tuple[int, int]:
    """The stretch of the day that a shift of a group must hold: from lunch and planned breaks, to them and the calls.

    :param own: the group
    :return: first minute and the minute after the last one, since opening; (``NEVER``, 0) if nothing is fixed
    """
    begins, ends = list(own.breaks.planned), [minute + 1 for minute in own.breaks.planned]
    if own.lunch is not None:
        begins.append(own.lunch.begin_min)
        ends.append(own.lunch.latest_min + own.lunch.minutes)
    if own.on_call:
        ends.append(own.on_call_min + 1)
    return min(begins, default=NEVER), max(ends, default=0)

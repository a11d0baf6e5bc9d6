"""The lab of one recorded day, and how it plays that day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from echo_env.lab.calibration.validation.recorded import Can, RecordedDay
from echo_env.lab.config import Hours, Penalty
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.plan import BreakPlan, LabPlan, RoomGroup, StaffGroup, TypePlan
from echo_env.lab.day import Day, most_exams, stack_days
from echo_env.lab.evaluation.comparison import choose_engine
from echo_env.lab.policies.base import make_policy
from echo_env.lab.simulation.metrics import day_results
from echo_env.lab.simulation.policy import Policy
from echo_env.lab.simulation.simulator import simulate

if TYPE_CHECKING:
    import pandas as pd

Ints = np.ndarray

A_DAY = 1440

Group = TypeVar("Group", RoomGroup, StaffGroup)


@dataclass(frozen=True)
class DayLab:
    """The lab of one recorded day: that of the config, with the appointments, rooms and staff of the day.

    :param name: of the day
    :param hours: from the lab's opening, or the first exam if that was earlier, to midnight
    :param penalty: that of the config
    :param plan: of the day
    """

    name: str
    hours: Hours
    penalty: Penalty
    plan: LabPlan

    def replace(self, **changes: Any) -> DayLab:
        """A copy with other fields."""
        return replace(self, **changes)


class PlayedDay:
    """A recorded day that can be played again and again.

    :param day: the day
    :param exams: its exams, those of :func:`~echo_env.lab.calibration.validation.recorded.recorded_exams`
    :param config: the lab
    """

    def __init__(self, day: RecordedDay, exams: pd.DataFrame, config: Lab) -> None:
        kind = exams["kind"].to_numpy()
        opening = self._opening = min(config.plan.opening_min, int(exams["begin"].min()))
        due = np.maximum(exams["due_min"].to_numpy() - opening, 0)
        self._lab = day_lab(day, kind, due, config, opening)
        plan, staff = self._lab.plan, len(self._lab.plan.staff_group)
        self._day = Day(
            scheduled=due,
            exam_type=kind,
            arrival=np.maximum(exams["came_min"].to_numpy() - opening, 0),
            exam_min=exams["takes_min"].to_numpy(),
            prep_min=np.zeros(len(kind), dtype=np.int64),
            unscheduled=exams["unscheduled"].to_numpy(dtype=np.bool_),
            absence_draw=np.ones(staff),
            break_draw=np.ones((staff, most_exams(plan))),
            absence_rate=0.5,
            on_call=plan.on_call,
            staff_group=plan.staff_group,
        )
        self._policies: dict[str, Policy] = {}

    def begins(self, ready: Ints, rule: str) -> Ints:
        """(n,) int64, when its exams begin, minutes after midnight, -1 for those that do not.

        :param ready: (n,) from when each patient can be examined, minutes after midnight
        :param rule: name of a policy that works in any lab
        :raises ValueError: no such rule
        """
        if rule not in self._policies:
            self._policies[rule] = make_policy(rule, self._lab)
        prepared = np.maximum(ready - self._opening - self._day.arrival, 0)
        start = _starts(self._lab, replace(self._day, prep_min=prepared), self._policies[rule])
        return np.where(start < 0, -1, start + self._opening)


def _starts(lab: Lab, day: Day, policy: Policy) -> Ints:
    if choose_engine(policy, "auto") == "simpy":
        return day_results(simulate(lab, day, policy)).start[0]
    from echo_env.lab.evaluation.engines import play_days

    return play_days(lab, policy, stack_days([day])).start[0]


def day_lab(day: RecordedDay, kinds: Ints, due: Ints, config: Lab, opening: int) -> DayLab:
    """The lab of a recorded day.

    Rooms and members of staff are those seen. Lunch, planned breaks and cleaning are those of the lab's group that can
    do what they can do, and as little else as possible; shifts are not, since those seen were there.

    :param day: the day
    :param kinds: (n,) exam types of its patients
    :param due: (n,) their appointments, minutes since opening
    :param config: the lab
    :param opening: minutes after midnight
    """
    plan, rest = config.plan, A_DAY - opening
    later = plan.opening_min - opening
    rooms = plan.room_groups if day.rooms is None else _groups(day.rooms, plan.room_groups)
    staff = plan.staff_groups if day.staff is None else _groups(day.staff, plan.staff_groups)
    return DayLab(
        name=day.name,
        hours=Hours(opening_min=opening, closing_min=rest, end_min=rest),
        penalty=config.penalty,
        plan=LabPlan(
            opening_min=opening,
            closing_min=rest,
            end_min=rest,
            types=tuple(_of_day(kind, due[kinds == k]) for k, kind in enumerate(plan.types)),
            room_groups=tuple(replace(group, closed=()) for group in rooms),
            staff_groups=tuple(_there(group, later) for group in staff),
        ),
    )


def _of_day(kind: TypePlan, due: Ints) -> TypePlan:
    return replace(kind, scheduled=tuple(due.tolist()), preparation=None, unscheduled=())


def _there(group: StaffGroup, later: int) -> StaffGroup:
    """A group of whom everybody is there all day, without breaks by chance; the day begins earlier by so much."""
    lunch, breaks = group.lunch, group.breaks
    if lunch is not None:
        lunch = replace(lunch, begin_min=lunch.begin_min + later, latest_min=lunch.latest_min + later)
    times = tuple(minute + later for minute in breaks.planned)
    planned = BreakPlan(minutes=breaks.minutes, planned=times, put_off_min=breaks.put_off_min)
    return replace(
        group, shift=None, lunch=lunch, breaks=planned, absence_rate=0.0, always_present=group.count, on_call=0
    )


def _groups(seen: tuple[Can, ...], groups: tuple[Group, ...]) -> tuple[Group, ...]:
    """Those seen as groups of those who are alike, each like the lab's group that comes closest."""
    counts: dict[tuple[int, Group], int] = {}
    for kinds in seen:
        can = sum(1 << kind for kind in kinds)
        # The lab's group with the fewest types that has all of these; else the one with most of them.
        like = min(groups, key=lambda group: ((can & ~group.can).bit_count(), group.can.bit_count()))
        counts[can, like] = counts.get((can, like), 0) + 1
    return tuple(
        replace(like, name=f"{like.name}_{number}", count=count, can=can)
        for number, ((can, like), count) in enumerate(counts.items(), 1)
    )

"""Each recorded day played again with its own patients: when would the lab have begun their exams?

What the record knows is taken from it: when patients came, how long exams took, who was there and which rooms were in
use. What the lab says is the rest: the rule by which exams begin, who is ready when, lunch and cleaning. So the
difference between begins simulated and begins seen is what the lab has wrong, or leaves out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from echo_env.lab.calibration.validation.recorded import (
    Can,
    RecordedDay,
    mean_length,
    recorded_days,
    recorded_exams,
    seen_with,
)
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config import Hours, Penalty
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.plan import BreakPlan, LabPlan, RoomGroup, StaffGroup, TypePlan
from echo_env.lab.day import Day, most_exams, stack_days
from echo_env.lab.evaluation.comparison import choose_engine
from echo_env.lab.policies.base import make_policy
from echo_env.lab.simulation.metrics import day_results
from echo_env.lab.simulation.simulator import simulate

if TYPE_CHECKING:
    import pandas as pd

Ints = np.ndarray

AFTER_VITALS_MIN = 3
"""A patient is ready so many minutes after the recorded end of the preparation, if nothing else is said."""
A_DAY = 1440

Group = TypeVar("Group", RoomGroup, StaffGroup)


class Missing(NamedTuple):
    """What a lab may lack between check-in and exam.

    :param preparation_min: minutes of preparation beyond the lab's, where none is recorded
    :param delay_min: minutes for which nobody is taken who is ready, as the lab has it
    :param appointment: no exam begins before its appointment
    """

    preparation_min: int = 0
    delay_min: int = 0
    appointment: bool = False


NOTHING = Missing()


def replay(
    visits: Visits,
    config: Lab,
    rule: str = "policy_2",
    preparation_min: int | None = None,
    after_vitals_min: int = AFTER_VITALS_MIN,
) -> pd.DataFrame:
    """Play each recorded day with its own patients, rooms and staff: :meth:`Replayer.play` once."""
    return Replayer(visits, config).play(rule, preparation_min, after_vitals_min)


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


class Replayer:
    """Plays the recorded days under several rules and preparations.

    :param visits: the record
    :param config: the lab, of either form; its exam types are matched by name
    :raises ValueError: the record has an exam type that the lab lacks, or no exam with a begin and a check-in
    """

    def __init__(self, visits: Visits, config: Lab) -> None:
        self._config = config
        self._exams = recorded_exams(visits, config)
        self._days = recorded_days(visits, self._exams)
        self._checked_in = self._exams["actual"].notna().to_numpy()
        if not self._checked_in.any():
            raise ValueError(f"{visits.name} has no exam with a begin and a check-in, so no day can be played again")

    def play(
        self,
        rule: str = "policy_2",
        preparation_min: int | None = None,
        after_vitals_min: int = AFTER_VITALS_MIN,
        missing: Missing = NOTHING,
    ) -> pd.DataFrame:
        """Play all days.

        A patient is ready when prepared and, where exams may not begin early, not before the appointment. The
        preparation takes the lab's mean from check-in on; where the record has its end and the exam began after it, it
        ends then. A lab without preparation takes no notice of recorded ones. Nobody has a break by chance or is
        absent. Patients without a recorded check-in come when they were asked to; they are played, but are not among
        the rows.

        :param rule: name of a policy that works in any lab
        :param preparation_min: minutes of preparation of all types, in place of the lab's
        :param after_vitals_min: minutes between the recorded end of the preparation and being ready
        :param missing: what the lab lacks, added to it
        :return: a row an exam, by day and begin, with the index of the visits' table: ``day``, ``type`` (the lab's
            name), and minutes after midnight, nullable ``Int64``: ``actual``, ``scheduled``, ``waits_from`` (the later
            of check-in and expected check-in), ``ready`` (from when the lab would examine the patient),
            ``seen_begin``, ``simulated_begin`` (missing if the exam was not begun by midnight); and ``exam_min``
        :raises ValueError: no such rule
        """
        import pandas as pd

        exams = self._exams
        ready = self._ready(preparation_min, after_vitals_min, missing)
        begun = np.concatenate([self._play(day, lab, ready, rule) for day, lab in self._labs])
        names = np.array([kind.name for kind in self._config.plan.types])
        rows = pd.DataFrame(
            {
                "day": exams["day"],
                "type": names[exams["kind"].to_numpy()],
                "actual": exams["actual"],
                "scheduled": exams["scheduled"],
                "waits_from": exams["waits_from_min"].astype("Int64"),
                "ready": pd.Series(ready, exams.index, dtype="Int64"),
                "seen_begin": exams["begin"],
                "simulated_begin": pd.Series(begun, exams.index, dtype="Int64").mask(begun < 0),
                "exam_min": exams["exam_min"],
            }
        )
        places = np.concatenate([np.full(day.last - day.first, number) for number, day in enumerate(self._days)])
        order = np.lexsort((rows["seen_begin"].to_numpy(dtype=np.int64), places))
        return rows.iloc[order[self._checked_in[order]]]

    def rooms_seen(self, type_name: str) -> tuple[int, int]:
        """Rooms in which the record has exams of a type, and rooms that the lab has for it.

        :param type_name: name of the exam type in the lab
        """
        plan = self._config.plan
        kind = self._number_of(type_name)
        rooms = sum(group.count for group in plan.room_groups if group.can >> kind & 1)
        return seen_with(self._exams, "room", kind), rooms

    def preparations(self, type_name: str = "") -> tuple[int, float, float]:
        """Preparations whose end is recorded before the exam: how many, their mean minutes from check-in on, and the
        mean that the lab has for the same patients.

        :param type_name: name of an exam type in the lab; all if it is empty
        """
        recorded = self._recorded_preparation()
        if type_name:
            recorded = recorded & (self._exams["kind"].to_numpy() == self._number_of(type_name))
        if not recorded.any():
            return 0, math.nan, math.nan
        vitals = self._exams["vitals_out"].to_numpy(dtype=np.float64, na_value=np.nan)
        length = vitals - self._exams["came_min"].to_numpy()
        return int(recorded.sum()), float(length[recorded].mean()), float(self._takes()[recorded].mean())

    def _number_of(self, type_name: str) -> int:
        return [own.name for own in self._config.plan.types].index(type_name)

    @cached_property
    def _labs(self) -> list[tuple[RecordedDay, DayLab]]:
        return [(day, self._lab_of(day)) for day in self._days]

    def _lab_of(self, day: RecordedDay) -> DayLab:
        exams = self._exams.iloc[day.first : day.last]
        opening = min(self._config.plan.opening_min, int(exams["begin"].min()))
        due = np.maximum(exams["due_min"].to_numpy() - opening, 0)
        return day_lab(day, exams["kind"].to_numpy(), due, self._config, opening)

    def _ready(self, preparation_min: int | None, after_vitals_min: int, missing: Missing) -> Ints:
        """(n,) int64, from when each patient can be examined, minutes after midnight."""
        exams, takes = self._exams, self._takes(preparation_min)
        types = self._config.plan.types
        early = np.array([own.may_begin_early and not missing.appointment for own in types])[exams["kind"].to_numpy()]
        vitals = exams["vitals_out"].to_numpy(dtype=np.int64, na_value=-1)
        prepared = np.where(
            (takes > 0) & self._recorded_preparation(),
            vitals + after_vitals_min,
            exams["came_min"].to_numpy() + takes + missing.preparation_min,
        )
        ready = np.where(early, prepared, np.maximum(prepared, exams["due_min"].to_numpy()))
        return np.asarray(ready + missing.delay_min)

    def _takes(self, preparation_min: int | None = None) -> Ints:
        """(n,) int64, mean minutes of preparation."""
        types = self._config.plan.types
        means = [round(mean_length(own.preparation)) if preparation_min is None else preparation_min for own in types]
        return np.array(means, dtype=np.int64)[self._exams["kind"].to_numpy()]

    def _recorded_preparation(self) -> np.ndarray:
        """(n,) bool, whose preparation has a recorded end after the check-in and before the exam."""
        vitals = self._exams["vitals_out"].to_numpy(dtype=np.int64, na_value=-1)
        begin = self._exams["begin"].to_numpy(dtype=np.int64)
        return np.asarray((self._exams["came_min"].to_numpy() <= vitals) & (vitals <= begin))

    def _play(self, day: RecordedDay, lab: DayLab, ready: Ints, rule: str) -> Ints:
        """(n,) int64, when exams of a day begin, minutes after midnight, -1 for those that do not."""
        exams, opening, plan = self._exams.iloc[day.first : day.last], lab.hours.opening_min, lab.plan
        arrival = np.maximum(exams["came_min"].to_numpy() - opening, 0)
        staff = len(plan.staff_group)
        luck = Day(
            scheduled=np.maximum(exams["due_min"].to_numpy() - opening, 0),
            exam_type=exams["kind"].to_numpy(),
            arrival=arrival,
            exam_min=exams["takes_min"].to_numpy(),
            prep_min=np.maximum(ready[day.first : day.last] - opening - arrival, 0),
            unscheduled=exams["unscheduled"].to_numpy(dtype=np.bool_),
            absence_draw=np.ones(staff),
            break_draw=np.ones((staff, most_exams(plan))),
            absence_rate=0.5,
            on_call=plan.on_call,
            staff_group=plan.staff_group,
        )
        start = _starts(lab, luck, rule)
        return np.where(start < 0, -1, start + opening)


def _starts(lab: Lab, day: Day, rule: str) -> Ints:
    policy = make_policy(rule, lab)
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
    planned = BreakPlan(minutes=breaks.minutes, planned=tuple(minute + later for minute in breaks.planned))
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

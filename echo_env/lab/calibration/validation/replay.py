"""Each recorded day played again with its own patients: when would the lab have begun their exams?

What the record knows is taken from it: when patients came, how long exams took, who was there and which rooms were in
use. What the lab says is the rest: the rule by which exams begin, who is ready when, lunch and cleaning. So the
difference between begins simulated and begins seen is what the lab has wrong, or leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from echo_env.lab.calibration.validation.recorded import Can, RecordedDay, recorded_days
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config import Hours, Penalty
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.plan import BreakPlan, LabPlan, RoomGroup, StaffGroup, TypePlan
from echo_env.lab.day import Day, most_exams, stack_days
from echo_env.lab.day.expectations import ExpectedExam
from echo_env.lab.evaluation.comparison import choose_engine
from echo_env.lab.policies.base import make_policy
from echo_env.lab.simulation.metrics import DayResults, day_results
from echo_env.lab.simulation.policy import Policy
from echo_env.lab.simulation.simulator import simulate

if TYPE_CHECKING:
    import pandas as pd

AFTER_VITALS_MIN = 3
"""A patient is ready so many minutes after the recorded end of the preparation."""
A_DAY = 1440

Group = TypeVar("Group", RoomGroup, StaffGroup)


@dataclass(frozen=True)
class DayLab:
    """The lab of one recorded day: that of the config, with the appointments, rooms and staff of the day.

    :param name: of the day
    """

    name: str
    hours: Hours
    penalty: Penalty
    plan: LabPlan

    def replace(self, **changes: Any) -> DayLab:
        """A copy with other fields."""
        return replace(self, **changes)


def replay(
    visits: Visits,
    config: Lab,
    rule: str = "policy_2",
    preparation_min: int | None = None,
    after_vitals_min: int = AFTER_VITALS_MIN,
) -> pd.DataFrame:
    """Play each recorded day with its own patients, rooms and staff.

    A patient is ready when prepared and, where exams may not begin early, not before the appointment. The preparation
    takes the lab's mean from check-in on; where the record has its end and the exam began after it, it ends then. A lab
    without preparation takes no notice of recorded ones. Nobody has a break by chance or is absent, and nobody is there
    before the lab opens, unless the record says so. An exam without a recorded end takes the mean of its type. Patients
    without a recorded check-in come when they were asked to; they are played, but not among the rows.

    :param visits: the record
    :param config: the lab
    :param rule: name of a policy that works in any lab
    :param preparation_min: minutes of preparation of all types, in place of the lab's
    :param after_vitals_min: minutes between the recorded end of the preparation and being ready
    :return: a row an exam, by day and begin, with the index of the visits' table: ``day``, ``type`` (the lab's name),
        ``actual``, ``scheduled``, ``seen_begin``, ``simulated_begin`` and ``exam_min``; all but the first two are
        nullable ``Int64``, minutes (after midnight)
    :raises ValueError: the record has an exam type that the lab lacks, no exam with a check-in, or an unknown rule
    """
    import pandas as pd

    frames = []
    for day in recorded_days(visits, config):
        ready = _Ready(config, preparation_min, after_vitals_min)
        frames.append(_replay_day(day, config, rule, ready))
    rows = pd.concat(frames) if frames else pd.DataFrame()
    if rows.empty:
        raise ValueError(f"{visits.name} has no exam with a begin and a check-in, so no day can be played again")
    return rows


@dataclass(frozen=True)
class _Ready:
    """When patients are prepared.

    :param config: the lab
    :param preparation_min: in place of the lab's
    :param after_vitals_min: see :func:`replay`
    """

    config: Lab
    preparation_min: int | None
    after_vitals_min: int

    def __call__(self, exams: pd.DataFrame, arrival: np.ndarray) -> np.ndarray:
        """(n,) int64, minutes after midnight."""
        if self.preparation_min is None:
            means = [round(mean_length(kind.preparation)) for kind in self.config.plan.types]
        else:
            means = [self.preparation_min] * len(self.config.plan.types)
        takes = np.array(means, dtype=np.int64)[exams["kind"].to_numpy()]
        vitals = exams["vitals_out"].to_numpy(dtype=np.float64, na_value=np.nan)
        begin = exams["begin"].to_numpy(dtype=np.int64)
        recorded = (takes > 0) & (arrival <= vitals) & (vitals <= begin)
        ready = np.where(recorded, np.nan_to_num(vitals) + self.after_vitals_min, arrival + takes)
        return np.maximum(ready, arrival).astype(np.int64)


def mean_length(law: Any) -> float:
    """Mean of a law of lengths in whole minutes, 0 for none.

    :param law: an :class:`~echo_env.lab.config.chance.ExamLaw` or None
    """
    return 0.0 if law is None else ExpectedExam(law).rest(0)


def _replay_day(recorded: RecordedDay, config: Lab, rule: str, ready: _Ready) -> pd.DataFrame:
    import pandas as pd

    exams = _by_appointment(recorded.exams, config)
    opening = min(config.plan.opening_min, int(exams["begin"].min()))
    lab = day_lab(recorded, exams, config, opening)
    came = exams["came_min"].to_numpy(dtype=np.int64)
    arrival = np.maximum(came - opening, 0)
    prepared = np.maximum(ready(exams, came) - opening, arrival)
    staff = len(lab.plan.staff_group)
    day = Day(
        scheduled=np.maximum(exams["due_min"].to_numpy(dtype=np.int64) - opening, 0),
        exam_type=exams["kind"].to_numpy(dtype=np.int64),
        arrival=arrival,
        exam_min=exams["takes_min"].to_numpy(dtype=np.int64),
        prep_min=prepared - arrival,
        unscheduled=np.zeros(len(exams), dtype=np.bool_),
        absence_draw=np.ones(staff),
        break_draw=np.ones((staff, most_exams(lab.plan))),
        absence_rate=0.5,
        on_call=lab.plan.on_call,
        staff_group=lab.plan.staff_group,
    )
    start = _play(lab, day, make_policy(rule, lab)).start[0]
    begun = pd.array(np.where(start < 0, -1, start + opening), dtype="Int64")
    begun[start < 0] = pd.NA
    names = np.array([kind.name for kind in config.plan.types])
    rows = pd.DataFrame(
        {
            "day": recorded.name,
            "type": names[day.exam_type],
            "actual": exams["actual"],
            "scheduled": exams["scheduled"],
            "seen_begin": exams["begin"],
            "simulated_begin": begun,
            "exam_min": exams["exam_min"],
        },
        index=exams.index,
    )
    return rows[rows["actual"].notna()].sort_values("seen_begin", kind="stable")


def _play(lab: Lab, day: Day, policy: Policy) -> DayResults:
    if choose_engine(policy, "auto") == "simpy":
        return day_results(simulate(lab, day, policy))
    from echo_env.lab.evaluation.engines import play_days

    return play_days(lab, policy, stack_days([day]))


def _by_appointment(exams: pd.DataFrame, config: Lab) -> pd.DataFrame:
    """The exams in the order of the appointment book, with what is played: ``came_min``, ``due_min``, ``takes_min``."""
    kinds = exams["kind"].to_numpy()
    leads = np.array([kind.check_in_lead_min for kind in config.plan.types], dtype=np.int64)[kinds]
    means = np.array([round(mean_length(kind.exam)) for kind in config.plan.types], dtype=np.int64)[kinds]
    asked = exams["expected"].fillna(exams["scheduled"] - leads)
    came = exams["actual"].fillna(asked).fillna(exams["begin"])
    # Whoever is being examined has come, whatever the cell of the check-in says.
    came = came.where(came <= exams["begin"], exams["begin"])
    # Without an appointment, the exam is due on arrival.
    due = exams["scheduled"].fillna(exams["expected"] + leads).where(~exams["unscheduled"]).fillna(came)
    lasted = exams["exam_min"].to_numpy(dtype=np.float64, na_value=np.nan)
    takes = np.where(np.isnan(lasted), np.maximum(means, 1), lasted).astype(np.int64)
    played = exams.assign(came_min=came, due_min=due, takes_min=takes)
    return played.sort_values(["due_min", "kind"], kind="stable")


def day_lab(recorded: RecordedDay, exams: pd.DataFrame, config: Lab, opening: int) -> DayLab:
    """The lab of a recorded day.

    Rooms and members of staff are those seen. Lunch, planned breaks and cleaning are those of the lab's group that can
    do what they can do, and as little else as possible; shifts are not, since those seen were there.

    :param recorded: the day
    :param exams: its exams, with the columns ``kind`` and ``due_min``
    :param config: the lab
    :param opening: minutes after midnight
    """
    plan, rest = config.plan, A_DAY - opening
    later = plan.opening_min - opening
    types = tuple(_of_day(kind, exams.loc[exams["kind"] == k, "due_min"], opening) for k, kind in enumerate(plan.types))
    rooms = plan.room_groups if recorded.rooms is None else _groups(recorded.rooms, plan.room_groups)
    staff = plan.staff_groups if recorded.staff is None else _groups(recorded.staff, plan.staff_groups)
    return DayLab(
        name=recorded.name,
        hours=Hours(opening_min=opening, closing_min=rest, end_min=rest),
        penalty=config.penalty,
        plan=LabPlan(
            opening_min=opening,
            closing_min=rest,
            end_min=rest,
            types=types,
            room_groups=tuple(replace(group, closed=()) for group in rooms),
            staff_groups=tuple(_there(group, later) for group in staff),
        ),
    )


def _of_day(kind: TypePlan, due: pd.Series, opening: int) -> TypePlan:
    scheduled = tuple(int(minute) for minute in np.maximum(due.to_numpy(dtype=np.int64) - opening, 0))
    return replace(kind, scheduled=scheduled, preparation=None, unscheduled=())


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

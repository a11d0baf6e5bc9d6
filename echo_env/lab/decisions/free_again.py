"""When whoever is busy, and what is in use, is expected to be free again."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.plan import LabPlan
from echo_env.lab.day.expectations import ExpectedExam
from echo_env.lab.decisions.numbers import LONGEST_SHOWN
from echo_env.lab.simulation.duties import Status
from echo_env.lab.simulation.view import LabView

# Plain numbers, because `minutes_away` is compiled too.
_AT_LUNCH, _ON_BREAK = int(Status.AT_LUNCH), int(Status.ON_BREAK)


@lru_cache(maxsize=64)
def exam_rests(plan: LabPlan) -> NDArray[np.float64]:
    """(K, n) float64, expected minutes that are left of an exam after so many; the last holds for all longer ones.

    :param plan: of the lab
    """
    rests = [ExpectedExam(kind.exam).rests for kind in plan.types]
    longest = max(map(len, rests))
    return np.array([np.pad(rest, (0, longest - len(rest)), mode="edge") for rest in rests])


def minutes_away(status: int, elapsed: int, break_min: int, lunch_min: int) -> int:
    """Minutes for which a member on a break or at lunch is expected to stay away; the longest shown for others.

    :param status: a :class:`~echo_env.lab.simulation.duties.Status`
    :param elapsed: minutes since this began
    :param break_min: length of a break; whoever is away for longer takes both
    :param lunch_min: length of a lunch
    """
    if status == _AT_LUNCH:
        return max(lunch_min - elapsed, 1)
    if status == _ON_BREAK:
        return max(break_min - elapsed, 1) if elapsed < break_min else max(2 * break_min - elapsed, 1)
    return LONGEST_SHOWN


def staff_rests(view: LabView) -> dict[int, float]:
    """Expected minutes until each member on duty who is busy is free; the longest shown where nobody knows."""
    plan, rests = view.config.plan, exam_rests(view.config.plan)
    last = rests.shape[1] - 1
    found = {
        exam.sonographer: float(rests[view.exam_type(exam.patient), min(view.minute - exam.start_min, last)])
        for exam in view.running_exams
    }
    for member, number in enumerate(plan.staff_group):
        status, group = view.status(member), plan.staff_groups[number]
        if member in found or status in (Status.ABSENT, Status.OFF_DUTY, Status.FREE):
            continue
        elapsed = view.minute - (view.break_since(member) or 0)
        lunch_min = group.lunch.minutes if group.lunch else 0
        found[member] = minutes_away(int(status), elapsed, group.breaks.minutes, lunch_min)
    return found


def room_rest(view: LabView, room: int, in_rooms: dict[int, float]) -> float:
    """Expected minutes until a room that is not free is free again; the longest shown where nobody knows.

    :param view: the lab now
    :param room: its number
    :param in_rooms: room -> expected minutes that are left of its exam
    """
    turnover = view.config.plan.room_groups[view.config.plan.room_group[room]].turnover_min
    if room in in_rooms:
        return in_rooms[room] + turnover
    since = view.cleaning_since(room)
    return LONGEST_SHOWN if since is None else max(since + turnover - view.minute, 1)

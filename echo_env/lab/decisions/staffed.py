"""The observation ``staffed``: the paper's numbers, who is here, who comes free when, who is due, and what is kept.

For labs of two nested exam types, whoever can do the first can do the second; the first is called fetal here, as in
the paper's lab. It is what deciding on reservations needs: the paper's numbers say who is free, not who is present.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.plan import LabPlan
from echo_env.lab.day.expectations import ExpectedExam
from echo_env.lab.decisions.numbers import HOUR, LONGEST_SHOWN, ObservedNumber
from echo_env.lab.simulation.duties import RoomStatus, Status
from echo_env.lab.simulation.view import LabView

NEXT_FREE = ("first_fetal_staff", "second_fetal_staff", "first_staff", "fetal_room", "room")
"""Of whom the expected minutes until they are free are shown; 0 for who is."""
KINDS = ("fetal", "non_fetal")


def fields_of_staff(plan: LabPlan) -> list[ObservedNumber]:
    """The numbers behind the paper's 13 and those of the appointments of each type.

    :param plan: of the lab
    """
    staff = [sum(group.members for group in plan.staff_groups if group.can == can) for can in (0b10, 0b11)]
    here = [
        ObservedNumber(f"here_{name}", max(count, 1), count) for name, count in zip(("S_n", "S_b"), staff, strict=True)
    ]
    free = [ObservedNumber(f"{name}_free_in_min", HOUR, LONGEST_SHOWN) for name in NEXT_FREE]
    kept = [
        ObservedNumber(f"kept_{kind}_{what}_min", HOUR, LONGEST_SHOWN) for kind in KINDS for what in ("since", "left")
    ]
    return [*here, *free, *kept]


@lru_cache(maxsize=64)
def exam_rests(plan: LabPlan) -> NDArray[np.float64]:
    """(K, n) float64, expected minutes that are left of an exam after so many; the last holds for all longer ones.

    :param plan: of the lab
    """
    exams = [ExpectedExam(kind.exam) for kind in plan.types]
    longest = max(int(np.ceil(kind.exam.longest_min)) for kind in plan.types)
    return np.array([[exam.rest(elapsed) for elapsed in range(longest + 1)] for exam in exams])


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


# Plain numbers, because the function above is compiled too.
_AT_LUNCH, _ON_BREAK = int(Status.AT_LUNCH), int(Status.ON_BREAK)


def numbers_of_staff(view: LabView) -> list[float]:
    """The row of :func:`fields_of_staff` now."""
    plan, rests = view.config.plan, exam_rests(view.config.plan)
    members = [m for m in range(len(plan.staff_group)) if view.status(m) not in (Status.ABSENT, Status.OFF_DUTY)]
    cans = [plan.staff_groups[plan.staff_group[m]].can for m in members]
    left = {
        exam.sonographer: float(
            rests[view.exam_type(exam.patient)][min(view.minute - exam.start_min, rests.shape[1] - 1)]
        )
        for exam in view.running_exams
    }
    in_rooms = {exam.room: left[exam.sonographer] for exam in view.running_exams}
    free = [left[m] if m in left else _until_free(view, m) for m in members]
    fetal = sorted([minutes for minutes, can in zip(free, cans, strict=True) if can & 1])
    rooms = [_room_until_free(view, room, in_rooms) for room in range(len(plan.room_group))]
    fetal_rooms = [minutes for room, minutes in enumerate(rooms) if view.room_types(room) & 1]
    shown = [
        *[*fetal, LONGEST_SHOWN, LONGEST_SHOWN][:2],
        *(min([*some, LONGEST_SHOWN]) for some in (free, fetal_rooms, rooms)),
    ]
    kept: list[float] = []
    for kind in range(len(KINDS)):
        reservation = view.reservations.get(kind)
        kept += (
            [0, 0]
            if reservation is None
            else [view.minute - reservation.since_min, reservation.until_min - view.minute]
        )
    return [
        *(cans.count(can) for can in (0b10, 0b11)),
        *(min(minutes, LONGEST_SHOWN) for minutes in (*shown, *kept)),
    ]


def _until_free(view: LabView, member: int) -> int:
    """Minutes until a member who examines nobody is expected to be free."""
    status, plan = view.status(member), view.config.plan
    if status == Status.FREE:
        return 0
    group = plan.staff_groups[plan.staff_group[member]]
    elapsed = view.minute - (view.break_since(member) or 0)
    return minutes_away(int(status), elapsed, group.breaks.minutes, group.lunch.minutes if group.lunch else 0)


def _room_until_free(view: LabView, room: int, in_rooms: dict[int, float]) -> float:
    """Minutes until a room is expected to be free; the longest shown where nobody knows."""
    turnover = view.config.plan.room_groups[view.config.plan.room_group[room]].turnover_min
    if view.room_status(room) == RoomStatus.FREE:
        return 0
    if room in in_rooms:
        return in_rooms[room] + turnover
    since = view.cleaning_since(room)
    return LONGEST_SHOWN if since is None else max(since + turnover - view.minute, 1)

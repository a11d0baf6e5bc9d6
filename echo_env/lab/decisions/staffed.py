"""The observation ``staffed``: the paper's numbers, who is here, who comes free when, who is due, and what is kept.

For labs of two nested exam types, whoever can do the first can do the second; the first is called fetal here, as in
the paper's lab. It is what deciding on reservations needs: the paper's numbers say who is free, not who is present.
"""

from __future__ import annotations

from echo_env.lab.config.plan import LabPlan
from echo_env.lab.decisions.free_again import room_rest, staff_rests
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


def numbers_of_staff(view: LabView) -> list[float]:
    """The row of :func:`fields_of_staff` now."""
    plan, rests = view.config.plan, staff_rests(view)
    members = [m for m in range(len(plan.staff_group)) if view.status(m) not in (Status.ABSENT, Status.OFF_DUTY)]
    cans = [plan.staff_groups[plan.staff_group[m]].can for m in members]
    in_rooms = {exam.room: rests[exam.sonographer] for exam in view.running_exams}
    free = [rests.get(m, 0) for m in members]
    fetal = sorted([minutes for minutes, can in zip(free, cans, strict=True) if can & 1])
    rooms = [
        0 if view.room_status(room) == RoomStatus.FREE else room_rest(view, room, in_rooms)
        for room in range(len(plan.room_group))
    ]
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

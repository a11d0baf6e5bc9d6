"""Which room and which member of staff a patient gets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from echo_env.lab.simulation.capacity import commit_start, give, starts_left
from echo_env.lab.simulation.patient import Start, WaitingPatient
from echo_env.lab.simulation.view import LabView


def assign(view: LabView, patients: Iterable[WaitingPatient]) -> list[Start]:
    """Give each patient in turn a free room and member of staff; skip those who cannot be given both (section 4.1).

    Those who can do the fewest exam types are used first: in the paper's lab a non-fetal exam takes non-fetal ones
    first. Among equals: the member with the fewest exams so far, then the lowest number; the room with the lowest
    number. Where capabilities cross, the first that leaves enough for all others who are to start.

    :param view: the lab
    :param patients: in order of precedence
    """
    left = view.starts_left()
    chosen = []
    for entry in patients:
        if starts_left(entry.exam_type, left) > 0:
            commit_start(entry.exam_type, left)
            chosen.append(entry)
    return named(view, chosen)


def named(view: LabView, patients: Sequence[WaitingPatient]) -> list[Start]:
    """Name a room and a member of staff for each of some patients who can start together.

    :param view: the lab
    :param patients: in the order in which they choose
    """
    if not patients:
        return []
    plan = view.config.plan
    kinds = [entry.exam_type for entry in patients]
    sets = 1 if plan.nested else 1 << len(plan.types)
    rooms_held, staff_held = view.kept_back(kinds)
    idle_rooms, idle_staff = view.idle_rooms, view.idle_staff
    rooms = _given(kinds, rooms_held, {room: view.room_types(room) for room in idle_rooms}, idle_rooms, sets)
    staff = _given(kinds, staff_held, {member: view.staff_types(member) for member in idle_staff}, idle_staff, sets)
    return [Start(entry.patient, room, member) for entry, room, member in zip(patients, rooms, staff, strict=True)]


def _given(kinds: list[int], held: int, can: dict[int, int], order: list[int], sets: int) -> list[int]:
    """A room, or a member, for each start; what is kept back is left over, as if a start of that type came last."""
    wanted = kinds + [k for k in range(held.bit_length()) if held >> k & 1]
    chosen = [-1] * len(wanted)
    give(wanted, can, order, sets, chosen)
    return chosen[: len(kinds)]

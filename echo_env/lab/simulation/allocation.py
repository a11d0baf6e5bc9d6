"""Which room and which sonographer a patient gets."""

from __future__ import annotations

from collections.abc import Iterable

from echo_env.lab.simulation.patient import Start, WaitingPatient
from echo_env.lab.simulation.whiteboard import LabView


def assign(view: LabView, patients: Iterable[WaitingPatient]) -> list[Start]:
    """Give each patient in turn a free room and sonographer; skip those who cannot be given both (section 4.1).

    A fetal exam needs a fetal-capable room and sonographer. A non-fetal exam takes non-fetal ones first.
    Among equals: the sonographer with the fewest exams so far, then the lowest number; the room with the
    lowest number.

    :param view: the lab
    :param patients: in order of precedence
    """
    rooms_f, rooms_n = view.free_rooms(fetal=True), view.free_rooms(fetal=False)
    staff_f, staff_n = view.free_sonographers(fetal=True), view.free_sonographers(fetal=False)
    starts = []
    for entry in patients:
        rooms = rooms_f if entry.fetal else rooms_n or rooms_f
        staff = staff_f if entry.fetal else staff_n or staff_f
        if rooms and staff:
            starts.append(Start(entry.patient, rooms.pop(0), staff.pop(0)))
    return starts

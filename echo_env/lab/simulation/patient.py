"""Patients: the six classes, and what is known of those who wait."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class PatientClass(IntEnum):
    """Kind and punctuality, in the order of the paper's action vector (section 5.2)."""

    FETAL_ON_TIME = 0
    FETAL_LATE = 1
    FETAL_EARLY = 2
    NON_FETAL_ON_TIME = 3
    NON_FETAL_LATE = 4
    NON_FETAL_EARLY = 5

    @property
    def fetal(self) -> bool:
        """Whether the exam needs a fetal-capable room and sonographer."""
        return self < 3

    @property
    def label(self) -> str:
        """In words, for tables and figures."""
        return self.name.lower().replace("non_fetal", "non-fetal").replace("on_time", "on time").replace("_", " ")


ON_TIME = (PatientClass.FETAL_ON_TIME, PatientClass.NON_FETAL_ON_TIME)
LATE = (PatientClass.FETAL_LATE, PatientClass.NON_FETAL_LATE)
EARLY = (PatientClass.FETAL_EARLY, PatientClass.NON_FETAL_EARLY)


def patient_class(fetal: bool, scheduled: int, arrival: int, minute: int, margin: int) -> int:
    """Class at a minute of a patient who has arrived (section 4).

    :param fetal: kind of exam
    :param scheduled: appointment, minutes since opening
    :param arrival: arrival, minutes since opening
    :param minute: now, at or after the arrival
    :param margin: minutes off the appointment that still count as on time
    :return: value of :class:`PatientClass`
    """
    first = 0 if fetal else 3
    if arrival - scheduled > margin:
        return first + 1
    # An early patient becomes on time when the appointment is no more than the margin away.
    if scheduled - arrival > margin and scheduled - minute > margin:
        return first + 2
    return first


class Appointment(NamedTuple):
    """A line of the appointment book."""

    patient: int
    fetal: bool
    scheduled_min: int


class WaitingPatient(NamedTuple):
    """Somebody in the waiting room. Sorts by who has waited longest, then by number.

    ``since_min`` is where waiting is counted from: the appointment for those who came before it, the
    arrival for the others. Before it, waiting is negative (section 4.1).
    """

    since_min: int
    patient: int
    patient_class: PatientClass
    scheduled_min: int
    arrival_min: int

    @property
    def fetal(self) -> bool:
        """Whether the exam needs a fetal-capable room and sonographer."""
        return self.patient_class < 3


class Start(NamedTuple):
    """A decision: this patient goes into this room with this sonographer, now."""

    patient: int
    room: int
    sonographer: int


class RunningExam(NamedTuple):
    """An exam under way. When it will end is not known to anybody."""

    patient: int
    room: int
    sonographer: int
    start_min: int

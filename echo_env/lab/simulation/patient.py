"""Patients: the six classes, and what is known of those who wait."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Any, NamedTuple


class PatientClass(IntEnum):
    """Kind and punctuality in a lab of fetal and non-fetal exams, in the order of the paper's action vector
    (section 5.2). In any lab the class of a patient is three times the exam type plus the :class:`Punctuality`.
    """

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


class Punctuality(IntEnum):
    """Arrival against appointment (section 4)."""

    ON_TIME = 0
    LATE = 1
    EARLY = 2


CLASSES_PER_TYPE = len(Punctuality)


def class_of(exam_type: Any, due: Any, arrival: Any, minute: Any, margin: Any) -> Any:
    """Class at a minute of a patient who has arrived (section 4). Takes whole numbers or arrays of them.

    Late: arrived more than the margin after the expected check-in. Early: that is more than the margin away.

    :param exam_type: number of the exam type
    :param due: expected check-in, minutes since opening: in the paper's lab the appointment
    :param arrival: arrival, minutes since opening
    :param minute: now, at or after the arrival
    :param margin: minutes off the expected check-in that still count as on time
    :return: three times the type plus a :class:`Punctuality`; in a lab of fetal and non-fetal exams a
        :class:`PatientClass`
    """
    return 3 * exam_type + (arrival - due > margin) + 2 * (minute < due - margin)


def on_time_from(due: Any, margin: Any) -> Any:
    """The minute from which a patient who has arrived is no longer early. Takes a whole number or an array.

    :param due: expected check-in, minutes since opening
    :param margin: minutes off it that still count as on time
    """
    return due - margin


def ready_minute(arrival: Any, prep: Any, scheduled: Any, may_begin_early: Any) -> Any:
    """The minute from which a patient who arrives can be examined. Takes whole numbers or arrays of them.

    :param arrival: arrival, minutes since opening
    :param prep: minutes of preparation after it
    :param scheduled: appointment, minutes since opening
    :param may_begin_early: 1 if the exam may begin before its appointment
    """
    ready = arrival + prep
    return ready + (1 - may_begin_early) * (scheduled > ready) * (scheduled - ready)


def waits_since(scheduled: Any, arrival: Any) -> Any:
    """The minute from which waiting counts: the later of arrival and appointment. Takes whole numbers or arrays.

    :param scheduled: appointment, minutes since opening
    :param arrival: arrival, minutes since opening
    """
    return scheduled + (arrival > scheduled) * (arrival - scheduled)


def punctuality(patient_class: Any) -> Any:
    """What the classes of the same punctuality have in common.

    :param patient_class: a class, or an array of them
    :return: value of :class:`Punctuality`
    """
    return patient_class % CLASSES_PER_TYPE


def classes_of(kind: Punctuality, types: int = 2) -> tuple[int, ...]:
    """The classes of one punctuality, by exam type.

    :param kind: the punctuality
    :param types: how many exam types there are
    """
    return tuple(CLASSES_PER_TYPE * number + kind for number in range(types))


ON_TIME, LATE, EARLY = (classes_of(kind) for kind in Punctuality)
"""Classes by punctuality in a lab of fetal and non-fetal exams."""


def class_label(type_name: str, kind: int) -> str:
    """A class in words, for tables and figures: ``non-fetal on time``.

    :param type_name: of the exam type
    :param kind: a :class:`Punctuality`
    """
    return f"{type_name.replace('_', '-')} {Punctuality(kind).name.lower().replace('_', ' ')}"


class Appointment(NamedTuple):
    """A line of the appointment book.

    :param patient: number
    :param exam_type: number of the exam type
    :param scheduled_min: minutes since opening
    """

    patient: int
    exam_type: int
    scheduled_min: int

    @property
    def fetal(self) -> bool:
        """In a lab of fetal and non-fetal exams: whether the exam needs a fetal-capable room and sonographer."""
        return self.exam_type == 0


class WaitingPatient(NamedTuple):
    """Somebody in the waiting room. Sorts by who has waited longest, then by number.

    ``since_min`` is where waiting is counted from: the appointment for those who came before it, the
    arrival for the others. Before it, waiting is negative (section 4.1). A patient without an appointment has the
    arrival in its place.
    """

    since_min: int
    patient: int
    patient_class: int
    scheduled_min: int
    arrival_min: int

    @property
    def exam_type(self) -> int:
        """Number of the exam type."""
        return self.patient_class // CLASSES_PER_TYPE

    @property
    def fetal(self) -> bool:
        """In a lab of fetal and non-fetal exams: whether the exam needs a fetal-capable room and sonographer."""
        return self.exam_type == 0


class Start(NamedTuple):
    """A decision: this patient goes into this room with this sonographer, now."""

    patient: int
    room: int
    sonographer: int


def as_start(start: Iterable[int]) -> Start:
    """A start that may have been given as a plain (patient, room, sonographer).

    :param start: three numbers
    :raises ValueError: something else
    """
    if isinstance(start, Start):
        return start
    try:
        return Start(*start)
    except TypeError:
        raise ValueError(
            f"a policy decided {start!r}, but each start must be (patient, room, sonographer), three numbers"
        ) from None


def as_starts(decision: Iterable[Iterable[int]]) -> list[Start]:
    """A policy's decision, each start of which may be a plain (patient, room, sonographer).

    :param decision: what :meth:`~echo_env.lab.simulation.policy.Policy.decide` gave
    :raises ValueError: a start is not three numbers
    """
    return [as_start(start) for start in decision]


class RunningExam(NamedTuple):
    """An exam under way. When it will end is not known to anybody."""

    patient: int
    room: int
    sonographer: int
    start_min: int

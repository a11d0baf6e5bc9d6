"""The fields of a lab that pages ask for, in words; a lab file has more, for which there is its text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from echo_env.lab.config import ConfigError, Lab
from echo_env.lab.sweep.fields import find_field
from echo_env.lab.sweep.kinds import Field, Kind


class Asked(NamedTuple):
    """A field, as a page asks for it.

    :param field: the field
    :param section: heading above it
    :param label: what it is, with its unit
    :param share: whether it lies between 0 and 1
    """

    field: Field
    section: str
    label: str
    share: bool


_HOURS, _STAFF, _ROOMS = "Opening hours", "Staff", "Rooms"
_EXAMS, _PATIENTS, _BOOK, _PENALTY = "Exams", "Patients", "Appointments", "What a minute costs, in points"
_LABELS = (
    ("hours.opening", _HOURS, "Opens at"),
    ("hours.closing", _HOURS, "Closes at: who comes later is sent home"),
    ("hours.end", _HOURS, "The simulated day ends at"),
    ("rooms.fetal", _ROOMS, "Rooms for all exams, fetal ones too"),
    ("rooms.non_fetal", _ROOMS, "Rooms for non-fetal exams only"),
    ("room_groups.{}.count", _ROOMS, "Number of rooms: {}"),
    ("room_groups.{}.turnover_min", _ROOMS, "Cleaning after an exam, minutes: {}"),
    ("sonographers.fetal", _STAFF, "Sonographers for all exams, fetal ones too"),
    ("sonographers.non_fetal", _STAFF, "Sonographers for non-fetal exams only"),
    ("sonographers.absence_rate", _STAFF, "Share of days on which a sonographer is absent"),
    ("staff_groups.{}.count", _STAFF, "Number of staff: {}"),
    ("staff_groups.{}.absence_rate", _STAFF, "Share of days on which one is absent: {}"),
    ("staff_groups.{}.shift.from", _STAFF, "Shift begins: {}"),
    ("staff_groups.{}.shift.until", _STAFF, "Shift ends: {}"),
    ("staff_groups.{}.on_call.count", _STAFF, "Number on call: {}"),
    ("exam.mean_min", _EXAMS, "Mean length of exams, minutes"),
    ("exam_types.{}.exam.mean_min", _EXAMS, "Mean length, minutes: {}"),
    ("exam_types.{}.weight", _EXAMS, "Factor of waiting points, more for the urgent: {}"),
    ("exam_types.{}.check_in_lead_min", _PATIENTS, "Asked to check in so many minutes before the exam: {}"),
    ("arrival.no_show_rate", _PATIENTS, "Share of patients who do not come"),
    ("arrival.late_share", _PATIENTS, "Share who come on the late side"),
    ("arrival.late_mean_min", _PATIENTS, "Their mean delay, minutes"),
    ("exam_types.{}.unscheduled_scale", _PATIENTS, "Multiple of the patients without an appointment: {}"),
    ("appointments.scale", _BOOK, "Multiple of the number of appointments"),
    ("appointments.fetal_per_day", _BOOK, "Number of fetal appointments a day"),
    ("appointments.non_fetal_per_day", _BOOK, "Number of non-fetal appointments a day"),
    ("exam_types.{}.per_day", _BOOK, "Number of appointments a day: {}"),
    ("appointments.fetal", _BOOK, "Times of fetal appointments"),
    ("appointments.non_fetal", _BOOK, "Times of non-fetal appointments"),
    ("exam_types.{}.appointments", _BOOK, "Times of appointments: {}"),
    ("penalty.on_time", _PENALTY, "An on-time patient waits"),
    ("penalty.late", _PENALTY, "A late patient waits"),
    ("penalty.overtime", _PENALTY, "Overtime"),
    ("penalty.staff_overtime", _PENALTY, "Overtime of one member of staff"),
    ("penalty.turned_away", _PENALTY, "A patient is sent home (once)"),
    ("penalty.left_waiting", _PENALTY, "A patient still waits at the end (once)"),
)
"""Path, ``{}`` for the name of a type or group -> heading, and label."""
_NAMES = {"exam_types", "room_groups", "staff_groups"}
_SHARES = re.compile(r".*(_rate|_share)")


def asked_fields(config: Lab) -> list[Asked]:
    """The fields that pages ask for, those that a lab has.

    :param config: the lab
    """
    found = _found(config)
    return [Asked(field, section, label, bool(_SHARES.fullmatch(field.path))) for field, section, label in found]


def _found(config: Lab) -> Iterator[tuple[Field, str, str]]:
    for pattern, section, label in _LABELS:
        table = pattern.partition(".")[0]
        names = list(getattr(config, table, ())) if table in _NAMES and hasattr(config, table) else [""]
        for name in names:
            try:
                yield find_field(pattern.format(name), config), section, label.format(name.replace("_", " "))
            except ConfigError:
                # This lab has no such field.
                continue


def can_be_swept(asked: Asked) -> bool:
    """Whether a field is a number, which a range of values makes sense of.

    :param asked: the field
    """
    return asked.field.kind in (Kind.WHOLE, Kind.NUMBER)

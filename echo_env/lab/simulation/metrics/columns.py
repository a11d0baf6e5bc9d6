"""What metrics of patients are summed from, and the sums."""

from __future__ import annotations

from enum import IntEnum


class Column(IntEnum):
    """What is known of each patient."""

    SCHEDULED = 0
    EXAM_TYPE = 1
    UNSCHEDULED = 2
    ARRIVAL = 3
    START = 4
    PATIENT_CLASS = 5


class Sum(IntEnum):
    """What is summed. A patient is served if the exam began, and waits to the end of the day if not."""

    SERVED = 0
    CAME = 1
    LEFT = 2
    NO_SHOW = 3
    TURNED_AWAY = 4
    # Minutes waited: of those served, and of everybody who came.
    WAIT = 5
    OVERALL_WAIT = 6
    # Served, at most so many minutes after the appointment, or after the arrival without one.
    WITHIN_15 = 7
    WITHIN_30 = 8
    # Served, with an appointment; the start of the exam minus the appointment.
    BOOKED = 9
    START_MINUS_SCHEDULE = 10
    # Minutes since the arrival of everybody who came.
    SINCE_CHECK_IN = 11


# Plain numbers: numba looks members of an enumeration up at run time.

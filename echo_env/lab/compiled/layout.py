"""What the arrays of the compiled engine mean.

A lab is one row of whole numbers, its cells: clocks, penalty units and counts in front, then tables with a row of a few
columns for each patient, member of staff and room, lists and records. Names in capitals are places: of single cells; of
columns in a row of a table; and, those that begin with ``AT_``, of the number in :class:`Rules` that says where a part
begins in this lab. One row, and not an array for each part, because compiled functions hand over two arrays much faster
than a dozen.

Groups of rooms and of staff are numbered by their column, as counts by group are: see
:attr:`~echo_env.lab.config.plan.LabPlan.room_columns`. Members and rooms keep their numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.simulation.duties import RoomStatus, Status
from echo_env.lab.simulation.penalty import UNITS as UNIT_KINDS

Ints = NDArray[np.int32]
Wide = NDArray[np.int64]
Floats = NDArray[np.float64]

# Cells that have the same place in every lab. From COUNTS on those of a row of Trace.rows follow.
MINUTE, NEXT_READY, COMERS, TURNED, EXAMS, BREAKS, LUNCHES, HANDOVERS, ROWS, ENDS, NEXT_ROSTER, PENDING = range(12)
KEPT = 12
"""Bit set of the types with a reservation."""
UNITS = 13
COUNTS = UNITS + UNIT_KINDS
PAID = slice(UNITS, COUNTS)
"""The cells of the penalty units."""

# Columns of patients. BY_READY is no property of the patient in that row: it lists those who come.
SCHEDULED, TYPE, DUE, ARRIVAL, READY, EXAM_MIN, BY_READY, CLASS, SINCE, BEFORE, BEHIND, UNSCHEDULED = range(12)
PATIENT_COLUMNS = 12

# Columns of members of staff.
STATUS, UNTIL, ROOM, PATIENT, BEGUN, BUSY_SINCE, BREAKS_LEFT, LUNCH_LEFT, PLANNED, GROUP, DUTY_FROM = range(11)
STAFF_COLUMNS = 11

# Columns of rooms.
USE, CLEAN_AT, ROOM_GROUP = range(3)
ROOM_COLUMNS = 3

# Columns of records: ExamRecord; BreakRecord, for breaks and lunches; HandoverRecord.
EXAM_COLUMNS, BREAK_COLUMNS, HANDOVER_COLUMNS = 6, 3, 4

# Single numbers of Rules.
KINDS, ROOM_GROUPS, STAFF_GROUPS, PATIENTS, MEMBERS, ROOMS = range(6)
CLOSING, END, IDLE_RULE, ROSTER, CUTOFFS, NESTED, PUTS_OFF, OVERTIME, HANDOVER = range(6, 15)
"""The last two: first minute in which anybody's work is overtime, and in which an exam may be handed over."""

# Where counts begin among the cells: by class, group of rooms or group of staff.
AT_FREE_ROOMS, AT_FREE_STAFF, AT_AWAY, AT_STARTABLE, AT_ABLE, AT_RANK, AT_RUNNING, AT_LUNCHING = range(15, 23)
# Reservations: the minute in which that of each type began, and until which it is.
AT_KEPT_SINCE, AT_KEPT_UNTIL = range(23, 25)
# The queues: first and last of each class, -1 if it is empty.
AT_HEAD, AT_TAIL = range(25, 27)
# Starts left by set of types, and who has been committed, where capabilities cross; idle rooms and members, a heap for
# each group; a heap of what ends when; tables; records; and rows of Trace.rows, which only labs of a trace have.
AT_LEFT, AT_PENDING, AT_IDLE, AT_ENDS, AT_PATIENTS, AT_STAFF, AT_ROOMS = range(27, 34)
AT_EXAMS, AT_BREAKS, AT_LUNCHES, AT_HANDOVERS, AT_ROWS = range(34, 39)

# Where tables begin among the numbers of Rules themselves.
OF_MARGIN, OF_WEIGHT, OF_EXPECTED, OF_ROOMS_CAN, OF_ROOMS, OF_STAFF, OF_ROSTER = range(39, 46)
RESERVATIONS, OF_RESERVATIONS = range(46, 48)
"""How many lengths a reservation can have, and where these begin, minutes."""
HEADER = 48

# Columns of room groups, and of staff groups, in Rules. CLOSED is where minutes [from, until) of closures begin.
CAN, FIRST, PAST = range(3)
TURNOVER, CLOSED_PAIRS, CLOSED_AT = range(3, 6)
ROOM_GROUP_COLUMNS = 6
SHIFT_UNTIL, STARTS_UNTIL, OVERTIME_FROM, BREAK_MIN, HANDS_OVER = range(3, 8)
LUNCH_BEGIN, LUNCH_LATEST, LUNCH_MIN, AT_ONCE, LUNCH_PUT_OFF, PLANNED_AT, PUT_OFF_MIN = range(8, 15)
STAFF_GROUP_COLUMNS = 15

FREE_NOW, IN_EXAM, ON_A_BREAK, ABSENT, OFF_DUTY, AT_LUNCH = (int(status) for status in Status)
ROOM_FREE, IN_USE, CLEANING, CLOSED = (int(status) for status in RoomStatus)

CLASSES_PER_TYPE = 3
EARLY = 2

SHIFT = 16
"""Keys of heaps are a number, shifted by so many bits, and a member or a room."""
NUMBER = (1 << SHIFT) - 1
LONGEST = 30_000
"""Minutes shown by keys are at most this: no day is so long."""


class Rules(NamedTuple):
    """What is the same in every lab of a batch.

    :param numbers: (n,) int64: single numbers, places among the cells, and tables of types and groups
    :param odds: (staff groups, breaks in a day + 1, 2) float64: see
        :func:`~echo_env.lab.simulation.breaks.break_thresholds`
    """

    numbers: Wide
    odds: Floats


class Labs(NamedTuple):
    """State of B labs with P patients and S members of staff.

    :param lab: (B, cells) int32
    :param break_draw: (B, S, n) float64, as in :class:`~echo_env.lab.day.day.Day`
    """

    lab: Ints
    break_draw: Floats


class Parts(NamedTuple):
    """Views of the cells of B labs.

    :param patients: (B, P, 12)
    :param staff: (B, S, 11)
    :param rooms: (B, R, 3)
    :param exams: (B, P, 6), as in :class:`~echo_env.lab.simulation.trace.ExamRecord`
    :param breaks: (B, n, 3), as in :class:`~echo_env.lab.simulation.trace.BreakRecord`
    :param lunches: (B, n, 3), likewise
    :param handovers: (B, n, 4), as in :class:`~echo_env.lab.simulation.trace.HandoverRecord`
    :param rows: (B, n, 1 + counts), as in :class:`~echo_env.lab.simulation.trace.Trace`
    """

    patients: Ints
    staff: Ints
    rooms: Ints
    exams: Ints
    breaks: Ints
    lunches: Ints
    handovers: Ints
    rows: Ints


def row_width(numbers: Wide) -> int:
    """Numbers in a row of a trace: the minute and the counts.

    :param numbers: of :class:`Rules`
    """
    return int(numbers[AT_STARTABLE]) + 2 - COUNTS


def parts_of(lab: Ints, rules: Rules) -> Parts:
    """The tables and records of labs.

    :param lab: (B, cells) int32
    :param rules: what is the same in all of them
    """
    numbers = rules.numbers
    places = [int(numbers[at]) for at in (AT_PATIENTS, AT_STAFF, AT_ROOMS, AT_EXAMS, AT_BREAKS, AT_LUNCHES)]
    places += [int(numbers[AT_HANDOVERS]), int(numbers[AT_ROWS]), lab.shape[1]]
    widths = [PATIENT_COLUMNS, STAFF_COLUMNS, ROOM_COLUMNS, EXAM_COLUMNS, BREAK_COLUMNS, BREAK_COLUMNS]
    widths += [HANDOVER_COLUMNS, row_width(numbers)]
    parts = zip(places, places[1:], widths, strict=False)
    return Parts._make(_table(lab[:, begin:end], width) for begin, end, width in parts)


def _table(cells: Ints, width: int) -> Ints:
    """A view of (B, n) cells as (B, n / width, width)."""
    return cells.reshape(len(cells), cells.shape[1] // width, width)

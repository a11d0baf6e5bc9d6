"""What the arrays of the compiled engine mean: a lab is a row in each of a few arrays; names in capitals are columns.

Groups of rooms and of staff are numbered by their column, as counts by group are: see
:attr:`~echo_env.lab.config.plan.LabPlan.room_columns`. Members and rooms keep their numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.jit import njit
from echo_env.lab.simulation.duties import RoomStatus, Status
from echo_env.lab.simulation.penalty import UNITS as UNIT_KINDS

Ints = NDArray[np.int32]
Wide = NDArray[np.int64]
Floats = NDArray[np.float64]

# Columns of Labs.lab. From COUNTS on, the places of the others depend on the lab: see Columns.
MINUTE, NEXT_READY, COMERS, TURNED, EXAMS, BREAKS, LUNCHES, HANDOVERS, ROWS, ENDS, NEXT_ROSTER, PENDING = range(12)
UNITS = 12
COUNTS = UNITS + UNIT_KINDS
PAID = slice(UNITS, COUNTS)
"""The columns of the penalty units."""

# Columns of Labs.patients. BY_READY is no property of the patient in that row: it lists those who come.
SCHEDULED, TYPE, DUE, ARRIVAL, READY, EXAM_MIN, BY_READY, CLASS, SINCE, BEFORE, BEHIND = range(11)
PATIENT_COLUMNS = 11

# Columns of Labs.staff.
STATUS, UNTIL, ROOM, PATIENT, BEGUN, BUSY_SINCE, BREAKS_LEFT, LUNCH_LEFT, PLANNED = range(9)
STAFF_COLUMNS = 9

# Columns of Labs.rooms.
USE, CLEAN_AT = range(2)
ROOM_COLUMNS = 2

# Columns of Rules.rooms and, the first three, of Rules.staff.
CAN, FIRST, PAST, TURNOVER = range(4)
SHIFT_UNTIL, STARTS_UNTIL, OVERTIME_FROM, BREAK_MIN, HANDS_OVER = range(3, 8)
LUNCH_BEGIN, LUNCH_LATEST, LUNCH_MIN, AT_ONCE = range(8, 12)

FREE_NOW, IN_EXAM, ON_A_BREAK, ABSENT, OFF_DUTY, AT_LUNCH = (int(status) for status in Status)
ROOM_FREE, IN_USE, CLEANING, CLOSED = (int(status) for status in RoomStatus)

CLASSES_PER_TYPE = 3
EARLY = 2

SHIFT = 16
"""Keys of heaps are a number, shifted by so many bits, and a member or a room."""
NUMBER = (1 << SHIFT) - 1
LONGEST = 30_000
"""Minutes shown by keys are at most this: no day is so long."""


class Columns(NamedTuple):
    """How many types and groups a lab has, and where counts of each begin in a row of ``Labs.lab``.

    :param kinds: exam types, K
    :param rooms: room groups
    :param staff: staff groups
    :param free_rooms: free rooms, by group
    :param free_staff: free members of staff, by group
    :param away: members on break or at lunch, by group
    :param startable: bit set of the types for which an idle room and an idle member exist
    :param able: bit set of the types that free members may begin now, by group
    :param rank: by group, who is chosen first: least number of types that may be begun now, then that can be done
    :param running: members in an exam, by group
    :param at_lunch: members at lunch, by group
    :param head: first of the queue of each class, -1 if it is empty
    :param tail: last of it
    :param size: columns in all
    """

    kinds: int
    rooms: int
    staff: int
    free_rooms: int
    free_staff: int
    away: int
    startable: int
    able: int
    rank: int
    running: int
    at_lunch: int
    head: int
    tail: int
    size: int


def columns_of(kinds: int, rooms: int, staff: int) -> Columns:
    """The columns of a lab.

    :param kinds: number of exam types
    :param rooms: number of room groups
    :param staff: number of staff groups
    """
    classes = CLASSES_PER_TYPE * kinds
    widths = (classes, rooms, staff, staff, 1, staff, staff, staff, staff, classes, classes)
    places = [COUNTS + sum(widths[: k + 1]) for k in range(len(widths))]
    return Columns(kinds, rooms, staff, *places)


class Whole(NamedTuple):
    """Single numbers of a lab.

    :param closing: minutes since opening
    :param end: minutes since opening
    :param idle_rule: index into :data:`~echo_env.lab.config.lab_config.IDLE_RULES`
    :param roster: 1 if anybody has a shift, a lunch, planned breaks or is on call, or a room closes or is cleaned
    :param cutoffs: 1 if the end of a shift limits what may be begun
    :param nested: 1 if rooms and members are named at once: see :attr:`~echo_env.lab.config.plan.LabPlan.nested`
    :param overtime: first minute in which anybody's work is overtime
    :param handover: first minute in which an exam may be handed over
    """

    closing: int
    end: int
    idle_rule: int
    roster: int
    cutoffs: int
    nested: int
    overtime: int
    handover: int


class Rules(NamedTuple):
    """What is the same in every lab of a batch, for K types, groups of rooms (G) and of staff (H).

    :param at: places of counts
    :param whole: single numbers
    :param margin: (K,) int64, minutes off the expected check-in that count as on time
    :param weight: (K,) int64, factor of waiting points
    :param expected: (K,) int64, expected minutes of an exam
    :param rooms: (G, 4) int64, columns named above
    :param staff: (H, 12) int64, likewise
    :param closed: (G, n, 2) int64, stretches in which rooms are closed; of no length where there are fewer
    :param planned: (H, n + 1) int64, times of planned breaks, then :data:`~echo_env.lab.config.plan.NEVER`
    :param break_thresholds: (H, breaks in a day + 1, 2) float64: see
        :func:`~echo_env.lab.simulation.breaks.break_thresholds`
    :param room_group: (R,) int64
    :param staff_group: (S,) int64
    :param duty_from: (S,) int64, minute in which each member comes
    :param roster: (n + 1,) int64, :attr:`~echo_env.lab.config.plan.LabPlan.roster_minutes`, then ``NEVER``
    """

    at: Columns
    whole: Whole
    margin: Wide
    weight: Wide
    expected: Wide
    rooms: Wide
    staff: Wide
    closed: Wide
    planned: Wide
    break_thresholds: Floats
    room_group: Wide
    staff_group: Wide
    duty_from: Wide
    roster: Wide


class Labs(NamedTuple):
    """State of B labs with P patients, S members of staff and R rooms.

    :param lab: (B, columns) int32, counts and clocks
    :param left: (B, 2^K) int32, starts left in this minute for each set of types, where capabilities cross
    :param patients: (B, P, 11) int32
    :param pending: (B, P) int32, who has been committed in this minute, or (B, 0) where capabilities are nested
    :param staff: (B, S, 9) int32
    :param rooms: (B, R, 2) int32
    :param idle: (B, R + S) int32, for each group a heap of its free rooms, by number, or of its free members, by exams
        begun and number; a group's part begins at its first room, or at R and its first member
    :param ends: (B, S + R) int32, a heap of what ends when: exams, breaks and lunches, and cleaning
    :param break_draw: (B, S, n) float64, as in :class:`~echo_env.lab.day.day.Day`
    :param exams: (B, P, 6) int32, as in :class:`~echo_env.lab.simulation.trace.ExamRecord`
    :param breaks: (B, n, 3) int32, as in :class:`~echo_env.lab.simulation.trace.BreakRecord`
    :param lunches: (B, n, 3) int32, likewise
    :param handovers: (B, n, 4) int32, as in :class:`~echo_env.lab.simulation.trace.HandoverRecord`
    :param rows: (B, minutes or 0, 1 + counts) int32, as in :class:`~echo_env.lab.simulation.trace.Trace`; none are kept
        if 0
    """

    lab: Ints
    left: Ints
    patients: Ints
    pending: Ints
    staff: Ints
    rooms: Ints
    idle: Ints
    ends: Ints
    break_draw: Floats
    exams: Ints
    breaks: Ints
    lunches: Ints
    handovers: Ints
    rows: Ints


@njit
def one_of(labs: Labs, b: int) -> Labs:
    """The rows of one lab: arrays as in :class:`Labs` without the first axis."""
    return Labs(
        labs.lab[b],
        labs.left[b],
        labs.patients[b],
        labs.pending[b],
        labs.staff[b],
        labs.rooms[b],
        labs.idle[b],
        labs.ends[b],
        labs.break_draw[b],
        labs.exams[b],
        labs.breaks[b],
        labs.lunches[b],
        labs.handovers[b],
        labs.rows[b],
    )

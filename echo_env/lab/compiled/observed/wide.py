"""The observation ``rows_wide`` of one lab: :func:`~echo_env.lab.decisions.wide_rows.wide_row_numbers`, scaled."""

from __future__ import annotations

from echo_env.common.jit import njit
from echo_env.lab.compiled.layout import (
    ABSENT,
    AT_ABLE,
    AT_LUNCH,
    AT_ROOMS,
    AT_STAFF,
    CAN,
    CLASSES_PER_TYPE,
    CLEAN_AT,
    CLEANING,
    CLOSED,
    CLOSING,
    DUTY_FROM,
    FREE_NOW,
    GROUP,
    IN_EXAM,
    KINDS,
    MEMBERS,
    MINUTE,
    OF_ROOMS_CAN,
    OF_STAFF,
    OFF_DUTY,
    ON_A_BREAK,
    ROOM,
    ROOM_COLUMNS,
    ROOM_FREE,
    ROOM_GROUP,
    ROOMS,
    SHIFT_UNTIL,
    STAFF_COLUMNS,
    STAFF_GROUP_COLUMNS,
    STATUS,
    USE,
)
from echo_env.lab.compiled.observed.free_again import away, exam_left, turnover_of
from echo_env.lab.compiled.observed.rows import fill_row_numbers
from echo_env.lab.decisions.numbers import HOUR, LONGEST_SHOWN
from echo_env.lab.decisions.rows import LAB_FEATURES
from echo_env.lab.decisions.wide_rows import (
    COLUMNS,
    CONSTANT_FEATURES,
    DUE_30,
    DUE_60,
    EXPECTED,
    LAST_MOST,
    LAST_SCALE,
    LEFT,
    LOAD,
    MOST,
    NARROW,
    OWN_FEATURES,
    POINTS,
    RIVAL_FEATURES,
    SCALE,
    SOON,
    WAITING,
)

_HERE, _FREE, _LATER, _OPEN, _IDLE, _STAFF_MIN, _ROOM_MIN, _FREED = range(NARROW, NARROW + 8)
_CONSTANTS = NARROW + len(OWN_FEATURES)
_NUMBER = len(CONSTANT_FEATURES)
_RIVAL = _CONSTANTS + _NUMBER
_WHOLE = len(LAB_FEATURES)
_OF_LAB = 7
_RIVAL_COLUMNS = len(RIVAL_FEATURES)
_KINDS_OF_SOON = len(SOON)


@njit
def fill_wide_rows(cell, rule, booked, points, rate, rooms_for, constants, rest, of_lab, narrow, shared, row, out):
    """Fill the observation.

    :param cell: the lab
    :param rule: the numbers of its rules
    :param booked: see :class:`~echo_env.lab.compiled.observations.Shown`, as for the next three
    :param points: (K, 3)
    :param rate: (K, minutes + 1)
    :param rooms_for: (K,)
    :param constants: see :class:`~echo_env.lab.decisions.wide_rows.WideNumbers`, as for ``of_lab``
    :param rest: (K, n), see :func:`~echo_env.lab.decisions.free_again.exam_rests`
    :param of_lab: (7,)
    :param narrow: ((3 K + 1) columns of ``rows``,) float64, scratch
    :param shared: (K, K) float64, scratch
    :param row: (columns,) float64, scratch
    :param out: (actions, columns) float32, filled: the first 3 K rows, and the last one
    """
    kinds = rule[KINDS]
    fill_row_numbers(cell, rule, booked, points, rate, rooms_for, narrow)
    for a in range(CLASSES_PER_TYPE * kinds):
        for k in range(NARROW):
            narrow[NARROW * a + k] = min(narrow[NARROW * a + k], MOST[k])
    for k in range(NARROW):
        at = NARROW * CLASSES_PER_TYPE * kinds + k
        narrow[at] = min(narrow[at], LAST_MOST[k])
    on_duty = _count_shared(cell, rule, shared)
    for kind in range(kinds):
        first = CLASSES_PER_TYPE * kind
        _own(kind, cell, rule, rest, row)
        for k in range(_NUMBER):
            row[_CONSTANTS + k] = constants[kind, k]
        _rivals(kind, kinds, shared, narrow, row)
        for j in range(CLASSES_PER_TYPE):
            for k in range(NARROW):
                out[first + j, k] = narrow[NARROW * (first + j) + k] / SCALE[k]
            for k in range(NARROW, COLUMNS):
                out[first + j, k] = min(row[k], MOST[k]) / SCALE[k]
    last = len(out) - 1
    for k in range(COLUMNS):
        row[k] = narrow[NARROW * CLASSES_PER_TYPE * kinds + k] if k < _WHOLE else 0.0
    minutes = 0.0
    for kind in range(kinds):
        at = NARROW * CLASSES_PER_TYPE * kind
        minutes += (narrow[at + WAITING] + narrow[at + DUE_60]) * narrow[at + EXPECTED]
    for k in range(_OF_LAB):
        row[_WHOLE + k] = of_lab[k]
    row[_WHOLE + _OF_LAB] = cell[MINUTE] >= rule[CLOSING]
    row[_WHOLE + _OF_LAB + 1] = minutes / (HOUR * max(on_duty, 1))
    for k in range(COLUMNS):
        out[last, k] = min(row[k], LAST_MOST[k]) / LAST_SCALE[k]


@njit
def _count_shared(cell, rule, shared):
    """Members on duty who can do both of two types; returns how many are on duty."""
    kinds, on_duty = rule[KINDS], 0
    for k in range(kinds):
        for other in range(kinds):
            shared[k, other] = 0
    for s in range(rule[MEMBERS]):
        member = rule[AT_STAFF] + STAFF_COLUMNS * s
        if cell[member + STATUS] in (ABSENT, OFF_DUTY):
            continue
        on_duty += 1
        can = rule[rule[OF_STAFF] + STAFF_GROUP_COLUMNS * cell[member + GROUP] + CAN]
        for k in range(kinds):
            if can >> k & 1:
                for other in range(kinds):
                    shared[k, other] += can >> other & 1
    return on_duty


@njit
def _own(kind, cell, rule, rest, row):
    """Counterpart of ``wide_rows._own_columns``."""
    for k in range(_HERE, _CONSTANTS):
        row[k] = 0
    row[_STAFF_MIN] = row[_ROOM_MIN] = LONGEST_SHOWN
    now = cell[MINUTE]
    for s in range(rule[MEMBERS]):
        member = rule[AT_STAFF] + STAFF_COLUMNS * s
        group = rule[OF_STAFF] + STAFF_GROUP_COLUMNS * cell[member + GROUP]
        status = cell[member + STATUS]
        can = rule[group + CAN] >> kind & 1
        if status == IN_EXAM:
            left = exam_left(cell, rule, member, rest)
            room = rule[AT_ROOMS] + ROOM_COLUMNS * cell[member + ROOM]
            if rule[rule[OF_ROOMS_CAN] + cell[room + ROOM_GROUP]] >> kind & 1:
                row[_ROOM_MIN] = min(row[_ROOM_MIN], left + turnover_of(rule, cell[room + ROOM_GROUP]))
            if can:
                row[_STAFF_MIN] = min(row[_STAFF_MIN], left)
                for k in range(_KINDS_OF_SOON):
                    row[_FREED + k] += left <= SOON[k]
        if not can or status == ABSENT:
            continue
        row[_LATER] += cell[member + DUTY_FROM] <= now + HOUR and now + HOUR < rule[group + SHIFT_UNTIL]
        if status == OFF_DUTY:
            continue
        row[_HERE] += 1
        if status == FREE_NOW:
            row[_FREE] += cell[rule[AT_ABLE] + cell[member + GROUP]] >> kind & 1
        elif status in (ON_A_BREAK, AT_LUNCH):
            row[_STAFF_MIN] = min(row[_STAFF_MIN], away(cell, rule, member, group))
    _rooms(kind, cell, rule, row)
    if row[_FREE]:
        row[_STAFF_MIN] = 0
    if row[_IDLE]:
        row[_ROOM_MIN] = 0


@njit
def _rooms(kind, cell, rule, row):
    """Rooms for a type: open, free, and when one that is cleaned is free."""
    for number in range(rule[ROOMS]):
        room = rule[AT_ROOMS] + ROOM_COLUMNS * number
        use = cell[room + USE]
        if use == CLOSED or not rule[rule[OF_ROOMS_CAN] + cell[room + ROOM_GROUP]] >> kind & 1:
            continue
        row[_OPEN] += 1
        row[_IDLE] += use == ROOM_FREE
        if use == CLEANING:
            row[_ROOM_MIN] = min(row[_ROOM_MIN], max(cell[room + CLEAN_AT] - cell[MINUTE], 1))


@njit
def _rivals(kind, kinds, shared, narrow, row):
    """Counterpart of ``wide_rows._rivals``."""
    stride = NARROW * CLASSES_PER_TYPE
    rival, total, load, points, expected = -1, 0.0, 0.0, 0.0, 0.0
    for other in range(kinds):
        at = stride * other
        if other == kind or shared[kind, other] == 0:
            continue
        if rival < 0 or narrow[at + LOAD] > narrow[stride * rival + LOAD]:
            rival = other
        share = shared[kind, other] / shared[kind, kind]
        total += share
        load += share * narrow[at + LOAD]
        points += share * narrow[at + POINTS]
        expected += share * narrow[at + EXPECTED]
    for k in range(_RIVAL_COLUMNS):
        row[_RIVAL + k] = 0
    if rival < 0:
        return
    at = stride * rival
    row[_RIVAL] = shared[kind, rival] / shared[kind, kind]
    row[_RIVAL + 1] = shared[kind, rival] / shared[rival, rival]
    row[_RIVAL + 2], row[_RIVAL + 3] = narrow[at + LOAD], narrow[at + WAITING]
    row[_RIVAL + 4], row[_RIVAL + 5] = narrow[at + LEFT], narrow[at + POINTS]
    row[_RIVAL + 6], row[_RIVAL + 7] = narrow[at + EXPECTED], narrow[at + DUE_30]
    row[_RIVAL + 8], row[_RIVAL + 9] = total, load / total
    row[_RIVAL + 10], row[_RIVAL + 11] = points / total, expected / total

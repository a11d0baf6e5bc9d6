"""The observation ``rows`` of one lab: the numbers of :func:`~echo_env.lab.decisions.rows.row_numbers`."""

from __future__ import annotations

import numpy as np

from echo_env.common.jit import njit
from echo_env.lab.compiled.layout import (
    ABSENT,
    ARRIVAL,
    AT_HEAD,
    AT_LUNCH,
    AT_PATIENTS,
    AT_ROOMS,
    AT_STAFF,
    BEHIND,
    BUSY_SINCE,
    CAN,
    CLASSES_PER_TYPE,
    CLEANING,
    CLOSED,
    CLOSING,
    COUNTS,
    END,
    FREE_NOW,
    GROUP,
    IN_EXAM,
    KINDS,
    MEMBERS,
    MINUTE,
    OF_EXPECTED,
    OF_STAFF,
    OFF_DUTY,
    ON_A_BREAK,
    PATIENT,
    PATIENT_COLUMNS,
    PATIENTS,
    READY,
    ROOM_COLUMNS,
    ROOM_FREE,
    ROOMS,
    SCHEDULED,
    SINCE,
    STAFF_COLUMNS,
    STAFF_GROUP_COLUMNS,
    STATUS,
    TYPE,
    USE,
)
from echo_env.lab.compiled.starts import starts_left_of
from echo_env.lab.day import REBOOKED
from echo_env.lab.decisions.numbers import HORIZONS, HOUR, LONGEST_SHOWN, OVERDUE_MIN
from echo_env.lab.decisions.rows import ROW_FEATURES

_COLUMNS = len(ROW_FEATURES)
_OWN = 7
"""Columns of a class alone: waiting, three of punctuality, longest and mean wait, points."""
_LEFT, _ELSEWHERE, _WAITING, _PREPARING, _DUE = range(_OWN, _OWN + 5)
_TODAY = _DUE + len(HORIZONS)
_OVERDUE, _NEXT, _RATE, _EXPECTED, _LOAD, _RUNNING, _AGE = range(_TODAY + 1, _TODAY + 8)


@njit
def fill_row_numbers(cell, rule, booked, points, rate, rooms_for, row):
    """Fill the numbers before scaling.

    :param cell: the lab
    :param rule: the numbers of its rules
    :param booked: see :class:`~echo_env.lab.compiled.observations.Shown`, as for the next three
    :param points: (K, 3)
    :param rate: (K, minutes + 1)
    :param rooms_for: (K,)
    :param row: ((3 K + 1) columns,) float64
    """
    for k in range(len(row)):
        row[k] = 0
    kinds = rule[KINDS]
    # The columns that the rows of a type share are counted in its first row.
    _count_patients(cell, rule, booked, row)
    on_duty = _count_staff(cell, rule, row)
    for kind in range(kinds):
        _of_type(kind, min(on_duty[kind], rooms_for[kind]), rate[kind, cell[MINUTE]], cell, rule, row)
        first = CLASSES_PER_TYPE * kind * _COLUMNS
        for j in range(1, CLASSES_PER_TYPE):
            for k in range(_OWN, _COLUMNS):
                row[first + j * _COLUMNS + k] = row[first + k]
        for j in range(CLASSES_PER_TYPE):
            _of_class(CLASSES_PER_TYPE * kind + j, cell, rule, row)
            row[first + j * _COLUMNS + 1 + j] = 1
            row[first + j * _COLUMNS + _OWN - 1] = points[kind, j]
    _of_lab(cell, rule, CLASSES_PER_TYPE * kinds * _COLUMNS, row)


@njit
def _count_patients(cell, rule, booked, row):
    patients, now = rule[AT_PATIENTS], cell[MINUTE]
    for kind in range(rule[KINDS]):
        row[CLASSES_PER_TYPE * kind * _COLUMNS + _NEXT] = HOUR
    # Nobody comes in the minute in which the day is over.
    latest = min(now, rule[END] - 1)
    for p in range(rule[PATIENTS]):
        own = patients + PATIENT_COLUMNS * p
        first = CLASSES_PER_TYPE * cell[own + TYPE] * _COLUMNS
        if 0 <= cell[own + ARRIVAL] <= latest:
            row[first + _PREPARING] += cell[own + READY] > latest
            continue
        ahead = cell[own + SCHEDULED] - now
        if p >= booked or ahead < -OVERDUE_MIN or cell[own + ARRIVAL] == REBOOKED:
            continue
        if ahead < 0:
            row[first + _OVERDUE] += 1
            continue
        for k in range(len(HORIZONS)):
            row[first + _DUE + k] += ahead < HORIZONS[k]
        row[first + _TODAY] += 1
        row[first + _NEXT] = min(row[first + _NEXT], ahead)


@njit
def _count_staff(cell, rule, row):
    """Exams under way by type, with the sum of their ages; returns who is on duty, by type."""
    now = cell[MINUTE]
    on_duty = np.zeros(rule[KINDS], np.int64)
    for s in range(rule[MEMBERS]):
        member = rule[AT_STAFF] + STAFF_COLUMNS * s
        status = cell[member + STATUS]
        if status in (ABSENT, OFF_DUTY):
            continue
        can = rule[rule[OF_STAFF] + STAFF_GROUP_COLUMNS * cell[member + GROUP] + CAN]
        for kind in range(rule[KINDS]):
            on_duty[kind] += can >> kind & 1
        if status == IN_EXAM:
            patient = rule[AT_PATIENTS] + PATIENT_COLUMNS * cell[member + PATIENT]
            first = CLASSES_PER_TYPE * cell[patient + TYPE] * _COLUMNS
            row[first + _RUNNING] += 1
            row[first + _AGE] += now - cell[member + BUSY_SINCE]
    return on_duty


@njit
def _of_type(kind, pairs, rate, cell, rule, row):
    """The columns that the rows of a type share, but those that are counted over patients and staff."""
    first, c = CLASSES_PER_TYPE * kind * _COLUMNS, COUNTS + CLASSES_PER_TYPE * kind
    left = starts_left_of(kind, cell, rule)
    row[first + _LEFT] = left
    fewest = -1
    for other in range(rule[KINDS]):
        if other != kind:
            there = starts_left_of(other, cell, rule)
            if fewest < 0 or there < fewest:
                fewest = there
    row[first + _ELSEWHERE] = left if fewest < 0 else fewest
    waiting = cell[c] + cell[c + 1] + cell[c + 2]
    row[first + _WAITING] = waiting
    row[first + _RATE] = rate
    row[first + _EXPECTED] = rule[rule[OF_EXPECTED] + kind]
    minutes = (waiting + row[first + _TODAY - 1]) * rule[rule[OF_EXPECTED] + kind]
    row[first + _LOAD] = minutes / (HOUR * max(pairs, 1))
    row[first + _AGE] /= max(row[first + _RUNNING], 1)


@njit
def _of_class(kind, cell, rule, row):
    """Those who wait in a class: how many, the longest and the mean wait."""
    first, now, patients = kind * _COLUMNS, cell[MINUTE], rule[AT_PATIENTS]
    row[first] = cell[COUNTS + kind]
    if cell[COUNTS + kind] == 0:
        return
    p, total = cell[rule[AT_HEAD] + kind], 0
    longest = min(max(now - cell[patients + PATIENT_COLUMNS * p + SINCE], 0), LONGEST_SHOWN)
    while p >= 0:
        wait = now - cell[patients + PATIENT_COLUMNS * p + SINCE]
        if wait <= 0:
            # Who stands behind has waited no longer.
            break
        total += min(wait, LONGEST_SHOWN)
        p = cell[patients + PATIENT_COLUMNS * p + BEHIND]
    row[first + 4] = longest
    row[first + 5] = total / cell[COUNTS + kind]


@njit
def _of_lab(cell, rule, first, row):
    """The last row."""
    now, closing = cell[MINUTE], rule[CLOSING]
    rooms, staff = rule[ROOMS], max(rule[MEMBERS], 1)
    free_rooms, unusable, free_staff, away, gone, busy, waiting = 0, 0, 0, 0, 0, 0, 0
    for room in range(rooms):
        use = cell[rule[AT_ROOMS] + ROOM_COLUMNS * room + USE]
        free_rooms += use == ROOM_FREE
        unusable += use in (CLEANING, CLOSED)
    for s in range(rule[MEMBERS]):
        status = cell[rule[AT_STAFF] + STAFF_COLUMNS * s + STATUS]
        free_staff += status == FREE_NOW
        away += status in (ON_A_BREAK, AT_LUNCH)
        gone += status in (ABSENT, OFF_DUTY)
        busy += status == IN_EXAM
    for kind in range(CLASSES_PER_TYPE * rule[KINDS]):
        waiting += cell[COUNTS + kind]
    row[first] = now / rule[END]
    row[first + 1] = max(closing - now, 0) / closing
    row[first + 2], row[first + 3] = free_rooms / rooms, free_staff / staff
    row[first + 4], row[first + 5] = away / staff, gone / staff
    row[first + 6], row[first + 7], row[first + 8] = unusable / rooms, waiting, busy / staff

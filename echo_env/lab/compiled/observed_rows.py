"""The observation ``rows`` of one lab: the numbers of :func:`~echo_env.lab.decisions.rows.row_numbers`."""

from __future__ import annotations

import numpy as np

from echo_env.common.jit import njit
from echo_env.lab.compiled.layout import (
    ABSENT,
    ARRIVAL,
    AT_LUNCH,
    BEHIND,
    BUSY_SINCE,
    CAN,
    CLASSES_PER_TYPE,
    CLEANING,
    CLOSED,
    COUNTS,
    FREE_NOW,
    IN_EXAM,
    MINUTE,
    OFF_DUTY,
    ON_A_BREAK,
    PATIENT,
    READY,
    ROOM_FREE,
    SCHEDULED,
    SINCE,
    STATUS,
    TYPE,
    USE,
)
from echo_env.lab.compiled.starts import starts_left_of
from echo_env.lab.decisions.numbers import HORIZONS, HOUR, LONGEST_SHOWN, OVERDUE_MIN
from echo_env.lab.decisions.rows import LAB_FEATURES, ROW_FEATURES

_COLUMNS, _LAB_COLUMNS = len(ROW_FEATURES), len(LAB_FEATURES)
_OWN = 7
"""Columns of a class alone: waiting, three of punctuality, longest and mean wait, points."""
_LEFT, _ELSEWHERE, _WAITING, _PREPARING, _DUE = range(_OWN, _OWN + 5)
_TODAY = _DUE + len(HORIZONS)
_OVERDUE, _NEXT, _RATE, _EXPECTED, _LOAD, _RUNNING, _AGE = range(_TODAY + 1, _TODAY + 8)


@njit
def fill_row_numbers(one, rules, shown, row):
    """Fill the numbers before scaling.

    :param one: the lab
    :param rules: its rules
    :param shown: a :class:`~echo_env.lab.compiled.observations.Shown`
    :param row: ((3 K + 1) columns,) float64
    """
    for k in range(len(row)):
        row[k] = 0
    kinds = rules.at.kinds
    # The columns that the rows of a type share are counted in its first row.
    _count_patients(one, rules, shown.booked, row)
    on_duty = _count_staff(one, rules, row)
    for kind in range(kinds):
        _of_type(kind, on_duty[kind], one, rules, shown, row)
        first = CLASSES_PER_TYPE * kind * _COLUMNS
        for j in range(1, CLASSES_PER_TYPE):
            for k in range(_OWN, _COLUMNS):
                row[first + j * _COLUMNS + k] = row[first + k]
        for j in range(CLASSES_PER_TYPE):
            _of_class(CLASSES_PER_TYPE * kind + j, one, rules, row)
            row[first + j * _COLUMNS + 1 + j] = 1
            row[first + j * _COLUMNS + _OWN - 1] = shown.points[kind, j]
    _of_lab(one, rules, CLASSES_PER_TYPE * kinds * _COLUMNS, row)


@njit
def _count_patients(one, rules, booked, row):
    patients, now = one.patients, one.lab[MINUTE]
    for kind in range(rules.at.kinds):
        row[CLASSES_PER_TYPE * kind * _COLUMNS + _NEXT] = HOUR
    # Nobody comes in the minute in which the day is over.
    latest = min(now, rules.whole.end - 1)
    for p in range(len(patients)):
        first = CLASSES_PER_TYPE * patients[p, TYPE] * _COLUMNS
        if 0 <= patients[p, ARRIVAL] <= latest:
            row[first + _PREPARING] += patients[p, READY] > latest
            continue
        ahead = patients[p, SCHEDULED] - now
        if p >= booked or ahead < -OVERDUE_MIN:
            continue
        if ahead < 0:
            row[first + _OVERDUE] += 1
            continue
        for k in range(len(HORIZONS)):
            row[first + _DUE + k] += ahead < HORIZONS[k]
        row[first + _TODAY] += 1
        row[first + _NEXT] = min(row[first + _NEXT], ahead)


@njit
def _count_staff(one, rules, row):
    """Exams under way by type, with the sum of their ages; returns who is on duty, by type."""
    staff, now = one.staff, one.lab[MINUTE]
    on_duty = np.zeros(rules.at.kinds, np.int64)
    for s in range(len(staff)):
        status = staff[s, STATUS]
        if status in (ABSENT, OFF_DUTY):
            continue
        can = rules.staff[rules.staff_group[s], CAN]
        for kind in range(rules.at.kinds):
            on_duty[kind] += can >> kind & 1
        if status == IN_EXAM:
            first = CLASSES_PER_TYPE * one.patients[staff[s, PATIENT], TYPE] * _COLUMNS
            row[first + _RUNNING] += 1
            row[first + _AGE] += now - staff[s, BUSY_SINCE]
    return on_duty


@njit
def _of_type(kind, on_duty, one, rules, shown, row):
    """The columns that the rows of a type share, but those that are counted over patients and staff."""
    first, c = CLASSES_PER_TYPE * kind * _COLUMNS, COUNTS + CLASSES_PER_TYPE * kind
    left = starts_left_of(kind, one, rules)
    row[first + _LEFT] = left
    fewest = -1
    for other in range(rules.at.kinds):
        if other != kind:
            there = starts_left_of(other, one, rules)
            if fewest < 0 or there < fewest:
                fewest = there
    row[first + _ELSEWHERE] = left if fewest < 0 else fewest
    waiting = one.lab[c] + one.lab[c + 1] + one.lab[c + 2]
    row[first + _WAITING] = waiting
    row[first + _RATE] = shown.rate[kind, one.lab[MINUTE]]
    row[first + _EXPECTED] = rules.expected[kind]
    minutes = (waiting + row[first + _TODAY - 1]) * rules.expected[kind]
    row[first + _LOAD] = minutes / (HOUR * max(min(on_duty, shown.rooms_for[kind]), 1))
    row[first + _AGE] /= max(row[first + _RUNNING], 1)


@njit
def _of_class(kind, one, rules, row):
    """Those who wait in a class: how many, the longest and the mean wait."""
    lab, first, now = one.lab, kind * _COLUMNS, one.lab[MINUTE]
    row[first] = lab[COUNTS + kind]
    if lab[COUNTS + kind] == 0:
        return
    p, total = lab[rules.at.head + kind], 0
    longest = min(max(now - one.patients[p, SINCE], 0), LONGEST_SHOWN)
    while p >= 0:
        wait = now - one.patients[p, SINCE]
        if wait <= 0:
            # Who stands behind has waited no longer.
            break
        total += min(wait, LONGEST_SHOWN)
        p = one.patients[p, BEHIND]
    row[first + 4] = longest
    row[first + 5] = total / lab[COUNTS + kind]


@njit
def _of_lab(one, rules, first, row):
    """The last row."""
    lab, at, whole, now = one.lab, rules.at, rules.whole, one.lab[MINUTE]
    rooms, staff = len(one.rooms), max(len(one.staff), 1)
    free_rooms, unusable, free_staff, away, gone, busy, waiting = 0, 0, 0, 0, 0, 0, 0
    for room in range(rooms):
        free_rooms += one.rooms[room, USE] == ROOM_FREE
        unusable += one.rooms[room, USE] in (CLEANING, CLOSED)
    for s in range(len(one.staff)):
        status = one.staff[s, STATUS]
        free_staff += status == FREE_NOW
        away += status in (ON_A_BREAK, AT_LUNCH)
        gone += status in (ABSENT, OFF_DUTY)
        busy += status == IN_EXAM
    for kind in range(CLASSES_PER_TYPE * at.kinds):
        waiting += lab[COUNTS + kind]
    row[first] = now / whole.end
    row[first + 1] = max(whole.closing - now, 0) / whole.closing
    row[first + 2], row[first + 3] = free_rooms / rooms, free_staff / staff
    row[first + 4], row[first + 5] = away / staff, gone / staff
    row[first + 6], row[first + 7], row[first + 8] = unusable / rooms, waiting, busy / staff

"""Shifts, lunches, planned breaks, handovers, cleaned rooms, and rooms that close and open."""

from __future__ import annotations

import numpy as np

from echo_env.common.jit import njit
from echo_env.lab.compiled.layout import (
    AT_ENDS,
    AT_FREE_STAFF,
    AT_HANDOVERS,
    AT_IDLE,
    AT_PATIENTS,
    AT_ROOMS,
    AT_RUNNING,
    AT_STAFF,
    BEGUN,
    BUSY_SINCE,
    CAN,
    CLOSED,
    DUTY_FROM,
    ENDS,
    FIRST,
    FREE_NOW,
    GROUP,
    HANDOVER,
    HANDOVER_COLUMNS,
    HANDOVERS,
    HANDS_OVER,
    IN_EXAM,
    MEMBERS,
    MINUTE,
    NEXT_ROSTER,
    NUMBER,
    OF_ROSTER,
    OF_STAFF,
    OFF_DUTY,
    PATIENT,
    PATIENT_COLUMNS,
    PUTS_OFF,
    ROOM,
    ROOM_COLUMNS,
    ROOM_FREE,
    ROOM_GROUP,
    ROOMS,
    SHIFT,
    SHIFT_UNTIL,
    STAFF_COLUMNS,
    STAFF_GROUP_COLUMNS,
    STAFF_GROUPS,
    STATUS,
    TYPE,
    UNTIL,
    USE,
)
from echo_env.lab.compiled.staff.duty import (
    bits,
    closed_now,
    duty_of,
    ends_at,
    fill_rooms,
    fill_staff,
    send,
    set_room_idle,
)
from echo_env.lab.compiled.staff.heap import pop


@njit
def keep_roster(lunch_over, cell, rule):
    """Shifts, lunches, planned breaks, handovers, cleaned rooms and rooms that close or open.

    Members who are free stay so but in minutes of the roster, and when somebody comes back from lunch; who puts off a
    lunch or a break may go in any minute.

    :param lunch_over: whether that has happened in this minute
    """
    minute = cell[MINUTE]
    due = minute == 0
    while rule[rule[OF_ROSTER] + cell[NEXT_ROSTER]] <= minute:
        cell[NEXT_ROSTER] += 1
        due = True
    if due or lunch_over or rule[PUTS_OFF]:
        _call_roll(cell, rule)
    if minute >= rule[HANDOVER]:
        _hand_over(cell, rule)
    ends = rule[AT_ENDS]
    while cell[ENDS] and cell[ends] >> SHIFT <= minute:
        # What ends now of members has ended: only cleaning is left.
        room = (cell[ends] & NUMBER) - rule[MEMBERS]
        pop(cell, ends, cell[ENDS])
        cell[ENDS] -= 1
        set_room_idle(room, cell, rule)
    if due:
        _open_and_close(cell, rule)


@njit
def _open_and_close(cell, rule):
    """Counterpart of ``Whiteboard.open_and_close_rooms``."""
    for room in range(rule[ROOMS]):
        own = rule[AT_ROOMS] + ROOM_COLUMNS * room
        closed = closed_now(np.int64(cell[own + ROOM_GROUP]), cell, rule)
        if cell[own + USE] == ROOM_FREE and closed:
            cell[own + USE] = CLOSED
        elif cell[own + USE] == CLOSED and not closed:
            cell[own + USE] = ROOM_FREE
    fill_rooms(cell, rule)


@njit
def _call_roll(cell, rule):
    """Members who come, and free ones who go to lunch, on a break or home, by number."""
    minute, changed = cell[MINUTE], False
    for s in range(rule[MEMBERS]):
        member = rule[AT_STAFF] + STAFF_COLUMNS * s
        g, status = np.int64(cell[member + GROUP]), cell[member + STATUS]
        until = rule[rule[OF_STAFF] + STAFF_GROUP_COLUMNS * g + SHIFT_UNTIL]
        comes = status == OFF_DUTY and cell[member + DUTY_FROM] <= minute < until
        if not comes and status != FREE_NOW:
            continue
        duty = duty_of(s, g, cell, rule)
        if duty != FREE_NOW:
            send(s, g, duty, cell, rule)
            changed = True
        elif comes:
            cell[member + STATUS] = FREE_NOW
            changed = True
    if changed:
        fill_staff(cell, rule)


@njit
def _hands_over_now(g, cell, rule):
    group = rule[OF_STAFF] + STAFF_GROUP_COLUMNS * g
    return rule[group + HANDS_OVER] == 1 and cell[MINUTE] >= rule[group + SHIFT_UNTIL]


@njit
def _hand_over(cell, rule):
    """Exams of members whose shift is over go to free colleagues, by member."""
    waiting = 0
    for g in range(rule[STAFF_GROUPS]):
        if _hands_over_now(g, cell, rule):
            waiting += cell[rule[AT_RUNNING] + g]
    if waiting == 0:
        return
    for s in range(rule[MEMBERS]):
        member = rule[AT_STAFF] + STAFF_COLUMNS * s
        g = np.int64(cell[member + GROUP])
        if cell[member + STATUS] != IN_EXAM or not _hands_over_now(g, cell, rule):
            continue
        to = _colleague(cell[rule[AT_PATIENTS] + PATIENT_COLUMNS * cell[member + PATIENT] + TYPE], cell, rule)
        if to >= 0:
            _take_over(s, g, to, cell, rule)


@njit
def _colleague(kind, cell, rule):
    """The group of the free member who takes over an exam; -1 if there is none.

    The fewest types that the member can do, then the fewest exams begun, then the lowest number.
    """
    best, least, fewest = -1, 0, 0
    for g in range(rule[STAFF_GROUPS]):
        group = rule[OF_STAFF] + STAFF_GROUP_COLUMNS * g
        can = rule[group + CAN]
        if not can >> kind & 1 or cell[rule[AT_FREE_STAFF] + g] == 0:
            continue
        size, key = bits(can), cell[rule[AT_IDLE] + rule[ROOMS] + rule[group + FIRST]]
        if best < 0 or size < fewest or (size == fewest and key < least):
            best, least, fewest = g, key, size
    return best


@njit
def _take_over(s, g, to, cell, rule):
    """The first free member of group ``to`` goes on with the exam of member ``s`` of group ``g``."""
    first = rule[AT_IDLE] + rule[ROOMS] + rule[rule[OF_STAFF] + STAFF_GROUP_COLUMNS * to + FIRST]
    c = cell[first] & NUMBER
    pop(cell, first, cell[rule[AT_FREE_STAFF] + to])
    cell[rule[AT_FREE_STAFF] + to] -= 1
    cell[rule[AT_RUNNING] + g] -= 1
    cell[rule[AT_RUNNING] + to] += 1
    member, colleague = rule[AT_STAFF] + STAFF_COLUMNS * s, rule[AT_STAFF] + STAFF_COLUMNS * c
    for k in (UNTIL, ROOM, PATIENT, BUSY_SINCE):
        cell[colleague + k] = cell[member + k]
    cell[colleague + STATUS], cell[member + STATUS] = IN_EXAM, OFF_DUTY
    cell[colleague + BEGUN] += 1
    ends_at(colleague + UNTIL, c, cell, rule)
    k = rule[AT_HANDOVERS] + HANDOVER_COLUMNS * cell[HANDOVERS]
    cell[k], cell[k + 1], cell[k + 2], cell[k + 3] = cell[member + PATIENT], s, c, cell[MINUTE]
    cell[HANDOVERS] += 1

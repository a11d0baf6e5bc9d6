"""Members of staff and rooms: what ends, and where members go then."""

from __future__ import annotations

import numpy as np

from echo_env.common.jit import njit
from echo_env.lab.compiled.layout import (
    AT_ABLE,
    AT_AWAY,
    AT_BREAKS,
    AT_ENDS,
    AT_FREE_ROOMS,
    AT_FREE_STAFF,
    AT_HEAD,
    AT_IDLE,
    AT_LUNCH,
    AT_LUNCHES,
    AT_LUNCHING,
    AT_ONCE,
    AT_RANK,
    AT_ROOMS,
    AT_RUNNING,
    AT_STAFF,
    AT_STARTABLE,
    BEGUN,
    BREAK_COLUMNS,
    BREAK_MIN,
    BREAKS,
    BREAKS_LEFT,
    BUSY_SINCE,
    CAN,
    CLEAN_AT,
    CLEANING,
    CLOSED,
    CLOSED_AT,
    CLOSED_PAIRS,
    ENDS,
    FIRST,
    FREE_NOW,
    GROUP,
    IN_EXAM,
    KINDS,
    LONGEST,
    LUNCH_BEGIN,
    LUNCH_LATEST,
    LUNCH_LEFT,
    LUNCH_MIN,
    LUNCH_PUT_OFF,
    LUNCHES,
    MEMBERS,
    MINUTE,
    NUMBER,
    OF_EXPECTED,
    OF_ROOMS,
    OF_STAFF,
    OFF_DUTY,
    ON_A_BREAK,
    PAST,
    PLANNED,
    PLANNED_AT,
    PUT_OFF_MIN,
    PUTS_OFF,
    ROOM,
    ROOM_COLUMNS,
    ROOM_FREE,
    ROOM_GROUP,
    ROOM_GROUP_COLUMNS,
    ROOM_GROUPS,
    ROOMS,
    ROSTER,
    SHIFT,
    SHIFT_UNTIL,
    STAFF_COLUMNS,
    STAFF_GROUP_COLUMNS,
    STAFF_GROUPS,
    STARTS_UNTIL,
    STATUS,
    TURNOVER,
    UNTIL,
    USE,
)
from echo_env.lab.compiled.queue import waiting_types
from echo_env.lab.compiled.staff.heap import pop, push
from echo_env.lab.simulation.breaks import breaks_taken
from echo_env.lab.simulation.capacity import effective_types
from echo_env.lab.simulation.duties import is_closed, next_duty

# The rules of the hospital, compiled.
_breaks_taken = njit(breaks_taken)
_effective_types = njit(effective_types)
_is_closed = njit(is_closed)
_next_duty = njit(next_duty)


@njit
def bits(number):
    """How many bits of a bit set are set."""
    count = 0
    while number:
        number &= number - 1
        count += 1
    return count


@njit
def refresh_able(cell, rule):
    """What free members of each group may begin now, and in which order groups are chosen."""
    minute = cell[MINUTE]
    expected = rule[rule[OF_EXPECTED] : rule[OF_EXPECTED] + rule[KINDS]]
    for g in range(rule[STAFF_GROUPS]):
        group = rule[OF_STAFF] + STAFF_GROUP_COLUMNS * g
        can = rule[group + CAN]
        able = _effective_types(can, minute, rule[group + STARTS_UNTIL], expected)
        cell[rule[AT_ABLE] + g] = able
        cell[rule[AT_RANK] + g] = bits(able) << 4 | bits(can)


@njit
def settle(cell, rule):
    """Fill everything that follows from what members and rooms are doing: counts by group, and heaps."""
    for k in range(rule[AT_FREE_ROOMS], rule[AT_STARTABLE]):
        cell[k] = 0
    for k in range(rule[AT_RUNNING], rule[AT_HEAD]):
        cell[k] = 0
    fill_rooms(cell, rule)
    fill_staff(cell, rule)
    cell[ENDS] = 0
    for s in range(rule[MEMBERS]):
        member = rule[AT_STAFF] + STAFF_COLUMNS * s
        g, status = np.int64(cell[member + GROUP]), cell[member + STATUS]
        if status in (IN_EXAM, ON_A_BREAK, AT_LUNCH):
            cell[rule[AT_RUNNING] + g] += status == IN_EXAM
            cell[rule[AT_AWAY] + g] += status != IN_EXAM
            cell[rule[AT_LUNCHING] + g] += status == AT_LUNCH
            ends_at(member + UNTIL, s, cell, rule)
    for room in range(rule[ROOMS]):
        own = rule[AT_ROOMS] + ROOM_COLUMNS * room
        if cell[own + USE] == CLEANING:
            ends_at(own + CLEAN_AT, rule[MEMBERS] + room, cell, rule)
    refresh_able(cell, rule)


@njit
def fill_rooms(cell, rule):
    """Fill counts and heaps of free rooms."""
    for g in range(rule[ROOM_GROUPS]):
        group = rule[OF_ROOMS] + ROOM_GROUP_COLUMNS * g
        first, count = rule[group + FIRST], 0
        for room in range(first, rule[group + PAST]):
            if cell[rule[AT_ROOMS] + ROOM_COLUMNS * room + USE] == ROOM_FREE:
                cell[rule[AT_IDLE] + first + count] = room
                count += 1
        cell[rule[AT_FREE_ROOMS] + g] = count


@njit
def fill_staff(cell, rule):
    """Fill counts and heaps of free members of staff."""
    for g in range(rule[STAFF_GROUPS]):
        group = rule[OF_STAFF] + STAFF_GROUP_COLUMNS * g
        cell[rule[AT_FREE_STAFF] + g] = 0
        for s in range(rule[group + FIRST], rule[group + PAST]):
            if cell[rule[AT_STAFF] + STAFF_COLUMNS * s + STATUS] == FREE_NOW:
                _set_idle(s, g, cell, rule)


@njit
def _set_idle(s, g, cell, rule):
    free = rule[AT_FREE_STAFF] + g
    first = rule[AT_IDLE] + rule[ROOMS] + rule[rule[OF_STAFF] + STAFF_GROUP_COLUMNS * g + FIRST]
    push(cell[rule[AT_STAFF] + STAFF_COLUMNS * s + BEGUN] << SHIFT | s, cell, first, cell[free])
    cell[free] += 1


@njit
def ends_at(at, number, cell, rule):
    """Note when something ends, which cell ``at`` says: of a member, or behind all members of a room."""
    push(min(cell[at], LONGEST) << SHIFT | number, cell, rule[AT_ENDS], cell[ENDS])
    cell[ENDS] += 1


@njit
def process_ends(cell, rule, draw, odds):
    """Exams, breaks and lunches that end now, by member. Returns whether a lunch has ended."""
    ends, minute, lunch = rule[AT_ENDS], cell[MINUTE], False
    while cell[ENDS] and cell[ends] >> SHIFT <= minute and cell[ends] & NUMBER < rule[MEMBERS]:
        s = cell[ends] & NUMBER
        pop(cell, ends, cell[ENDS])
        cell[ENDS] -= 1
        member = rule[AT_STAFF] + STAFF_COLUMNS * s
        g, status = np.int64(cell[member + GROUP]), cell[member + STATUS]
        if status == IN_EXAM:
            cell[rule[AT_RUNNING] + g] -= 1
            _let_go(np.int64(cell[member + ROOM]), cell, rule)
            _release(s, g, True, cell, rule, draw, odds)
        elif status in (ON_A_BREAK, AT_LUNCH):
            cell[rule[AT_AWAY] + g] -= 1
            if status == AT_LUNCH:
                cell[rule[AT_LUNCHING] + g] -= 1
                lunch = True
            _release(s, g, False, cell, rule, draw, odds)
        # Else the member has handed over the exam that would have ended.
    return lunch


@njit
def _let_go(room, cell, rule):
    """A room after an exam."""
    own = rule[AT_ROOMS] + ROOM_COLUMNS * room
    turnover = rule[rule[OF_ROOMS] + ROOM_GROUP_COLUMNS * cell[own + ROOM_GROUP] + TURNOVER]
    if turnover:
        cell[own + USE], cell[own + CLEAN_AT] = CLEANING, cell[MINUTE] + turnover
        ends_at(own + CLEAN_AT, rule[MEMBERS] + room, cell, rule)
    else:
        set_room_idle(room, cell, rule)


@njit
def set_room_idle(room, cell, rule):
    """A room is free, or closed if it is to be now."""
    own = rule[AT_ROOMS] + ROOM_COLUMNS * room
    g = np.int64(cell[own + ROOM_GROUP])
    if closed_now(g, cell, rule):
        cell[own + USE] = CLOSED
        return
    cell[own + USE] = ROOM_FREE
    free = rule[AT_FREE_ROOMS] + g
    push(room, cell, rule[AT_IDLE] + rule[rule[OF_ROOMS] + ROOM_GROUP_COLUMNS * g + FIRST], cell[free])
    cell[free] += 1


@njit
def closed_now(g, cell, rule):
    """Whether the rooms of a group are closed."""
    group = rule[OF_ROOMS] + ROOM_GROUP_COLUMNS * g
    pairs, at = rule[group + CLOSED_PAIRS], rule[group + CLOSED_AT]
    return pairs > 0 and _is_closed(cell[MINUTE], rule[at : at + 2 * pairs].reshape((pairs, 2)))


@njit
def _release(s, g, after_exam, cell, rule, draw, odds):
    """A member of staff has nothing to do: goes home, to lunch, on a break, or is free."""
    member = rule[AT_STAFF] + STAFF_COLUMNS * s
    if rule[ROSTER]:
        duty = duty_of(s, g, cell, rule)
        if duty != FREE_NOW:
            send(s, g, duty, cell, rule)
            return
    if after_exam:
        taken = _breaks_taken(cell[member + BREAKS_LEFT], draw[s, cell[member + BEGUN] - 1], odds[g])
        if taken:
            cell[member + BREAKS_LEFT] -= taken
            minutes = rule[rule[OF_STAFF] + STAFF_GROUP_COLUMNS * g + BREAK_MIN]
            _take_break(s, g, taken * minutes, cell, rule)
            return
    cell[member + STATUS] = FREE_NOW
    _set_idle(s, g, cell, rule)


@njit
def duty_of(s, g, cell, rule):
    """What a member does who has nothing to do."""
    wanted = 0
    if rule[PUTS_OFF]:
        group, minute = rule[OF_STAFF] + STAFF_GROUP_COLUMNS * g, cell[MINUTE]
        expected = rule[rule[OF_EXPECTED] : rule[OF_EXPECTED] + rule[KINDS]]
        able = _effective_types(rule[group + CAN], minute, rule[group + STARTS_UNTIL], expected)
        wanted = int(able & waiting_types(cell, rule) != 0)
    return _duty(s, g, wanted, cell, rule)


@njit
def is_putting_off(cell, rule):
    """Whether somebody who is free puts off a lunch or a break."""
    for s in range(rule[MEMBERS]):
        member = rule[AT_STAFF] + STAFF_COLUMNS * s
        if cell[member + STATUS] == FREE_NOW and _duty(s, np.int64(cell[member + GROUP]), 0, cell, rule) != FREE_NOW:
            return True
    return False


@njit
def _duty(s, g, wanted, cell, rule):
    """What a member does who has nothing to do, if a patient waits for them or if not."""
    group, member = rule[OF_STAFF] + STAFF_GROUP_COLUMNS * g, rule[AT_STAFF] + STAFF_COLUMNS * s
    return _next_duty(
        cell[MINUTE],
        rule[group + SHIFT_UNTIL],
        cell[member + LUNCH_LEFT],
        rule[group + LUNCH_BEGIN],
        rule[group + LUNCH_LATEST],
        cell[rule[AT_LUNCHING] + g],
        rule[group + AT_ONCE],
        rule[group + LUNCH_PUT_OFF],
        rule[rule[group + PLANNED_AT] + cell[member + PLANNED]],
        rule[group + PUT_OFF_MIN],
        wanted,
    )


@njit
def send(s, g, duty, cell, rule):
    """Send a member home, to lunch or on a planned break."""
    group, member = rule[OF_STAFF] + STAFF_GROUP_COLUMNS * g, rule[AT_STAFF] + STAFF_COLUMNS * s
    minute = cell[MINUTE]
    if duty == OFF_DUTY:
        cell[member + STATUS] = OFF_DUTY
    elif duty == AT_LUNCH:
        until = min(minute + rule[group + LUNCH_MIN], rule[group + SHIFT_UNTIL])
        cell[member + LUNCH_LEFT] = 0
        cell[rule[AT_LUNCHING] + g] += 1
        _record(s, until, rule[AT_LUNCHES] + BREAK_COLUMNS * cell[LUNCHES], cell)
        cell[LUNCHES] += 1
        _go_away(s, g, AT_LUNCH, until, cell, rule)
    else:
        while rule[rule[group + PLANNED_AT] + cell[member + PLANNED]] <= minute:
            cell[member + PLANNED] += 1
        _take_break(s, g, rule[group + BREAK_MIN], cell, rule)


@njit
def _take_break(s, g, minutes, cell, rule):
    shift_until = rule[rule[OF_STAFF] + STAFF_GROUP_COLUMNS * g + SHIFT_UNTIL]
    until = min(cell[MINUTE] + minutes, shift_until)
    _record(s, until, rule[AT_BREAKS] + BREAK_COLUMNS * cell[BREAKS], cell)
    cell[BREAKS] += 1
    _go_away(s, g, ON_A_BREAK, until, cell, rule)


@njit
def _record(s, until, place, cell):
    """Record a break or a lunch."""
    cell[place], cell[place + 1], cell[place + 2] = s, cell[MINUTE], until


@njit
def _go_away(s, g, status, until, cell, rule):
    member = rule[AT_STAFF] + STAFF_COLUMNS * s
    cell[member + STATUS], cell[member + BUSY_SINCE], cell[member + UNTIL] = status, cell[MINUTE], until
    cell[rule[AT_AWAY] + g] += 1
    ends_at(member + UNTIL, s, cell, rule)

"""Members of staff and rooms: what ends, where members go then, shifts, lunches, handovers and closed rooms."""

from __future__ import annotations

from echo_env.common.jit import njit
from echo_env.lab.compiled.heap import pop, push
from echo_env.lab.compiled.layout import (
    AT_ABLE,
    AT_AWAY,
    AT_BREAKS,
    AT_ENDS,
    AT_FREE_ROOMS,
    AT_FREE_STAFF,
    AT_HANDOVERS,
    AT_HEAD,
    AT_IDLE,
    AT_LUNCH,
    AT_LUNCHES,
    AT_LUNCHING,
    AT_ONCE,
    AT_PATIENTS,
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
    KINDS,
    LONGEST,
    LUNCH_BEGIN,
    LUNCH_LATEST,
    LUNCH_LEFT,
    LUNCH_MIN,
    LUNCHES,
    MEMBERS,
    MINUTE,
    NEXT_ROSTER,
    NUMBER,
    OF_EXPECTED,
    OF_ROOMS,
    OF_ROSTER,
    OF_STAFF,
    OFF_DUTY,
    ON_A_BREAK,
    PAST,
    PATIENT,
    PATIENT_COLUMNS,
    PLANNED,
    PLANNED_AT,
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
    TYPE,
    UNTIL,
    USE,
)
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
        g, status = cell[member + GROUP], cell[member + STATUS]
        if status in (IN_EXAM, ON_A_BREAK, AT_LUNCH):
            cell[rule[AT_RUNNING] + g] += status == IN_EXAM
            cell[rule[AT_AWAY] + g] += status != IN_EXAM
            cell[rule[AT_LUNCHING] + g] += status == AT_LUNCH
            _ends_at(cell[member + UNTIL], s, cell, rule)
    for room in range(rule[ROOMS]):
        own = rule[AT_ROOMS] + ROOM_COLUMNS * room
        if cell[own + USE] == CLEANING:
            _ends_at(cell[own + CLEAN_AT], rule[MEMBERS] + room, cell, rule)
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
def _ends_at(minute, number, cell, rule):
    """Note when something ends: of a member, or behind all members of a room."""
    push(min(minute, LONGEST) << SHIFT | number, cell, rule[AT_ENDS], cell[ENDS])
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
        g, status = cell[member + GROUP], cell[member + STATUS]
        if status == IN_EXAM:
            cell[rule[AT_RUNNING] + g] -= 1
            _let_go(cell[member + ROOM], cell, rule)
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
        _ends_at(cell[own + CLEAN_AT], rule[MEMBERS] + room, cell, rule)
    else:
        _set_room_idle(room, cell, rule)


@njit
def _set_room_idle(room, cell, rule):
    own = rule[AT_ROOMS] + ROOM_COLUMNS * room
    g = cell[own + ROOM_GROUP]
    if _closed_now(g, cell, rule):
        cell[own + USE] = CLOSED
        return
    cell[own + USE] = ROOM_FREE
    free = rule[AT_FREE_ROOMS] + g
    push(room, cell, rule[AT_IDLE] + rule[rule[OF_ROOMS] + ROOM_GROUP_COLUMNS * g + FIRST], cell[free])
    cell[free] += 1


@njit
def _closed_now(g, cell, rule):
    """Whether the rooms of a group are closed."""
    group = rule[OF_ROOMS] + ROOM_GROUP_COLUMNS * g
    pairs, at = rule[group + CLOSED_PAIRS], rule[group + CLOSED_AT]
    return pairs > 0 and _is_closed(cell[MINUTE], rule[at : at + 2 * pairs].reshape((pairs, 2)))


@njit
def _release(s, g, after_exam, cell, rule, draw, odds):
    """A member of staff has nothing to do: goes home, to lunch, on a break, or is free."""
    member = rule[AT_STAFF] + STAFF_COLUMNS * s
    if rule[ROSTER]:
        duty = _duty(s, g, cell, rule)
        if duty != FREE_NOW:
            _send(s, g, duty, cell, rule)
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
def _duty(s, g, cell, rule):
    """What a member does who has nothing to do."""
    group, member = rule[OF_STAFF] + STAFF_GROUP_COLUMNS * g, rule[AT_STAFF] + STAFF_COLUMNS * s
    return _next_duty(
        cell[MINUTE],
        rule[group + SHIFT_UNTIL],
        cell[member + LUNCH_LEFT],
        rule[group + LUNCH_BEGIN],
        rule[group + LUNCH_LATEST],
        cell[rule[AT_LUNCHING] + g],
        rule[group + AT_ONCE],
        rule[rule[group + PLANNED_AT] + cell[member + PLANNED]],
    )


@njit
def _send(s, g, duty, cell, rule):
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
    _ends_at(until, s, cell, rule)


@njit
def keep_roster(lunch_over, cell, rule):
    """Shifts, lunches, planned breaks, handovers, cleaned rooms and rooms that close or open.

    Members who are free stay so but in minutes of the roster, and when somebody comes back from lunch.

    :param lunch_over: whether that has happened in this minute
    """
    minute = cell[MINUTE]
    due = minute == 0
    while rule[rule[OF_ROSTER] + cell[NEXT_ROSTER]] <= minute:
        cell[NEXT_ROSTER] += 1
        due = True
    if due or lunch_over:
        _call_roll(cell, rule)
    if minute >= rule[HANDOVER]:
        _hand_over(cell, rule)
    ends = rule[AT_ENDS]
    while cell[ENDS] and cell[ends] >> SHIFT <= minute:
        # What ends now of members has ended: only cleaning is left.
        room = (cell[ends] & NUMBER) - rule[MEMBERS]
        pop(cell, ends, cell[ENDS])
        cell[ENDS] -= 1
        _set_room_idle(room, cell, rule)
    if due:
        _open_and_close(cell, rule)


@njit
def _open_and_close(cell, rule):
    """Counterpart of ``Whiteboard.open_and_close_rooms``."""
    for room in range(rule[ROOMS]):
        own = rule[AT_ROOMS] + ROOM_COLUMNS * room
        closed = _closed_now(cell[own + ROOM_GROUP], cell, rule)
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
        g, status = cell[member + GROUP], cell[member + STATUS]
        until = rule[rule[OF_STAFF] + STAFF_GROUP_COLUMNS * g + SHIFT_UNTIL]
        comes = status == OFF_DUTY and cell[member + DUTY_FROM] <= minute < until
        if not comes and status != FREE_NOW:
            continue
        duty = _duty(s, g, cell, rule)
        if duty != FREE_NOW:
            _send(s, g, duty, cell, rule)
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
        g = cell[member + GROUP]
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
    _ends_at(cell[colleague + UNTIL], c, cell, rule)
    k = rule[AT_HANDOVERS] + HANDOVER_COLUMNS * cell[HANDOVERS]
    cell[k], cell[k + 1], cell[k + 2], cell[k + 3] = cell[member + PATIENT], s, c, cell[MINUTE]
    cell[HANDOVERS] += 1

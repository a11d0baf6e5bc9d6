"""Members of staff and rooms: what ends, where members go then, shifts, lunches, handovers and closed rooms."""

from __future__ import annotations

from echo_env.common.jit import njit
from echo_env.lab.compiled.heap import pop, push
from echo_env.lab.compiled.layout import (
    AT_LUNCH,
    AT_ONCE,
    BEGUN,
    BREAK_MIN,
    BREAKS,
    BREAKS_LEFT,
    BUSY_SINCE,
    CAN,
    CLEAN_AT,
    CLEANING,
    CLOSED,
    ENDS,
    FIRST,
    FREE_NOW,
    HANDOVERS,
    HANDS_OVER,
    IN_EXAM,
    LONGEST,
    LUNCH_BEGIN,
    LUNCH_LATEST,
    LUNCH_LEFT,
    LUNCH_MIN,
    LUNCHES,
    MINUTE,
    NEXT_ROSTER,
    NUMBER,
    OFF_DUTY,
    ON_A_BREAK,
    PAST,
    PATIENT,
    PLANNED,
    ROOM,
    ROOM_FREE,
    SHIFT,
    SHIFT_UNTIL,
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
def refresh_able(lab, rules):
    """What free members of each group may begin now, and in which order groups are chosen."""
    at, minute = rules.at, lab[MINUTE]
    for g in range(at.staff):
        can = rules.staff[g, CAN]
        able = _effective_types(can, minute, rules.staff[g, STARTS_UNTIL], rules.expected)
        lab[at.able + g] = able
        lab[at.rank + g] = bits(able) << 4 | bits(can)


@njit
def settle(one, rules):
    """Fill everything that follows from what members and rooms are doing: counts by group, and heaps."""
    lab, at, staff = one.lab, rules.at, one.staff
    for k in range(at.free_rooms, at.startable):
        lab[k] = 0
    for k in range(at.running, at.head):
        lab[k] = 0
    fill_rooms(one, rules)
    fill_staff(one, rules)
    lab[ENDS] = 0
    for s in range(len(staff)):
        g, status = rules.staff_group[s], staff[s, STATUS]
        if status in (IN_EXAM, ON_A_BREAK, AT_LUNCH):
            lab[at.running + g] += status == IN_EXAM
            lab[at.away + g] += status != IN_EXAM
            lab[at.at_lunch + g] += status == AT_LUNCH
            _ends_at(staff[s, UNTIL], s, one)
    for room in range(len(one.rooms)):
        if one.rooms[room, USE] == CLEANING:
            _ends_at(one.rooms[room, CLEAN_AT], len(staff) + room, one)
    refresh_able(lab, rules)


@njit
def fill_rooms(one, rules):
    """Fill counts and heaps of free rooms."""
    for g in range(rules.at.rooms):
        first, count = rules.rooms[g, FIRST], 0
        for room in range(first, rules.rooms[g, PAST]):
            if one.rooms[room, USE] == ROOM_FREE:
                one.idle[first + count] = room
                count += 1
        one.lab[rules.at.free_rooms + g] = count


@njit
def fill_staff(one, rules):
    """Fill counts and heaps of free members of staff."""
    for g in range(rules.at.staff):
        one.lab[rules.at.free_staff + g] = 0
        for s in range(rules.staff[g, FIRST], rules.staff[g, PAST]):
            if one.staff[s, STATUS] == FREE_NOW:
                _set_idle(s, g, one, rules)


@njit
def _set_idle(s, g, one, rules):
    free = rules.at.free_staff + g
    push(one.staff[s, BEGUN] << SHIFT | s, one.idle, len(one.rooms) + rules.staff[g, FIRST], one.lab[free])
    one.lab[free] += 1


@njit
def _ends_at(minute, number, one):
    """Note when something ends: of a member, or behind all members of a room."""
    push(min(minute, LONGEST) << SHIFT | number, one.ends, 0, one.lab[ENDS])
    one.lab[ENDS] += 1


@njit
def process_ends(one, rules):
    """Exams, breaks and lunches that end now, by member. Returns whether a lunch has ended."""
    lab, at, staff, ends, minute = one.lab, rules.at, one.staff, one.ends, one.lab[MINUTE]
    lunch = False
    while lab[ENDS] and ends[0] >> SHIFT <= minute and ends[0] & NUMBER < len(staff):
        s = ends[0] & NUMBER
        pop(ends, 0, lab[ENDS])
        lab[ENDS] -= 1
        g, status = rules.staff_group[s], staff[s, STATUS]
        if status == IN_EXAM:
            lab[at.running + g] -= 1
            _let_go(staff[s, ROOM], one, rules)
            _release(s, g, True, one, rules)
        elif status in (ON_A_BREAK, AT_LUNCH):
            lab[at.away + g] -= 1
            if status == AT_LUNCH:
                lab[at.at_lunch + g] -= 1
                lunch = True
            _release(s, g, False, one, rules)
        # Else the member has handed over the exam that would have ended.
    return lunch


@njit
def _let_go(room, one, rules):
    """A room after an exam."""
    g = rules.room_group[room]
    turnover = rules.rooms[g, TURNOVER]
    if turnover:
        one.rooms[room, USE] = CLEANING
        one.rooms[room, CLEAN_AT] = one.lab[MINUTE] + turnover
        _ends_at(one.rooms[room, CLEAN_AT], len(one.staff) + room, one)
    else:
        _set_room_idle(room, g, one, rules)


@njit
def _set_room_idle(room, g, one, rules):
    if rules.closed.shape[1] and _is_closed(one.lab[MINUTE], rules.closed[g]):
        one.rooms[room, USE] = CLOSED
        return
    one.rooms[room, USE] = ROOM_FREE
    free = rules.at.free_rooms + g
    push(room, one.idle, rules.rooms[g, FIRST], one.lab[free])
    one.lab[free] += 1


@njit
def _release(s, g, after_exam, one, rules):
    """A member of staff has nothing to do: goes home, to lunch, on a break, or is free."""
    staff = one.staff
    if rules.whole.roster:
        duty = _duty(s, g, one, rules)
        if duty != FREE_NOW:
            _send(s, g, duty, one, rules)
            return
    if after_exam:
        thresholds = rules.break_thresholds[g]
        taken = _breaks_taken(staff[s, BREAKS_LEFT], one.break_draw[s, staff[s, BEGUN] - 1], thresholds)
        if taken:
            staff[s, BREAKS_LEFT] -= taken
            _take_break(s, g, taken * rules.staff[g, BREAK_MIN], one, rules)
            return
    staff[s, STATUS] = FREE_NOW
    _set_idle(s, g, one, rules)


@njit
def _duty(s, g, one, rules):
    """What a member does who has nothing to do."""
    group, staff = rules.staff[g], one.staff
    return _next_duty(
        one.lab[MINUTE],
        group[SHIFT_UNTIL],
        staff[s, LUNCH_LEFT],
        group[LUNCH_BEGIN],
        group[LUNCH_LATEST],
        one.lab[rules.at.at_lunch + g],
        group[AT_ONCE],
        rules.planned[g, staff[s, PLANNED]],
    )


@njit
def _send(s, g, duty, one, rules):
    """Send a member home, to lunch or on a planned break."""
    lab, staff, minute = one.lab, one.staff, one.lab[MINUTE]
    if duty == OFF_DUTY:
        staff[s, STATUS] = OFF_DUTY
    elif duty == AT_LUNCH:
        until = min(minute + rules.staff[g, LUNCH_MIN], rules.staff[g, SHIFT_UNTIL])
        staff[s, LUNCH_LEFT] = 0
        lab[rules.at.at_lunch + g] += 1
        k = lab[LUNCHES]
        one.lunches[k, 0], one.lunches[k, 1], one.lunches[k, 2] = s, minute, until
        lab[LUNCHES] += 1
        _go_away(s, g, AT_LUNCH, until, one, rules)
    else:
        while rules.planned[g, staff[s, PLANNED]] <= minute:
            staff[s, PLANNED] += 1
        _take_break(s, g, rules.staff[g, BREAK_MIN], one, rules)


@njit
def _take_break(s, g, minutes, one, rules):
    lab, minute = one.lab, one.lab[MINUTE]
    until = min(minute + minutes, rules.staff[g, SHIFT_UNTIL])
    k = lab[BREAKS]
    one.breaks[k, 0], one.breaks[k, 1], one.breaks[k, 2] = s, minute, until
    lab[BREAKS] += 1
    _go_away(s, g, ON_A_BREAK, until, one, rules)


@njit
def _go_away(s, g, status, until, one, rules):
    one.staff[s, STATUS], one.staff[s, BUSY_SINCE], one.staff[s, UNTIL] = status, one.lab[MINUTE], until
    one.lab[rules.at.away + g] += 1
    _ends_at(until, s, one)


@njit
def keep_roster(lunch_over, one, rules):
    """Shifts, lunches, planned breaks, handovers, cleaned rooms and rooms that close or open.

    Members who are free stay so but in minutes of the roster, and when somebody comes back from lunch.

    :param lunch_over: whether that has happened in this minute
    """
    lab, minute = one.lab, one.lab[MINUTE]
    due = minute == 0
    while rules.roster[lab[NEXT_ROSTER]] <= minute:
        lab[NEXT_ROSTER] += 1
        due = True
    if due or lunch_over:
        _call_roll(one, rules)
    if minute >= rules.whole.handover:
        _hand_over(one, rules)
    while lab[ENDS] and one.ends[0] >> SHIFT <= minute:
        # What ends now of members has ended: only cleaning is left.
        room = (one.ends[0] & NUMBER) - len(one.staff)
        pop(one.ends, 0, lab[ENDS])
        lab[ENDS] -= 1
        _set_room_idle(room, rules.room_group[room], one, rules)
    if due and rules.closed.shape[1]:
        for room in range(len(one.rooms)):
            closed = _is_closed(minute, rules.closed[rules.room_group[room]])
            if one.rooms[room, USE] == ROOM_FREE and closed:
                one.rooms[room, USE] = CLOSED
            elif one.rooms[room, USE] == CLOSED and not closed:
                one.rooms[room, USE] = ROOM_FREE
        fill_rooms(one, rules)


@njit
def _call_roll(one, rules):
    """Members who come, and free ones who go to lunch, on a break or home, by number."""
    staff, minute, changed = one.staff, one.lab[MINUTE], False
    for s in range(len(staff)):
        g, status = rules.staff_group[s], staff[s, STATUS]
        comes = status == OFF_DUTY and rules.duty_from[s] <= minute < rules.staff[g, SHIFT_UNTIL]
        if not comes and status != FREE_NOW:
            continue
        duty = _duty(s, g, one, rules)
        if duty != FREE_NOW:
            _send(s, g, duty, one, rules)
            changed = True
        elif comes:
            staff[s, STATUS] = FREE_NOW
            changed = True
    if changed:
        fill_staff(one, rules)


@njit
def _hand_over(one, rules):
    """Exams of members whose shift is over go to free colleagues, by member."""
    lab, at, staff, minute = one.lab, rules.at, one.staff, one.lab[MINUTE]
    waiting = 0
    for g in range(at.staff):
        if rules.staff[g, HANDS_OVER] and minute >= rules.staff[g, SHIFT_UNTIL]:
            waiting += lab[at.running + g]
    if waiting == 0:
        return
    for s in range(len(staff)):
        g = rules.staff_group[s]
        due = rules.staff[g, HANDS_OVER] and minute >= rules.staff[g, SHIFT_UNTIL]
        if not due or staff[s, STATUS] != IN_EXAM:
            continue
        to = _colleague(one.patients[staff[s, PATIENT], TYPE], one, rules)
        if to >= 0:
            _take_over(s, g, to, one, rules)


@njit
def _colleague(kind, one, rules):
    """The group of the free member who takes over an exam; -1 if there is none.

    The fewest types that the member can do, then the fewest exams begun, then the lowest number.
    """
    best, least, fewest = -1, 0, 0
    for g in range(rules.at.staff):
        can = rules.staff[g, CAN]
        if not can >> kind & 1 or one.lab[rules.at.free_staff + g] == 0:
            continue
        size, key = bits(can), one.idle[len(one.rooms) + rules.staff[g, FIRST]]
        if best < 0 or size < fewest or (size == fewest and key < least):
            best, least, fewest = g, key, size
    return best


@njit
def _take_over(s, g, to, one, rules):
    """The first free member of group ``to`` goes on with the exam of member ``s`` of group ``g``."""
    lab, at, staff, minute = one.lab, rules.at, one.staff, one.lab[MINUTE]
    first = len(one.rooms) + rules.staff[to, FIRST]
    c = one.idle[first] & NUMBER
    pop(one.idle, first, lab[at.free_staff + to])
    lab[at.free_staff + to] -= 1
    lab[at.running + g] -= 1
    lab[at.running + to] += 1
    staff[c, STATUS], staff[c, UNTIL], staff[c, ROOM] = IN_EXAM, staff[s, UNTIL], staff[s, ROOM]
    staff[c, PATIENT], staff[c, BUSY_SINCE] = staff[s, PATIENT], staff[s, BUSY_SINCE]
    staff[c, BEGUN] += 1
    staff[s, STATUS] = OFF_DUTY
    _ends_at(staff[c, UNTIL], c, one)
    k = lab[HANDOVERS]
    one.handovers[k, 0], one.handovers[k, 1], one.handovers[k, 2] = staff[s, PATIENT], s, c
    one.handovers[k, 3] = minute
    lab[HANDOVERS] += 1

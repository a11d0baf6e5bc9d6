"""The same day, compiled: many labs at once in arrays, functions only, no randomness.

Every function here is the counterpart of one in :mod:`~echo_env.lab.simulation.simulator`,
:mod:`~echo_env.lab.simulation.whiteboard`,
:mod:`~echo_env.lab.simulation.allocation` or :mod:`~echo_env.lab.decisions.actions`, and gives the same numbers to the
bit. Rules that are plain arithmetic (the penalty, the class of a patient) are not written again but compiled from
there.

A lab is a row in each of a few arrays, see :class:`Labs`; names in capitals are columns. The functions take the
rows of one lab; :mod:`~echo_env.lab.compiled.batch` runs them over all.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.jit import njit
from echo_env.lab.decisions.actions import CLASSES, MOST_PER_CLASS, PLACE_VALUES
from echo_env.lab.simulation.breaks import breaks_taken
from echo_env.lab.simulation.patient import Punctuality, on_time_from, patient_class, punctuality, waits_since
from echo_env.lab.simulation.penalty import penalty_units
from echo_env.lab.simulation.whiteboard import Status

# The rules of the hospital, compiled. Loops instead of array expressions compile much faster.
_penalty_units = njit(penalty_units)
_patient_class = njit(patient_class)
_on_time_from = njit(on_time_from)
_punctuality = njit(punctuality)
_waits_since = njit(waits_since)
_breaks_taken = njit(breaks_taken)

# Columns of Labs.lab. From COUNTS on they stand in the order of Trace.rows.
MINUTE, QUEUED, NEXT_ARRIVAL, ARRIVALS, EXAMS, BREAKS, ROWS = range(7)
COUNTS, FREE, ON_BREAK, UNITS = 7, 13, 17, 19
LAB_COLUMNS = 23

# Columns of Labs.patients. BY_ARRIVAL is no property of the patient in that row: it lists those who come.
SCHEDULED, FETAL, ARRIVAL, EXAM_MIN, BY_ARRIVAL, CLASS, SINCE, ARRIVED = range(8)
PATIENT_COLUMNS = 8

# Columns of Labs.staff.
STATUS, UNTIL, ROOM, PATIENT, BEGUN, BUSY_SINCE, BREAKS_LEFT = range(7)
STAFF_COLUMNS = 7

# Entries of Rules.whole.
ROOMS_FETAL, STAFF_FETAL, CLOSING, END, MARGIN, BREAK_MIN, IDLE_RULE = range(7)

FREE_NOW, IN_EXAM, ON_A_BREAK, ABSENT = (int(status) for status in Status)
_NEVER = 1 << 30
_EARLY = int(Punctuality.EARLY)
_PLACES = tuple(int(value) for value in PLACE_VALUES)

Ints = NDArray[np.int32]


class Rules(NamedTuple):
    """What is the same in every lab of a batch.

    :param whole: (7,) int64, named above
    :param break_thresholds: (breaks in a day + 1, 2) float64: see
        :func:`~echo_env.lab.simulation.breaks.break_thresholds`
    """

    whole: NDArray[np.int64]
    break_thresholds: NDArray[np.float64]


class Labs(NamedTuple):
    """State of B labs with P patients, S sonographers and R rooms.

    :param lab: (B, 23) int32, counts and clocks
    :param patients: (B, P, 8) int32
    :param queue: (B, P) int32, who waits, longest first
    :param staff: (B, S, 7) int32
    :param rooms: (B, R) bool, free
    :param break_draw: (B, S, P) float64, as in :class:`~echo_env.lab.day.day.Day`
    :param exams: (B, P, 6) int32, as in :class:`~echo_env.lab.simulation.trace.ExamRecord`
    :param breaks: (B, 2 S, 3) int32, as in :class:`~echo_env.lab.simulation.trace.BreakRecord`
    :param rows: (B, minutes or 0, 13) int32, as in :class:`~echo_env.lab.simulation.trace.Trace`; none are kept if 0
    """

    lab: Ints
    patients: Ints
    queue: Ints
    staff: Ints
    rooms: NDArray[np.bool_]
    break_draw: NDArray[np.float64]
    exams: Ints
    breaks: Ints
    rows: Ints


@njit
def _charge(until, lab, rows, rules):
    """Counterpart of ``Simulator._charge``."""
    begin = lab[MINUTE]
    if len(rows):
        kept = lab[ROWS]
        same = kept > 0
        for k in range(12):
            same = same and rows[kept - 1, 1 + k] == lab[COUNTS + k]
        if not same:
            rows[kept, 0] = begin
            for k in range(12):
                rows[kept, 1 + k] = lab[COUNTS + k]
            lab[ROWS] += 1
    closing = min(max(rules.whole[CLOSING], begin), until)
    waiting, free = lab[COUNTS : COUNTS + 6], lab[FREE : FREE + 4]
    for after_closing in range(2):
        minutes = until - closing if after_closing else closing - begin
        if minutes:
            units = _penalty_units(rules.whole[IDLE_RULE], after_closing == 1, waiting, free)
            for k in range(4):
                lab[UNITS + k] += minutes * units[k]


@njit
def can_start(lab):
    """Counterpart of ``Whiteboard.can_start``."""
    if lab[FREE + 1] and lab[FREE + 3] and (lab[COUNTS] or lab[COUNTS + 1] or lab[COUNTS + 2]):
        return True
    others = lab[COUNTS + 3] or lab[COUNTS + 4] or lab[COUNTS + 5]
    return bool((lab[FREE] or lab[FREE + 1]) and (lab[FREE + 2] or lab[FREE + 3]) and others)


@njit
def _next_happening(lab, patients, queue, staff, rules):
    """The next minute in which something ends, somebody comes, or an early patient becomes on time."""
    soonest = _NEVER
    for s in range(len(staff)):
        if staff[s, STATUS] in (IN_EXAM, ON_A_BREAK):
            soonest = min(soonest, staff[s, UNTIL])
    if lab[NEXT_ARRIVAL] < lab[ARRIVALS]:
        soonest = min(soonest, patients[patients[lab[NEXT_ARRIVAL], BY_ARRIVAL], ARRIVAL])
    if lab[COUNTS + _EARLY] or lab[COUNTS + 3 + _EARLY]:
        for k in range(lab[QUEUED]):
            p = queue[k]
            if _punctuality(patients[p, CLASS]) == _EARLY:
                soonest = min(soonest, _on_time_from(patients[p, SCHEDULED], rules.whole[MARGIN]))
    return soonest


@njit
def _set_free(s, lab, staff, rules):
    staff[s, STATUS] = FREE_NOW
    lab[FREE + 2 + (s < rules.whole[STAFF_FETAL])] += 1


@njit
def _end(s, lab, staff, rooms, break_draw, breaks, rules):
    """A sonographer's exam or break ends now."""
    capable = int(s < rules.whole[STAFF_FETAL])
    if staff[s, STATUS] == ON_A_BREAK:
        lab[ON_BREAK + capable] -= 1
        _set_free(s, lab, staff, rules)
        return
    room = staff[s, ROOM]
    rooms[room] = True
    lab[FREE + (room < rules.whole[ROOMS_FETAL])] += 1
    taken = _breaks_taken(staff[s, BREAKS_LEFT], break_draw[s, staff[s, BEGUN] - 1], rules.break_thresholds)
    if taken == 0:
        _set_free(s, lab, staff, rules)
        return
    minute = lab[MINUTE]
    staff[s, STATUS] = ON_A_BREAK
    staff[s, BREAKS_LEFT] -= taken
    staff[s, BUSY_SINCE] = minute
    staff[s, UNTIL] = minute + taken * rules.whole[BREAK_MIN]
    lab[ON_BREAK + capable] += 1
    k = lab[BREAKS]
    breaks[k, 0], breaks[k, 1], breaks[k, 2] = s, minute, staff[s, UNTIL]
    lab[BREAKS] += 1


@njit
def _arrive(p, lab, patients, queue, rules):
    """Counterpart of ``Whiteboard.arrive``: the queue stays in order of who has waited longest, then by number."""
    minute, scheduled = lab[MINUTE], patients[p, SCHEDULED]
    since = _waits_since(scheduled, minute)
    kind = _patient_class(patients[p, FETAL] == 1, scheduled, minute, minute, rules.whole[MARGIN])
    patients[p, CLASS], patients[p, SINCE], patients[p, ARRIVED] = kind, since, 1
    lab[COUNTS + kind] += 1
    k = lab[QUEUED]
    while k > 0:
        other = queue[k - 1]
        if patients[other, SINCE] < since or (patients[other, SINCE] == since and other < p):
            break
        queue[k] = other
        k -= 1
    queue[k] = p
    lab[QUEUED] += 1


@njit
def catch_up(lab, patients, queue, staff, rooms, break_draw, breaks, rules):
    """Process every event due now: ends by sonographer, arrivals by patient, early to on time."""
    minute = lab[MINUTE]
    for s in range(len(staff)):
        status = staff[s, STATUS]
        if status in (IN_EXAM, ON_A_BREAK) and staff[s, UNTIL] <= minute:
            _end(s, lab, staff, rooms, break_draw, breaks, rules)
    while lab[NEXT_ARRIVAL] < lab[ARRIVALS]:
        p = patients[lab[NEXT_ARRIVAL], BY_ARRIVAL]
        if patients[p, ARRIVAL] > minute:
            break
        _arrive(p, lab, patients, queue, rules)
        lab[NEXT_ARRIVAL] += 1
    if lab[COUNTS + _EARLY] or lab[COUNTS + 3 + _EARLY]:
        for k in range(lab[QUEUED]):
            p = queue[k]
            kind = patients[p, CLASS]
            if _punctuality(kind) == _EARLY and _on_time_from(patients[p, SCHEDULED], rules.whole[MARGIN]) <= minute:
                patients[p, CLASS] = kind - _EARLY
                lab[COUNTS + kind] -= 1
                lab[COUNTS + kind - _EARLY] += 1


@njit
def advance(at_most, lab, patients, queue, staff, rooms, break_draw, breaks, rows, rules):
    """Counterpart of ``Simulator.advance``."""
    minute = lab[MINUTE] + 1
    if not can_start(lab):
        minute = min(_next_happening(lab, patients, queue, staff, rules), rules.whole[END])
    minute = min(minute, at_most)
    _charge(minute, lab, rows, rules)
    lab[MINUTE] = minute
    if minute < rules.whole[END]:
        catch_up(lab, patients, queue, staff, rooms, break_draw, breaks, rules)


@njit
def _free_room(fetal, lab, rooms, rules):
    """The room a patient would get, or -1."""
    first = rules.whole[ROOMS_FETAL]
    if not fetal and lab[FREE]:
        for room in range(first, len(rooms)):
            if rooms[room]:
                return room
    if lab[FREE + 1]:
        for room in range(first):
            if rooms[room]:
                return room
    return -1


@njit
def _free_sonographer(fetal, lab, staff, rules):
    """The sonographer a patient would get, or -1."""
    first = rules.whole[STAFF_FETAL]
    low, high = 0, first
    if not fetal and lab[FREE + 2]:
        low, high = first, len(staff)
    best = -1
    for s in range(low, high):
        if staff[s, STATUS] == FREE_NOW and (best < 0 or staff[s, BEGUN] < staff[best, BEGUN]):
            best = s
    return best


@njit
def _serve(k, lab, patients, queue, staff, rooms, exams, rules):
    """Begin the exam of the k-th in the queue, if there is a room and a sonographer; counterpart of ``assign``."""
    p = queue[k]
    fetal = patients[p, FETAL] == 1
    room = _free_room(fetal, lab, rooms, rules)
    s = _free_sonographer(fetal, lab, staff, rules)
    if room < 0 or s < 0:
        return False
    minute = lab[MINUTE]
    end = minute + patients[p, EXAM_MIN]
    for j in range(k, lab[QUEUED] - 1):
        queue[j] = queue[j + 1]
    lab[QUEUED] -= 1
    lab[COUNTS + patients[p, CLASS]] -= 1
    rooms[room] = False
    lab[FREE + (room < rules.whole[ROOMS_FETAL])] -= 1
    lab[FREE + 2 + (s < rules.whole[STAFF_FETAL])] -= 1
    staff[s, STATUS], staff[s, UNTIL], staff[s, ROOM], staff[s, PATIENT] = IN_EXAM, end, room, p
    staff[s, BUSY_SINCE] = minute
    staff[s, BEGUN] += 1
    e = lab[EXAMS]
    exams[e, 0], exams[e, 1], exams[e, 2] = p, room, s
    exams[e, 3], exams[e, 4], exams[e, 5] = minute, end, patients[p, CLASS]
    lab[EXAMS] += 1
    return True


@njit
def start_tiers(tiers, lab, patients, queue, staff, rooms, exams, rules):
    """Counterpart of ``TierPolicy.decide``."""
    for tier in range(CLASSES):
        # A plain 0 would be typed as a literal at first, and _serve be compiled twice.
        k = np.int64(0)
        while k < lab[QUEUED]:
            served = False
            if tiers[patients[queue[k], CLASS]] == tier:
                served = _serve(k, lab, patients, queue, staff, rooms, exams, rules)
            if not served:
                k += 1


@njit
def start_action(action, lab, patients, queue, staff, rooms, exams, rules):
    """Counterpart of ``decode_starts``, carried out."""
    for kind in range(CLASSES):
        left = action // _PLACES[kind] % (MOST_PER_CLASS + 1)
        # A plain 0 would be typed as a literal at first, and _serve be compiled twice.
        k = np.int64(0)
        while left and k < lab[QUEUED]:
            if patients[queue[k], CLASS] == kind and _serve(k, lab, patients, queue, staff, rooms, exams, rules):
                left -= 1
            else:
                k += 1


@njit
def offer(lab, idling, mask):
    """Counterpart of ``feasible``: fills the mask; returns how many actions are feasible, and the lowest."""
    for k in range(len(mask)):
        mask[k] = False
    free_f = min(lab[FREE + 1], lab[FREE + 3])
    free = min(lab[FREE] + lab[FREE + 1], lab[FREE + 2] + lab[FREE + 3])
    most = np.empty(6, np.int64)
    for kind in range(6):
        most[kind] = min(lab[COUNTS + kind], MOST_PER_CLASS)
    size, first = 0, -1
    for a in range(min(most[0], free_f) + 1):
        for b in range(min(most[1], free_f - a) + 1):
            for c in range(min(most[2], free_f - a - b, free - a - b) + 1):
                fetal = a + b + c
                if fetal > free:
                    continue
                more_f = fetal < free_f and (a < most[0] or b < most[1] or c < most[2])
                for d in range(min(most[3], free - fetal) + 1):
                    for e in range(min(most[4], free - fetal - d) + 1):
                        for f in range(min(most[5], free - fetal - d - e) + 1):
                            more = more_f or d < most[3] or e < most[4] or f < most[5]
                            if not idling and more and fetal + d + e + f < free:
                                continue
                            action = a * _PLACES[0] + b * _PLACES[1] + c * _PLACES[2]
                            action += d * _PLACES[3] + e * _PLACES[4] + f
                            mask[action] = True
                            size += 1
                            if first < 0:
                                first = action
    return size, first

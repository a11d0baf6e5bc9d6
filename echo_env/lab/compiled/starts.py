"""What can be started, who is given what, and the starts themselves.

Rooms, and members of staff, of a group are alike but for their order, so everything here goes by groups: it gives what
:func:`~echo_env.lab.simulation.capacity.give` gives room by room and member by member.
"""

from __future__ import annotations

import numpy as np

from echo_env.common.jit import njit
from echo_env.lab.compiled.heap import pop, push
from echo_env.lab.compiled.layout import (
    BEGUN,
    BUSY_SINCE,
    CAN,
    CLASS,
    CLASSES_PER_TYPE,
    COUNTS,
    ENDS,
    EXAM_MIN,
    EXAMS,
    FIRST,
    IN_EXAM,
    IN_USE,
    LONGEST,
    MINUTE,
    NUMBER,
    PATIENT,
    PENDING,
    ROOM,
    SHIFT,
    SINCE,
    STATUS,
    TYPE,
    UNTIL,
    USE,
)
from echo_env.lab.compiled.queue import leave
from echo_env.lab.simulation.capacity import commit_start, count_left, starts_left

# The rules of the hospital, compiled.
_commit_start = njit(commit_start)
_count_left = njit(count_left)
_starts_left = njit(starts_left)


@njit
def startable(lab, rules):
    """Bit set of the types for which an idle room and an idle member of staff exist."""
    at = rules.at
    with_room, with_staff = 0, 0
    for g in range(at.rooms):
        if lab[at.free_rooms + g]:
            with_room |= rules.rooms[g, CAN]
    for g in range(at.staff):
        if lab[at.free_staff + g]:
            with_staff |= lab[at.able + g]
    return with_room & with_staff


@njit
def waiting_types(lab, rules):
    """Bit set of the types of those who wait."""
    types = 0
    for kind in range(rules.at.kinds):
        c = COUNTS + CLASSES_PER_TYPE * kind
        if lab[c] or lab[c + 1] or lab[c + 2]:
            types |= 1 << kind
    return types


@njit
def fill_left(lab, left, rules):
    """Count the starts left for each set of types; nobody may be pending."""
    at = rules.at
    rooms = lab[at.free_rooms : at.free_rooms + at.rooms]
    staff, able = lab[at.free_staff : at.free_staff + at.staff], lab[at.able : at.able + at.staff]
    _count_left(rooms, rules.rooms[:, CAN], staff, able, left)


@njit
def starts_left_of(kind, one, rules):
    """How many exams of a type can still be started in this minute: counterpart of ``capacity.starts_left``."""
    if not rules.whole.nested:
        return _starts_left(kind, one.left)
    lab, at = one.lab, rules.at
    # Of nested sets that of the type alone is the tightest.
    rooms, staff = 0, 0
    for g in range(at.rooms):
        if rules.rooms[g, CAN] >> kind & 1:
            rooms += lab[at.free_rooms + g]
    for g in range(at.staff):
        if lab[at.able + g] >> kind & 1:
            staff += lab[at.free_staff + g]
    return min(rooms, staff)


@njit
def open_types(one, rules):
    """Bit set of the types of those who wait that can be started now, whatever has been started in this minute."""
    waiting = waiting_types(one.lab, rules)
    if rules.whole.nested:
        return waiting & startable(one.lab, rules)
    types = 0
    for kind in range(rules.at.kinds):
        if waiting >> kind & 1 and _starts_left(kind, one.left) > 0:
            types |= 1 << kind
    return types


@njit
def commit(kind, one, rules):
    """Start the longest-waiting patient of a class, which must be possible.

    Where capabilities cross, room and member are named when time passes: see :func:`name_pending`.
    """
    lab = one.lab
    p = leave(kind, lab, one.patients, rules)
    if rules.whole.nested:
        exam_type = one.patients[p, TYPE]
        _begin_exam(p, _room_group(exam_type, lab, rules), _staff_group(exam_type, 0, one, rules), one, rules)
        return
    one.pending[lab[PENDING]] = p
    lab[PENDING] += 1
    _commit_start(one.patients[p, TYPE], one.left)


@njit
def _begin_exam(p, room_group, staff_group, one, rules):
    """Begin a patient's exam in the first free room of a group, with the first free member of another."""
    lab, at, staff, idle = one.lab, rules.at, one.staff, one.idle
    first_room, first_member = rules.rooms[room_group, FIRST], len(one.rooms) + rules.staff[staff_group, FIRST]
    room, s = idle[first_room], idle[first_member] & NUMBER
    pop(idle, first_room, lab[at.free_rooms + room_group])
    pop(idle, first_member, lab[at.free_staff + staff_group])
    lab[at.free_rooms + room_group] -= 1
    lab[at.free_staff + staff_group] -= 1
    lab[at.running + staff_group] += 1
    one.rooms[room, USE] = IN_USE
    minute = lab[MINUTE]
    end = minute + one.patients[p, EXAM_MIN]
    staff[s, STATUS], staff[s, UNTIL], staff[s, ROOM], staff[s, PATIENT] = IN_EXAM, end, room, p
    staff[s, BUSY_SINCE] = minute
    staff[s, BEGUN] += 1
    push(min(end, LONGEST) << SHIFT | s, one.ends, 0, lab[ENDS])
    lab[ENDS] += 1
    e = lab[EXAMS]
    exams = one.exams
    exams[e, 0], exams[e, 1], exams[e, 2] = p, room, s
    exams[e, 3], exams[e, 4], exams[e, 5] = minute, end, one.patients[p, CLASS]
    lab[EXAMS] += 1


@njit
def _room_group(kind, lab, rules):
    """The group of the free room that is used first for a type; -1 if there is none."""
    for g in range(rules.at.rooms):
        if rules.rooms[g, CAN] >> kind & 1 and lab[rules.at.free_rooms + g]:
            return g
    return -1


@njit
def _staff_group(kind, tried, one, rules):
    """The group of the free member who is chosen first for a type; -1 if there is none.

    :param kind: the type
    :param tried: bit set of groups to leave out
    """
    lab, at, best, least = one.lab, rules.at, -1, 0
    for g in range(at.staff):
        if lab[at.free_staff + g] == 0 or not lab[at.able + g] >> kind & 1 or tried >> g & 1:
            continue
        # Rank, exams begun and number as one key.
        key = np.int64(lab[at.rank + g]) << 32 | one.idle[len(one.rooms) + rules.staff[g, FIRST]]
        if best < 0 or key < least:
            best, least = g, key
    return best


@njit
def name_pending(one, rules):
    """Name rooms and members for those committed in this minute, in order of commit, and begin their exams.

    Each gets the first room, and the first member, whose use leaves enough for the others.
    """
    lab, at = one.lab, rules.at
    rooms, staff = lab[at.free_rooms : at.free_staff], lab[at.free_staff : at.free_staff + at.staff]
    able = lab[at.able : at.able + at.staff]
    need = np.zeros(len(one.left), np.int64)
    for i in range(lab[PENDING]):
        _add(one.patients[one.pending[i], TYPE], 1, need)
    for i in range(lab[PENDING]):
        p = one.pending[i]
        kind = one.patients[p, TYPE]
        _add(kind, -1, need)
        room_group = 0
        while not (
            rooms[room_group]
            and rules.rooms[room_group, CAN] >> kind & 1
            and _enough(room_group, rooms, rules.rooms[:, CAN], need)
        ):
            room_group += 1
        tried = 0
        staff_group = _staff_group(kind, tried, one, rules)
        while not _enough(staff_group, staff, able, need):
            tried |= 1 << staff_group
            staff_group = _staff_group(kind, tried, one, rules)
        _begin_exam(p, room_group, staff_group, one, rules)
    lab[PENDING] = 0


@njit
def _add(kind, number, need):
    """Count a start of a type, for all sets of types that it is in."""
    for a in range(1, len(need)):
        if a >> kind & 1:
            need[a] += number


@njit
def _enough(used, free, can, need):
    """Whether a group can do without one more: whether the others leave enough for the starts to come."""
    for a in range(1, len(need)):
        if need[a]:
            there = 0
            for g in range(len(free)):
                if can[g] & a:
                    there += free[g] - (g == used)
            if there < need[a]:
                return False
    return True


@njit
def first_of_tier(tier, tiers, possible, lab, patients, rules):
    """The class of the longest-waiting patient of a tier who can be started; -1 if there is none.

    :param tier: number of the tier
    :param tiers: (3 K,) int64, tier of each class
    :param possible: bit set of the types that can be started
    """
    best, longest, number = -1, 0, 0
    for kind in range(CLASSES_PER_TYPE * rules.at.kinds):
        if tiers[kind] != tier or lab[COUNTS + kind] == 0 or not possible >> (kind // CLASSES_PER_TYPE) & 1:
            continue
        p = lab[rules.at.head + kind]
        since = patients[p, SINCE]
        if best < 0 or since < longest or (since == longest and p < number):
            best, longest, number = kind, since, p
    return best


@njit
def start_tiers(tiers, one, rules):
    """Counterpart of ``TierPolicy.decide``."""
    possible = open_types(one, rules)
    for tier in range(len(tiers)):
        while possible:
            kind = first_of_tier(tier, tiers, possible, one.lab, one.patients, rules)
            if kind < 0:
                break
            commit(kind, one, rules)
            possible = open_types(one, rules)

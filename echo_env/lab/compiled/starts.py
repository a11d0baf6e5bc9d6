"""What can be started, who is given what, and the starts themselves.

Rooms, and members of staff, of a group are alike but for their order, so everything here goes by groups: it gives what
:func:`~echo_env.lab.simulation.capacity.give` gives room by room and member by member.
"""

from __future__ import annotations

import numpy as np

from echo_env.common.jit import njit
from echo_env.lab.compiled.layout import (
    AT_ABLE,
    AT_EXAMS,
    AT_FREE_ROOMS,
    AT_FREE_STAFF,
    AT_HEAD,
    AT_IDLE,
    AT_LEFT,
    AT_PATIENTS,
    AT_PENDING,
    AT_RANK,
    AT_ROOMS,
    AT_RUNNING,
    AT_STAFF,
    BEGUN,
    BUSY_SINCE,
    CLASS,
    CLASSES_PER_TYPE,
    COUNTS,
    EXAM_COLUMNS,
    EXAM_MIN,
    EXAMS,
    FIRST,
    IN_EXAM,
    IN_USE,
    KEPT,
    KINDS,
    MINUTE,
    NESTED,
    NUMBER,
    OF_ROOMS,
    OF_ROOMS_CAN,
    OF_STAFF,
    PATIENT,
    PATIENT_COLUMNS,
    PENDING,
    ROOM,
    ROOM_COLUMNS,
    ROOM_GROUP_COLUMNS,
    ROOM_GROUPS,
    ROOMS,
    SINCE,
    STAFF_COLUMNS,
    STAFF_GROUP_COLUMNS,
    STAFF_GROUPS,
    STATUS,
    TYPE,
    UNTIL,
    USE,
)
from echo_env.lab.compiled.queue import leave, waiting_types
from echo_env.lab.compiled.staff.duty import ends_at
from echo_env.lab.compiled.staff.heap import pop
from echo_env.lab.simulation.capacity import commit_start, count_beside, count_left, kept_back, starts_left

# The rules of the hospital, compiled.
_commit_start = njit(commit_start)
_count_beside = njit(count_beside)
_count_left = njit(count_left)
_kept_back = njit(kept_back)
_starts_left = njit(starts_left)


@njit
def startable(cell, rule):
    """Bit set of the types for which an idle room and an idle member of staff exist."""
    with_room, with_staff = 0, 0
    for g in range(rule[ROOM_GROUPS]):
        if cell[rule[AT_FREE_ROOMS] + g]:
            with_room |= rule[rule[OF_ROOMS_CAN] + g]
    for g in range(rule[STAFF_GROUPS]):
        if cell[rule[AT_FREE_STAFF] + g]:
            with_staff |= cell[rule[AT_ABLE] + g]
    return with_room & with_staff


@njit
def _left(cell, rule):
    return cell[rule[AT_LEFT] : rule[AT_LEFT] + (1 << rule[KINDS])]


@njit
def fill_left(cell, rule):
    """Count the starts left for each set of types; nobody may be pending."""
    rooms, staff, able = rule[AT_FREE_ROOMS], rule[AT_FREE_STAFF], rule[AT_ABLE]
    can = rule[rule[OF_ROOMS_CAN] : rule[OF_ROOMS_CAN] + rule[ROOM_GROUPS]]
    _count_left(
        cell[rooms : rooms + rule[ROOM_GROUPS]],
        can,
        cell[staff : staff + rule[STAFF_GROUPS]],
        cell[able : able + rule[STAFF_GROUPS]],
        _left(cell, rule),
    )


@njit
def starts_left_of(kind, cell, rule):
    """How many exams of a type can still be started in this minute: counterpart of ``capacity.starts_left``."""
    if cell[KEPT]:
        return _starts_left(kind, left_beside(np.int64(cell[KEPT]), cell, rule))
    if not rule[NESTED]:
        return _starts_left(kind, _left(cell, rule))
    # Of nested sets that of the type alone is the tightest.
    return pairs_for(1 << kind, cell, rule)


@njit
def pairs_for(types, cell, rule):
    """The lesser of free rooms and of free members of staff who can do some of these exam types."""
    rooms, staff = 0, 0
    for g in range(rule[ROOM_GROUPS]):
        if rule[rule[OF_ROOMS_CAN] + g] & types:
            rooms += cell[rule[AT_FREE_ROOMS] + g]
    for g in range(rule[STAFF_GROUPS]):
        if cell[rule[AT_ABLE] + g] & types:
            staff += cell[rule[AT_FREE_STAFF] + g]
    return min(rooms, staff)


@njit
def open_types(cell, rule):
    """Bit set of the types of those who wait that can be started now, whatever has been started in this minute, beside
    what is kept."""
    return open_types_beside(np.int64(cell[KEPT]), cell, rule) if cell[KEPT] else open_types_in_all(cell, rule)


@njit
def open_types_beside(kept, cell, rule):
    """The same if the types in a bit set had reservations."""
    left, waiting, types = left_beside(kept, cell, rule), waiting_types(cell, rule), 0
    for kind in range(rule[KINDS]):
        if waiting >> kind & 1 and _starts_left(kind, left) > 0:
            types |= 1 << kind
    return types


@njit
def open_types_in_all(cell, rule):
    """The same if no type had one."""
    waiting = waiting_types(cell, rule)
    if rule[NESTED]:
        return waiting & startable(cell, rule)
    types = 0
    for kind in range(rule[KINDS]):
        if waiting >> kind & 1 and _starts_left(kind, _left(cell, rule)) > 0:
            types |= 1 << kind
    return types


@njit
def left_beside(kept, cell, rule):
    """(2^K,) starts left for each set of types in this minute if the types in a bit set had reservations."""
    begun, left = _begun(cell, rule), np.zeros(1 << rule[KINDS], np.int32)
    rooms, rooms_can, staff, able = _free(cell, rule)
    rooms_held, staff_held = _kept_back(kept, begun, rooms, rooms_can), _kept_back(kept, begun, staff, able)
    _count_beside(rooms_held, staff_held, begun, rooms, rooms_can, staff, able, left)
    return left


@njit
def _free(cell, rule):
    """Free rooms and what can be done in them, and free members and what they may begin, by group."""
    rooms = cell[rule[AT_FREE_ROOMS] : rule[AT_FREE_ROOMS] + rule[ROOM_GROUPS]]
    staff = cell[rule[AT_FREE_STAFF] : rule[AT_FREE_STAFF] + rule[STAFF_GROUPS]]
    able = cell[rule[AT_ABLE] : rule[AT_ABLE] + rule[STAFF_GROUPS]].astype(np.int64)
    return rooms, rule[rule[OF_ROOMS_CAN] : rule[OF_ROOMS_CAN] + rule[ROOM_GROUPS]], staff, able


@njit
def _begun(cell, rule):
    """(K,) int64, starts committed in this minute for which no room is named yet, by type."""
    begun = np.zeros(rule[KINDS], np.int64)
    for i in range(cell[PENDING]):
        begun[cell[rule[AT_PATIENTS] + PATIENT_COLUMNS * cell[rule[AT_PENDING] + i] + TYPE]] += 1
    return begun


@njit
def commit(kind, cell, rule):
    """Start the longest-waiting patient of a class, which must be possible.

    Where capabilities cross, room and member are named when time passes: see :func:`name_pending`.
    """
    p = leave(kind, cell, rule)
    exam_type = kind // CLASSES_PER_TYPE
    if rule[NESTED]:
        _begin_exam(p, _room_group(exam_type, cell, rule), _staff_group(exam_type, 0, cell, rule), cell, rule)
        return
    cell[rule[AT_PENDING] + cell[PENDING]] = p
    cell[PENDING] += 1
    _commit_start(exam_type, _left(cell, rule))


@njit
def _begin_exam(p, room_group, staff_group, cell, rule):
    """Begin a patient's exam in the first free room of a group, with the first free member of another."""
    first_room = rule[AT_IDLE] + rule[rule[OF_ROOMS] + ROOM_GROUP_COLUMNS * room_group + FIRST]
    first_member = rule[AT_IDLE] + rule[ROOMS] + rule[rule[OF_STAFF] + STAFF_GROUP_COLUMNS * staff_group + FIRST]
    room, s = cell[first_room], cell[first_member] & NUMBER
    pop(cell, first_room, cell[rule[AT_FREE_ROOMS] + room_group])
    pop(cell, first_member, cell[rule[AT_FREE_STAFF] + staff_group])
    cell[rule[AT_FREE_ROOMS] + room_group] -= 1
    cell[rule[AT_FREE_STAFF] + staff_group] -= 1
    cell[rule[AT_RUNNING] + staff_group] += 1
    cell[rule[AT_ROOMS] + ROOM_COLUMNS * room + USE] = IN_USE
    own, member = rule[AT_PATIENTS] + PATIENT_COLUMNS * p, rule[AT_STAFF] + STAFF_COLUMNS * s
    minute = cell[MINUTE]
    end = minute + cell[own + EXAM_MIN]
    cell[member + STATUS], cell[member + UNTIL] = IN_EXAM, end
    cell[member + ROOM], cell[member + PATIENT], cell[member + BUSY_SINCE] = room, p, minute
    cell[member + BEGUN] += 1
    ends_at(member + UNTIL, s, cell, rule)
    e = rule[AT_EXAMS] + EXAM_COLUMNS * cell[EXAMS]
    cell[e], cell[e + 1], cell[e + 2] = p, room, s
    cell[e + 3], cell[e + 4], cell[e + 5] = minute, end, cell[own + CLASS]
    cell[EXAMS] += 1


@njit
def _room_group(kind, cell, rule):
    """The group of the free room that is used first for a type; -1 if there is none."""
    for g in range(rule[ROOM_GROUPS]):
        if rule[rule[OF_ROOMS_CAN] + g] >> kind & 1 and cell[rule[AT_FREE_ROOMS] + g]:
            return g
    return -1


@njit
def _staff_group(kind, tried, cell, rule):
    """The group of the free member who is chosen first for a type; -1 if there is none.

    :param kind: the type
    :param tried: bit set of groups to leave out
    """
    best, least = -1, 0
    for g in range(rule[STAFF_GROUPS]):
        if cell[rule[AT_FREE_STAFF] + g] == 0 or not cell[rule[AT_ABLE] + g] >> kind & 1 or tried >> g & 1:
            continue
        first = rule[AT_IDLE] + rule[ROOMS] + rule[rule[OF_STAFF] + STAFF_GROUP_COLUMNS * g + FIRST]
        # Rank, exams begun and number as one key.
        key = np.int64(cell[rule[AT_RANK] + g]) << 32 | cell[first]
        if best < 0 or key < least:
            best, least = g, key
    return best


@njit
def name_pending(cell, rule):
    """Name rooms and members for those committed in this minute, in order of commit, and begin their exams.

    Each gets the first room, and the first member, whose use leaves enough for the others and what is kept.
    """
    rooms, can, staff, able = _free(cell, rule)
    begun = _begun(cell, rule)
    # Of rooms, and of members.
    kept = np.int64(cell[KEPT])
    need = _needed(begun, _kept_back(kept, begun, rooms, can))
    need_staff = _needed(begun, _kept_back(kept, begun, staff, able))
    for i in range(cell[PENDING]):
        p = cell[rule[AT_PENDING] + i]
        kind = np.int64(cell[rule[AT_PATIENTS] + PATIENT_COLUMNS * p + TYPE])
        _add(kind, -1, need)
        _add(kind, -1, need_staff)
        room_group = 0
        while not (rooms[room_group] and can[room_group] >> kind & 1 and _enough(room_group, rooms, can, need)):
            room_group += 1
        tried = 0
        staff_group = _staff_group(kind, tried, cell, rule)
        while not _enough(staff_group, staff, able, need_staff):
            tried |= 1 << staff_group
            staff_group = _staff_group(kind, tried, cell, rule)
        _begin_exam(p, room_group, staff_group, cell, rule)
    cell[PENDING] = 0


@njit
def _needed(begun, held):
    """(2^K,) int64, for each set of types the starts to be made, and what is kept back for the types in a bit set."""
    need = np.zeros(1 << len(begun), np.int64)
    for k in range(len(begun)):
        _add(k, begun[k] + (held >> k & 1), need)
    return need


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
def first_of_tier(tier, tiers, possible, cell, rule):
    """The class of the longest-waiting patient of a tier who can be started; -1 if there is none.

    :param tier: number of the tier
    :param tiers: (3 K,) int64, tier of each class
    :param possible: bit set of the types that can be started
    """
    best, longest, number = -1, 0, 0
    for kind in range(len(tiers)):
        if tiers[kind] != tier or cell[COUNTS + kind] == 0 or not possible >> (kind // CLASSES_PER_TYPE) & 1:
            continue
        p = cell[rule[AT_HEAD] + kind]
        since = cell[rule[AT_PATIENTS] + PATIENT_COLUMNS * p + SINCE]
        if best < 0 or since < longest or (since == longest and p < number):
            best, longest, number = kind, since, p
    return best


@njit
def start_tiers(tiers, cell, rule):
    """Counterpart of ``TierPolicy.decide``."""
    possible = open_types(cell, rule)
    for tier in range(len(tiers)):
        while possible:
            kind = first_of_tier(tier, tiers, possible, cell, rule)
            if kind < 0:
                break
            commit(kind, cell, rule)
            possible = open_types(cell, rule)

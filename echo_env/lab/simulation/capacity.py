"""What can be started: counts of idle rooms and members of staff against starts, and who is given what.

Rooms and members are two matchings that do not touch each other. By Hall's theorem starts can be given rooms if and
only if, for every set A of exam types, those of types in A are no more than the rooms that can do some type of A; and
members of staff likewise. Counting by set is thus exact, and needs no search.

A set of exam types is a bit set, bit k for type k. Functions here are plain loops over whole numbers: the SimPy engine
calls them, and the compiled engine compiles them.
"""

from __future__ import annotations

from typing import Any


def effective_types(can: int, minute: int, until: int, expected: Any) -> int:
    """The types that a free member of staff may begin now: those expected to end by the end of the shift.

    :param can: bit set of the types that the member can do
    :param minute: now
    :param until: end of the shift, or :data:`~echo_env.lab.config.plan.NEVER` if exams may be expected to end after it
    :param expected: (K,) expected minutes of an exam, by type
    """
    types = 0
    for k in range(len(expected)):
        if can >> k & 1 and minute + expected[k] <= until:
            types |= 1 << k
    return types


def count_left(rooms: Any, rooms_can: Any, staff: Any, staff_can: Any, left: Any) -> int:
    """Count how many starts are left for each set of types.

    :param rooms: (m,) how many idle rooms there are of each kind
    :param rooms_can: (m,) bit set of the types that can be done in these
    :param staff: (n,) how many idle members of staff there are of each kind
    :param staff_can: (n,) bit set of the types that these may begin
    :param left: (2^K,) filled: entry A with the most starts of types in A, the lesser of rooms and members
    :return: bit set of the types for which an idle room and an idle member exist
    """
    startable = 0
    for a in range(1, len(left)):
        with_rooms, with_staff = 0, 0
        for i in range(len(rooms)):
            if rooms_can[i] & a:
                with_rooms += rooms[i]
        for i in range(len(staff)):
            if staff_can[i] & a:
                with_staff += staff[i]
        left[a] = min(with_rooms, with_staff)
        if a & (a - 1) == 0 and left[a] > 0:
            startable |= a
    return startable


def starts_left(kind: int, left: Any) -> int:
    """How many exams of a type can still be started in this minute, whoever else is left out.

    :param kind: the type
    :param left: see :func:`count_left`
    """
    most = left[1 << kind]
    for a in range(1, len(left)):
        if a >> kind & 1:
            most = min(most, left[a])
    return most


def commit_start(kind: int, left: Any) -> None:
    """Count a start.

    :param kind: its type
    :param left: see :func:`count_left`; changed
    """
    for a in range(1, len(left)):
        if a >> kind & 1:
            left[a] -= 1


def kept_back(kept: int, begun: Any, free: Any, can: Any) -> int:
    """The types for which a free room, or a free member of staff, is kept back for them.

    Types are taken in order; one for which nothing is left that the starts made and the types before it can do without
    has nothing to keep.

    :param kept: bit set of the types with a reservation
    :param begun: (K,) starts of each type made in this minute and not counted in ``free``
    :param free: (m,) how many free rooms, or members, there are of each kind
    :param can: (m,) bit set of the types that these can do now
    :return: bit set of types
    """
    held = 0
    for k in range(len(begun)):
        if not kept >> k & 1:
            continue
        tried = held | 1 << k
        enough = True
        for a in range(1, 1 << len(begun)):
            if a >> k & 1:
                spare = 0
                for i in range(len(free)):
                    if can[i] & a:
                        spare += free[i]
                for m in range(len(begun)):
                    if a >> m & 1:
                        spare -= begun[m] + (tried >> m & 1)
                if spare < 0:
                    enough = False
        if enough:
            held = tried
    return held


def count_beside(
    rooms_held: int, staff_held: int, begun: Any, rooms: Any, rooms_can: Any, staff: Any, staff_can: Any, left: Any
) -> None:
    """Count how many starts are left for each set of types beside what is kept back.

    What is kept back is counted as if it were a start: by Hall's theorem all starts that these counts allow can be made
    together, and leave what is kept.

    :param rooms_held: bit set of types, see :func:`kept_back`
    :param staff_held: likewise
    :param begun: (K,) starts of each type made in this minute and not counted in ``rooms`` and ``staff``
    :param rooms: as in :func:`count_left`, as are the following three
    :param left: (2^K,) filled
    """
    for a in range(1, len(left)):
        with_rooms, with_staff = 0, 0
        for i in range(len(rooms)):
            if rooms_can[i] & a:
                with_rooms += rooms[i]
        for i in range(len(staff)):
            if staff_can[i] & a:
                with_staff += staff[i]
        for k in range(len(begun)):
            if a >> k & 1:
                with_rooms -= begun[k] + (rooms_held >> k & 1)
                with_staff -= begun[k] + (staff_held >> k & 1)
        left[a] = min(with_rooms, with_staff)


def give(kinds: Any, can: Any, order: Any, sets: int, chosen: Any) -> None:
    """Give each start in turn the first room, or member of staff, that leaves enough for the starts after it.

    :param kinds: (n,) types of the starts, which are known to be possible together
    :param can: bit set of the types that each room or member can do now
    :param order: idle rooms or members, the one to use first in front
    :param sets: 2^K; 1 where capabilities are nested and the first that can do the type always leaves enough
    :param chosen: (n,) filled
    """
    for i in range(len(kinds)):
        chosen[i] = -1
        for j in range(len(order)):
            resource = order[j]
            taken = False
            for before in range(i):
                if chosen[before] == resource:
                    taken = True
            if taken or not can[resource] >> kinds[i] & 1:
                continue
            chosen[i] = resource
            if _enough_left(i, kinds, can, order, sets, chosen):
                break
            chosen[i] = -1


def _enough_left(i: int, kinds: Any, can: Any, order: Any, sets: int, chosen: Any) -> bool:
    """Whether the starts after the i-th can be given what the first i + 1 leave."""
    for a in range(1, sets):
        need, there = 0, 0
        for later in range(i + 1, len(kinds)):
            need += a >> kinds[later] & 1
        if need == 0:
            continue
        for j in range(len(order)):
            taken = False
            for before in range(i + 1):
                if chosen[before] == order[j]:
                    taken = True
            if not taken and can[order[j]] & a:
                there += 1
        if there < need:
            return False
    return True

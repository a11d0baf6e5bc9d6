"""Exact optima of tiny labs, by backward induction over what is known: independent of both engines."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

from echo_env.lab import Day, LabConfig
from echo_env.lab.simulation.breaks import break_probabilities
from echo_env.lab.simulation.waiting_cost import waiting_points

Law = tuple[tuple[int, float], ...]
"""Whole minutes with their probabilities."""
LengthLaw = Callable[[int, int, int], Law]
"""(sonographer, exams done, kind of exam) -> law of its length."""
BreakLaw = Callable[[int, int, int], Law]
"""(sonographer, exams done with this one, breaks left) -> law of how many breaks follow."""


class Member(NamedTuple):
    """What is known of a sonographer: free if ``until`` is not in the future; -1 while an exam is under way."""

    until: int
    begun: int
    left: int
    start: int = -1
    fetal_room: bool = False
    kind: int = 0


def drawn_breaks(config: LabConfig) -> BreakLaw:
    """The law of breaks of a lab."""
    return lambda s, done, left: tuple(enumerate(break_probabilities(config.breaks, left)))


def optimal_cost(config: LabConfig, day: Day, length: LengthLaw, pauses: BreakLaw) -> float:
    """The least expected penalty over all policies that know arrivals, and of the rest what has happened.

    Under the idle rules ``every_pair`` and ``none``. With laws that leave nothing to chance it is what a clairvoyant
    planner pays.
    """
    comes = np.flatnonzero(day.arrival >= 0)
    arrival, kind = day.arrival[comes].tolist(), day.exam_type[comes].tolist()
    paid = waiting_points(config, day.scheduled[comes], day.arrival[comes])
    idle = config.penalty.idle if config.penalty.idle_rule == "every_pair" else 0.0
    staff, end = config.sonographers.total, config.hours.end_min

    @cache
    def cost_from(t: int, unserved: frozenset[int], members: tuple[Member, ...]) -> float:
        """Before it is known what ends in minute t."""
        if t == end:
            return float(sum(paid[p, end] for p in unserved))
        return sum(
            chance * decided(t, unserved, now)
            for chance, now in _outcomes(t, members, length, pauses, config.breaks.minutes)
            if chance > 0
        )

    @cache
    def decided(t: int, unserved: frozenset[int], members: tuple[Member, ...]) -> float:
        """The best decision in minute t: one more exam, or to let the minute pass."""
        running = [member for member in members if member.until < 0]
        free = [s for s in range(staff) if 0 <= members[s].until <= t]
        used = sum(member.fetal_room for member in running)
        rooms = {True: config.rooms.fetal - used, False: config.rooms.non_fetal - (len(running) - used)}
        best = cost_from(t + 1, unserved, members) + idle * min(sum(rooms.values()), len(free))
        for p, s, room in itertools.product(unserved, free, rooms):
            able = kind[p] == 1 or (room and s < config.sonographers.fetal)
            if arrival[p] <= t and rooms[room] and able:
                one = Member(-1, members[s].begun + 1, members[s].left, t, room, kind[p])
                after = (*members[:s], one, *members[s + 1 :])
                best = min(best, paid[p, t] + decided(t, unserved - {p}, after))
        return float(best)

    return cost_from(0, frozenset(range(len(comes))), (Member(0, 0, config.breaks.number),) * staff)


def _outcomes(
    t: int, members: tuple[Member, ...], length: LengthLaw, pauses: BreakLaw, break_min: int
) -> Iterator[tuple[float, tuple[Member, ...]]]:
    """What may be seen in minute t: exams that end, and the breaks after them, with its probability."""
    each = []
    for s, member in enumerate(members):
        if member.until >= 0:
            each.append([(1.0, member)])
            continue
        law = length(s, member.begun - 1, member.kind)
        left = sum(chance for minutes, chance in law if minutes >= t - member.start)
        ends = sum(chance for minutes, chance in law if minutes == t - member.start) / left
        each.append([(1 - ends, member)])
        for taken, chance in pauses(s, member.begun, member.left):
            free = Member(t + taken * break_min, member.begun, member.left - taken)
            each[-1].append((ends * chance, free))
    for ways in itertools.product(*each):
        yield float(np.prod([chance for chance, _ in ways])), tuple(member for _, member in ways)

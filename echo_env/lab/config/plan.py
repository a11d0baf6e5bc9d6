"""The plan of a lab: what both engines read of a config, whichever form the config has.

A plan says who can do what and when: exam types, rooms and members of staff, each a number, with what they can do as a
bit set. Bit k of a bit set stands for exam type k. Rooms and members of staff are numbered group by group, in the order
of the config.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.chance import Arrival, ExamLaw

Ints = NDArray[np.int64]

NEVER = 1 << 30
"""A minute that does not come, or a number that is not reached: the end of a shift that nothing limits."""

MOST_TYPES = 8


@dataclass(frozen=True)
class TypePlan:
    """An exam type.

    :param name: of the type
    :param scheduled: appointments, minutes since opening, in the order of the config; None in a place that is left
        empty. The place is the identity of the patient
    :param exam: how long exams take
    :param arrival: who comes, and when, against the expected check-in
    :param weight: factor of the waiting points of its patients
    :param check_in_lead_min: the expected check-in is so many minutes before the appointment
    :param preparation: how long the preparation after the check-in takes; None if there is none
    :param may_begin_early: whether an exam may begin before its appointment
    :param unscheduled: expected number of patients without an appointment, by the minute since opening at which an
        hour begins: ((minute, number), ...)
    :param rebook_from: for each place in ``scheduled``, how many regular members of staff must be absent for the
        patient to be rebooked to another day, :data:`NEVER` if nothing is; places behind the last one are never
        rebooked, and it is empty in a lab without an absence plan
    """

    name: str
    scheduled: tuple[int | None, ...]
    exam: ExamLaw
    arrival: Arrival
    weight: int = 1
    check_in_lead_min: int = 0
    preparation: ExamLaw | None = None
    may_begin_early: bool = True
    unscheduled: tuple[tuple[int, float], ...] = ()
    rebook_from: tuple[int, ...] = ()


@dataclass(frozen=True)
class RoomGroup:
    """Rooms that are alike.

    :param name: of the group
    :param count: how many
    :param can: bit set of the exam types that can be done there
    :param turnover_min: a room is cleaned for so many minutes after an exam
    :param closed: stretches [from, until) in which no exam begins there, minutes since opening
    :param price_per_hour: what an hour costs in which one of them is open; None where nobody says
    """

    name: str
    count: int
    can: int
    turnover_min: int = 0
    closed: tuple[tuple[int, int], ...] = ()
    price_per_hour: float | None = None


@dataclass(frozen=True)
class LunchPlan:
    """Lunch: begun at the first free minute from ``begin_min`` on; from ``latest_min`` on it is taken by force.

    :param begin_min: first minute of the window, since opening
    :param latest_min: last minute at which a lunch that begins fits into the window
    :param minutes: its length
    :param at_once: so many of the group are at lunch at the same time at most, before ``latest_min``
    :param put_off: whether it is put off until ``latest_min`` while a patient waits whom the member may examine
    """

    begin_min: int
    latest_min: int
    minutes: int
    at_once: int = NEVER
    put_off: bool = False


@dataclass(frozen=True)
class BreakPlan:
    """Breaks of each member of a group: by chance after exams, or planned.

    :param number: breaks by chance that each has in a day: 0, 1 or 2
    :param minutes: length of one break
    :param both_probability: with two left, probability to take both at once
    :param one_probability: with two left, probability to take one
    :param last_probability: with one left, probability to take it
    :param planned: times of planned breaks, minutes since opening, ascending; each is taken at the first free minute
        from then on
    :param put_off_min: a planned break is put off for up to so many minutes while a patient waits whom the member may
        examine
    """

    number: int = 0
    minutes: int = 1
    both_probability: float = 0.0
    one_probability: float = 0.0
    last_probability: float = 0.0
    planned: tuple[int, ...] = ()
    put_off_min: int = 0


@dataclass(frozen=True)
class StaffGroup:
    """Members of staff who are alike.

    :param name: of the group
    :param count: regular members
    :param can: bit set of the exam types that they can do
    :param breaks: their breaks
    :param absence_rate: probability that a regular member is absent for the whole day
    :param always_present: the first so many are never absent
    :param shift: [from, until) in minutes since opening; None for the whole day
    :param starts_past_shift: whether exams may begin that are expected to end after the shift
    :param hands_over: whether an exam under way at the end of the shift goes to a free colleague
    :param lunch: lunch, if they have one
    :param on_call: further members who come if regular ones are absent, one for each
    :param on_call_min: when those come, minutes since opening
    :param price_per_hour: what a paid hour of one of them costs; None where nobody says
    :param overtime_factor: an hour of overtime costs so many times as much
    """

    name: str
    count: int
    can: int
    breaks: BreakPlan = BreakPlan()
    absence_rate: float = 0.0
    always_present: int = 0
    shift: tuple[int, int] | None = None
    starts_past_shift: bool = False
    hands_over: bool = False
    lunch: LunchPlan | None = None
    on_call: int = 0
    on_call_min: int = 0
    price_per_hour: float | None = None
    overtime_factor: float = 1.0

    @property
    def members(self) -> int:
        """Regular members and those on call; the regular ones have the lower numbers."""
        return self.count + self.on_call


@dataclass(frozen=True)
class LabPlan:
    """What both engines read of a config.

    Counts by group, such as free rooms, stand in the order of :attr:`room_columns` and :attr:`staff_columns`: groups
    that can do fewer exam types first, which is the order in which they are used.

    :param opening_min: minutes after midnight
    :param closing_min: minutes since opening
    :param end_min: minutes since opening
    :param types: exam types, 1 to 8
    :param room_groups: in the order of room numbers
    :param staff_groups: in the order of the members' numbers
    """

    opening_min: int
    closing_min: int
    end_min: int
    types: tuple[TypePlan, ...]
    room_groups: tuple[RoomGroup, ...]
    staff_groups: tuple[StaffGroup, ...]

    @cached_property
    def room_columns(self) -> tuple[int, ...]:
        """Room groups, by number of exam types and then by place: the order of counts by group."""
        return _by_size([group.can for group in self.room_groups])

    @cached_property
    def staff_columns(self) -> tuple[int, ...]:
        """Staff groups in the same order."""
        return _by_size([group.can for group in self.staff_groups])

    @cached_property
    def room_group(self) -> Ints:
        """(R,) int64, group of each room."""
        return np.repeat(np.arange(len(self.room_groups)), [group.count for group in self.room_groups])

    @cached_property
    def staff_group(self) -> Ints:
        """(S,) int64, group of each member of staff."""
        return np.repeat(np.arange(len(self.staff_groups)), [group.members for group in self.staff_groups])

    @cached_property
    def rebooks(self) -> bool:
        """Whether there is a plan for mornings on which staff are absent, even if it rebooks nobody."""
        return any(kind.rebook_from for kind in self.types)

    @cached_property
    def on_call(self) -> NDArray[np.bool_]:
        """(S,) bool, who comes only if somebody is absent."""
        return np.concatenate([np.arange(group.members) >= group.count for group in self.staff_groups])

    @cached_property
    def never_absent(self) -> NDArray[np.bool_]:
        """(S,) bool, regular members who are always there."""
        return np.concatenate([np.arange(group.members) < group.always_present for group in self.staff_groups])

    @cached_property
    def absence_rates(self) -> NDArray[np.float64]:
        """(S,) float64, absence rate of each member's group."""
        return np.array([group.absence_rate for group in self.staff_groups], dtype=np.float64)[self.staff_group]

    @cached_property
    def duty_from(self) -> Ints:
        """(S,) int64, minute in which each member comes."""
        begins = np.array([group.shift[0] if group.shift else 0 for group in self.staff_groups])
        called = np.array([group.on_call_min for group in self.staff_groups])
        return np.where(self.on_call, np.maximum(begins, called)[self.staff_group], begins[self.staff_group])

    @cached_property
    def duty_until(self) -> Ints:
        """(S,) int64, end of each member's shift, :data:`NEVER` without one."""
        ends = [group.shift[1] if group.shift else NEVER for group in self.staff_groups]
        return np.array(ends)[self.staff_group]

    @cached_property
    def starts_until(self) -> Ints:
        """(S,) int64, minute by which an exam must be expected to end that a member may begin."""
        free = np.array([group.shift is None or group.starts_past_shift for group in self.staff_groups])
        return np.where(free[self.staff_group], NEVER, self.duty_until)

    @cached_property
    def limits_starts(self) -> bool:
        """Whether there are shifts after which no exam may be expected to end."""
        return bool((self.starts_until < NEVER).any())

    @cached_property
    def overtime_from(self) -> Ints:
        """(S,) int64, minute from which a member's work is overtime: the end of the shift, or closing."""
        return np.where(self.duty_until == NEVER, self.closing_min, self.duty_until)

    @cached_property
    def expected_min(self) -> Ints:
        """(K,) int64, mean exam of each type before truncation, whole minutes: for the end that staff expect."""
        return np.array([max(int(np.ceil(kind.exam.mean_min)), 1) for kind in self.types])

    @cached_property
    def roster_minutes(self) -> Ints:
        """Minutes in which the roster or the rooms' hours change something, ascending, after opening.

        Those from which on a type is expected to end after a shift that limits starts are among them.
        """
        minutes: set[int] = set()
        for room in self.room_groups:
            minutes.update(minute for stretch in room.closed for minute in stretch)
        for group in self.staff_groups:
            minutes.update(group.shift or ())
            if group.shift is not None and not group.starts_past_shift:
                minutes.update(group.shift[1] - expected + 1 for expected in self.expected_min.tolist())
            minutes.update(group.breaks.planned)
            minutes.update((group.lunch.begin_min, group.lunch.latest_min) if group.lunch else ())
            minutes.update((group.on_call_min,) if group.on_call else ())
        return np.array(sorted(minute for minute in minutes if 0 < minute < self.end_min), dtype=np.int64)

    @cached_property
    def has_roster(self) -> bool:
        """Whether anybody has a shift, a lunch, planned breaks or is on call, or a room is closed or cleaned."""
        opening = any(stretch[0] == 0 for room in self.room_groups for stretch in room.closed)
        return bool(len(self.roster_minutes)) or opening or any(room.turnover_min for room in self.room_groups)

    @cached_property
    def puts_off(self) -> bool:
        """Whether anybody puts off a lunch or a planned break while patients wait."""
        groups = self.staff_groups
        lunch = any(group.lunch is not None and group.lunch.put_off for group in groups)
        return lunch or any(group.breaks.planned and group.breaks.put_off_min for group in groups)

    @cached_property
    def nested(self) -> bool:
        """Whether what rooms, and what members of staff, can do are chains: of any two, one can do all of the other's.

        Then naming room and member at once, those who can do the fewest types first, never hides a feasible start.
        A shift that is about to end leaves a member the types that are expected to end before it.
        """
        return _chain({group.can for group in self.room_groups}) and _chain(self._effective)

    @cached_property
    def _effective(self) -> set[int]:
        """All bit sets of what members of staff may begin at some time of a day."""
        staff = set()
        for group in self.staff_groups:
            staff.add(group.can)
            if group.shift is not None and not group.starts_past_shift:
                staff |= {group.can & self._done_within(minutes) for minutes in self.expected_min.tolist()}
        return staff

    def _done_within(self, minutes: int) -> int:
        """Bit set of the types whose expected exam takes at most so many minutes."""
        return sum(1 << k for k, expected in enumerate(self.expected_min.tolist()) if expected <= minutes)

    @cached_property
    def nested_pair(self) -> bool:
        """Whether this is a lab like the paper's: two exam types, of which whoever can do the first can do the second.

        The paper's joint actions and its observation are for these.
        """
        every = {*(group.can for group in self.room_groups), *self._effective, 0}
        return len(self.types) == 2 and self.nested and every <= {0, 0b10, 0b11}


def _by_size(cans: list[int]) -> tuple[int, ...]:
    return tuple(sorted(range(len(cans)), key=lambda group: cans[group].bit_count()))


def _chain(sets: set[int]) -> bool:
    ordered = sorted(sets, key=int.bit_count)
    return all(small & large == small for small, large in pairwise(ordered))

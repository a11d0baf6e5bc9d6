"""Rules without reservations: the order of service when resources are free (sections 4.1 to 4.4)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import groupby
from typing import Any, Literal

from echo_env.lab.config import LabConfig
from echo_env.lab.config.lab import Lab
from echo_env.lab.policies.base import register_policy
from echo_env.lab.simulation.allocation import assign
from echo_env.lab.simulation.patient import EARLY, LATE, ON_TIME, Punctuality, Start, WaitingPatient, classes_of
from echo_env.lab.simulation.policy import ClassTiers, Policy
from echo_env.lab.simulation.view import LabView

HandBack = Literal["served", "closing", "scheduled"]


class TierPolicy:
    """Serves tiers of classes one after the other, within a tier the longest wait first.

    :param name: label in tables
    :param tiers: tiers of classes, in order of precedence; a class in no tier is not served
    """

    def __init__(self, name: str, tiers: ClassTiers) -> None:
        self.name = name
        self.tiers = tiers

    def begin_day(self, view: LabView, seed: int) -> None:
        """Nothing to prepare."""

    def decide(self, view: LabView) -> list[Start]:
        """Everybody who can be served, in order of precedence."""
        return assign(view, [entry for tier in self.tiers for entry in view.waiting(*tier)])


class DedicatedPolicy:
    """Serves by tier, with one fetal-capable room and sonographer dedicated to fetal patients.

    A fetal patient takes the dedicated room and sonographer; where one of them is busy, a general one instead. Other
    patients never get them: they may stand idle while others wait. Dedicated are the first fetal-capable room and the
    first fetal-capable sonographer who is present.

    The paper keeps them so "unless all fetal patients have been accommodated before 5:00PM or none remain
    after that time" (section 4.3):

    - ``served``, the default and the section to the letter: before closing, until every fetal patient in the book has
      begun an exam; from then on while a fetal patient waits. A no-show never begins, so on most days the hand-back is
      not before closing. Where a dedicated one is free again while a fetal patient is with a general one, that one is
      dedicated in its place ("we allocate from general-duty resources and later reassign as needed").
    - ``closing``: until every fetal patient in the book has begun an exam, and until closing at most; the same ones all
      day. So does the paper's published code.
    - ``scheduled``: until the time of the last fetal appointment has passed and no fetal patient who came by then is
      waiting, and until closing at most; the same ones all day. No-shows do not prolong the dedication; who comes later
      takes what is free.

    :param name: label in tables
    :param order: tiers of classes, in order of precedence; a class in no tier is not served
    :param hand_back: when the dedication ends
    """

    def __init__(self, name: str, order: ClassTiers, hand_back: HandBack = "served") -> None:
        self.name = name
        self.order = order
        self.hand_back = hand_back
        self._rooms: tuple[int, ...] = ()
        self._staff: tuple[int, ...] = ()
        self._fetal: tuple[int, ...] = ()
        self._last_min = -1

    def begin_day(self, view: LabView, seed: int) -> None:
        """Dedicate a fetal-capable room and sonographer, if there are any."""
        capable = (room for room in range(len(view.config.plan.room_group)) if view.room_types(room) & 1)
        self._rooms = tuple(capable)[:1]
        self._staff = tuple(present_staff(view)[0][:1])
        fetal = [line for line in view.appointments if line.fetal]
        self._fetal = tuple(line.patient for line in fetal)
        self._last_min = max((line.scheduled_min for line in fetal), default=-1)

    def decide(self, view: LabView) -> list[Start]:
        """Everybody who can be served, in order of precedence."""
        patients = [entry for tier in self.order for entry in view.waiting(*tier)]
        if self._handed_back(view):
            return assign(view, patients)
        if self.hand_back == "served":
            self._reassign(view)
        return assign_around(view, patients, self._rooms, self._staff, fetal_may=True)

    def _handed_back(self, view: LabView) -> bool:
        closed = view.minute >= view.config.hours.closing_min
        if self.hand_back == "scheduled":
            in_time = (entry for entry in view.waiting() if entry.fetal and entry.arrival_min <= self._last_min)
            return closed or (view.minute >= self._last_min and not any(in_time))
        none_waits, all_came = not any(view.waiting_counts[:3]), all(map(view.has_arrived, self._fetal))
        if self.hand_back == "closing":
            return closed or (none_waits and all_came)
        return none_waits and (closed or all_came)

    def _reassign(self, view: LabView) -> None:
        """Dedicate what a fetal patient has in place of what is free."""
        fetal = [exam for exam in view.running_exams if view.exam_type(exam.patient) == 0]
        self._rooms = instead(self._rooms, view.idle_rooms, sorted(exam.room for exam in fetal))
        self._staff = instead(self._staff, view.idle_staff, sorted(exam.sonographer for exam in fetal))


def instead(dedicated: tuple[int, ...], free: Collection[int], with_fetal: Sequence[int]) -> tuple[int, ...]:
    """The first that is with a fetal patient in place of a dedicated one that is free.

    :param dedicated: one, or none
    :param free: those that are free
    :param with_fetal: those that are with fetal patients, in order
    """
    return tuple(with_fetal[:1]) or dedicated if set(dedicated) & set(free) else dedicated


def present_staff(view: LabView) -> tuple[list[int], list[int]]:
    """Sonographers present today, by number: fetal-capable ones, and the others."""
    plan = view.config.plan
    there = view.present.nonzero()[0].tolist()
    capable = {n for n in there if plan.staff_groups[plan.staff_group[n]].can & 1}
    return [n for n in there if n in capable], [n for n in there if n not in capable]


def assign_around(
    view: LabView,
    patients: Iterable[WaitingPatient],
    rooms: Collection[int],
    staff: Collection[int],
    fetal_may: bool = False,
) -> list[Start]:
    """Assign free resources as :func:`~echo_env.lab.simulation.allocation.assign` does, except those kept back.

    :param view: the lab
    :param patients: patients in order of precedence
    :param rooms: rooms kept back
    :param staff: sonographers kept back
    :param fetal_may: whether fetal patients may take what is kept back, and take that first; otherwise nobody may
    """
    kept_rooms, rooms_f = _split(view.free_rooms(fetal=True), rooms, fetal_may)
    kept_staff, staff_f = _split(view.free_sonographers(fetal=True), staff, fetal_may)
    rooms_n = _split(view.free_rooms(fetal=False), rooms)[1]
    staff_n = _split(view.free_sonographers(fetal=False), staff)[1]
    starts = []
    for entry in patients:
        its_rooms = kept_rooms or rooms_f if entry.fetal else rooms_n or rooms_f
        its_staff = kept_staff or staff_f if entry.fetal else staff_n or staff_f
        if its_rooms and its_staff:
            starts.append(Start(entry.patient, its_rooms.pop(0), its_staff.pop(0)))
    return starts


def _split(free: list[int], kept: Collection[int], may: bool = True) -> tuple[list[int], list[int]]:
    """Free ones that are kept back (none, unless they may be used), and the other free ones, both in order."""
    return [n for n in free if n in kept] if may else [], [n for n in free if n not in kept]


@register_policy("policy_1")
def policy_1(config: Lab) -> Policy:
    """On-time patients, then late ones (section 4.1)."""
    return TierPolicy("policy_1", _by_punctuality(config)[:2])


@register_policy("policy_2")
def policy_2(config: Lab) -> Policy:
    """On-time, then late, then early patients (section 4.2)."""
    return TierPolicy("policy_2", _by_punctuality(config))


@register_policy("policy_3", two_kinds=True)
def policy_3(config: LabConfig, hand_back: HandBack = "served") -> Policy:
    """Policy 1 with a room and a sonographer dedicated to fetal patients (section 4.3)."""
    return DedicatedPolicy("policy_3", (ON_TIME, LATE), hand_back)


@register_policy("policy_4", two_kinds=True)
def policy_4(config: LabConfig, hand_back: HandBack = "served") -> Policy:
    """Policy 2 with a room and a sonographer dedicated to fetal patients (section 4.4)."""
    return DedicatedPolicy("policy_4", (ON_TIME, LATE, EARLY), hand_back)


@register_policy("scarce_first")
def scarce_first(config: Lab) -> Policy:
    """Policy 2 with the scarcest exam types first among on-time and among late patients: those of the fewest capable
    rooms, or members of staff if these are fewer; of two alike the one of more weight. Not a rule of the paper."""
    plan = config.plan

    def capable(kind: int) -> tuple[int, int, int]:
        rooms = sum(group.count for group in plan.room_groups if group.can >> kind & 1)
        staff = sum(group.count for group in plan.staff_groups if group.can >> kind & 1)
        return min(rooms, staff), max(rooms, staff), -plan.types[kind].weight

    return TierPolicy("scarce_first", _type_by_type(config, capable))


@register_policy("urgent_first")
def urgent_first(config: Lab) -> Policy:
    """Policy 2 with the exam types of most weight first among on-time and among late patients, types of equal weight
    together. Not a rule of the paper."""
    return TierPolicy(
        "urgent_first", _type_by_type(config, lambda kind: -config.plan.types[kind].weight, together=True)
    )


@register_policy("fetal_first", two_kinds=True)
def fetal_first(config: LabConfig) -> Policy:
    """``scarce_first`` by its name in a lab of fetal and non-fetal exams. Not a rule of the paper."""
    return TierPolicy("fetal_first", (*((kind,) for kind in ON_TIME + LATE), EARLY))


def _by_punctuality(config: Lab) -> ClassTiers:
    return tuple(classes_of(when, len(config.plan.types)) for when in Punctuality)


def _type_by_type(config: Lab, rank: Callable[[int], Any], together: bool = False) -> ClassTiers:
    """On-time and then late patients by the rank of their exam types, and then all early ones.

    :param config: the lab
    :param rank: number of a type -> what it is sorted by; the lowest first
    :param together: whether types of equal rank share a tier
    """
    kinds = sorted(range(len(config.plan.types)), key=rank)
    groups = [list(own) for _, own in groupby(kinds, rank)] if together else [[kind] for kind in kinds]
    on_time, late, early = _by_punctuality(config)
    return (*([when[kind] for kind in own] for when in (on_time, late) for own in groups), early)

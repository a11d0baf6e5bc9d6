"""Rules with reservations: pairs of a room and a sonographer reserved for appointments (sections 4.5 and 4.6)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from echo_env.lab.config import LabConfig
from echo_env.lab.policies.base import register_cases, register_policy
from echo_env.lab.policies.on_the_fly import assign_around, present_staff
from echo_env.lab.simulation.duties import Status
from echo_env.lab.simulation.patient import EARLY, LATE, ON_TIME, Appointment, Start, WaitingPatient
from echo_env.lab.simulation.policy import Policy
from echo_env.lab.simulation.view import LabView

SPACING_MIN = 40
"""Successive appointments on a pair are more than this many minutes apart."""
LOOKAHEAD_MIN = 40
"""A pair is kept free for an appointment that is less than this many minutes away."""

CASES = dict(enumerate(itertools.product((0.0, 1.0), (0.0, 0.25, 0.5, 0.75, 1.0)), start=1))
"""Table 2: case -> (alpha, beta)."""


@dataclass
class EchoPair:
    """A room and a sonographer paired for the day.

    :param room: the room
    :param sonographer: the sonographer
    :param outstanding: appointments assigned to the pair, by time, neither begun nor forfeited
    """

    room: int
    sonographer: int
    outstanding: list[Appointment] = field(default_factory=list)

    def drop_settled(self, view: LabView, waiting: Mapping[int, WaitingPatient]) -> None:
        """Remove leading appointments that have begun or are forfeited.

        :param view: the lab
        :param waiting: waiting patients by number
        """
        margin = view.config.plan.types[0].arrival.on_time_margin_min
        while self.outstanding:
            patient, _, scheduled = self.outstanding[0]
            if patient in waiting:
                settled = waiting[patient].patient_class in LATE
            else:
                settled = view.has_arrived(patient) or view.minute > scheduled + margin
            if not settled:
                break
            del self.outstanding[0]


class ReservationPolicy:
    """Serves by tier, with a share of the pairs reserved for appointments.

    At opening, pairs are formed of the rooms and the sonographers present (:func:`form_pairs`); a share of each kind,
    rounded up, is opened for reservations, and appointments are assigned to them (:func:`reserve`). Every minute:

    1. On each reserved pair the next patient begins, if present and not late, and if room and sonographer are free.
       Next is the earliest appointment neither begun nor forfeited; it is forfeited if the patient is not there
       within 10 minutes after it. A patient who came early may begin early ("if the patient isn't late",
       section 4.5).
    2. On-time patients without a reservation, then late patients (who have forfeited theirs), then, in policy 6,
       early patients without a reservation are given general resources: those of no reserved pair, and those of
       reserved pairs without an appointment in the next 40 minutes.

    A patient with a reservation takes no other room or sonographer. With both shares 0, step 2 alone remains, with
    all resources: policy 1 or 2.

    :param name: label in tables
    :param alpha: share of the fetal pairs that is reserved, 0 to 1
    :param beta: share of the non-fetal pairs that is reserved, 0 to 1
    :param serve_early: whether early patients without a reservation are served
    :raises ValueError: a share outside 0 to 1
    """

    def __init__(self, name: str, alpha: float, beta: float, serve_early: bool) -> None:
        for which, share in (("alpha", alpha), ("beta", beta)):
            if not 0 <= share <= 1:
                raise ValueError(f"policy {name!r} has {which}={share:g}, but {which} must be a share from 0 to 1")
        self.name = name
        self.alpha = alpha
        self.beta = beta
        self.order = (ON_TIME, LATE, EARLY) if serve_early else (ON_TIME, LATE)
        self._pairs: list[EchoPair] = []
        self._reserved: frozenset[int] = frozenset()

    def begin_day(self, view: LabView, seed: int) -> None:
        """Form pairs and assign appointments to them."""
        fetal, non_fetal = form_pairs(view)
        fetal, non_fetal = opened(fetal, self.alpha), opened(non_fetal, self.beta)
        reserve(fetal, [line for line in view.appointments if line.fetal])
        reserve(non_fetal, [line for line in view.appointments if not line.fetal])
        self._pairs = fetal + non_fetal
        self._reserved = frozenset(line.patient for pair in self._pairs for line in pair.outstanding)

    def decide(self, view: LabView) -> list[Start]:
        """Reserved patients on their pairs, then the others on general resources."""
        waiting = {entry.patient: entry for entry in view.waiting()}
        starts, kept = self._reserved_starts(view, waiting)
        others = [
            entry
            for tier in self.order
            for entry in view.waiting(*tier)
            if entry.patient_class in LATE or entry.patient not in self._reserved
        ]
        if not others:
            return starts
        rooms, staff = {pair.room for pair in kept}, {pair.sonographer for pair in kept}
        return starts + assign_around(view, others, rooms, staff)

    def _reserved_starts(
        self, view: LabView, waiting: Mapping[int, WaitingPatient]
    ) -> tuple[list[Start], list[EchoPair]]:
        """Starts on reserved pairs, and the pairs kept from general use."""
        free_rooms = {*view.free_rooms(fetal=True), *view.free_rooms(fetal=False)}
        starts, kept = [], []
        for pair in self._pairs:
            pair.drop_settled(view, waiting)
            if not pair.outstanding:
                continue
            patient, _, scheduled = pair.outstanding[0]
            free = pair.room in free_rooms and view.status(pair.sonographer) == Status.FREE
            begins = free and patient in waiting
            if begins:
                starts.append(Start(patient, pair.room, pair.sonographer))
            if begins or scheduled < view.minute + LOOKAHEAD_MIN:
                kept.append(pair)
        return starts, kept


def form_pairs(view: LabView) -> tuple[list[EchoPair], list[EchoPair]]:
    """Pair rooms with the sonographers present: fetal pairs, then non-fetal ones.

    Fetal-capable sonographers take the fetal-capable rooms first. The rest form non-fetal pairs, non-fetal rooms and
    sonographers first, by number, as everywhere in the paper. The paper does not say so here, and its published code
    begins with the fetal-capable sonographers; the penalty then falls from beta 75 % to 100 %, against section 4.8.
    """
    rooms = range(len(view.config.plan.room_group))
    rooms_f, rooms_n = ([room for room in rooms if view.room_types(room) & 1 == fetal] for fetal in (1, 0))
    staff_f, staff_n = present_staff(view)
    count = min(len(rooms_f), len(staff_f))
    fetal = zip(rooms_f[:count], staff_f[:count], strict=True)
    non_fetal = zip(rooms_n + rooms_f[count:], staff_n + staff_f[count:], strict=False)
    return [EchoPair(*pair) for pair in fetal], [EchoPair(*pair) for pair in non_fetal]


def opened(pairs: Sequence[EchoPair], share: float) -> list[EchoPair]:
    """The first pairs, a share of all rounded up, free of floating-point error."""
    return list(pairs[: math.ceil(round(share * len(pairs), 9))])


def reserve(pairs: Sequence[EchoPair], appointments: Iterable[Appointment]) -> None:
    """Assign appointments to pairs in turn, so that those of a pair are more than 40 minutes apart.

    The pair whose turn it is has the earliest last appointment: an appointment that does not fit there fits nowhere,
    and its patient has no reservation.

    :param pairs: pairs opened for reservations
    :param appointments: appointments of the same kind, by time
    """
    given = 0
    for line in appointments if pairs else ():
        queue = pairs[given % len(pairs)].outstanding
        if not queue or line.scheduled_min - queue[-1].scheduled_min > SPACING_MIN:
            queue.append(line)
            given += 1


@register_policy("policy_5", two_kinds=True)
def policy_5(config: LabConfig, alpha: float, beta: float) -> Policy:
    """Reserved pairs, then as policy 1 (section 4.5)."""
    return ReservationPolicy("policy_5", alpha, beta, serve_early=False)


@register_policy("policy_6", two_kinds=True)
def policy_6(config: LabConfig, alpha: float, beta: float) -> Policy:
    """Reserved pairs, then as policy 2 (section 4.6)."""
    return ReservationPolicy("policy_6", alpha, beta, serve_early=True)


@register_cases("policy_5_case_", range(1, 11))
def policy_5_case(config: LabConfig, case: int) -> Policy:
    """Policy 5 with the shares of a case of table 2."""
    return policy_5(config, *CASES[case])


@register_cases("policy_6_case_", range(1, 11))
def policy_6_case(config: LabConfig, case: int) -> Policy:
    """Policy 6 with the shares of a case of table 2."""
    return policy_6(config, *CASES[case])

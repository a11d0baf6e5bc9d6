"""Mornings with absent staff as a decision: which of the day's patients are rebooked to another day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from echo_env.common.words import in_words
from echo_env.lab.config import GeneralLabConfig
from echo_env.lab.config.exam_types import rebooked_places
from echo_env.lab.config.plan import NEVER, LabPlan
from echo_env.lab.optimise.levers.lever import Change, Lever, Place, Values
from echo_env.lab.optimise.levers.template import Seat, seats_of

Entries = Counter[tuple[int, int]]
"""(how many must be absent, minute) -> how many appointments of a type at that time are rebooked then."""


@dataclass(frozen=True)
class AbsencePlan:
    """Who is rebooked when how many regular members of staff are absent.

    A lever has 0 for never, 1 for the largest number of absent members, up to that number for one absent, so that
    neighbours differ little. What values mean goes by patient: where the book is decided as well, they are rebooked
    from their new times.

    :param config: the lab
    :param seats: patients with an appointment
    :param levers: one for each of them
    :param most_absent: largest number of absent members that a plan speaks of
    :param most_rebooked: so many patients are rebooked on one morning at most
    """

    config: GeneralLabConfig
    seats: tuple[Seat, ...]
    levers: tuple[Lever, ...]
    most_absent: int
    most_rebooked: int
    name: str = "absence_plan"

    def fits(self, values: Values) -> bool:
        """Whether no morning has more patients to rebook than allowed."""
        return sum(value > 0 for value in values) <= self.most_rebooked

    def apply(self, plan: LabPlan, values: Values) -> LabPlan:
        """The plan that rebooks these patients; it knows the metric ``rebooked`` even if that is nobody."""
        types = tuple(
            replace(own, rebook_from=rebooked_places(own.scheduled, _as_table(self._entries(plan, values, kind))))
            for kind, own in enumerate(plan.types)
        )
        return replace(plan, types=types)

    def changes(self, plan: LabPlan, values: Values) -> list[Change]:
        """What is rebooked that is not today; a patient who is rebooked, or no longer, is a change."""
        said = []
        for kind in range(len(plan.types)):
            today, new = self._entries(plan, self._today, kind), self._entries(plan, values, kind)
            more, less = new - today, today - new
            for (_, minute), number in more.items():
                # Who is rebooked on other mornings than today is not said to be rebooked no longer.
                for old in [entry for entry in less if entry[1] == minute]:
                    both = min(number, less[old])
                    less[old] -= both
                    number -= both
            said += [self._change("rebook", absent, kind, more) for absent in sorted({absent for absent, _ in more})]
            less = +less
            said += [
                self._change("no longer rebook", absent, kind, less)
                for absent in sorted({absent for absent, _ in less})
            ]
        return said

    def in_file(self, plan: LabPlan, values: Values) -> Mapping[Place, Any]:
        """The absence plans of the types whose plans change, their times being those of the proposed book."""
        places: dict[Place, Any] = {}
        for kind, (name, own) in enumerate(self.config.exam_types.items()):
            table = _as_table(self._entries(plan, values, kind))
            today = {absent: sorted(times) for absent, times in own.rebook_when_absent.items() if times}
            # With a new book today's plan has been written with its times, whether it is the plan from now on or not.
            moved = bool(today) and plan.types[kind].scheduled != own.appointments
            if moved or table != today:
                clock = self.config.hours.clock
                places["exam_types", name, "rebook_when_absent"] = {
                    absent: [clock(minute) for minute in times] for absent, times in table.items()
                }
        return places

    @property
    def _today(self) -> Values:
        return tuple(lever.today for lever in self.levers)

    def _entries(self, plan: LabPlan, values: Values, kind: int) -> Entries:
        """What is rebooked of a type."""
        entries: Entries = Counter()
        for seat, value in zip(self.seats, values, strict=True):
            minute = plan.types[seat.kind].scheduled[seat.place]
            if seat.kind == kind and value and minute is not None:
                entries[self.most_absent + 1 - value, minute] += 1
        return entries

    def _change(self, verb: str, absent: int, kind: int, entries: Entries) -> Change:
        """What to do with the appointments of a type on mornings with so many absent."""
        clock, name = self.config.hours.clock, self.config.plan.types[kind].name
        counts = {minute: number for (own, minute), number in sorted(entries.items()) if own == absent}
        times = [clock(minute) + (f" ({in_words(number)})" if number > 1 else "") for minute, number in counts.items()]
        listed = " and ".join(filter(None, [", ".join(times[:-1]), times[-1]]))
        number = sum(counts.values())
        plural, when = "s" if number > 1 else "", f"On mornings with {in_words(absent)} or more absent"
        return Change(f"{when}, {verb} the {listed} {name} appointment{plural}.", number)


def absence_plan(
    config: GeneralLabConfig, most_absent: int = 2, most_rebooked: int = 8, held: frozenset[int] = frozenset()
) -> AbsencePlan:
    """Whom a lab may rebook on mornings with absent staff: anybody with an appointment.

    :param config: the lab
    :param most_absent: largest number of absent regular members that the plan tells apart: more count as so many, and
        it is lowered to as many as can be absent
    :param most_rebooked: so many patients are rebooked on one morning at most
    :param held: appointments at these times stay as they are, minutes since opening
    :raises ValueError: a number that is not allowed, or nobody has an appointment or can be absent; one sentence
    """
    seats = seats_of(config.plan)
    if not seats:
        raise ValueError(f"absence_plan: nobody in {config.name!r} has an appointment that could be rebooked")
    can_be = sum(group.count - group.always_present for group in config.plan.staff_groups if group.absence_rate)
    if not can_be:
        raise ValueError(f"absence_plan: nobody in {config.name!r} can be absent")
    if most_absent < 1:
        raise ValueError(f"most_absent is {most_absent!r}, but must be at least 1")
    today = [_threshold(config.plan, seat) for seat in seats]
    highest = max((absent for absent in today if absent < NEVER), default=1)
    if most_absent < highest:
        raise ValueError(
            f"most_absent is {most_absent!r}, but must be at least {highest}, for which the lab has a plan today"
        )
    most_absent = max(min(most_absent, can_be), highest)
    rebooked = sum(absent < NEVER for absent in today)
    if most_rebooked < max(rebooked, 1):
        raise ValueError(
            f"most_rebooked is {most_rebooked!r}, but must be at least {max(rebooked, 1)}"
            + (", as many as the lab rebooks today" if rebooked else "")
        )
    levers = []
    for seat, absent in zip(seats, today, strict=True):
        value = most_absent + 1 - absent if absent < NEVER else 0
        allowed = (value,) if seat.minute in held else tuple(range(most_absent + 1))
        levers.append(Lever(value, allowed, ("rebooked", seat.kind, seat.minute)))
    return AbsencePlan(config, seats, tuple(levers), most_absent, most_rebooked)


def _threshold(plan: LabPlan, seat: Seat) -> int:
    """How many must be absent today for a patient to be rebooked."""
    own = plan.types[seat.kind].rebook_from
    return own[seat.place] if own else NEVER


def _as_table(entries: Entries) -> dict[int, list[int]]:
    """Number of absent members -> times, ascending, as in a config."""
    table: dict[int, list[int]] = {}
    for absent, minute in sorted(entries.elements()):
        table.setdefault(absent, []).append(minute)
    return table

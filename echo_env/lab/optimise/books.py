"""The appointment book as what a search may change: one minute for each patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from echo_env.lab.config import Hours, Penalty
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.plan import LabPlan

Times = tuple[int, ...]
"""An appointment of each seat, minutes since opening."""
Windows = Mapping[str, tuple[int, int]]
"""Exam type -> first and last minute at which its appointments may stand."""


class Seat(NamedTuple):
    """A patient of the book, whoever that is on a day: the identity that luck stays with.

    :param kind: exam type
    :param place: place in the list of the type's appointments
    :param minute: today's appointment, minutes since opening
    """

    kind: int
    place: int
    minute: int


@dataclass(frozen=True)
class PlannedLab:
    """A lab whose plan was changed without a config: as much of one as engines and policies read."""

    name: str
    hours: Hours
    penalty: Penalty
    plan: LabPlan

    def replace(self, **changes: Any) -> PlannedLab:
        """A copy with other fields."""
        return replace(self, **changes)


def seats_of(plan: LabPlan) -> tuple[Seat, ...]:
    """The patients with an appointment, by type and place.

    :param plan: of the lab
    """
    return tuple(
        Seat(kind, place, minute)
        for kind, own in enumerate(plan.types)
        for place, minute in enumerate(own.scheduled)
        if minute is not None
    )


def with_times(config: Lab, seats: Sequence[Seat], times: Times) -> PlannedLab:
    """The lab with another book.

    :param config: the lab
    :param seats: from :func:`seats_of`
    :param times: of each seat, minutes since opening
    """
    scheduled: list[list[int | None]] = [list(own.scheduled) for own in config.plan.types]
    for seat, minute in zip(seats, times, strict=True):
        scheduled[seat.kind][seat.place] = minute
    types = tuple(replace(own, scheduled=tuple(book)) for own, book in zip(config.plan.types, scheduled, strict=True))
    return PlannedLab(config.name, config.hours, config.penalty, replace(config.plan, types=types))


class Move(NamedTuple):
    """Appointments of one type that move from one time to another.

    :param kind: name of the exam type
    :param old: minutes since opening
    :param new: minutes since opening
    :param number: how many
    """

    kind: str
    old: int
    new: int
    number: int = 1


def moves_between(plan: LabPlan, seats: Sequence[Seat], times: Times) -> list[Move]:
    """What somebody who keeps the book has to do: as few moves as lead from today's times to others.

    Patients of a type are interchangeable to whoever keeps the book, so a time that both books have is no move; of the
    rest, the earliest goes to the earliest.

    :param plan: of the lab
    :param seats: with today's times
    :param times: the new ones
    """
    moves: dict[tuple[str, int, int], int] = {}
    for kind, own in enumerate(plan.types):
        old = sorted(seat.minute for seat in seats if seat.kind == kind)
        new = sorted(time for seat, time in zip(seats, times, strict=True) if seat.kind == kind)
        for time in list(old):
            if time in new:
                old.remove(time)
                new.remove(time)
        for pair in zip(old, new, strict=True):
            key = (own.name, *pair)
            moves[key] = moves.get(key, 0) + 1
    return [Move(*key, count) for key, count in sorted(moves.items(), key=lambda item: (item[0][1], item[0]))]

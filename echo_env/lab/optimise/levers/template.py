"""The appointment book as a decision: a time for each patient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from echo_env.common.words import in_words
from echo_env.lab.config.exam_types import rebooked_places, rebooked_times
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.lab_config import LabConfig
from echo_env.lab.config.plan import LabPlan, TypePlan
from echo_env.lab.optimise.levers.lever import NOTHING, Change, Lever, Place, Values
from echo_env.lab.optimise.levers.seating import seated


class Seat(NamedTuple):
    """A patient of the book, whoever that is on a day: the identity that luck stays with.

    :param kind: exam type
    :param place: place in the list of the type's appointments
    :param minute: today's appointment, minutes since opening; ``NOTHING`` for a further patient
    """

    kind: int
    place: int
    minute: int


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


@dataclass(frozen=True)
class Template:
    """The times of the appointments; who is booked stays, and further patients may be taken.

    :param config: the lab
    :param seats: from :func:`seats_of`, and further ones
    :param levers: one a seat: minutes since opening, or ``NOTHING`` for a further patient who is not taken
    :param at_once: so many appointments of all types may be at one time; None for any number
    """

    config: Lab
    seats: tuple[Seat, ...]
    levers: tuple[Lever, ...]
    at_once: int | None = None
    name: str = "template"

    def fits(self, values: Values) -> bool:
        """Whether no time has more appointments than is allowed."""
        booked = Counter(minute for minute in values if minute != NOTHING)
        return self.at_once is None or max(booked.values(), default=0) <= self.at_once

    def apply(self, plan: LabPlan, values: Values) -> LabPlan:
        """The plan with these times."""
        books = self._books(plan, values)
        types = tuple(_with_book(own, book) for own, book in zip(plan.types, books, strict=True))
        return replace(plan, types=types)

    def changes(self, plan: LabPlan, values: Values) -> list[Change]:
        """The moves and then the bookings, like ones counted together."""
        clock, said = self.config.hours.clock, []
        for (old, new, kind), number in sorted(self.moves(values).items()):
            name, many, plural = self._counted(kind, number)
            said.append(Change(f"Move {many} {clock(old)} {name} appointment{plural} to {clock(new)}.", number))
        for (minute, kind), number in sorted(self.bookings(values).items()):
            name, many, plural = self._counted(kind, number)
            said.append(Change(f"Book {many} more {name} patient{plural} at {clock(minute)}.", number))
        return said

    def _counted(self, kind: int, number: int) -> tuple[str, str, str]:
        return self.config.plan.types[kind].name, in_words(number), "s" if number > 1 else ""

    def moves(self, values: Values) -> Counter[tuple[int, int, int]]:
        """(old time, new time, exam type) -> how many: as few moves as lead to these times.

        Patients of a type are interchangeable to whoever keeps the book, so a time that both books have is no move; of
        the rest, the earliest goes to the earliest.
        """
        moves: Counter[tuple[int, int, int]] = Counter()
        for kind in range(len(self.config.plan.types)):
            left, taken, _ = self._differences(kind, values)
            moves.update((*pair, kind) for pair in zip(left, taken, strict=True))
        return moves

    def bookings(self, values: Values) -> Counter[tuple[int, int]]:
        """(time, exam type) -> how many further patients come then."""
        kinds = range(len(self.config.plan.types))
        return Counter((minute, kind) for kind in kinds for minute in self._differences(kind, values)[2])

    def _differences(self, kind: int, values: Values) -> tuple[list[int], list[int], list[int]]:
        """Times of a type that are given up, as many that are taken instead, near to those, and further ones."""
        old = Counter(seat.minute for seat in self.seats if seat.kind == kind)
        new = Counter(time for seat, time in zip(self.seats, values, strict=True) if seat.kind == kind)
        left = sorted(minute for minute in (old - new).elements() if minute != NOTHING)
        fresh = sorted(minute for minute in (new - old).elements() if minute != NOTHING)
        distances = np.abs(np.subtract.outer(left, fresh))
        taken = set(linear_sum_assignment(distances)[1].tolist())
        return left, [fresh[k] for k in sorted(taken)], [own for k, own in enumerate(fresh) if k not in taken]

    def in_file(self, plan: LabPlan, values: Values) -> Mapping[Place, Any]:
        """The lists of the types whose appointments change, as clock times."""
        clock = self.config.hours.clock
        books = self._books(plan, values)
        places: dict[Place, Any] = {}
        for kind, own in enumerate(self.config.plan.types):
            if any(self._differences(kind, values)):
                short = isinstance(self.config, LabConfig)
                place = ("appointments", own.name) if short else ("exam_types", own.name, "appointments")
                places[place] = [None if minute is None else clock(minute) for minute in books[kind]]
                rebooked = rebooked_times(books[kind], plan.types[kind].rebook_from)
                if rebooked:
                    # The absence plan says times as well.
                    places["exam_types", own.name, "rebook_when_absent"] = {
                        absent: [clock(minute) for minute in times] for absent, times in rebooked.items()
                    }
        return places

    def _books(self, plan: LabPlan, values: Values) -> list[list[int | None]]:
        books: list[list[int | None]] = [list(own.scheduled) for own in plan.types]
        for seat, minute in zip(self.seats, values, strict=True):
            if minute != NOTHING:
                book = books[seat.kind]
                # A further patient's place stays the same whoever else of them is taken.
                book.extend([None] * (seat.place + 1 - len(book)))
                book[seat.place] = minute
        return books


def _with_book(own: TypePlan, book: Sequence[int | None]) -> TypePlan:
    """An exam type with other times; whom its absence plan rebooks is rebooked from the new time."""
    rebook_from = own.rebook_from and rebooked_places(book, rebooked_times(book, own.rebook_from))
    return replace(own, scheduled=tuple(book), rebook_from=rebook_from)


def template(
    config: Lab,
    grid_min: int = 15,
    latest_min: int | None = None,
    held: frozenset[int] = frozenset(),
    windows: Mapping[str, tuple[int, int]] | None = None,
    at_once: int | None = None,
    more: Mapping[str, int] | None = None,
) -> Template:
    """The book of a lab on a grid of times.

    :param config: the lab
    :param grid_min: minutes between the times, from opening on, at least 1
    :param latest_min: last time, minutes since opening; by default closing, beyond which nobody is let in
    :param held: appointments at these times stay as they are, minutes since opening
    :param windows: exam type -> first and last minute of its appointments; those outside move in
    :param at_once: so many appointments of all types may be at one time; where today's book has more, a search begins
        with the nearest book that keeps to it
    :param more: exam type -> so many further patients may be booked at most
    :raises ValueError: an unknown exam type, a number below 1, or times at which the patients do not fit; one sentence
    """
    windows, more = windows or {}, more or {}
    _check(config, windows, more, at_once)
    closing = config.hours.closing_min
    latest = closing if latest_min is None else min(latest_min, closing)
    levers, seats = [], seats_of(config.plan) + _further_seats(config.plan, more)
    for seat in seats:
        name = config.plan.types[seat.kind].name
        low, high = windows.get(name, (0, latest))
        times = {minute for minute in range(0, latest + 1, grid_min) if low <= minute <= high}
        if seat.minute == NOTHING or low <= seat.minute <= high:
            times.add(seat.minute)
        _check_window(config, name, (low, high), latest, times - {NOTHING})
        allowed = (seat.minute,) if seat.minute in held else tuple(sorted(times))
        what = "further patient" if seat.minute == NOTHING else "appointment"
        levers.append(Lever(seat.minute, allowed, (what, seat.kind), spread=seat.minute != NOTHING))
    begun = levers if at_once is None else _repaired(levers, at_once)
    return Template(config, seats, tuple(begun), at_once)


def _further_seats(plan: LabPlan, more: Mapping[str, int]) -> tuple[Seat, ...]:
    """Places after those that the types' lists have."""
    return tuple(
        Seat(kind, len(own.scheduled) + number, NOTHING)
        for kind, own in enumerate(plan.types)
        for number in range(more.get(own.name, 0))
    )


def _check(config: Lab, windows: Mapping[str, tuple[int, int]], more: Mapping[str, int], at_once: int | None) -> None:
    names = [own.name for own in config.plan.types]
    for what, named in (("window", windows), ("further patients", more)):
        for name in named:
            if name not in names:
                raise ValueError(f"{what} of {name!r}, which is no exam type of the lab; it has {', '.join(names)}")
    for name, number in more.items():
        if number < 1:
            raise ValueError(f"further patients of {name!r} are {number!r}, but must be at least 1")
    if at_once is not None and at_once < 1:
        raise ValueError(f"at_once is {at_once!r}, but must be at least 1")


def _repaired(levers: Sequence[Lever], at_once: int) -> list[Lever]:
    """The levers, beginning with a book that has no more than so many appointments at one time."""
    booked = [lever for lever in levers if lever.today != NOTHING]
    times = seated([lever.first for lever in booked], [lever.allowed for lever in booked], at_once)
    if times is None:
        places = len({minute for lever in booked for minute in lever.allowed})
        raise ValueError(
            f"with at most {at_once} appointment{'s' if at_once > 1 else ''} at one time, the {len(booked)} patients "
            f"do not fit: they may have {places} different times, and some of them only few of those"
        )
    begun = [lever._replace(start=minute) for lever, minute in zip(booked, times, strict=True)]
    return begun + [lever for lever in levers if lever.today == NOTHING]


def _check_window(config: Lab, name: str, window: tuple[int, int], latest: int, times: Set[int]) -> None:
    if not times:
        clock = config.hours.clock
        raise ValueError(
            f"the window of {name}, {clock(window[0])} to {clock(window[1])}, has no time of the grid up to "
            f"{clock(latest)}, so that its patients do not fit"
        )

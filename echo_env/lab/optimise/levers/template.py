"""The appointment book as a decision: a time for each patient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from echo_env.lab.config.lab import Lab
from echo_env.lab.config.lab_config import LabConfig
from echo_env.lab.config.plan import LabPlan
from echo_env.lab.optimise.levers.lever import Change, Lever, Place, Values
from echo_env.lab.optimise.levers.seating import seated

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


class Seat(NamedTuple):
    """A patient of the book, whoever that is on a day: the identity that luck stays with.

    :param kind: exam type
    :param place: place in the list of the type's appointments
    :param minute: today's appointment, minutes since opening
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
    """The times of the appointments; who is booked stays.

    :param config: the lab
    :param seats: from :func:`seats_of`
    :param levers: one a seat: minutes since opening
    :param at_once: so many appointments of all types may be at one time; None for any number
    """

    config: Lab
    seats: tuple[Seat, ...]
    levers: tuple[Lever, ...]
    at_once: int | None = None
    name: str = "template"

    def fits(self, values: Values) -> bool:
        """Whether no time has more appointments than is allowed."""
        return self.at_once is None or max(Counter(values).values(), default=0) <= self.at_once

    def apply(self, plan: LabPlan, values: Values) -> LabPlan:
        """The plan with these times."""
        books = self._books(plan, values)
        types = tuple(replace(own, scheduled=tuple(book)) for own, book in zip(plan.types, books, strict=True))
        return replace(plan, types=types)

    def changes(self, plan: LabPlan, values: Values) -> list[Change]:
        """The moves, like ones counted together."""
        clock = self.config.hours.clock
        said = []
        for (kind, old, new), number in sorted(self.moves(values).items(), key=lambda item: (item[0][1:], item[0][0])):
            many = _NUMBERS[number] if number < len(_NUMBERS) else str(number)
            name, plural = self.config.plan.types[kind].name, "s" if number > 1 else ""
            said.append(Change(f"Move {many} {clock(old)} {name} appointment{plural} to {clock(new)}.", number))
        return said

    def moves(self, values: Values) -> Counter[tuple[int, int, int]]:
        """(exam type, old time, new time) -> how many: as few moves as lead to these times.

        Patients of a type are interchangeable to whoever keeps the book, so a time that both books have is no move; of
        the rest, the earliest goes to the earliest.
        """
        moves: Counter[tuple[int, int, int]] = Counter()
        for kind in range(len(self.config.plan.types)):
            old = Counter(seat.minute for seat in self.seats if seat.kind == kind)
            new = Counter(time for seat, time in zip(self.seats, values, strict=True) if seat.kind == kind)
            pairs = zip(sorted((old - new).elements()), sorted((new - old).elements()), strict=True)
            moves.update((kind, *pair) for pair in pairs)
        return moves

    def in_file(self, plan: LabPlan, values: Values) -> Mapping[Place, Any]:
        """The lists of the types whose appointments move, as clock times."""
        clock = self.config.hours.clock
        moving = {kind for kind, _, _ in self.moves(values)}
        books = self._books(plan, values)
        places: dict[Place, Any] = {}
        for kind in sorted(moving):
            name = self.config.plan.types[kind].name
            short = isinstance(self.config, LabConfig)
            place = ("appointments", name) if short else ("exam_types", name, "appointments")
            places[place] = [None if minute is None else clock(minute) for minute in books[kind]]
        return places

    def _books(self, plan: LabPlan, values: Values) -> list[list[int | None]]:
        books: list[list[int | None]] = [list(own.scheduled) for own in plan.types]
        for seat, minute in zip(self.seats, values, strict=True):
            books[seat.kind][seat.place] = minute
        return books


def template(
    config: Lab,
    grid_min: int = 15,
    latest_min: int | None = None,
    held: frozenset[int] = frozenset(),
    windows: Mapping[str, tuple[int, int]] | None = None,
    at_once: int | None = None,
) -> Template:
    """The book of a lab on a grid of times.

    :param config: the lab
    :param grid_min: minutes between the times, from opening on, at least 1
    :param latest_min: last time, minutes since opening; by default closing, beyond which nobody is let in
    :param held: appointments at these times stay as they are, minutes since opening
    :param windows: exam type -> first and last minute of its appointments; those outside move in
    :param at_once: so many appointments of all types may be at one time; where today's book has more, a search begins
        with the nearest book that keeps to it
    :raises ValueError: an unknown exam type, or times at which the patients do not fit; one sentence
    """
    names, windows = [own.name for own in config.plan.types], windows or {}
    for name in windows:
        if name not in names:
            raise ValueError(f"window of {name!r}, which is no exam type of the lab; it has {', '.join(names)}")
    closing = config.hours.closing_min
    latest = closing if latest_min is None else min(latest_min, closing)
    seats = seats_of(config.plan)
    levers = []
    for seat in seats:
        low, high = windows.get(names[seat.kind], (0, latest))
        times = [minute for minute in range(0, latest + 1, grid_min) if low <= minute <= high]
        if low <= seat.minute <= high:
            times.append(seat.minute)
        _check_window(config, names[seat.kind], (low, high), latest, times)
        allowed = (seat.minute,) if seat.minute in held else tuple(sorted(set(times)))
        levers.append(Lever(seat.minute, allowed, ("appointment", seat.kind), spread=True))
    begun = levers if at_once is None else _repaired(levers, at_once)
    return Template(config, seats, tuple(begun), at_once)


def _repaired(levers: Sequence[Lever], at_once: int) -> list[Lever]:
    """The levers, beginning with a book that has no more than so many appointments at one time."""
    if at_once < 1:
        raise ValueError(f"at_once is {at_once!r}, but must be at least 1")
    times = seated([lever.first for lever in levers], [lever.allowed for lever in levers], at_once)
    if times is None:
        places = len({minute for lever in levers for minute in lever.allowed})
        raise ValueError(
            f"with at most {at_once} appointment{'s' if at_once > 1 else ''} at one time, the {len(levers)} patients "
            f"do not fit: they may have {places} different times, and some of them only few of those"
        )
    return [lever._replace(start=minute) for lever, minute in zip(levers, times, strict=True)]


def _check_window(config: Lab, name: str, window: tuple[int, int], latest: int, times: Sequence[int]) -> None:
    if not times:
        clock = config.hours.clock
        raise ValueError(
            f"the window of {name}, {clock(window[0])} to {clock(window[1])}, has no time of the grid up to "
            f"{clock(latest)}, so that its patients do not fit"
        )

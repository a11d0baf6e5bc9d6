"""A better book, looked for on common days: descent with line search, on few days first and then on many.

Every book is played on the same days, and each patient keeps their luck when their appointment moves, so that few days
are enough to tell a better book from a worse one (:mod:`echo_env.lab.day.draw`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from echo_env.lab.config.lab import Lab
from echo_env.lab.optimise.books import Seat, Times, seats_of, with_times
from echo_env.lab.optimise.objective import Objective, Scores

FEW, MANY = 150, 800
"""Days of the first descent and of the second."""
_STRICT = 10.0
"""How dear it is if a protected metric rises: see :meth:`Bench.cost`."""
_COARSE = 4
"""Steps of the grid between the times that a line search looks at first."""
_KEPT = 40
"""Moves that the front looks at again after each one it has made."""


class TimeIsUp(Exception):
    """The time for the search is over."""


@dataclass
class Clock:
    """When a search has to end.

    :param seconds: from now on
    """

    seconds: float
    begun: float = field(default_factory=time.monotonic)

    def check(self) -> None:
        """Go on, or not.

        :raises TimeIsUp: the time is over
        """
        if time.monotonic() - self.begun > self.seconds:
            raise TimeIsUp


@dataclass(frozen=True)
class Choice:
    """The books that are allowed.

    :param seats: the patients, with today's times
    :param allowed: (seats) the minutes at which each may stand, ascending, at least one
    """

    seats: tuple[Seat, ...]
    allowed: tuple[tuple[int, ...], ...]

    @property
    def today(self) -> Times:
        """The book as it is."""
        return tuple(seat.minute for seat in self.seats)

    @property
    def first(self) -> Times:
        """The allowed book that is nearest to today's: today's itself, unless an appointment is outside its window."""
        pairs = zip(self.seats, self.allowed, strict=True)
        return tuple(min(times, key=lambda minute: abs(minute - seat.minute)) for seat, times in pairs)


class Bench:
    """Books, played on the same days and compared with today's.

    :param objective: what is made smaller
    :param config: the lab
    :param choice: the books that are allowed
    :param days: number of days
    :param clock: ends the search
    """

    def __init__(self, objective: Objective, config: Lab, choice: Choice, days: int, clock: Clock) -> None:
        self.objective, self.config, self.choice, self.days = objective, config, choice, days
        self._clock = clock
        self._known: dict[Times, float] = {}
        today = self.scores(choice.today)
        self._today = today.protected
        # What a rise is measured in, so that metrics of different units count alike.
        self._units = np.maximum(today.protected.mean(axis=1) + today.protected.std(axis=1), 1e-9)
        self._scale = max(abs(float(today.objective.mean())), 1e-9)

    @property
    def played(self) -> int:
        """How many books were played."""
        return len(self._known)

    def scores(self, times: Times) -> Scores:
        """Play a book.

        :param times: of each seat
        :raises TimeIsUp: the time is over
        """
        self._clock.check()
        return self.objective.scores(with_times(self.config, self.choice.seats, times), 0, self.days)

    def cost(self, times: Times) -> float:
        """The mean objective, and more where a protected metric may be above today's.

        That is, where the mean paired difference and two of its standard errors are above 0; each hundredth of the
        metric's mean and spread costs a tenth of today's objective.

        :param times: of each seat
        """
        if times not in self._known:
            scores = self.scores(times)
            more = scores.protected - self._today
            sure = more.mean(axis=1) + 2 * more.std(axis=1) / np.sqrt(self.days)
            rise = np.maximum(sure, 0) / self._units
            self._known[times] = float(scores.objective.mean()) + _STRICT * self._scale * float(rise.sum())
        return self._known[times]


def descend(bench: Bench, times: Times, rng: np.random.Generator, seats: Sequence[int] | None = None) -> Times:
    """Move one appointment after the other to its best time, until no move helps.

    :param bench: plays the books
    :param times: the book to begin with
    :param rng: order of the appointments
    :param seats: which may move; by default all
    """
    movable = [seat for seat in range(len(times)) if len(bench.choice.allowed[seat]) > 1]
    if seats is not None:
        movable = [seat for seat in movable if seat in set(seats)]
    before = None
    try:
        while before != times:
            before = times
            for seat in rng.permutation(movable).tolist():
                times = _best_time(bench, times, seat)
    except TimeIsUp:
        pass
    return times


def _best_time(bench: Bench, times: Times, seat: int) -> Times:
    """The book with one appointment at its best time: a coarse look at all times, then a close one at the best."""
    grid = bench.choice.allowed[seat]
    here = grid.index(times[seat])
    best = _cheapest(bench, times, seat, {here - 1, here, here + 1, *range(here % _COARSE, len(grid), _COARSE)})
    found = grid.index(best[seat])
    if found != here:
        for step in (_COARSE // 2, 1):
            found = grid.index(best[seat])
            best = _cheapest(bench, times, seat, {found - step, found, found + step})
    return best


def _cheapest(bench: Bench, times: Times, seat: int, places: Iterable[int]) -> Times:
    """The cheapest of the books with one appointment at some places of its grid; the book as it is wins ties."""
    grid = bench.choice.allowed[seat]
    books = [moved(times, seat, grid[place]) for place in sorted(places) if 0 <= place < len(grid)]
    return min(books, key=lambda book: (bench.cost(book), book != times))


def moved(times: Times, seat: int, minute: int) -> Times:
    """A book with one appointment at another time.

    :param times: of each seat
    :param seat: number of the seat
    :param minute: its new time
    """
    return (*times[:seat], minute, *times[seat + 1 :])


def front(bench: Bench, close: Bench, most: int, rng: np.random.Generator) -> list[Times]:
    """Books with one move, two moves, up to ``most``: each adds the move that helps most, and mends those before it.

    :param bench: plays on few days, to find moves
    :param close: plays on many, to choose among the best
    :param most: largest number of moves
    :param rng: order in which moves are mended
    """
    today = times = bench.choice.first
    books: list[Times] = []
    worth: dict[tuple[int, int], float] = {}
    try:
        for number in range(1, most + 1):
            for move in _candidates(bench, times, today, worth):
                worth[move] = bench.cost(moved(times, *move))
            ranked = sorted(worth, key=lambda move: (worth[move], move))
            ranked = [move for move in ranked if times[move[0]] == today[move[0]]][: _KEPT // 4]
            if not ranked:
                break
            # The first few are alike on few days: many days choose.
            best = min(ranked, key=lambda move: (close.cost(moved(times, *move)), move))
            times = moved(times, *best)
            if number > 1:
                changed = [seat for seat in range(len(times)) if times[seat] != today[seat]]
                times = descend(close, times, rng, changed)
            if close.cost(times) >= close.cost(books[-1] if books else today):
                break
            books.append(times)
    except TimeIsUp:
        pass
    return books


def _candidates(bench: Bench, times: Times, today: Times, worth: dict[tuple[int, int], float]) -> list[tuple[int, int]]:
    """Moves (seat, minute) to be looked at: all of them first, later the best of before.

    Of several appointments of a type at the same time the first stands for all.
    """
    first: dict[tuple[int, int], int] = {}
    for seat, own in enumerate(bench.choice.seats):
        if times[seat] == today[seat]:
            first.setdefault((own.kind, times[seat]), seat)
    fresh = [
        (seat, minute) for seat in first.values() for minute in bench.choice.allowed[seat] if minute != times[seat]
    ]
    if not worth:
        return fresh
    ranked = sorted((move for move in fresh if move in worth), key=lambda move: (worth[move], move))
    # A seat that now stands for its like has not been looked at yet.
    return ranked[:_KEPT] + [move for move in fresh if move not in worth]


def starts(choice: Choice, count: int, rng: np.random.Generator) -> list[Times]:
    """Books to begin with: today's, one spread evenly over the day, and today's with a third of it moved at random.

    :param choice: the books that are allowed
    :param count: how many
    :param rng: of the moves
    """
    books = [choice.first]
    if count > 1:
        books.append(_spread_evenly(choice))
    while len(books) < count:
        times = choice.first
        for seat in rng.permutation(len(times))[: len(times) // 3].tolist():
            times = moved(times, seat, int(rng.choice(choice.allowed[seat])))
        books.append(times)
    return books


def _spread_evenly(choice: Choice) -> Times:
    """Each type's appointments at even distances over the times that they may have."""
    times = list(choice.first)
    for kind in {seat.kind for seat in choice.seats}:
        own = sorted((seat.minute, k) for k, seat in enumerate(choice.seats) if seat.kind == kind)
        for number, (_, k) in enumerate(own):
            grid = choice.allowed[k]
            times[k] = grid[round((number + 0.5) / len(own) * (len(grid) - 1))]
    return tuple(times)


def choice_of(
    config: Lab,
    grid_min: int,
    latest: int,
    held: frozenset[int] = frozenset(),
    windows: dict[int, tuple[int, int]] | None = None,
) -> Choice:
    """The books of a lab on a grid of times.

    :param config: the lab
    :param grid_min: minutes between the times, from opening on
    :param latest: last time, minutes since opening
    :param held: times that stay as they are
    :param windows: exam type -> first and last minute
    :raises ValueError: a window without a time of the grid; names its type
    """
    seats = seats_of(config.plan)
    allowed = []
    for seat in seats:
        low, high = (windows or {}).get(seat.kind, (0, latest))
        times = {minute for minute in range(0, latest + 1, grid_min) if low <= minute <= high}
        if low <= seat.minute <= high:
            times.add(seat.minute)
        if not times:
            name, clock = config.plan.types[seat.kind].name, config.hours.clock
            raise ValueError(
                f"the window of {name}, {clock(low)} to {clock(high)}, has no time of the grid up to {clock(latest)}, "
                "so that its patients do not fit"
            )
        allowed.append((seat.minute,) if seat.minute in held else tuple(sorted(times)))
    return Choice(seats, tuple(allowed))

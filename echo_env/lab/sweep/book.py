"""Variants of an appointment book: thinned, extended, or another lab's."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Sequence

from echo_env.lab.config import KINDS, Appointments, ConfigError, ExamKind, Hours, LabConfig
from echo_env.lab.config.clock import clock_text

OWN = "own"
"""Name of the lab's own book among templates."""
MOST = 999
"""Largest number of appointments a day."""


def spread(times: Sequence[int], count: int) -> tuple[int, ...]:
    """A given number of times, evenly thinned or repeated.

    Of n times, the i-th of m is number floor((i + 1/2) n / m), counted from 0: with m = n all of them, with m = 2 n
    each one twice.

    >>> spread((0, 30, 60, 90), 2), spread((0, 30), 3)
    ((30, 90), (0, 30, 30))

    :param times: (n,) minutes, ascending
    :param count: number of times m; must be 0 if ``times`` is empty
    """
    return tuple(times[(2 * i + 1) * len(times) // (2 * count)] for i in range(count)) if times else ()


def with_count(times: Sequence[int | None], count: int, path: str) -> tuple[int | None, ...]:
    """A list with a given number of appointments, evenly thinned or repeated.

    Appointments that are left out leave their place empty and repeated ones come last, so that all others keep their
    random numbers.

    >>> with_count((0, 30, 60, 90), 2, "appointments"), with_count((0, 30), 3, "appointments")
    ((None, 30, None, 90), (0, 30, 30))

    :param times: places with times in any order, or None for those left empty
    :param count: number of appointments, 0 to :data:`MOST`
    :param path: of the field, for messages
    :raises ConfigError: a count out of bounds, or no appointment to repeat
    """
    _check(path, count)
    places = sorted((time, place) for place, time in enumerate(times) if time is not None)
    if count and not places:
        raise ConfigError(f"{path} is {count}, but there is no appointment to repeat")
    chosen = [places[number] for number in spread(range(len(places)), count)]
    kept = {place for _, place in chosen}
    first = tuple(time if place in kept else None for place, time in enumerate(times))
    more = Counter(chosen) - Counter(set(chosen))
    return (*first, *(time for time, _ in sorted(more.elements())))


def with_kind(book: Appointments, kind: ExamKind, count: int) -> Appointments:
    """A book with a given number of appointments of one kind.

    :param book: the template
    :param kind: ``fetal`` or ``non_fetal``
    :param count: number of appointments of that kind, 0 to :data:`MOST`
    :raises ConfigError: a count out of bounds, or the template has no appointment to repeat
    """
    path = f"appointments.{kind}_per_day"
    _check(path, count)
    if count and not any(time is not None for time in getattr(book, kind)):
        raise ConfigError(f"{path} is {count}, but the template has no {kind} appointment to repeat")
    return dataclasses.replace(book, **{kind: with_count(getattr(book, kind), count, path)})


def with_total(book: Appointments, total: int) -> Appointments:
    """A book with a given number of appointments; each kind keeps its share (largest remainder, ties to fetal).

    :param book: the template
    :param total: number of appointments, 0 to :data:`MOST`
    :raises ConfigError: a count out of bounds, or an empty book
    """
    _check("appointments.per_day", total)
    # The two remainders add up to one appointment or to none, so that the larger one decides.
    fetal, rest = divmod(len(book.times("fetal")) * total, len(book))
    fetal += 2 * rest >= len(book)
    path = "appointments.per_day"
    return Appointments(with_count(book.fetal, fetal, path), with_count(book.non_fetal, total - fetal, path))


def scaled(book: Appointments, factor: float) -> Appointments:
    """A book with a multiple of the appointments, rounded (half up).

    :param book: the template
    :param factor: at least 0; 1 leaves the book unchanged
    :raises ConfigError: a negative factor, more than :data:`MOST` appointments, or an empty book
    """
    if factor < 0:
        raise ConfigError(f"appointments.scale is {factor!r}, but must be a number of at least 0")
    return with_total(book, math.floor(len(book) * factor + 0.5))


def template_of(source: str, hours: Hours) -> Appointments:
    """The book of another lab, at the same clock times.

    :param source: a preset or a YAML file
    :param hours: hours of the lab that takes the book over
    :raises ConfigError: no such lab, or an appointment before opening
    """
    other = LabConfig.load(source)
    return moved(other.appointments, other.hours, hours)


def moved(book: Appointments, hours: Hours, other: Hours) -> Appointments:
    """A book at the same clock times in a lab with other hours.

    :param book: the book, in minutes since the opening of ``hours``
    :param hours: the hours so far
    :param other: the new hours
    :raises ConfigError: an appointment before opening; names its time
    """
    clock = ([None if time is None else hours.opening_min + time for time in getattr(book, kind)] for kind in KINDS)
    return Appointments(*(since_opening(times, other) for times in clock))


def since_opening(times: Sequence[int | None], hours: Hours) -> tuple[int | None, ...]:
    """Minutes after midnight as minutes since opening; each keeps its place, and None is an empty one.

    :raises ConfigError: a time before opening; names it
    """
    early = min((time for time in times if time is not None), default=hours.opening_min)
    if early < hours.opening_min:
        said = [clock_text(time) for time in (early, hours.opening_min)]
        raise ConfigError(f"appointments has one at {said[0]}, but the lab opens at {said[1]}")
    return tuple(None if time is None else time - hours.opening_min for time in times)


def _check(path: str, count: int) -> None:
    if not 0 <= count <= MOST:
        raise ConfigError(f"{path} is {count}, but must be a whole number from 0 to {MOST}")

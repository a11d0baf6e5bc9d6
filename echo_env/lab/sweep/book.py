"""Other appointment books: thinner, fuller, or another lab's."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from echo_env.lab.config import Appointments, ConfigError, Hours, LabConfig
from echo_env.lab.config.clock import clock_text

OWN = "own"
"""In place of a template: the lab's own."""
MOST = 999
"""Appointments a day."""


def spread(times: Sequence[int], count: int) -> tuple[int, ...]:
    """So many of some times, evenly: thinned where there are more, repeated where there are fewer.

    Of n times the i-th of m is number floor((i + 1/2) n / m), counted from 0. With m = n that is every one; with
    m = 2 n each comes twice.

    >>> spread((0, 30, 60, 90), 2), spread((0, 30), 3)
    ((30, 90), (0, 30, 30))

    :param times: minutes, ascending
    :param count: how many are wanted; 0 only where there are none to repeat
    """
    return tuple(times[(2 * i + 1) * len(times) // (2 * count)] for i in range(count)) if times else ()


def with_kind(book: Appointments, kind: str, count: int) -> Appointments:
    """A book with so many appointments of one kind.

    :param book: the template
    :param kind: ``fetal`` or ``non_fetal``
    :param count: how many, 0 to :data:`MOST`
    :raises ConfigError: a count out of bounds, or there is nothing to repeat
    """
    times = getattr(book, kind)
    _check(f"appointments.{kind}_per_day", count)
    if count and not times:
        raise ConfigError(
            f"appointments.{kind}_per_day is {count}, but the template has no {kind} appointment to repeat"
        )
    return dataclasses.replace(book, **{kind: spread(times, count)})


def with_total(book: Appointments, total: int) -> Appointments:
    """A book with so many appointments, of which each kind keeps its share (largest remainder, ties to fetal).

    :param book: the template
    :param total: how many, 0 to :data:`MOST`
    :raises ConfigError: a count out of bounds, or none at all
    """
    _check("appointments.per_day", total)
    # Both remainders add up to 1, unless there are none.
    fetal, rest = divmod(len(book.fetal) * total, len(book))
    fetal += 2 * rest >= len(book)
    return Appointments(spread(book.fetal, fetal), spread(book.non_fetal, total - fetal))


def scaled(book: Appointments, factor: float) -> Appointments:
    """A book with that many times the appointments, rounded (a half up).

    :param book: the template
    :param factor: 1 leaves it as it is
    :raises ConfigError: negative, or more than :data:`MOST` appointments, or none at all
    """
    if factor < 0:
        raise ConfigError(f"appointments.scale is {factor!r}, but must be a number of at least 0")
    return with_total(book, math.floor(len(book) * factor + 0.5))


def template_of(source: str, hours: Hours) -> Appointments:
    """The book of another lab, at its clock times.

    :param source: a preset or a YAML file
    :param hours: of the lab that is to have it
    :raises ConfigError: there is no such lab, or it books somebody before this one opens
    """
    other = LabConfig.load(source)
    return moved(other.appointments, other.hours, hours)


def moved(book: Appointments, hours: Hours, other: Hours) -> Appointments:
    """The same clock times in a lab that opens at another time.

    :param book: minutes since ``hours`` open
    :param hours: as they were
    :param other: as they are to be
    :raises ConfigError: names an appointment before opening
    """
    kinds = (book.fetal, book.non_fetal)
    return Appointments(*(since_opening([hours.opening_min + time for time in kind], other) for kind in kinds))


def since_opening(times: Sequence[int], hours: Hours) -> tuple[int, ...]:
    """Minutes after midnight as minutes since opening.

    :raises ConfigError: names one before opening
    """
    if times and min(times) < hours.opening_min:
        early, opening = (clock_text(time) for time in (min(times), hours.opening_min))
        raise ConfigError(f"appointments has one at {early}, but the lab opens at {opening}")
    return tuple(time - hours.opening_min for time in times)


def _check(path: str, count: int) -> None:
    if not 0 <= count <= MOST:
        raise ConfigError(f"{path} is {count}, but must be a whole number from 0 to {MOST}")

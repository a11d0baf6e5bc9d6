"""The appointment book: that of a typical day, or one for each weekday."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from echo_env.lab.calibration.fitting.estimates import FitError
from echo_env.lab.calibration.visits import Visits

if TYPE_CHECKING:
    import pandas as pd

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MOST_UNKNOWN = 0.1
"""Share of rows of a day whose booking is unknown beyond which the day is incomplete."""
_LEAST_OF_EACH = 2
"""Days of a weekday that its own book takes."""


@dataclass(frozen=True)
class Book:
    """An appointment book.

    :param times: exam type -> appointments, minutes after midnight, ascending
    :param counts: day -> exam type -> number of booked exams
    :param used: the days that the times come from
    :param incomplete: days where more than a tenth of the rows do not tell whether an exam was booked; used only if
        requested, or if there is no other
    :param left_out: booked rows of the used days whose type or time is unknown
    """

    times: dict[str, tuple[int, ...]]
    counts: dict[str, dict[str, int]]
    used: tuple[str, ...]
    incomplete: tuple[str, ...]
    left_out: int

    @property
    def appointments(self) -> int:
        """Appointments of all types."""
        return sum(map(len, self.times.values()))


def typical_book(visits: Visits, leads: Mapping[str, int], day: str | None = None) -> Book:
    """The appointments of one day, or those of an average day over all complete days.

    :param visits: the visits
    :param leads: exam type -> minutes from expected check-in to appointment, for rows that have the former alone
    :param day: use the appointments of this day, or of the sheet of this name, unchanged
    :raises ValueError: no such day, or nothing was booked on it; lists the days
    """
    incomplete = _incomplete(visits)
    if day is None:
        used = tuple(one for one in visits.days if one not in incomplete) or visits.days
        return _book(visits, leads, used, incomplete)
    table = visits.table
    own = table[(table["day"] == day) | (table["sheet"] == day)]
    if not (own["booked"] == "yes").any():
        raise ValueError(f"day is {day!r}, but must be a day with appointments: {', '.join(visits.days)}")
    return _book(visits, leads, tuple(dict.fromkeys(own["day"])), incomplete)


def weekday_books(visits: Visits, leads: Mapping[str, int]) -> dict[str, Book]:
    """A book for each weekday, as :func:`typical_book` makes it of that weekday's days.

    There are none where a weekday that occurs was recorded less than twice, where a day has no date, where there is
    one weekday only, or where all weekdays have the same book.

    :param visits: the visits
    :param leads: as for :func:`typical_book`
    """
    incomplete = _incomplete(visits)
    days: dict[str, list[str]] = {}
    for day in visits.days:
        if day not in incomplete:
            days.setdefault(_weekday(day), []).append(day)
    if "" in days or len(days) < 2 or any(len(own) < _LEAST_OF_EACH for own in days.values()):
        return {}
    books = {weekday: _book(visits, leads, tuple(days[weekday]), incomplete) for weekday in WEEKDAYS if weekday in days}
    different = {tuple(sorted(book.times.items())) for book in books.values()}
    return books if len(different) > 1 else {}


def _weekday(day: str) -> str:
    """Its name; empty where the day has no date."""
    try:
        return WEEKDAYS[dt.date.fromisoformat(day).weekday()]
    except ValueError:
        return ""


def _incomplete(visits: Visits) -> tuple[str, ...]:
    unknown = (visits.table["booked"] == "unknown").groupby(visits.table["day"]).mean()
    return tuple(day for day in visits.days if unknown[day] > _MOST_UNKNOWN)


def _book(visits: Visits, leads: Mapping[str, int], used: tuple[str, ...], incomplete: tuple[str, ...]) -> Book:
    booked = visits.table[visits.table["booked"] == "yes"]
    rows = booked[booked["day"].isin(used)]
    times = appointment_times(rows, leads)
    known, types = times.notna() & (rows["type"] != ""), visits.types
    own = {name: _spread(times[known & (rows["type"] == name)].astype(int).tolist(), len(used)) for name in types}
    if not any(own.values()) and not visits.table["unscheduled"].any():
        raise FitError(f"{visits.name} has no row with both an appointment and an exam type")
    count = booked.groupby(["day", "type"]).size()
    counts = {day: {name: int(count.get((day, name), 0)) for name in types} for day in visits.days}
    return Book(own, counts, used, incomplete, int((~known).sum()))


def appointment_times(rows: pd.DataFrame, leads: Mapping[str, int]) -> pd.Series:
    """The appointment of each row, minutes after midnight: where it is missing, by the expected check-in.

    :param rows: rows of the table of visits
    :param leads: exam type -> minutes from expected check-in to appointment
    """
    lead = rows["type"].map(lambda name: leads.get(name, 0)).astype("Int64")
    return rows["scheduled"].fillna(rows["expected"] + lead)


def _spread(times: Sequence[int], days: int) -> tuple[int, ...]:
    """The times at evenly spaced ranks, as many as the rounded mean number a day.

    Every time was in use, and busy hours stay busy.
    """
    ordered, count = sorted(times), round(len(times) / days)
    return tuple(int(ordered[int((k + 0.5) * len(ordered) / count)]) for k in range(count))

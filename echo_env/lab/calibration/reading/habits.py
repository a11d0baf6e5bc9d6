"""How a file writes times, found from all cells of its columns before its rows are read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from statistics import median
from typing import Any, NamedTuple

from echo_env.lab.calibration.reading.cells import HOURS, POINTS, TIME, read_time
from echo_env.lab.calibration.reading.columns import Layout
from echo_env.lab.calibration.reading.dates import day_first_in
from echo_env.lab.calibration.reading.fields import holds
from echo_env.lab.calibration.reading.grids import Rows, column_letters, text_of

_NUMBER = re.compile(r"\d{1,2}(?:[.,]\d+)?")
_LEAST_SHARE = 0.1
"""Share of the numbers of a column that must be impossible as hours and minutes for them to be hours."""
_NOON_MIN, _NIGHT_MIN = 13 * 60, 6 * 60
_SHORTEST_HOURS, _LONGEST_HOURS = 0.2, 5.0
"""Between these, the median of a column of lengths is one of hours; below it is one of days, above it of minutes."""


class Habits(NamedTuple):
    """How a file writes times.

    :param day_first: whether 03/02/2026 is 3 February; None where no such date stands in the file
    :param twelve_hours: whether its clocks may be ones of twelve hours: hardly any time is written as one past 13:00
    :param units: column -> :data:`~.cells.HOURS` or :data:`~.cells.POINTS`, where its numbers are not minutes or days
    """

    day_first: bool | None
    twelve_hours: bool
    units: dict[str, str]


def habits_of(file: str, sheets: Mapping[str, Rows], layouts: Mapping[str, Layout], day_first: bool | None) -> Habits:
    """How a file writes times.

    :param file: name of the file, for messages
    :param sheets: name of a sheet -> its rows
    :param layouts: the sheets with visits, and their headers
    :param day_first: as its owner says
    :raises SheetError: dates that may begin with the day or with the month
    """
    columns: dict[str, list[tuple[str, Any]]] = {}
    for sheet, layout in layouts.items():
        for number, values in sheets[sheet].items():
            if number > layout.row:
                for column, k in layout.columns.items():
                    if holds(column) in ("date", "moment", "spell", "length") and text_of(values[k]):
                        columns.setdefault(column, []).append((f"{sheet}!{column_letters(k)}{number}", values[k]))
    if day_first is None:
        dated = (cell for column, cells in columns.items() if holds(column) != "length" for cell in cells)
        day_first = day_first_in(dated, file)
    each = {column: [value for _, value in cells] for column, cells in columns.items() if holds(column) != "date"}
    units = {column: unit for column, values in each.items() if (unit := _unit(column, values))}
    written = [value for column, values in each.items() if holds(column) != "length" for value in values]
    return Habits(day_first, _twelve_hours(written), units)


def _numbers(values: Iterable[Any]) -> Iterator[float]:
    """The numbers of at most two digits before the point, also as text."""
    for value in values:
        if isinstance(value, (int, float, str)) and not isinstance(value, bool):
            text = text_of(value)
            if _NUMBER.fullmatch(text) and float(text.replace(",", ".")) < 24:
                yield float(text.replace(",", "."))


def _unit(column: str, values: list[Any]) -> str:
    """What the numbers of a column are; empty where they are what they are taken for anyway."""
    numbers = [number for number in _numbers(values) if number > 0]
    if 2 * len(numbers) <= len(values):
        return ""
    if holds(column) == "length":
        broken = any(number != int(number) for number in numbers)
        return HOURS if broken and _SHORTEST_HOURS < median(numbers) < _LONGEST_HOURS else ""
    if median(numbers) < 1:  # fractions of a day
        return ""
    no_minutes = sum(round(number % 1 * 100, 6) >= 60 or round(number * 100, 6) % 1 > 0 for number in numbers)
    return HOURS if no_minutes > _LEAST_SHARE * len(numbers) else POINTS


def _twelve_hours(values: list[Any]) -> bool:
    """Whether times past 13:00 are rare beside times before 06:00; a sample of the cells shows it."""
    read = [read_time(value) for value in values[:: max(1, len(values) // 2000)]]
    minutes = [cell.minute for cell in read if cell.content == TIME and cell.minute is not None and not cell.sure]
    past_noon = sum(minute >= _NOON_MIN for minute in minutes)
    at_night = sum(minute < _NIGHT_MIN for minute in minutes)
    return at_night > 0 and 10 * past_noon <= at_night

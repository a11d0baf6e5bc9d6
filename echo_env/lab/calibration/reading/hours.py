"""Times of one row put into the hours of a day: clocks of twelve hours, and slips of half a day."""

from __future__ import annotations

from collections.abc import Mapping

from echo_env.lab.calibration.reading.cells import DAY_MIN, UNREAD, SheetCell

EARLIEST, LATEST, HALF_DAY = 6 * 60, 20 * 60, 12 * 60
_AROUND = 60
"""A time moved by half a day must be within this many minutes of the range of the row's other times."""
_FAR = 4 * 60
"""A time before 08:00 that is so many minutes before all others of its row is one of the evening."""


def into_hours(cells: Mapping[str, SheetCell], twelve_hours: bool) -> dict[str, SheetCell]:
    """The cells of a row that are changed, so that all times lie in the hours and make sense together.

    A clock of twelve hours without am and pm shows times from 13:00 on as ones before 06:00, and those from 18:00 on as
    ones before 08:00. Where the row has times within the hours, the others must fit these; where it has none, all are
    of the afternoon.

    :param cells: column -> cell with a clock time
    :param twelve_hours: whether the file may have clocks of twelve hours; else a row of the night is one
    """
    outside = {column for column, cell in cells.items() if not cell.sure and not _open(_minute(cell))}
    # Times that may be of the morning or of the evening.
    either = {column for column, cell in cells.items() if not cell.sure and _open(_minute(cell) + HALF_DAY)} - outside
    changed = _moved(cells, outside, twelve_hours)
    unfit = [column for column, cell in changed.items() if cell.minute is None]
    if not twelve_hours or not either:
        return changed
    if len(either) == len(cells):
        return {column: cell._replace(rule="morning_or_evening") for column, cell in cells.items()}
    if unfit:
        evening = _moved(cells, outside | either, twelve_hours)
        return changed if any(cell.minute is None for cell in evening.values()) else evening
    times = {column: _minute(changed.get(column, cell)) for column, cell in cells.items()}
    others = [minute for column, minute in times.items() if column not in either]
    if others and max(times[column] for column in either) + _FAR < min(others):
        evening = _moved(cells, outside | either, twelve_hours)
        changed |= {column: cell for column, cell in evening.items() if column in either and cell.minute is not None}
    return changed


def _moved(cells: Mapping[str, SheetCell], columns: set[str], twelve_hours: bool) -> dict[str, SheetCell]:
    """Some cells moved by half a day, or without a time where that does not fit the others."""
    fixed = [_minute(cell) for column, cell in cells.items() if column not in columns]
    changed = {}
    for column in cells:
        if column in columns:
            minute = (_minute(cells[column]) + HALF_DAY) % DAY_MIN
            near = min(fixed) - _AROUND <= minute <= max(fixed) + _AROUND if fixed else twelve_hours and _open(minute)
            slip = cells[column]._replace(minute=minute, rule="half_day_slip")
            changed[column] = slip if near else SheetCell(UNREAD, None, "outside_hours")
    return changed


def _open(minute: int) -> bool:
    return EARLIEST <= minute < LATEST


def _minute(cell: SheetCell) -> int:
    return cell.minute or 0

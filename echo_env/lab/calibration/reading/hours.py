"""Times of one row put into the hours of a day: clocks of twelve hours, and slips of half a day."""

from __future__ import annotations

from collections.abc import Mapping

from echo_env.lab.calibration.reading.cells import DAY_MIN, TIME, UNREAD, SheetCell

EARLIEST, LATEST, HALF_DAY = 6 * 60, 20 * 60, 12 * 60
_AROUND = 60
"""A time moved by half a day must be within this many minutes of the range of the row's other times."""
_FAR = 4 * 60
"""A time before 08:00 that is so many minutes before all others of its row may be one of the evening."""


def into_hours(cells: Mapping[str, SheetCell], twelve_hours: bool) -> dict[str, SheetCell]:
    """The cells of a row that are changed, so that all times lie in the hours and make sense together.

    A clock of twelve hours without am and pm shows times from 13:00 on as ones before 06:00. Where the row has times
    within the hours, they must fit these; where it has none, all are of the afternoon.

    :param cells: column -> cell with a clock time
    :param twelve_hours: whether the file may have clocks of twelve hours; else a row of the night is one
    """
    inside = [cell.minute for cell in cells.values() if cell.minute is not None and (cell.sure or _open(cell.minute))]
    changed = {}
    for column, cell in cells.items():
        if cell.minute is None or cell.minute in inside:
            continue
        moved = (cell.minute + HALF_DAY) % DAY_MIN
        fits = min(inside) - _AROUND <= moved <= max(inside) + _AROUND if inside else twelve_hours and _open(moved)
        changed[column] = cell._replace(minute=moved, rule="half_day_slip") if fits else _outside(cell)
    for column, cell in cells.items():
        others = [
            one.minute
            for name, one in {**cells, **changed}.items()
            if name != column and one.content == TIME and one.minute is not None
        ]
        if not twelve_hours or column in changed or cell.minute is None or cell.sure or not others:
            continue
        moved = cell.minute + HALF_DAY
        if cell.minute + _FAR < min(others) and _open(moved) and moved <= max(others) + _AROUND:
            changed[column] = cell._replace(minute=moved, rule="half_day_slip")
    return changed


def _open(minute: int) -> bool:
    return EARLIEST <= minute < LATEST


def _outside(cell: SheetCell) -> SheetCell:
    return cell._replace(content=UNREAD, minute=None, rule="outside_hours")

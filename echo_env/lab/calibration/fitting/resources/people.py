"""Who was there on which day: names in cells, and the working day of each member of staff."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Ints = NDArray[np.int64]

LEAST_DAYS_WORKED = 20
"""Working days of members of staff from which shifts and lunch can be told."""
_QUARTER = 15
_APART_MIN = 60
"""Minutes by which two shifts begin and end apart at least."""
_LEAST_SHARE = 0.2
"""Share of the working days that each of two shifts has at least."""
_EXPLAINED = 0.8
"""Share of the variance of first exams that two shifts explain; any two halves of an even spread explain 0.75."""
_MIDDAY = 10 * 60 + 30, 14 * 60 + 30
_LEAST_LUNCH, _MOST_LUNCH = 20, 60
_TIGHT_MIN = 10
"""Minutes by which a gap is longer than lunch at most where it shows when lunch is taken."""
_ODD = 50
"""One of so many working days is taken to be an exception."""


def names_in(cells: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Cell -> who it stands for: of several in a cell those who are also seen alone, else all of them as one.

    :param cells: of rooms or of staff, none empty
    """
    parts = {cell: tuple(part.strip() for part in cell.split("/") if part.strip()) for cell in set(cells)}
    alone = {own[0] for own in parts.values() if len(own) == 1}
    return {cell: tuple(part for part in own if part in alone) or (cell,) for cell, own in parts.items()}


class WorkingDay(NamedTuple):
    """The exams of a member of staff on a day.

    :param day: the day
    :param name: initials
    :param begins: (n,) minutes after midnight, ascending
    :param ends: (n,) ends of the same exams; where one is not recorded, its begin
    """

    day: str
    name: str
    begins: Ints
    ends: Ints

    @property
    def first(self) -> int:
        """Begin of the first exam."""
        return int(self.begins[0])

    @property
    def last(self) -> int:
        """End of the last exam."""
        return int(self.ends.max())


def working_days(exams: pd.DataFrame) -> list[WorkingDay]:
    """The working days of all members of staff.

    :param exams: rows of the table of visits that have a begin
    """
    named = exams[exams["staff"] != ""]
    names = names_in(named["staff"])
    rows = named.assign(end=named["end"].fillna(named["begin"]), name=named["staff"].map(names)).explode("name")
    found = []
    for (day, name), own in rows.sort_values("begin").groupby(["day", "name"], sort=False):
        found.append(WorkingDay(day, name, own["begin"].to_numpy(np.int64), own["end"].to_numpy(np.int64)))
    return found


class Shifts(NamedTuple):
    """Two shifts that members of staff have.

    :param early: begin and end of the early one, minutes after midnight
    :param late: of the late one
    :param split: who begins the first exam from this minute on has the late one
    """

    early: tuple[int, int]
    late: tuple[int, int]
    split: int

    def of(self, worked: WorkingDay) -> str:
        """The shift of a working day, ``early`` or ``late``.

        :param worked: the working day
        """
        return "late" if worked.first >= self.split else "early"


def two_shifts(worked: list[WorkingDay]) -> Shifts | None:
    """Two shifts, if first exams fall into two groups whose last exams are apart as well; else None.

    :param worked: the working days
    """
    several = [one for one in worked if len(one.begins) > 1]
    if len(several) < LEAST_DAYS_WORKED:
        return None
    first, last = np.array([one.first for one in several]), np.array([one.last for one in several])
    splits = [minute for minute in np.unique(first) if _LEAST_SHARE <= (first >= minute).mean() <= 1 - _LEAST_SHARE]
    if not splits:
        return None
    explained = [_explained(first, first >= split) for split in splits]
    split = int(splits[int(np.argmax(explained))])
    late = first >= split
    begins_apart = first[late].mean() - first[~late].mean()
    ends_apart = np.median(last[late]) - np.median(last[~late])
    if max(explained) < _EXPLAINED or min(begins_apart, ends_apart) < _APART_MIN:
        return None
    return Shifts(_span(first[~late], last[~late]), _span(first[late], last[late]), split)


def _explained(values: Ints, second: NDArray[np.bool_]) -> float:
    """Share of the variance that is between two groups."""
    share = second.mean()
    between = share * (1 - share) * (values[second].mean() - values[~second].mean()) ** 2
    return float(between / max(values.var(), 1e-9))


def _span(first: Ints, last: Ints) -> tuple[int, int]:
    """From the earliest first exams to the latest last ones, in quarters of an hour, without a few exceptions."""
    begin, end = np.quantile(first, 0.05, method="lower"), np.quantile(last, 0.95, method="higher")
    return int(begin // _QUARTER * _QUARTER), int(-(-end // _QUARTER) * _QUARTER)


class Lunch(NamedTuple):
    """A lunch that gaps between exams show.

    :param minutes: its length
    :param window: begin and end of the time in which it is taken, minutes after midnight
    :param rows: number of working days that show it
    """

    minutes: int
    window: tuple[int, int]
    rows: int


def lunch_seen(worked: list[WorkingDay]) -> Lunch | None:
    """A lunch, if everybody who works across midday has a gap there, but not in the hours before and after.

    :param worked: the working days
    """
    across = [one for one in worked if one.first < _MIDDAY[0] and one.last > _MIDDAY[1]]
    if len(across) < LEAST_DAYS_WORKED:
        return None
    gaps = [_longest_gap(one, *_MIDDAY) for one in across]
    rest = [max(_longest_gap(one, 0, _MIDDAY[0])[0], _longest_gap(one, _MIDDAY[1], 1440)[0]) for one in across]
    shortest = sorted(length for length, _ in gaps)[len(gaps) // _ODD]
    minutes = shortest // 5 * 5
    if not _LEAST_LUNCH <= minutes <= _MOST_LUNCH or np.quantile(rest, 0.25) >= minutes:
        return None
    tight = [(begin, begin + length) for length, begin in gaps if minutes <= length < minutes + _TIGHT_MIN]
    window = _span(np.array([begin for begin, _ in tight]), np.array([end for _, end in tight]))
    return Lunch(minutes, window, len(across))


def _longest_gap(worked: WorkingDay, begin: int, end: int) -> tuple[int, int]:
    """Length and begin of the longest time between two exams, of those that begin within a stretch; 0 without one."""
    starts, lengths = worked.ends[:-1], worked.begins[1:] - worked.ends[:-1]
    inside = (starts >= begin) & (starts < end)
    if not inside.any():
        return 0, begin
    longest = int(np.argmax(np.where(inside, lengths, -1)))
    return int(lengths[longest]), int(starts[longest])

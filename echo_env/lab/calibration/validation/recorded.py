"""The recorded days as the engines need them: exams with their patients, and the rooms and staff seen on each day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config.chance import ExamLaw
from echo_env.lab.config.lab import Lab
from echo_env.lab.day.expectations import ExpectedExam

if TYPE_CHECKING:
    import pandas as pd

Can = frozenset[int]
"""Numbers of exam types."""


class RecordedDay(NamedTuple):
    """A day of a hospital's record.

    :param name: of the day
    :param first: place of its first exam in the table of :func:`recorded_exams`
    :param last: place after its last one
    :param rooms: what can be done in each room seen; None where rooms are not recorded
    :param staff: what each member of staff seen can do; None where staff are not recorded
    """

    name: str
    first: int
    last: int
    rooms: tuple[Can, ...] | None
    staff: tuple[Can, ...] | None


def recorded_exams(visits: Visits, config: Lab) -> pd.DataFrame:
    """Every exam whose begin was recorded, in the order of days and of their appointment books.

    Whoever is being examined has come, whatever the cell of the check-in says; without one, patients come when they
    were asked to. An exam without a recorded end takes the mean of its type.

    :param visits: the record
    :param config: the lab
    :return: rows of the visits' table with further columns, int64: ``kind``, number of the lab's exam type;
        ``came_min``, when the patient came; ``due_min``, the appointment, or the arrival without one;
        ``waits_from_min``, the later of check-in and expected check-in; ``takes_min``, length of the exam
    :raises ValueError: the record has an exam type that the lab lacks
    """
    exams = visits.table[visits.table["begin"].notna()]
    kinds = exam_kinds(exams["type"], config)
    types = config.plan.types
    leads = np.array([kind.check_in_lead_min for kind in types], dtype=np.int64)[kinds]
    means = np.array([max(round(mean_length(kind.exam)), 1) for kind in types], dtype=np.int64)[kinds]
    begin, scheduled = _minutes(exams, "begin"), _minutes(exams, "scheduled")
    walked_in = exams["unscheduled"].to_numpy(dtype=np.bool_)
    asked = np.where(walked_in, np.nan, _first(_minutes(exams, "expected"), scheduled - leads))
    checked_in = _first(_minutes(exams, "actual"), asked, begin)
    came = np.minimum(checked_in, begin)
    due = _first(np.where(walked_in, np.nan, scheduled), asked + leads, came)
    day = {name: number for number, name in enumerate(visits.days)}
    exams = exams.assign(
        kind=kinds,
        came_min=came.astype(np.int64),
        due_min=due.astype(np.int64),
        waits_from_min=np.fmax(checked_in, asked).astype(np.int64),
        takes_min=_first(_minutes(exams, "exam_min"), means).astype(np.int64),
    )
    return exams.iloc[np.lexsort((kinds, due, exams["day"].map(day).to_numpy(dtype=np.int64)))]


def exam_kinds(types: pd.Series, config: Lab) -> np.ndarray:
    """(n,) int64, numbers of the lab's exam types; a lab with a single type has it for all, and an unknown type is the
    one that the record has most of.

    :param types: names
    :param config: the lab
    :raises ValueError: an exam type that the lab lacks
    """
    number = {kind.name: k for k, kind in enumerate(config.plan.types)}
    if len(number) == 1:
        return np.zeros(len(types), dtype=np.int64)
    known = Counter(name for name in types if name)
    for name in known:
        if name not in number:
            raise ValueError(
                f"the record has the exam type {name!r}, but the lab {config.name!r} has only {', '.join(number)}"
            )
    most = known.most_common(1)[0][0] if known else next(iter(number))
    return np.array([number[name or most] for name in types], dtype=np.int64)


def recorded_days(visits: Visits, exams: pd.DataFrame) -> list[RecordedDay]:
    """The days on which exams were recorded, with the rooms and staff seen.

    A room or a member of staff can do the exam types with which the whole file shows them. Somebody whose initials
    never stand alone is one with the colleague beside them. Exams whose cell is empty took as many further rooms or
    members as there were such exams at once.

    :param visits: the record
    :param exams: those of :func:`recorded_exams`
    """
    if exams.empty:
        return []
    everybody = {column: _able(exams, column) for column in ("room", "staff")}
    names, all_days = exams["day"].to_numpy(), visits.table["day"].to_numpy()
    cells = {column: visits.table[column].to_numpy() for column in everybody}
    rows = _Rows(*(exams[column].to_numpy() for column in ("kind", "begin", "takes_min")))
    own_cells = {column: exams[column].to_numpy() for column in everybody}
    places = {day: np.flatnonzero(all_days == day) for day in dict.fromkeys(names)}
    ends = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1).tolist(), len(names)]
    days = []
    for first, last in pairwise(ends):
        part, where = rows.part(first, last), places[names[first]]
        seen = [
            _seen(cells[column][where], own_cells[column][first:last], part, able) for column, able in everybody.items()
        ]
        days.append(RecordedDay(str(names[first]), first, last, *seen))
    return days


class _Rows(NamedTuple):
    """Exam type, begin and length of exams, (n,) each."""

    kind: np.ndarray
    begin: np.ndarray
    takes: np.ndarray

    def part(self, first: int, last: int) -> _Rows:
        """Those of a day."""
        return _Rows(*(column[first:last] for column in self))


def spread(days: Sequence[str], most: int) -> list[str]:
    """At most so many of the days, spread evenly over the record.

    :param days: names
    :param most: how many
    """
    places = np.unique(np.linspace(0, len(days) - 1, min(len(days), most)).round().astype(int))
    return [days[place] for place in places]


def only_days(visits: Visits, days: Collection[str], keep: bool = True) -> Visits:
    """The record of some days, or of all others.

    :param visits: the record
    :param days: their names
    :param keep: whether these are kept, or left out
    """
    chosen = visits.table["day"].isin(list(days)) == keep
    return replace(visits, table=visits.table[chosen].reset_index(drop=True))


def seen_with(exams: pd.DataFrame, column: str, kind: int) -> int:
    """How many rooms, or members of staff, the record shows with an exam type.

    :param exams: those of :func:`recorded_exams`
    :param column: ``room`` or ``staff``
    :param kind: number of the exam type
    """
    everybody = dict(entry for own in _able(exams, column).values() for entry in own)
    return sum(kind in can for can in everybody.values())


def mean_length(law: ExamLaw | None) -> float:
    """Mean of a law of lengths in whole minutes, 0 for none."""
    return 0.0 if law is None else ExpectedExam(law).rest(0)


def most_at_once(begin: np.ndarray, end: np.ndarray) -> int:
    """How many exams were under way together at most.

    :param begin: (n,) minutes
    :param end: (n,) minutes; a minute without an exam to last at least
    """
    return max((int(((begin <= minute) & (minute < end)).sum()) for minute in begin), default=0)


def _minutes(exams: pd.DataFrame, column: str) -> np.ndarray:
    """(n,) float64, nan where the minute is unknown."""
    return exams[column].to_numpy(dtype=np.float64, na_value=np.nan)


def _first(*columns: np.ndarray) -> np.ndarray:
    """The first of several numbers that is known."""
    known = columns[-1]
    for column in columns[-2::-1]:
        known = np.where(np.isnan(column), known, column)
    return known


def _able(exams: pd.DataFrame, column: str) -> Mapping[str, tuple[tuple[str, Can], ...]]:
    """Cell -> (name, what it can do) of every room or member of staff that it stands for."""
    names = _names(exams[column])
    can: dict[str, set[int]] = {name: set() for own in names.values() for name in own}
    for cell, kind in zip(exams[column], exams["kind"].tolist(), strict=True):
        for name in names.get(cell, ()):
            can[name].add(kind)
    return {cell: tuple((name, frozenset(can[name])) for name in own) for cell, own in names.items()}


def _names(cells: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Cell -> the rooms or members of staff that it stands for."""
    parts = {cell: tuple(part.strip() for part in cell.split("/") if part.strip()) for cell in set(cells) if cell}
    alone = {own[0] for own in parts.values() if len(own) == 1}
    return {cell: tuple(part for part in own if part in alone) or (cell,) for cell, own in parts.items()}


def _seen(
    cells: np.ndarray, exam_cells: np.ndarray, exams: _Rows, able: Mapping[str, tuple[tuple[str, Can], ...]]
) -> tuple[Can, ...] | None:
    """What each room or member of staff seen on a day can do; None if the file has none."""
    if not able:
        return None
    seen = dict(entry for cell in cells for entry in able.get(cell, ()))
    empty = exam_cells == ""
    begin = exams.begin[empty].astype(np.int64)
    unnamed = [frozenset(exams.kind[empty].tolist())] * most_at_once(begin, begin + exams.takes[empty])
    there = [*seen.values(), *unnamed]
    # An exam that took place could take place.
    missing = sorted(set(exams.kind.tolist()).difference(*there))
    return (*there, *(frozenset({kind}) for kind in missing))

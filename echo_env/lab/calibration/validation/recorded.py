"""The recorded days as the engines need them: exams with their patients, and the rooms and staff seen on each day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config.lab import Lab

if TYPE_CHECKING:
    import pandas as pd

Can = frozenset[int]
"""Numbers of exam types."""


@dataclass(frozen=True)
class RecordedDay:
    """A day of a hospital's record.

    :param name: of the day
    :param exams: rows of the visits' table whose exam has a begin, with the column ``kind``, number of the lab's exam
        type
    :param rooms: what can be done in each room seen; None where rooms are not recorded
    :param staff: what each member of staff seen can do; None where staff are not recorded
    """

    name: str
    exams: pd.DataFrame
    rooms: tuple[Can, ...] | None
    staff: tuple[Can, ...] | None


def recorded_days(visits: Visits, config: Lab) -> list[RecordedDay]:
    """The days on which exams were recorded.

    A room or a member of staff can do the exam types with which the whole file shows them. Somebody whose initials
    never stand alone is one with the colleague beside them. Exams whose cell is empty took as many further rooms or
    members as there were such exams at once.

    :param visits: the record
    :param config: the lab, which has the exam types
    :raises ValueError: the record has an exam type that the lab lacks
    """
    table = visits.table
    began = table["begin"].notna() & (table["unscheduled"] | (table["booked"] != "no"))
    kinds = exam_kinds(table.loc[began, "type"], config)
    table = table.assign(kind=kinds.reindex(table.index))
    rooms, staff = _can(table, "room"), _can(table, "staff")
    days = []
    for name, own in table.groupby("day", sort=False):
        exams = own[began[own.index]].sort_values(["begin", "sheet", "row"], kind="stable")
        if len(exams):
            exams = exams.astype({"kind": np.int64})
            days.append(RecordedDay(str(name), exams, _seen(own, exams, "room", rooms), _seen(own, exams, "staff", staff)))
    return days


def exam_kinds(types: pd.Series, config: Lab) -> pd.Series:
    """Numbers of the lab's exam types; a lab with a single type has it for all, and where the type is unknown it is
    the one that the record has most of.

    :param types: names
    :param config: the lab
    :raises ValueError: an exam type that the lab lacks
    """
    number = {kind.name: k for k, kind in enumerate(config.plan.types)}
    if len(number) == 1:
        return types.map(lambda name: 0)
    known = Counter(name for name in types if name)
    for name in known:
        if name not in number:
            raise ValueError(
                f"the record has the exam type {name!r}, which the lab {config.name!r} lacks; it has {', '.join(number)}"
            )
    most = known.most_common(1)[0][0] if known else next(iter(number))
    return types.map(lambda name: number[name or most])


def _names(cells: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Cell -> the rooms or members of staff that it stands for."""
    parts = {cell: tuple(part.strip() for part in cell.split("/") if part.strip()) for cell in set(cells) if cell}
    alone = {own[0] for own in parts.values() if len(own) == 1}
    return {cell: tuple(part for part in own if part in alone) or (cell,) for cell, own in parts.items()}


def _can(table: pd.DataFrame, column: str) -> dict[str, tuple[tuple[str, Can], ...]]:
    """Cell -> (name, what it can do) of everybody whom it stands for."""
    names = _names(table[column])
    can: dict[str, set[int]] = {}
    for cell, kind in zip(table[column], table["kind"], strict=True):
        for name in names.get(cell, ()):
            can.setdefault(name, set()).update(() if np.isnan(kind) else (int(kind),))
    return {cell: tuple((name, frozenset(can[name])) for name in own) for cell, own in names.items()}


def _seen(
    own: pd.DataFrame, exams: pd.DataFrame, column: str, can: dict[str, tuple[tuple[str, Can], ...]]
) -> tuple[Can, ...] | None:
    """What each room or member of staff seen on a day can do; None if the file has none."""
    if not can:
        return None
    seen = dict(entry for cell in own[column] for entry in can.get(cell, ()))
    nameless = exams[exams[column] == ""]
    unnamed = [frozenset(nameless["kind"])] * most_at_once(nameless)
    there = [*(kinds for kinds in seen.values() if kinds), *unnamed]
    # An exam that took place could take place.
    able = frozenset().union(*there)
    return (*there, *(frozenset({kind}) for kind in sorted(set(exams["kind"]) - able)))


def most_at_once(exams: pd.DataFrame) -> int:
    """How many exams were under way together at most; those without an end count in their first minute.

    :param exams: with the columns ``begin`` and ``end``
    """
    if exams.empty:
        return 0
    begin = exams["begin"].to_numpy(dtype=np.int64)
    end = np.maximum(exams["end"].fillna(exams["begin"]).to_numpy(dtype=np.int64), begin + 1)
    return int(max(((begin <= minute) & (minute < end)).sum() for minute in begin))

"""The tables of a report, as rows of texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from echo_env.common.tables import Grid
from echo_env.lab.calibration.calibration import Calibration
from echo_env.lab.calibration.cell_log import RULES, CellLog
from echo_env.lab.calibration.fitting.estimates import share_of
from echo_env.lab.calibration.report.paper import compared, is_papers
from echo_env.lab.calibration.report.words import interval_text
from echo_env.lab.calibration.visits import Visits

if TYPE_CHECKING:
    import pandas as pd


def tables(found: Calibration) -> list[Grid]:
    """All tables of a report but that of the cells.

    :param found: the calibration
    """
    visits = found.visits
    return [estimate_rows(found), _no_shows(visits), _books(found), _rooms(visits), _staff(visits)]


def estimate_rows(found: Calibration) -> Grid:
    """Every estimate with its interval; beside the paper's value where the record is the paper's.

    :param found: the calibration
    """
    paper = compared(found.fitted) if is_papers(found.visits) else {}
    rows = []
    for one in found.fitted.estimates:
        row: tuple[str, ...] = (one.words, f"{one.value:.4g}", interval_text(one), str(one.rows or ""))
        if paper:
            other = paper.get(one.path)
            row += ("", "") if other is None else (f"{other.paper:g}", "yes" if other.agrees else "no")
        rows.append(row)
    heads: tuple[str, ...] = ("fitted", "value", "95 % interval", "rows")
    return Grid("what was fitted", heads + (("the paper", "agrees") if paper else ()), rows)


def _no_shows(visits: Visits) -> Grid:
    """No-shows by day and by exam type, among booked patients of whom it is known whether they came."""
    table = visits.table
    known = table[(table["booked"] == "yes") & (table["came"] != "unknown")]
    groups = [*((day, known["day"] == day) for day in visits.days if len(visits.days) <= _MOST_DAYS)]
    groups += [(name, known["type"] == name) for name in visits.types]
    rows = []
    for name, chosen in groups:
        share = share_of(int((known.loc[chosen, "came"] == "no").sum()), int(chosen.sum()))
        shown = ("", "") if not share.of else (f"{share.share:.3f}", f"{share.low:.3f} to {share.high:.3f}")
        rows.append((name, str(share.of), str(share.count), *shown))
    return Grid("no-shows", ("", "booked", "no-shows", "share", "95 % interval"), rows)


_MOST_DAYS = 31
"""Days that are listed one by one."""


def _books(found: Calibration) -> Grid:
    book, types = found.fitted.book, found.visits.types
    days = book.counts if len(book.counts) <= _MOST_DAYS else {}
    rows = [
        (day, *(str(counts.get(name, 0)) for name in types), "yes" if day in book.used else "no")
        for day, counts in days.items()
    ]
    for weekday, own in found.fitted.weekday_books.items():
        rows.append((f"lab, {weekday}", *(str(len(own.times.get(name, ()))) for name in types), ""))
    if not found.fitted.weekday_books:
        rows.append(("lab", *(str(len(book.times.get(name, ()))) for name in types), ""))
    return Grid("appointments", ("", *types, "used"), rows)


def _rooms(visits: Visits) -> Grid:
    exams = visits.table[visits.table["exam_min"].notna() & (visits.table["room"] != "")]
    return Grid("exams by room", ("room", *visits.types), list(_counts(exams, "room", visits.types)))


def _staff(visits: Visits) -> Grid:
    exams = visits.table[visits.table["begin"].notna() & (visits.table["staff"] != "")]
    people = exams.assign(staff=exams["staff"].str.split("/")).explode("staff")
    people["staff"] = people["staff"].str.strip()
    return Grid("exams by member of staff", ("initials", *visits.types), list(_counts(people, "staff", visits.types)))


def _counts(exams: pd.DataFrame, column: str, types: Sequence[str]) -> Iterator[tuple[str, ...]]:
    count = exams.groupby([column, "type"]).size()
    for name in sorted(exams[column].unique()):
        yield name, *(str(int(count.get((name, kind), 0))) for kind in types)


def cell_rows(log: CellLog) -> Grid:
    """One row for each rule that was applied, with an example.

    :param log: the cells
    """
    cells = log.to_pandas()
    rows = []
    for rule, count in log.counts().items():
        one = log.example(rule)
        feeding = int(cells.loc[cells["rule"] == rule, "feeds_the_lab"].sum())
        becomes = f" -> {one.becomes}" if one.becomes else ""
        example = f"{one.sheet}!{one.cell}: '{one.found}'{becomes}" if one.cell else f"'{one.found}'{becomes}"
        rows.append((rule, RULES[rule].action, str(count), str(feeding), example, RULES[rule].sentence))
    return Grid("cells", ("rule", "action", "cells", "feed the lab", "example", "meaning"), rows)

"""Hard checks: what in a record, or between a record and a lab, makes a fitted lab silently wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from echo_env.common.words import did_you_mean
from echo_env.lab.calibration.cell_log import RULES
from echo_env.lab.calibration.reading.cells import NOT_DONE_TEXTS, clock
from echo_env.lab.calibration.reading.words import BLANK
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.plan import MOST_TYPES

if TYPE_CHECKING:
    import pandas as pd

CHECKS = {
    "unread": "more than 5 % of a column that the lab is fitted to cannot be read",
    "columns": "a column is on some sheets of visits and not on others",
    "appointments": "of more than a fifth of the rows nobody knows whether an exam was booked",
    "attendance": "of more than 5 % of the booked patients nobody knows whether they came",
    "no_shows": "no booked patient is a no-show, but of some nobody knows whether they came",
    "days": "rows without a date go back in time, as if several days were one",
    "clocks": "on clocks of twelve hours, rows between six and eight may be of the morning or of the evening",
    "overlaps": "more than 5 % of the exams begin in a room in which another one is under way",
    "order": "more than 10 % of the exams begin before the check-in, or end before they begin",
    "types": f"there are more than {MOST_TYPES} exam types, or more than 5 % of the rows have none",
    "duplicates": "more than 5 % of the exams are on the sheets twice",
    "rooms_seen": "on most days exams took place in more rooms than the lab has",
    "staff_seen": "on most days more people examined than the lab has",
    "hours": "more than 5 % of the exams begin outside the hours of the lab",
    "volume": "more exams are booked a day than the rooms of the lab can hold",
}
"""Name of a check -> what it finds."""

_MOST_UNREAD, _MOST_UNBOOKED, _MOST_BACKWARDS = 0.05, 0.2, 0.1
_OVERLAP_MIN = 10
"""Minutes by which two exams in a room must overlap: begin and end are often written down late."""
_BACK_MIN = 240
_LATE_MIN = 17 * 60
"""Where exams begin so late, others may begin later."""
_NOT_READ = {name for name, rule in RULES.items() if rule.action == "unread"} - {"blank", "record_stops"}
_NOT_READ |= {"outside_hours", "other_day", "two_spells"}
_NO_TIME = NOT_DONE_TEXTS | BLANK
_SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """What a check has found.

    :param check: name of the check, a key of :data:`CHECKS`
    :param sentence: what it is, with counts and the first cells
    :param cells: where, as in ``Monday!G7``
    :param count: how many rows, exams or days
    """

    check: str
    sentence: str
    cells: tuple[str, ...]
    count: int


def check_visits(visits: Visits) -> list[Finding]:
    """What makes a record unfit, whatever lab is fitted to it.

    :param visits: the record
    """
    checks: tuple[Callable[[Visits], Iterable[Finding]], ...] = (
        _unread, _columns, _booking, _attendance, _days, _clocks, _overlaps, _order, _types, _duplicates,
    )  # fmt: skip
    return [finding for check in checks for finding in check(visits)]


def check_lab(visits: Visits, lab: Lab) -> list[Finding]:
    """Where a record contradicts a lab.

    :param visits: the record
    :param lab: the lab that was fitted to it, or that somebody holds against it
    """
    checks: tuple[Callable[[Visits, Lab], Iterable[Finding]], ...] = (_resources, _hours, _volume)
    return [finding for check in checks for finding in check(visits, lab)]


def refused(findings: Sequence[Finding], accepted: Sequence[str] = ()) -> list[Finding]:
    """The findings that nobody has accepted.

    :param findings: of the checks
    :param accepted: names of checks
    :raises ValueError: no check has such a name
    """
    for name in accepted:
        if name not in CHECKS:
            hint = did_you_mean(name, CHECKS)
            raise ValueError(f"--accept is {name!r}{hint}, but must be one of {', '.join(CHECKS)}")
    return [finding for finding in findings if finding.check not in accepted]


def _found(check: str, sentence: str, cells: Sequence[str], count: int) -> Finding:
    shown = ", ".join(cells[:_SHOWN]) + (f" and {len(cells) - _SHOWN} more" if len(cells) > _SHOWN else "")
    return Finding(check, f"{sentence}{f' ({shown})' if cells else ''}.", tuple(cells), count)


def _cells(visits: Visits, rows: Iterable[int], column: str) -> list[str]:
    return [visits.cell(row, column) for row in rows]


def _unread(visits: Visits) -> Iterable[Finding]:
    log = visits.log.to_pandas()
    # A begin that cannot be read is logged as one that is missing beside an end.
    lacks = log["rule"].isin(("in_missing", "out_missing")) & ~log["found"].str.lower().isin(_NO_TIME)
    bad = log[log["feeds_the_lab"] & (log["rule"].isin(_NOT_READ) | lacks) & (log["cell"] != "")]
    for column, cells in bad.groupby("column", sort=False):
        if len(cells) > _MOST_UNREAD * len(visits.table):
            where = [f"{sheet}!{cell}" for sheet, cell in zip(cells["sheet"], cells["cell"], strict=True)]
            sentence = f"{len(cells)} of {len(visits.table)} cells of {column!r} cannot be read, such as "
            sentence += repr(cells["found"].iloc[0])
            if 2 * (cells["rule"] == "outside_hours").sum() > len(cells):
                sentence += "; where times before 06:00 and from 20:00 on are true, say 'all_hours: true' in the map"
            yield _found("unread", sentence, where, len(cells))


def _columns(visits: Visits) -> Iterable[Finding]:
    sheets = visits.columns
    for column in dict.fromkeys(column for columns in sheets.values() for column in columns):
        without = [sheet for sheet, columns in sheets.items() if column not in columns]
        if without:
            some = f"{len(without)} of {len(sheets)} sheets have no column for {column!r}"
            yield _found("columns", some, without, len(without))


def _booking(visits: Visits) -> Iterable[Finding]:
    unknown = visits.table.index[visits.table["booked"] == "unknown"]
    if len(unknown) > _MOST_UNBOOKED * len(visits.table):
        sentence = f"Of {len(unknown)} of {len(visits.table)} rows nobody knows whether an exam was booked"
        yield _found("appointments", sentence, _cells(visits, unknown, "booked"), len(unknown))


def _attendance(visits: Visits) -> Iterable[Finding]:
    table = visits.table
    booked = table[(table["booked"] == "yes") & (table["day"] != table["sheet"])]
    booked = table[table["booked"] == "yes"] if booked.empty else booked
    unknown = booked.index[booked["came"] == "unknown"]
    cells = _cells(visits, unknown, "came")
    if len(unknown) > _MOST_UNREAD * len(booked):
        sentence = f"Of {len(unknown)} of {len(booked)} booked patients nobody knows whether they came"
        yield _found("attendance", sentence, cells, len(unknown))
    if len(unknown) and not (booked["came"] == "no").any():
        sentence = f"None of {len(booked)} booked patients is a no-show, but {len(unknown)} have no check-in"
        yield _found("no_shows", sentence, cells, len(unknown))


def _days(visits: Visits) -> Iterable[Finding]:
    for day, rows in visits.table.groupby("day", sort=False):
        times = rows["scheduled"].fillna(rows["expected"]).fillna(rows["actual"]).dropna()
        back = times.index[1:][(times.diff().iloc[1:] < -_BACK_MIN).to_numpy(dtype=bool)]
        if len(back) and (rows["sheet"] == day).all():
            sentence = f"{day!r} has no date, and its rows go back in time {len(back)} times, like several days"
            yield _found("days", sentence, _cells(visits, back, "scheduled"), len(back))


def _clocks(visits: Visits) -> Iterable[Finding]:
    log = visits.log.to_pandas()
    rows = log[(log["rule"] == "morning_or_evening") & (log["column"] == "begin")]
    if len(rows) and (visits.table["begin"] >= _LATE_MIN).any():
        where = [f"{sheet}!{cell}" for sheet, cell in zip(rows["sheet"], rows["cell"], strict=True)]
        sentence = f"{len(rows)} exams may begin between 06:00 and 08:00 or twelve hours later; write am or pm"
        yield _found("clocks", sentence, where, len(rows))


def _overlaps(visits: Visits) -> Iterable[Finding]:
    exams = _exams(visits)
    exams = exams[exams["room"] != ""].sort_values("begin")
    end_before = exams.groupby(["day", "room"])["end"].transform(lambda ends: ends.cummax().shift())
    over = exams.index[(end_before - exams["begin"] > _OVERLAP_MIN).fillna(False).to_numpy(dtype=bool)]
    if len(over) > _MOST_UNREAD * len(exams):
        sentence = f"{len(over)} of {len(exams)} exams begin in a room in which another one is under way"
        yield _found("overlaps", sentence, _cells(visits, sorted(over), "begin"), len(over))


def _order(visits: Visits) -> Iterable[Finding]:
    table = visits.table
    for first, then, words in (
        ("actual", "begin", "begin before the check-in"),
        ("begin", "end", "end before they begin"),
    ):
        both = table[table[first].notna() & table[then].notna()]
        wrong = both.index[(both[then] < both[first]).to_numpy(dtype=bool)]
        if len(wrong) > _MOST_BACKWARDS * len(both):
            sentence = f"{len(wrong)} of {len(both)} exams {words}"
            yield _found("order", sentence, _cells(visits, wrong, then), len(wrong))


def _types(visits: Visits) -> Iterable[Finding]:
    if len(visits.types) > MOST_TYPES:
        names = ", ".join(visits.types)
        sentence = f"A lab has at most {MOST_TYPES} exam types, but there are {len(visits.types)}: {names}; put them"
        yield _found("types", f"{sentence} together under 'types' in the map of --columns", (), len(visits.types))

    unknown = visits.table.index[visits.table["type"] == ""]
    if len(unknown) > _MOST_UNREAD * len(visits.table):
        sentence = f"{len(unknown)} of {len(visits.table)} rows have no exam type"
        yield _found("types", sentence, _cells(visits, unknown, "type"), len(unknown))


def _duplicates(visits: Visits) -> Iterable[Finding]:
    exams = _exams(visits)
    same = ["day", "type", "expected", "scheduled", "actual", "begin", "end", "room", "staff"]
    twice = exams.index[exams.duplicated(same).to_numpy(dtype=bool)]
    if len(twice) > _MOST_UNREAD * len(exams):
        sentence = f"{len(twice)} of {len(exams)} exams are on the sheets twice"
        yield _found("duplicates", sentence, _cells(visits, twice, "begin"), len(twice))


def _exams(visits: Visits) -> pd.DataFrame:
    """The visits with an exam of known begin."""
    return visits.table[visits.table["begin"].notna()]


def _resources(visits: Visits, lab: Lab) -> Iterable[Finding]:
    plan, exams = lab.plan, _exams(visits)
    types = {kind.name: 1 << k for k, kind in enumerate(plan.types)}
    rooms = sum(group.count for group in plan.room_groups)
    yield from _more_seen("rooms_seen", exams, "room", rooms, "exams took place in more rooms than the lab has")
    for name, bit in types.items():
        able = sum(group.count for group in plan.room_groups if group.can & bit)
        own = exams[exams["type"] == name]
        if able < rooms:
            words = f"{name} exams took place in more rooms than the lab has for them"
            yield from _more_seen("rooms_seen", own, "room", able, words)
    people = exams.assign(staff=exams["staff"].str.split("/")).explode("staff")
    people["staff"] = people["staff"].str.strip()
    members = sum(group.members for group in plan.staff_groups)
    yield from _more_seen("staff_seen", people, "staff", members, "more people examined than the lab has")


def _more_seen(check: str, rows: pd.DataFrame, column: str, have: int, words: str) -> Iterable[Finding]:
    """A finding if on most days more are seen than the lab has."""
    a_day = rows[rows[column].notna() & (rows[column] != "")].groupby("day", sort=False)[column].nunique()
    more = a_day[a_day > have]
    if 2 * len(more) > len(a_day):
        numbers = ", ".join(f"{count} on {day}" for day, count in list(more.items())[:_SHOWN])
        yield _found(check, f"On {len(more)} of {len(a_day)} days {words}, {have}: {numbers}", (), len(more))


def _hours(visits: Visits, lab: Lab) -> Iterable[Finding]:
    exams, opening = _exams(visits), lab.hours.opening_min
    end = opening + lab.hours.end_min
    outside = exams.index[((exams["begin"] < opening) | (exams["begin"] >= end)).to_numpy(dtype=bool)]
    if len(outside) > _MOST_UNREAD * len(exams):
        hours = f"{clock(opening)} to {clock(min(end, 1439))}"
        sentence = f"{len(outside)} of {len(exams)} exams begin outside the hours of the lab, {hours}"
        yield _found("hours", sentence, _cells(visits, outside, "begin"), len(outside))


def _volume(visits: Visits, lab: Lab) -> Iterable[Finding]:
    plan, table = lab.plan, visits.table
    if table["exam_min"].isna().all():
        return
    mean = float(table["exam_min"].mean())
    can_hold = sum(group.count for group in plan.room_groups) * plan.end_min / mean
    booked = table[table["booked"] == "yes"].groupby("day", sort=False).size()
    too_many = booked[booked > can_hold]
    if len(too_many):
        day, count = too_many.idxmax(), int(too_many.max())
        sentence = (
            f"{count} exams are booked on {day}, but the rooms of the lab can hold {can_hold:.0f} of {mean:.0f} minutes"
        )
        yield _found("volume", sentence, (), len(too_many))

"""One small record in the formats that clinics keep, and what a reader should find."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from workbooks import (
    ENGLISH,
    GERMAN,
    Visit,
    clock,
    table,
    text_clock,
    visits,
    whiteboard,
    with_no_shows,
    write_csv,
    write_ods,
    write_xlsx,
)

from echo_env.lab.calibration import ColumnMap
from echo_env.lab.calibration.visits import Visits

RECORD = visits()
MISSED = with_no_shows(RECORD)
ENGLISH_MAP = ColumnMap(**ENGLISH)
GERMAN_MAP = ColumnMap(**GERMAN)
ALL = ("day", "patient", "type", "expected", "scheduled", "actual", "begin", "end", "room", "staff", "came")
NO_LEAD = tuple(field for field in ALL if field != "expected")


def written(record: Sequence[Visit], fields: Sequence[str]) -> list[tuple[Any, ...]]:
    """What a reader should find of a record."""
    return [
        tuple(value.isoformat() if isinstance(value := visit[field], dt.date) else value for field in fields)
        for visit in record
    ]


def found(read: Visits, fields: Sequence[str]) -> list[tuple[Any, ...]]:
    """What was read of a file."""
    plain = read.table.astype(object).where(read.table.notna(), None)
    return list(plain[list(fields)].itertuples(index=False, name=None))


def no_show(word: str) -> Callable[[Visit], Any]:
    """A mark in place of a check-in."""
    return lambda visit: word if visit["came"] == "no" else clock(visit["actual"])


def dated(pattern: str) -> dict[str, Callable[[Visit], str]]:
    """Every time as text together with its date."""

    def write(field: str) -> Callable[[Visit], str]:
        def cell(visit: Visit) -> str:
            if visit[field] is None:
                return ""
            at = dt.datetime.combine(visit["day"], dt.time(visit[field] // 60, visit[field] % 60))
            return at.strftime(pattern)

        return cell

    return {field: write(field) for field in ("expected", "scheduled", "actual", "begin", "end")}


def serial(visit: Visit, field: str) -> float | None:
    """Days since 1900, as a workbook stores dates in cells without their format."""
    days = (visit["day"] - dt.date(1899, 12, 30)).days
    return None if visit[field] is None else days + visit[field] / 1440


def twelve(minute: int | None) -> str:
    """A clock of twelve hours without am and pm."""
    return "" if minute is None else f"{(minute // 60 - 1) % 12 + 1}:{minute % 60:02d}"


def without(headers: dict[str, str], *fields: str) -> dict[str, str]:
    """Headers but for some fields."""
    return {field: header for field, header in headers.items() if field not in fields}


def by_day(rows: Callable[[Sequence[Visit]], list[list[Any]]], record: Sequence[Visit]) -> dict[str, list[list[Any]]]:
    """One sheet for each day, named by its date."""
    days = dict.fromkeys(visit["day"] for visit in record)
    return {day.isoformat(): rows([visit for visit in record if visit["day"] == day]) for day in days}


Made = Callable[[Path], tuple[Path, ColumnMap | None, Sequence[Visit], Sequence[str]]]


def blank_no_shows(folder: Path) -> Any:
    """(a) Every third row without check-in, begin and end on a past day."""
    return write_xlsx(folder / "a.xlsx", whiteboard(MISSED)), None, MISSED, ALL


def dna(folder: Path) -> Any:
    """(b) The same with DNA."""
    return write_xlsx(folder / "b.xlsx", whiteboard(MISSED, actual=no_show("DNA"))), None, MISSED, ALL


def one_log(folder: Path) -> Any:
    """(c) One sheet with a column of dates, and notes beside it."""
    sheets = {"log": table(MISSED, ENGLISH), "read me": [["Scanner R1 is closed on Fridays"]]}
    return write_xlsx(folder / "c.xlsx", sheets), ENGLISH_MAP, MISSED, ALL


def fetal_as_numbers(folder: Path) -> Any:
    """(d) Fetal as 0 and 1."""
    sheets = whiteboard(RECORD, fetal=lambda visit: int(visit["type"] == "fetal"))
    return write_xlsx(folder / "d.xlsx", sheets), None, RECORD, ALL


def text_with_dates(folder: Path) -> Any:
    """(e) Times as text with dates, and no column of dates."""
    rows = table(MISSED, without(ENGLISH, "day"), **dated("%Y-%m-%d %H:%M"))
    return write_xlsx(folder / "e.xlsx", {"log": rows}), ColumnMap(**without(ENGLISH, "day")), MISSED, ALL


def twelve_hours(folder: Path) -> Any:
    """(f) Clocks of twelve hours from 8:00 to past 3:30."""
    sheets = by_day(lambda record: table(record, without(ENGLISH, "day"), twelve), MISSED)
    return write_xlsx(folder / "f.xlsx", sheets), ColumnMap(**without(ENGLISH, "day")), MISSED, ALL


def one_doctor(folder: Path) -> Any:
    """(g) No notes, one doctor and one room, and the least columns."""
    record = [visit | {"room": "1", "staff": "Dr A", "type": "exam", "end": visit["begin"] + 20} for visit in RECORD]
    headers = without(ENGLISH, "type", "expected")
    return write_xlsx(folder / "g.xlsx", {"visits": table(record, headers)}), ColumnMap(**headers), record, NO_LEAD


def german(folder: Path) -> Any:
    """(h) German headers and marks, times such as 8.15 Uhr, with a map."""
    time, words = text_clock("%H.%M Uhr"), {"fetal": "Fetale Echokardiographie", "non_fetal": "TTE"}
    rows = table(
        MISSED, GERMAN, lambda minute: time(minute).lstrip("0"), day=lambda visit: f"{visit['day']:%d.%m.%Y}",
        type=lambda visit: words[visit["type"]],
        actual=lambda visit: "nicht erschienen" if visit["came"] == "no" else time(visit["actual"]),
    )  # fmt: skip
    columns = ColumnMap(**GERMAN, types={word: name for name, word in words.items()})
    return write_xlsx(folder / "h.xlsx", {"Liste": rows}), columns, MISSED, NO_LEAD


def three_types(folder: Path) -> Any:
    """(i) Three exam types."""
    record = with_no_shows(visits(types=("MRI head", "MRI knee", "CT")), 4)
    path = write_xlsx(folder / "i.xlsx", {"log": table(record, ENGLISH)})
    return path, ENGLISH_MAP, [visit | {"type": visit["type"].lower().replace(" ", "_")} for visit in record], ALL


def semicolons_in_latin_1(folder: Path) -> Any:
    """(k) Semicolons, decimal points for colons, and umlauts in Latin-1."""
    headers = GERMAN | {"staff": "Durchführung"}
    rows = table(MISSED, headers, text_clock("%H.%M"), day=lambda visit: f"{visit['day']:%d.%m.%Y}")
    path = write_csv(folder / "k.csv", rows, ";", "latin-1")
    return path, ColumnMap(**headers), MISSED, NO_LEAD


def tabs_without_colons(folder: Path) -> Any:
    """(l) Tabs, a byte-order mark, and 0815."""
    rows = table(MISSED, ENGLISH, text_clock("%H%M"))
    return write_csv(folder / "l.tsv", rows, "\t", "utf-8-sig"), ENGLISH_MAP, MISSED, ALL


def opendocument(folder: Path) -> Any:
    """(m) An OpenDocument sheet for each day."""
    sheets = by_day(lambda record: table(record, without(ENGLISH, "day")), MISSED)
    return write_ods(folder / "m.ods", sheets), ColumnMap(**without(ENGLISH, "day")), MISSED, ALL


def french(folder: Path) -> Any:
    """(n) 8h15, day before month, and absent."""
    rows = table(
        MISSED, ENGLISH, lambda minute: text_clock("%Hh%M")(minute).lstrip("0"),
        day=lambda visit: f"{visit['day']:%d/%m/%Y}",
        actual=lambda visit: "absent" if visit["came"] == "no" else text_clock("%Hh%M")(visit["actual"]),
    )  # fmt: skip
    columns = ColumnMap(**ENGLISH, date_order="day_first")
    return write_csv(folder / "n.csv", rows, ";"), columns, MISSED, ALL


def serials(folder: Path) -> Any:
    """(o) Days since 1900 without a format."""
    cells = {
        field: (lambda visit, field=field: serial(visit, field))
        for field in ("expected", "scheduled", "actual", "begin", "end")
    }
    rows = table(MISSED, without(ENGLISH, "day"), **cells)
    return write_xlsx(folder / "o.xlsx", {"export": rows}), ColumnMap(**without(ENGLISH, "day")), MISSED, ALL


def iso(folder: Path) -> Any:
    """(p) ISO with T, seconds and a zone."""
    rows = table(MISSED, without(ENGLISH, "day"), **dated("%Y-%m-%dT%H:%M:00Z"))
    return write_csv(folder / "p.csv", rows), ColumnMap(**without(ENGLISH, "day")), MISSED, ALL


def am_and_pm(folder: Path) -> Any:
    """(q) am and pm, and the month before the day in dates of which some show it."""
    late = [visit | {"day": visit["day"] + dt.timedelta(14)} for visit in MISSED]
    rows = table(late, ENGLISH, text_clock("%I:%M %p"), day=lambda visit: f"{visit['day']:%m/%d/%Y}")
    return write_csv(folder / "q.csv", rows), ENGLISH_MAP, late, ALL


def status(folder: Path) -> Any:
    """(r) A column of status; cancelled appointments are not booked."""
    words = {"yes": "Completed", "no": "No Show - Patient"}
    headers = ENGLISH | {"status": "Status"}
    rows = table(MISSED, headers, status=lambda visit: words[visit["came"]])
    cancelled = table([visit | {"patient": "900"} for visit in MISSED[2:3]], headers, status=lambda _: "Cancelled")
    path = write_xlsx(folder / "r.xlsx", {"log": [*rows, cancelled[1]]})
    gone = MISSED[2] | {"patient": "900"}
    return path, ColumnMap(**headers), [*MISSED, gone], ALL


def true_and_false(folder: Path) -> Any:
    """(s) TRUE and FALSE, and numbers such as 815 for times."""
    headers = without(ENGLISH, "type") | {"fetal": "Fetal?"}
    rows = table(
        MISSED, headers, lambda minute: None if minute is None else minute // 60 * 100 + minute % 60,
        fetal=lambda visit: visit["type"] == "fetal",
    )  # fmt: skip
    return write_xlsx(folder / "s.xlsx", {"log": rows}), ColumnMap(**headers), MISSED, ALL


def titles_and_totals(folder: Path) -> Any:
    """(t) Title rows, a date only in the first row of each day, and totals."""
    seen: set[dt.date] = set()

    def first(visit: Visit) -> dt.date | None:
        return None if visit["day"] in seen or seen.add(visit["day"]) else visit["day"]

    rows = table(RECORD, ENGLISH, day=first)
    sheet = [["Imaging, spring 2026"], [], *rows, [], ["Total", "", len(RECORD)]]
    return write_xlsx(folder / "t.xlsx", {"log": sheet}), ENGLISH_MAP, RECORD, ALL


def lengths(folder: Path) -> Any:
    """(u) Minutes of the exam in place of its end."""
    headers = without(ENGLISH, "end") | {"length": "Minutes"}
    rows = table(RECORD, headers, length=lambda visit: visit["end"] - visit["begin"])
    return write_xlsx(folder / "u.xlsx", {"log": rows}), ColumnMap(**headers), RECORD, ALL


MAKERS: tuple[Made, ...] = (
    blank_no_shows, dna, one_log, fetal_as_numbers, text_with_dates, twelve_hours, one_doctor, german, three_types,
    semicolons_in_latin_1, tabs_without_colons, opendocument, french, serials, iso, am_and_pm, status, true_and_false,
    titles_and_totals, lengths,
)  # fmt: skip

"""Small records in the formats that clinics keep: each comes back, or is refused with the right cell."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from clinic_formats import (
    ALL,
    ENGLISH_MAP,
    GERMAN_MAP,
    MAKERS,
    MISSED,
    NO_LEAD,
    RECORD,
    Made,
    by_day,
    dated,
    found,
    no_show,
    twelve,
    without,
    written,
)
from workbooks import (
    ENGLISH,
    GERMAN,
    MONDAY,
    table,
    text_clock,
    visits,
    whiteboard,
    write_csv,
    write_xlsx,
)

from echo_env.lab.calibration import ColumnMap, ColumnsGuessed, SheetError, read_visits
from echo_env.lab.calibration.checks import check_visits
from echo_env.lab.calibration.reading import load_columns


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_the_record_comes_back(make: Made, tmp_path: Path) -> None:
    """Every visit is read as it was written, and no check finds anything."""
    path, columns, record, fields = make(tmp_path)
    read = read_visits(path, columns)
    assert found(read, fields) == written(record, fields)
    assert check_visits(read) == []
    assert (read.table["exam_min"].dropna() >= 20).all()


def log_of(folder: Path, rows: Sequence[Sequence[Any]], name: str = "log.xlsx") -> Path:
    """A workbook with one sheet of visits."""
    return write_xlsx(folder / name, {"log": rows})


def test_a_year_of_sheets(tmp_path: Path) -> None:
    """(j) 260 sheets with 10,400 rows are read in less than a minute."""
    record = visits(260, 40)
    path = write_xlsx(tmp_path / "j.xlsx", by_day(lambda day: table(day, without(ENGLISH, "day")), record))
    begun = time.process_time()
    read = read_visits(path, ColumnMap(**without(ENGLISH, "day")))
    assert time.process_time() - begun < 60
    assert len(read.days) == 260
    assert found(read, ALL) == written(record, ALL)


def test_unknown_headers_are_guessed_and_shown(tmp_path: Path) -> None:
    """Headers in German without a map give a guess to confirm, which then reads the file."""
    rows = table(MISSED, GERMAN, day=lambda visit: f"{visit['day']:%d.%m.%Y}")
    path = log_of(tmp_path, [["Auslastung"], *rows])
    with pytest.raises(ColumnsGuessed, match="a guess has to be confirmed: day is 'Datum', ") as caught:
        read_visits(path)
    assert "\n" not in str(caught.value)
    assert caught.value.columns == GERMAN
    (tmp_path / "map.yaml").write_text(caught.value.yaml)
    columns = load_columns(tmp_path / "map.yaml")
    assert columns == GERMAN_MAP
    assert found(read_visits(path, columns), NO_LEAD) == written(MISSED, NO_LEAD)


@pytest.mark.parametrize("headers", [ENGLISH, without(ENGLISH, "type", "expected", "room")])
def test_english_headers_are_guessed(tmp_path: Path, headers: dict[str, str]) -> None:
    """The guess is the map that a person would write."""
    with pytest.raises(ColumnsGuessed) as caught:
        read_visits(write_csv(tmp_path / "log.csv", table(RECORD, headers, text_clock("%H:%M"))))
    assert caught.value.columns == headers


def test_a_column_of_numbers_is_not_guessed_to_hold_times(tmp_path: Path) -> None:
    """A header may look right; cells that are no times speak against it."""
    rows = [["Start", "Scan start", "Scan end", "Appt", "Arrival"], [17, "8:05", "8:35", "8:00", "7:45"]]
    with pytest.raises(ColumnsGuessed) as caught:
        read_visits(log_of(tmp_path, rows))
    assert caught.value.columns["begin"] == "Scan start"


def test_what_is_missing_is_said_at_once(tmp_path: Path) -> None:
    """A table that lacks several columns is refused with all of them and the headers that it has."""
    path = log_of(tmp_path, table(RECORD, {"day": "Date", "patient": "MRN", "room": "Room", "staff": "Tech"}))
    with pytest.raises(
        SheetError, match=r"no column for begin of the exam and for end .* and for scheduled or check-in"
    ):
        read_visits(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"begin": "Scan begin"}, r"sheet 'log' lacks headers of the map: begin: 'Scan begin' \(did you mean Scan"),
        ({"staff": "Techs", "room": "Raum"}, r"room: 'Raum'; staff: 'Techs' \(did you mean Tech\?\); row 1 has 'Visit"),
        ({"end": None}, "the map names no column for end of the exam or length of the exam; row 1 has 'Visit date'"),
    ],
)
def test_a_map_that_does_not_fit_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    """Every header of the map must be on the sheet; those that are not are named together."""
    with pytest.raises(SheetError, match=message):
        read_visits(log_of(tmp_path, table(RECORD, ENGLISH)), ColumnMap(**ENGLISH | change))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("begn: Start\n", r"begn is no known field \(did you mean begin\?\).*line 1 of"),
        ("begin: 3\n", "begin is 3, but must be a word or two"),
        ("types: {MRI: MRI head}\n", "types.MRI is 'MRI head', but must be a name of letters, digits and single"),
        ("values: {yes: ja}\n", "values.yes is 'ja', but must be a list"),
        ("date_order: us\n", "date_order is 'us', but must be one of day_first, month_first"),
    ],
)
def test_a_map_with_mistakes_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """A mistake in a map is named with what is allowed."""
    (tmp_path / "map.yaml").write_text(text)
    with pytest.raises(ValueError, match=message):
        load_columns(tmp_path / "map.yaml")
    with pytest.raises(FileNotFoundError):
        load_columns(tmp_path / "nowhere.yaml")


def test_own_words_of_a_map(tmp_path: Path) -> None:
    """A map in a file gives the hospital's words for yes, no-shows and cancelled appointments."""
    headers = without(ENGLISH, "type") | {"fetal": "F?"}
    rows = table(MISSED, headers, fetal=lambda v: "x" if v["type"] == "fetal" else None, actual=no_show("NB"))
    rows[1][list(headers).index("scheduled")] = "entf."
    lines = [f"{field}: {header!r}" for field, header in headers.items()]
    (tmp_path / "map.yaml").write_text("\n".join([*lines, "values: {yes: [X], no_show: [nb], cancelled: [entf.]}"]))
    read = read_visits(log_of(tmp_path, rows), load_columns(tmp_path / "map.yaml"))
    assert found(read, ("type", "came")) == written(MISSED, ("type", "came"))
    assert read.table["booked"].tolist() == ["yes"] * 30  # the patient whose appointment is marked came all the same


def test_dates_that_may_be_read_in_two_ways_are_refused(tmp_path: Path) -> None:
    """Where no date shows whether the day or the month comes first, the first cell is named and the map decides."""
    rows = table(RECORD, ENGLISH, day=lambda visit: f"{visit['day']:%d/%m/%Y}")
    with pytest.raises(SheetError, match=r"'02/03/2026' \(log!A2\) may begin with the day or with the month; say"):
        read_visits(log_of(tmp_path, rows), ENGLISH_MAP)
    american = read_visits(log_of(tmp_path, rows), ColumnMap(**ENGLISH, date_order="month_first"))
    assert american.days[0] == "2026-02-03"
    rows[1][0], rows[2][0] = "31/03/2026", "03/31/2026"
    with pytest.raises(SheetError, match=r"'31/03/2026' \(log!A2\) begins with the day, but '03/31/2026' \(log!A3\)"):
        read_visits(log_of(tmp_path, rows), ENGLISH_MAP)


def test_clocks_that_make_no_sense_are_named(tmp_path: Path) -> None:
    """Times of twelve hours that fit no reading of their row are not used, and a check names their cells."""
    rows = table(RECORD, ENGLISH, twelve)
    begin = list(ENGLISH).index("begin")
    for row in rows[1:13:3]:
        row[begin] = "3:05"
    read = read_visits(log_of(tmp_path, rows), ENGLISH_MAP)
    (finding,) = check_visits(read)
    assert (finding.check, finding.count) == ("unread", 3)
    assert finding.cells == ("log!G2", "log!G5", "log!G8")  # at 14:45 it is 15:05
    assert "3 of 30 cells of 'begin' cannot be read, such as '3:05' (log!G2, log!G5, log!G8)" in finding.sentence


def test_walk_ins_and_marks_against_times(tmp_path: Path) -> None:
    """Patients without an appointment are unscheduled, and a patient with an exam came, whatever the mark."""
    rows = table(RECORD, ENGLISH | {"status": "Status"}, status=lambda visit: None)
    rows[1][4], rows[2][-1], rows[3][-1] = "walk-in", "Walk-In", "no show"
    read = read_visits(log_of(tmp_path, rows), ColumnMap(**ENGLISH, status="Status"))
    table_ = read.table.head(4)
    assert table_["unscheduled"].tolist() == [True, True, False, False]
    assert table_["booked"].tolist() == ["no", "no", "yes", "yes"]
    assert table_["came"].tolist() == ["yes"] * 4
    assert table_["offset_min"].isna().tolist() == [True, True, False, False]
    assert read.log.example("mark_but_came").cell == "K4"


def test_days_to_come_and_records_that_stop_have_no_no_shows(tmp_path: Path) -> None:
    """Empty rows are no-shows only on days that are over, and not where the record of a day stops."""
    coming = [visit | {"day": visit["day"] + dt.timedelta(365)} for visit in MISSED]
    read = read_visits(log_of(tmp_path, table(coming, ENGLISH)), ENGLISH_MAP)
    assert set(read.table["came"]) == {"yes", "unknown"}
    assert [finding.check for finding in check_visits(read)] == ["attendance", "no_shows"]
    nothing = {"actual": None, "begin": None, "end": None}
    stopped = [visit | nothing if k % 10 >= 6 else visit for k, visit in enumerate(RECORD)]
    read = read_visits(log_of(tmp_path, table(stopped, ENGLISH)), ENGLISH_MAP)
    assert read.table["came"].tolist() == (["yes"] * 6 + ["unknown"] * 4) * 3
    assert read.log.counts()["record_stops"] == 12
    assert read.table["came"].eq("unknown").sum() == check_visits(read)[0].count


def test_a_file_of_text_is_dated_by_its_own_date(tmp_path: Path) -> None:
    """The date of a file that does not say when it was saved is the one of the file system."""
    path = write_csv(tmp_path / "log.csv", table(MISSED, ENGLISH, text_clock("%H:%M")))
    noon = dt.datetime.combine(MONDAY + dt.timedelta(1), dt.time(12)).timestamp()
    os.utime(path, (noon, noon))
    read = read_visits(path, ENGLISH_MAP)
    unknown = read.table.loc[read.table["came"] == "unknown", "day"]
    assert set(unknown) == {"2026-03-03", "2026-03-04"}


def hours(minute: int | None) -> float | None:
    """8.25 for a quarter past eight."""
    return None if minute is None else round(minute / 60, 2)


def points(minute: int | None) -> float | None:
    """8.15 for a quarter past eight, as a workbook stores it: without the last zero of 8.30."""
    return None if minute is None else minute // 60 + minute % 60 / 100


@pytest.mark.parametrize("time", [hours, points])
@pytest.mark.parametrize("as_text", [False, True])
def test_a_column_of_numbers_is_of_hours_or_of_hours_and_minutes(tmp_path: Path, time: Any, as_text: bool) -> None:
    """The whole column shows what 8.25 is, full hours included."""
    headers = without(ENGLISH, "end") | {"length": "Took"}
    long = [visit | {"minutes": visit["end"] - visit["begin"]} for visit in RECORD]
    rows = table(long, headers, time, length=lambda visit: round(visit["minutes"] / 60, 4))
    path = write_csv(tmp_path / "log.csv", rows) if as_text else log_of(tmp_path, rows)
    read = read_visits(path, ColumnMap(**headers))
    assert found(read, ALL) == written(RECORD, ALL)
    assert check_visits(read) == []


def test_nights_are_slips_unless_the_map_says_otherwise(tmp_path: Path) -> None:
    """A record of day and night is refused with a hint, and read as it stands with ``all_hours``."""
    moved = {"expected": 1200, "scheduled": 1200, "actual": 1200, "begin": 1200, "end": 1200}
    night = [
        visit | {field: (visit[field] + minutes) % 1440 for field, minutes in moved.items()} if k % 2 else visit
        for k, visit in enumerate(RECORD)
    ]
    path = write_csv(tmp_path / "log.csv", table(night, ENGLISH, text_clock("%H:%M")))
    findings = check_visits(read_visits(path, ENGLISH_MAP))
    assert {finding.check for finding in findings} >= {"unread"}
    assert "say 'all_hours: true' in the map (log!D3" in findings[0].sentence
    read = read_visits(path, ColumnMap(**ENGLISH, all_hours=True))
    assert found(read, ALL) == written(night, ALL)


def test_without_a_column_of_appointments_everybody_is_unscheduled(tmp_path: Path) -> None:
    """A record of arrivals and exams alone is one of patients without appointments."""
    headers = without(ENGLISH, "scheduled", "expected")
    read = read_visits(log_of(tmp_path, table(RECORD, headers)), ColumnMap(**headers))
    assert read.table["unscheduled"].all()
    assert set(read.table["booked"]) == {"no"}
    assert check_visits(read) == []


@pytest.mark.parametrize(
    ("headers", "columns"),
    [
        (
            "appointment_id,patient_id,appointment_date,appointment_time,status,check_in_time,start_time,end_time",
            "patient=patient_id day=appointment_date scheduled=appointment_time status=status actual=check_in_time "
            "begin=start_time end=end_time",
        ),
        ("Date,Time,Duration,PatientType,ScanStart,Arrival", "day=Date length=Duration begin=ScanStart actual=Arrival "
         "type=PatientType"),
        ("Fecha;Paciente;Cita;Llegada;Inicio;Fin;Sala;Técnico", "day=Fecha patient=Paciente scheduled=Cita "
         "actual=Llegada begin=Inicio end=Fin room=Sala staff=Técnico"),
        ("Jour;Heure prévue;Heure d'arrivée;Début examen;Fin examen;Salle;Médecin", "day=Jour "
         "scheduled=Heure_prévue actual=Heure_d'arrivée begin=Début_examen end=Fin_examen room=Salle staff=Médecin"),
    ],
)  # fmt: skip
def test_guesses_of_headers(tmp_path: Path, headers: str, columns: str) -> None:
    """Headers of exports in four languages are guessed as a person would."""
    (tmp_path / "log.csv").write_text(headers + "\n")
    with pytest.raises(ColumnsGuessed) as caught:
        read_visits(tmp_path / "log.csv")
    expected = dict(pair.split("=") for pair in columns.split())
    found_ = {field: header.replace(" ", "_") for field, header in caught.value.columns.items()}
    assert found_ == expected


def test_a_sheet_of_visits_with_other_headers_is_not_taken_for_notes(tmp_path: Path) -> None:
    """A sheet that looks like visits, but has other headers than the rest, is refused by name."""
    sheets = {"log": table(RECORD, ENGLISH), "afternoon": table(RECORD, GERMAN)}
    path = write_xlsx(tmp_path / "two.xlsx", sheets)
    with pytest.raises(SheetError, match="sheet 'afternoon' looks like visits, but has other headers than"):
        read_visits(path, ENGLISH_MAP)
    path = write_xlsx(tmp_path / "two.xlsx", {**whiteboard(RECORD), "afternoon": table(RECORD, GERMAN)})
    with pytest.raises(SheetError, match="sheet 'afternoon' looks like visits, but has other headers than 'Monday"):
        read_visits(path)


def test_headers_that_are_repeated_between_visits(tmp_path: Path) -> None:
    """A row that repeats the headers, as at the top of each printed page, is no visit."""
    rows = table(RECORD, ENGLISH)
    read = read_visits(log_of(tmp_path, [*rows[:11], rows[0], *rows[11:]]), ENGLISH_MAP)
    assert found(read, ALL) == written(RECORD, ALL)
    assert read.log.example("header_again").cell == "A12"


def test_an_evening_on_a_clock_of_twelve_hours(tmp_path: Path) -> None:
    """6:10 at the end of a row of the afternoon is 18:10; in a row from 6:00 on it is 6:10."""
    late, early = RECORD[0] | {"patient": "late"}, RECORD[1] | {"patient": "early"}
    late |= {"expected": 16 * 60 + 45, "scheduled": 17 * 60, "actual": 16 * 60 + 50, "begin": 17 * 60 + 5, "end": 1090}
    early |= {"expected": 350, "scheduled": 365, "actual": 362, "begin": 370, "end": 400}
    record = [early | {"expected": 360}, late]
    read = read_visits(log_of(tmp_path, table(record, ENGLISH, twelve)), ENGLISH_MAP)
    assert found(read, ALL) == written(record, ALL)
    assert read.log.counts()["half_day_slip"] == 5


def test_times_of_another_day_are_not_used(tmp_path: Path) -> None:
    """A time with another date than the rest of its row is dropped under its rule."""
    headers = without(ENGLISH, "day")
    rows = table(RECORD, headers, **dated("%Y-%m-%d %H:%M"))
    end = list(headers).index("end")
    rows[3][end] = rows[3][end].replace("2026-03-02", "2026-03-12")
    read = read_visits(log_of(tmp_path, rows), ColumnMap(**headers))
    assert read.days == ("2026-03-02", "2026-03-03", "2026-03-04")
    assert read.table["exam_min"].isna().tolist() == [False, False, True] + [False] * 27
    assert read.log.example("out_missing").cell == f"{'ABCDEFGHI'[end]}4"


def test_morning_or_evening_is_not_decided_in_silence(tmp_path: Path) -> None:
    """Rows that may be of the morning or of the evening are found where the lab works late."""
    late = [visit | {field: visit[field] + 240 for field in ALL[3:8]} for visit in visits(1, 20)]
    late = [visit for visit in late if visit["end"] < 1200]
    read = read_visits(log_of(tmp_path, table(late, ENGLISH, twelve)), ENGLISH_MAP)
    (finding,) = (one for one in check_visits(read) if one.check == "clocks")
    doubtful = [k for k, visit in enumerate(late) if visit["expected"] >= 1080 and visit["actual"] >= 1080]
    assert finding.cells == tuple(f"log!G{k + 2}" for k in doubtful)
    assert "exams may begin between 06:00 and 08:00 or twelve hours later; write am or pm (log!G" in finding.sentence


def test_text_that_is_called_a_workbook(tmp_path: Path) -> None:
    """An export that is named .xls, but is text with tabs, is read as what it is."""
    path = write_csv(tmp_path / "export.csv", table(MISSED, ENGLISH, text_clock("%H:%M")), "\t", "cp1252")
    read = read_visits(path.rename(tmp_path / "export.xls"), ENGLISH_MAP)
    assert found(read, ALL) == written(MISSED, ALL)

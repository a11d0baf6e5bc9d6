"""What the commands do with a record: guesses, maps, checks, and the template."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hospital_sheets import made_up_visits, write_workbook
from workbooks import ENGLISH, GERMAN, MONDAY, set_saved, table, visits, with_no_shows, write_xlsx

from echo_env.commands.app import main
from echo_env.commands.inputs.sheets import visits_of
from echo_env.lab import load_lab, make_policy, sample_days, simulate
from echo_env.lab.calibration import ColumnMap, SheetError, read_visits
from echo_env.lab.calibration.example import RULE, SEED
from echo_env.lab.calibration.fitting.resources.notes import resources_noted
from echo_env.lab.calibration.reading import grids
from echo_env.lab.calibration.reading.template import _COLUMNS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_guess_is_printed_as_a_map(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Unknown headers end with exit status 2 and a map on standard output, with which the file is read."""
    path = write_xlsx(folder / "liste.xlsx", {"Liste": table(with_no_shows(visits()), GERMAN)})
    assert main(["calibrate", str(path), "--output", "lab.yaml"]) == 2
    printed = capsys.readouterr()
    assert "begin: Beginn\n" in printed.out
    assert printed.err.startswith("error: liste.xlsx: not all headers are known, and a guess has to be confirmed: day")
    assert printed.err.endswith("; save the map that is printed, correct it, and give it with --columns\n")
    (folder / "map.yaml").write_text(printed.out)
    assert len(visits_of(str(path), "map.yaml").table) == 30


@pytest.mark.parametrize(("answer", "taken"), [("y", True), ("", False)])
def test_a_guess_can_be_confirmed_on_a_terminal(
    folder: Path, monkeypatch: pytest.MonkeyPatch, answer: str, taken: bool
) -> None:
    """On a terminal the guess is used after a yes, and only then."""
    path = write_xlsx(folder / "liste.xlsx", {"Liste": table(visits(), GERMAN)})
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    if taken:
        assert len(visits_of(str(path)).table) == 30
    else:
        with pytest.raises(SheetError, match="save the map"):
            visits_of(str(path))


def test_checks_refuse_and_are_accepted_by_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A record that a check finds fault with gives no lab, unless the check is accepted by name."""
    rows: list[dict[str, Any]] = made_up_visits(32, 1)
    for row in rows[::4]:
        row["echo_out"] = "later"
    path = write_workbook(folder / "week.xlsx", {"Monday (Nov 27)": rows})
    command = ["calibrate", str(path), "--output", "lab.yaml", "--resamples", "20"]
    assert main(command) == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1
    assert error[0].startswith("error: 8 of 32 cells of 'end' cannot be read, such as 'later' (Monday (Nov 27)!O2")
    assert error[0].endswith("Correct the record, or go on with --accept unread")
    assert not Path("lab.yaml").exists()
    report = ["--report", "report", "--days", "0"]
    assert main([*command, *report, "--accept", "unread"]) == 0
    assert "- accepted unread: 8 of 32 cells" in Path("report/report.md").read_text()
    assert main([*command, "--accept", "everything"]) == 2
    assert "--accept is 'everything', but must be one of unread, columns," in capsys.readouterr().err


def test_the_template_reads_back(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A template that is filled in by its own examples reads without a map, and its instructions are no numbers."""
    assert main(["template", "whiteboard.xlsx"]) == 0
    with pytest.raises(SheetError, match="no sheet with visits"):
        read_visits("whiteboard.xlsx")
    workbook = openpyxl.load_workbook("whiteboard.xlsx")
    workbook["visits"].append([column.example for column in _COLUMNS])
    workbook["visits"].append([MONDAY, 2, "tte", dt.time(9), None, "DNA"])
    workbook["visits"].append([MONDAY, 3, "tte", dt.time(9, 30), *[None] * 8, "cancelled"])
    workbook["visits"].append([MONDAY, 4, "tte", "walk-in", None, dt.time(9, 40), None, None, *[dt.time(10)] * 2])
    workbook.save("whiteboard.xlsx")
    set_saved(Path("whiteboard.xlsx"), "2026-04-01")
    read = read_visits("whiteboard.xlsx")
    rows = read.table.astype(object).where(read.table.notna(), None).to_dict("records")
    assert rows[0] == {
        "day": "2026-03-02", "sheet": "visits", "row": 2, "patient": "1", "type": "stress_echo", "expected": 495,
        "actual": 500, "scheduled": 510, "vitals_in": 502, "vitals_out": 508, "begin": 515, "end": 555, "room": "14",
        "staff": "AB", "booked": "yes", "came": "yes", "unscheduled": False, "offset_min": 5, "exam_min": 40,
    }  # fmt: skip
    assert [(row["booked"], row["came"], row["unscheduled"]) for row in rows[1:]] == [
        ("yes", "no", False), ("no", "no", False), ("no", "yes", True)
    ]  # fmt: skip
    assert resources_noted(read.notes) == {}
    capsys.readouterr()
    assert main(["template", "whiteboard.xlsx"]) == 2
    assert capsys.readouterr().err.startswith("error: whiteboard.xlsx is in the way; give the name of a file")
    assert main(["template", "whiteboard.csv"]) == 2
    assert "WORKBOOK is 'whiteboard.csv', but must be a file that ends in .xlsx" in capsys.readouterr().err
    assert main(["template", "other.xlsx", "--days", "3"]) == 2
    assert "--days is given without --example" in capsys.readouterr().err


@pytest.mark.parametrize("lab", ["echo_week", "walk_in_clinic"])
def test_the_example_is_the_record_of_simulated_days(lab: str, folder: Path) -> None:
    """A made-up record reads without a map or a repair, and has the visits of the days."""
    assert main(["template", "example.xlsx", "--example", lab, "--days", "3"]) == 0
    read, config = read_visits("example.xlsx"), load_lab(lab)
    assert read.days == ("2026-03-02", "2026-03-03", "2026-03-04")
    assert set(read.log.counts()) <= {"mark_no_show", "mark_walk_in", "blank"}
    policy = make_policy(RULE, config)
    played = [row for day in sample_days(config, 3, SEED) for row in simulate(config, day, policy).patients]
    assert len(read.table) == len(played)
    opening = config.plan.opening_min
    for column, minutes in {"begin": "start_min", "end": "end_min", "actual": "arrival_min"}.items():
        expected = [getattr(patient, minutes) for patient in played]
        assert read.table[column].dropna().tolist() == [minute + opening for minute in expected if minute is not None]
    walk_ins = [patient.scheduled_min is None for patient in played]
    assert read.table["unscheduled"].tolist() == walk_ins


def test_many_rows_show_a_progress_bar(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal, thousands of rows or dozens of sheets are read behind a bar, and give the same table."""
    said: list[str] = []
    monkeypatch.setattr(grids.Console, "is_terminal", True)
    monkeypatch.setattr(grids, "track", lambda items, words, **_: said.append(words) or items)
    record = visits(25, 100)
    log = write_xlsx(folder / "log.xlsx", {"log": table(record, ENGLISH)})
    year = write_xlsx(folder / "year.xlsx", {f"week {k}": table(visits(1), ENGLISH) for k in range(30)})
    assert len(read_visits(log, ColumnMap(**ENGLISH), progress=True).table) == 2500
    assert len(read_visits(year, ColumnMap(**ENGLISH), progress=True).table) == 300
    assert said == ["reading log", "opening sheets", "reading sheets"]
    read_visits(year, ColumnMap(**ENGLISH))
    assert len(said) == 3

"""The command ``echo-lab validate``: its files, its sentences, and its errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("matplotlib")

import pandas as pd
from simulated_visits import clinic, visits_of

from echo_env.commands import app
from echo_env.commands.validate import labs_of
from echo_env.common.files import files_in
from echo_env.lab import GeneralLabConfig
from echo_env.lab.calibration.validation.results import file_names
from echo_env.lab.config.clock import clock_text

TIMES = ("expected", "actual", "scheduled", "begin", "end")
COLUMNS = ("day", "patient", "type", *TIMES, "room", "staff")


def write_lab(config: GeneralLabConfig, days: dict[str, Any] | None = None) -> None:
    """Write a lab as ``lab.yaml``."""
    fields = config.as_file() | ({"days": days} if days else {})
    Path("lab.yaml").write_text(yaml.safe_dump(fields, sort_keys=False))


def write_sheet(headers: dict[str, str] | None = None, **changes: Any) -> None:
    """Write five simulated days as ``sheet.csv``, with other headers if these are given."""
    table = visits_of(clinic(**changes), 5, seed=3).table[list(COLUMNS)].copy()
    for name in TIMES:
        table[name] = [clock_text(minute) if pd.notna(minute) else "" for minute in table[name]]
    table.rename(columns=headers or {}).to_csv("sheet.csv", index=False)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the clinic and the record of five of its days."""
    monkeypatch.chdir(tmp_path)
    write_lab(clinic())
    write_sheet()
    return tmp_path


def test_a_report_and_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """Files, JSON and the terminal have the same verdict; a second run replaces the report."""
    arguments = ["validate", "lab.yaml", "sheet.csv", "--report", "out", "--json", "numbers.json", "--days", "60"]
    for _ in range(2):
        assert app.main(arguments) == 0
    assert {f"out/{name}" for name in file_names()} | {"numbers.json"} <= files_in(Path())
    printed = capsys.readouterr().out
    content = json.loads(Path("numbers.json").read_text())
    assert content == json.loads(Path("out/validation.json").read_text())
    assert content["provenance"][0] == f"command: echo-lab {' '.join(arguments)}"
    assert content["provenance"][1].startswith("sheet: sheet.csv, sha256 ")
    assert content["accepted"] is True
    assert "nothing in sheet.csv contradicts the lab clinic" in printed
    assert " ".join(printed.split()).count(content["sentences"][0]) == 2


def test_numbers_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """With ``--json -`` standard output is JSON alone."""
    assert app.main(["validate", "lab.yaml", "sheet.csv", "--json", "-", "--days", "50"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["days"] == 50
    assert "recorded days played again" in captured.err


def test_a_lab_that_the_record_contradicts(capsys: pytest.CaptureFixture[str]) -> None:
    """The last line says so, and the verdict what is missing; that is no error of the command."""
    write_sheet(**{f"exam_types__{name}__preparation": {"minutes": 20} for name in ("scan", "stress_test")})
    write_lab(clinic(exam_types__scan__preparation=None))
    assert app.main(["validate", "lab.yaml", "sheet.csv", "--days", "50"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "About 20 minutes between being ready, as the lab has it, and the exam are unexplained" in printed
    assert "sheet.csv contradicts the lab clinic: see what it must not be used for" in printed


def test_headers_need_a_map_that_somebody_has_confirmed(capsys: pytest.CaptureFixture[str]) -> None:
    """Unknown headers are refused, with a guess, and read with a map."""
    german = {"begin": "Untersuchungsbeginn", "end": "Untersuchungsende", "scheduled": "Termin"}
    write_sheet(german)
    command = ["validate", "lab.yaml", "sheet.csv", "--days", "50"]
    assert app.main(command) == 2
    captured = capsys.readouterr()
    assert "--columns" in captured.err
    assert "Untersuchungsbeginn" in captured.out + captured.err
    Path("map.yaml").write_text(yaml.safe_dump({name: german.get(name, name) for name in COLUMNS}))
    assert app.main([*command, "--columns", "map.yaml"]) == 0


def test_what_the_record_says_of_rooms_and_hours(capsys: pytest.CaptureFixture[str]) -> None:
    """Checks of the record against the lab are printed and kept, beside the verdict."""
    write_lab(clinic(room_groups__small__count=1))
    assert app.main(["validate", "lab.yaml", "sheet.csv", "--days", "50", "--json", "numbers.json"]) == 0
    assert "- rooms_seen: " in capsys.readouterr().out
    assert any(line.startswith("rooms_seen: ") for line in json.loads(Path("numbers.json").read_text())["provenance"])


def test_findings_are_accepted_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    """A record that fails a check is refused, and read if its name is given; the report keeps that."""
    table = pd.read_csv("sheet.csv", dtype=str, keep_default_na=False)
    table.loc[table.index % 4 == 0, "begin"] = "??"
    table.to_csv("sheet.csv", index=False)
    command = ["validate", "lab.yaml", "sheet.csv", "--days", "50"]
    assert app.main(command) == 2
    error = capsys.readouterr().err
    assert "--accept unread" in error
    accepted = error.rpartition("--accept ")[2].split()
    assert app.main([*command, "--json", "numbers.json", "--accept", *accepted]) == 0
    said = json.loads(Path("numbers.json").read_text())["provenance"]
    assert any(line.startswith("accepted unread: ") for line in said)


def test_days_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """With ``--leave-out`` a lab is fitted without each day, and the day played in it."""
    command = ["validate", "lab.yaml", "sheet.csv", "--days", "50", "--leave-out", "--json", "numbers.json"]
    assert app.main(command) == 0
    days = json.loads(Path("numbers.json").read_text())["left_out"]
    assert len(days) == 5
    assert all(day["error"] < 5 for day in days)
    assert "Fitted without a day" in " ".join(capsys.readouterr().out.split())


def test_labs_of_a_bootstrap() -> None:
    """With ``--input-uncertainty`` simulated days are those of the labs beside the file."""
    content = {
        "fitted": {"exam_types.stress_test.exam.mean_min": 50.0},
        "samples": [[40.0], [50.0], [60.0]],
    }
    Path("lab.uncertainty.json").write_text(json.dumps(content))
    spans = []
    for more in ([], ["--input-uncertainty", "3"]):
        command = ["validate", "lab.yaml", "sheet.csv", "--days", "200", "--json", "numbers.json", *more]
        assert app.main(command) == 0
        low, high = json.loads(Path("numbers.json").read_text())["checks"]["utilisation"]["such_days"]
        spans.append(high - low)
    assert spans[1] > 1.2 * spans[0]


def test_a_lab_with_days_of_its_own() -> None:
    """A file with weekdays is read with each; one of them can be named."""
    write_lab(clinic(), {"monday": {"name": "mondays"}, "tuesday": None})
    config, books = labs_of("lab.yaml")
    assert list(books) == ["monday", "tuesday"]
    assert config is books["monday"]
    assert labs_of("lab.yaml#tuesday")[1] == {}
    assert labs_of("echo_week")[0].name == "echo_week"
    assert app.main(["validate", "lab.yaml", "sheet.csv", "--days", "50"]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lab.yaml", "sheet.csv", "--days", "1"], "--days is 1, but must be at least 2"),
        (["lab.yaml", "sheet.csv", "--seed", "-1"], "--seed is -1, but must be at least 0"),
        (["lab.yaml", ""], "SPREADSHEET is '', but must be a file"),
        (["lab.yaml", "none.csv"], "none.csv"),
        (["none.yaml", "sheet.csv"], "none.yaml"),
        (["lab.yaml", "sheet.csv", "--json", "lab.yaml"], "--json lab.yaml is also LAB"),
        (["lab.yaml", "sheet.csv", "--input-uncertainty", "5"], "lab.yaml has no lab.uncertainty.json"),
        (["lab.yaml", "sheet.csv", "--accept", "unred"], "did you mean unread"),
        (["baseline", "sheet.csv"], "the record has the exam type 'scan', but the lab 'baseline' has only fetal"),
    ],
)
def test_errors_are_one_sentence(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Input that cannot be used is named, with status 2, and nothing is written."""
    before = files_in(Path())
    assert app.main(["validate", *arguments]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert said in error
    assert files_in(Path()) == before

"""``echo-lab advise``: advice, what is inconsistent, and the log of a day."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import pytest

pytest.importorskip("numba")

from benchmarks.advice_times import stopped_days
from echo_env.commands.app import main
from echo_env.lab import load_lab, make_policy

DAY = ["--date", "2026-11-26"]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A board on which somebody begins in place of somebody else, and its time."""
    config = load_lab("scarce")
    days = stopped_days(config, make_policy("policy_2", config), 40, 21)
    own = max(days, key=lambda day: (len(day.starts), day.board.count("waiting")))
    path = tmp_path_factory.mktemp("boards") / "board.csv"
    path.write_text(own.board)
    return path, config.hours.clock(own.minute)


def test_advice_is_printed_written_and_logged(
    board: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The starts are printed with reasons, and the same stand in the JSON; the log follows what was done."""
    path, at = board
    log, file = tmp_path / "new" / "advice.db", tmp_path / "advice.json"
    given = ["--lab", "scarce", "--board", str(path), "--at", at, "--policy", "policy_2", "--draws", "8"]
    assert main(["advise", *given, "--log", str(log), "--json", str(file), *DAY]) == 0
    printed = capsys.readouterr().out
    first = json.loads(file.read_text())["advice"][0]
    assert first["words"] in printed
    assert printed.startswith(f"At {at} ")
    assert re.search(r"Thought for \d+\.\d\d s, after \d+\.\d s in which", printed)

    done = ["advise", "--log", str(log), *DAY, "--at", "18:59", "--done", first["patient"], "--room", first["room"]]
    assert main([*done, "--staff", first["staff"]]) == 0
    assert f"as advised at {at}" in capsys.readouterr().out
    assert main([*done, "--staff", first["staff"]]) == 2
    assert "was noted at 18:59 already" in capsys.readouterr().err
    assert main([*done[:7], "--done", "X", "--room", "1", "--staff", "1"]) == 0
    assert "which no advice said" in capsys.readouterr().out

    assert main(["advise", "--log", str(log), "--summary", *DAY]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"2026-11-26: advice was asked for once, from {at} to {at}; 2 exams were noted as begun."
    assert lines[1] == f"- 1 as advised: {first['patient']}"
    assert lines[2] == "- 1 without advice to begin them: X"
    assert main(["advise", "--log", str(log), "--summary", "--date", "2026-11-25"]) == 2
    assert "it has 2026-11-26" in capsys.readouterr().err


def test_another_room_is_said_in_the_summary(
    board: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An exam in another room than advised counts as advised, but done otherwise."""
    path, at = board
    log = str(tmp_path / "advice.db")
    given = ["--lab", "scarce", "--board", str(path), "--at", at, "--policy", "policy_2", "--draws", "8", "--log", log]
    assert main(["advise", *given, "--json", "-", *DAY]) == 0
    first = json.loads(capsys.readouterr().out)["advice"][0]
    done = ["--done", first["patient"], "--room", "other", "--staff", first["staff"], "--at", "18:59"]
    assert main(["advise", "--log", log, *DAY, *done]) == 0
    assert f"where room {first['room']} and {first['staff']} were advised" in capsys.readouterr().out
    assert main(["advise", "--log", log, *DAY, "--summary"]) == 0
    assert "- 1 advised, but in another room or with another member of staff" in capsys.readouterr().out


def test_without_a_policy_the_better_rule_advises(
    board: tuple[Path, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule is named, with what it costs against the other one on simulated days."""
    monkeypatch.setattr("echo_env.lab.advice.advice.RULE_DAYS", 20)
    path, at = board
    assert main(["advise", "--lab", "scarce", "--board", str(path), "--at", at, "--draws", "8"]) == 0
    printed = capsys.readouterr().out
    assert re.match(r"No --policy: (scarce_first|policy_2), which costs -[\d.]+ ± [\d.]+ points", printed)


def test_inconsistencies_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One inconsistency is the error itself; several are listed, a line each, and counted in the error."""
    path = tmp_path / "board.csv"
    assert main(["template", str(path), "--board", "scarce"]) == 0
    capsys.readouterr()
    given = ["advise", "--lab", "scarce", "--board", str(path), "--at", "08:00", "--policy", "policy_2"]
    path.write_text(path.read_text().replace("patient,2,fetal,expected", "patient,2,fetal,waiting"))
    assert main(given) == 2
    caught = capsys.readouterr()
    assert caught.out == ""
    assert re.fullmatch(
        r"error: .*board.csv: row \d+, column arrived: is empty, but patient 2 is waiting .*\n", caught.err
    )
    path.write_text(path.read_text().replace("patient,3,non_fetal", "patient,2,cardiac"))
    assert main(given) == 2
    caught = capsys.readouterr()
    assert len(caught.out.splitlines()) == 3
    assert all(re.match(r"row \d+, column \w+: ", line) for line in caught.out.splitlines())
    assert caught.err.endswith("board.csv has 3 inconsistencies, which are listed\n")


def test_the_log_keeps_ids_and_no_other_word_of_a_patient(board: tuple[Path, str], tmp_path: Path) -> None:
    """What the log has of a patient is the id and what was advised."""
    path, at = board
    log = tmp_path / "advice.db"
    given = ["--lab", "scarce", "--board", str(path), "--at", at, "--policy", "policy_2", "--draws", "8"]
    assert main(["advise", *given, "--log", str(log)]) == 0
    with sqlite3.connect(log) as connection:
        columns = {row[1] for name in ("start", "done") for row in connection.execute(f"PRAGMA table_info({name})")}
    connection.close()
    of_start = {"advice", "place", "patient", "room", "staff", "instead", "better", "low", "high"}
    assert columns == of_start | {"id", "day", "at"}


def test_a_database_of_something_else_is_left_alone(
    board: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--log refuses a database that is no log of advice, before anything is thought of or written."""
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE visits (id INTEGER)")
    connection.close()
    before = other.read_bytes()
    path, at = board
    given = ["--lab", "scarce", "--board", str(path), "--at", at, "--policy", "policy_2", "--log", str(other)]
    assert main(["advise", *given, "--json", str(tmp_path / "new.json")]) == 2
    assert "is a database of something else, with the table visits" in capsys.readouterr().err
    assert other.read_bytes() == before
    assert not (tmp_path / "new.json").exists()

"""Consoles and tables: width, encodings, colours."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from echo_env.common.stats import Estimate
from echo_env.common.tables import PIPE_WIDTH, PlainConsole, cell, encodable, new_console, new_table, print_table

ROOT = Path(__file__).parents[2]
COMMANDS = {
    "evaluate": "--days 10 --policies policy_2 policy_1 fetal_first random policy_5(alpha=1,beta=0.25) --bound 2"
    " --departures",
    "sweep": "--days 3 --policies policy_2 fetal_first --sweep rooms.non_fetal=3:4 sonographers.absence_rate=0,0.1"
    " appointments.scale=0.8,1",
    "pathways": "--env PatientPathways-v0 --patients 3:5:2 --resources 4 --draws 3 --trials 2 --bound",
}


def wide_table(columns: int) -> str:
    """A table of so many columns, as a pipe gets it."""
    file = io.StringIO()
    console = PlainConsole(file=file, width=PIPE_WIDTH)
    table = new_table("title", "caption")
    for name in ("policy", *(f"metric {k}" for k in range(columns))):
        table.add_column(name)
    for policy in ("policy_2", "fetal_first"):
        table.add_row(policy, *(f"{policy[:3]} {k:,.1f} ± 1,234.5" for k in range(columns)))
    print_table(console, table)
    return file.getvalue()


def test_a_wide_table_is_printed_in_parts() -> None:
    """No line is wider than the console, every cell is whole, each part has its rows' names, title and caption once."""
    printed = wide_table(12)
    assert max(map(len, printed.splitlines())) <= PIPE_WIDTH
    for k in range(12):
        assert printed.count(f"metric {k} ") == 1
        for policy in ("pol", "fet"):
            assert printed.count(f"{policy} {k:,.1f} ± 1,234.5") == 1
    assert printed.count("policy_2 ") == printed.count("policy ") > 1
    assert (printed.count("title"), printed.count("caption")) == (1, 1)


def test_a_narrow_table_is_printed_whole() -> None:
    """What fits is one table."""
    assert wide_table(2).count("policy ") == 1


def test_a_pipe_is_100_columns_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever COLUMNS says; a terminal keeps its own width."""
    monkeypatch.setenv("COLUMNS", "173")
    assert new_console().width == PIPE_WIDTH == 100
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert new_console().width == 173


@pytest.mark.parametrize(("no_color", "coloured"), [("1", False), ("", True)])
def test_no_color_is_respected(no_color: str, coloured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR a terminal gets no colours."""
    monkeypatch.setenv("NO_COLOR", no_color)
    console = PlainConsole(file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print("[red]late[/red]")
    assert ("\x1b[31m" in console.file.getvalue()) == coloured  # type: ignore[attr-defined]


def test_what_cannot_be_encoded_is_replaced() -> None:
    """± becomes +- where the encoding lacks it, and is left alone elsewhere; other characters become ?."""
    text = cell(Estimate(1234.5, 1227.8, 1241.2, 10))
    assert text == "1,234.5 ± 6.7"
    assert encodable(text, "ascii") == "1,234.5 +- 6.7"
    assert encodable(text, "utf-8") == encodable(text, "latin-1") == text
    assert encodable("Zoë… ½", "ascii") == "Zo?... ?"


def test_columns_stay_aligned_in_ascii() -> None:
    """Replacements are made before columns are laid out."""
    raw = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    console: Console = PlainConsole(file=raw, width=60)
    table = new_table("a ± b")
    for name in ("policy", "mean ± half", "days"):
        table.add_column(name)
    table.add_row("x", "1.0 ± 2.0", "7")
    table.add_row("y", "-", "8")
    console.print(table)
    raw.seek(0)
    lines = raw.read().splitlines()
    assert lines[0].strip() == "a +- b"
    assert len({line.index(digit) for line, digit in ((lines[4], "7"), (lines[5], "8"), (lines[2], "days"))}) == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_print_100_columns_of_ascii_where_they_must(name: str, tmp_path: Path) -> None:
    """Piped, with an ASCII terminal encoding, every table of a command is printed whole in at most 100 columns."""
    pytest.importorskip("numba")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, str(ROOT / "evaluate.py"), *COMMANDS[name].split()]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode("ascii").splitlines()
    assert max(map(len, lines)) <= PIPE_WIDTH
    assert any("+-" in line for line in lines)

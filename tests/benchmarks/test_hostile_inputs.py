"""hostile_inputs.py: its cases, and that its judgement can fail."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import hostile_inputs
from benchmarks.hostile_inputs import Case, judge, lay, read_cases

ROOT = Path(hostile_inputs.__file__).resolve().parents[1]


def kind_of(case: Case) -> str:
    """Which ``--help`` has the options of a case."""
    if case.command == "train" and case.arguments[:1] in (("enjoy",), ("record_video",)):
        return case.arguments[0]
    if "PatientPathways-v0" in case.arguments:
        return "pathways"
    return "evaluate" if case.command == "sweep" else case.command


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("evaluate", "evaluate"),
        ("pathways", "evaluate --env PatientPathways-v0"),
        ("calibrate", "calibrate"),
        ("validate", "validate"),
        ("template", "template"),
        ("advise", "advise"),
        ("optimise", "optimise"),
        ("schema", "schema"),
        ("paper", "paper"),
        ("animate", "animate"),
    ],
)
def test_every_option_is_in_two_cases(kind: str, command: str) -> None:
    """Each option that ``--help`` lists occurs in two cases at least."""
    line = [sys.executable, "-m", "echo_env", *command.split(), "--help"]
    told = subprocess.run(line, capture_output=True, text=True, check=True, cwd=ROOT).stdout.partition("╭─")[2]
    options = set(re.findall(r"(?<=[ *])--[a-z][a-z-]*", told))
    assert "--help" in options
    found: Counter[str] = Counter()
    for case in read_cases():
        if kind_of(case) == kind:
            found.update({argument.partition("=")[0] for argument in case.arguments})
    assert {option for option in options - {"--help"} if found[option] < 2} == set()


def test_there_are_four_hundred_cases_without_repetition() -> None:
    """At least 400 cases, none twice."""
    cases = read_cases()
    assert len(cases) >= 400
    twice = Counter((case.command, case.arguments, tuple(case.files.items())) for case in cases)
    assert [case for case, number in twice.items() if number > 1] == []


def test_every_case_can_be_laid(tmp_path: Path) -> None:
    """The files of every case can be made."""
    for number, case in enumerate(read_cases()):
        if not any(content.startswith("<WEEK") for content in case.files.values()):
            lay(tmp_path / str(number), case.files)


def _write_half() -> int:
    Path("half.txt").write_text("x")
    raise ValueError("no")


def _refuse(*lines: str, status: int = 2) -> int:
    print(*lines, sep="\n", file=sys.stderr)
    return status


ENDS = {
    "raise": lambda: 1 / 0,
    "half": lambda: (Path("half.txt").write_text("x"), _refuse("error: no"))[1],
    "accept": lambda: 0,
    "refuse": lambda: _refuse("error: no"),
    "two lines": lambda: _refuse("error: no", "and no"),
    "change": lambda: (Path("mine.txt").write_text("x"), 0)[1],
    "hang": lambda: __import__("time").sleep(60),
}


@pytest.mark.parametrize(
    ("end", "expect", "outcome"),
    [
        ("raise", "refuse", "traceback"),
        ("half", "refuse", "left behind"),
        ("accept", "refuse", "accepted"),
        ("accept", "accept", "as promised"),
        ("refuse", "refuse", "as promised"),
        ("refuse", "accept", "refused"),
        ("two lines", "refuse", "not one line"),
        ("change", "accept", "changed a file"),
        ("hang", "refuse", "hang"),
    ],
)
def test_every_wrong_end_is_noticed(end: str, expect: str, outcome: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way of ending is told from the others."""
    monkeypatch.setattr(hostile_inputs, "run_command", lambda case: ENDS[end]())
    monkeypatch.setattr(hostile_inputs, "LIMIT_S", 3)
    assert judge(Case("ends", "evaluate", (), {"mine.txt": "mine"}, expect))[0] == outcome

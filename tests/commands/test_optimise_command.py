"""``echo-lab optimise``: what may be decided, what is refused, and what is written."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from echo_env.lab import GeneralLabConfig, load_lab

pytest.importorskip("numba")
pytest.importorskip("matplotlib")

from echo_env.commands.optimise import main

QUICK = ("--seconds", "20", "--days", "100", "--starts", "1")
SMALL = """
base: scarce
name: small
appointments: {fetal: ["08:00", "08:00", "08:15"], non_fetal: ["08:00", "08:15", "08:30"]}
"""


@pytest.fixture
def lab(tmp_path: Path) -> str:
    """A lab of the short form with six patients who come too early."""
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    return str(file)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--decide", "rooster"], "--decide has 'rooster' (did you mean roster?), but must be of roster, template"),
        (["--most-rebooked", "3"], "--most-rebooked is for --decide absence_plan, which is not decided here"),
        (["--decide", "breaks", "--latest", "16:00"], "--latest is for --decide template, which is not decided here"),
        (["--decide", "roster", "--may-change", "hats"], "'hats'"),
        (
            ["--more", "fetal"],
            "--more has 'fetal', but must be NAME=NUMBER, where the number is the number of patients",
        ),
        (["--more", "fetal=1.5"], "--more has fetal=1.5, but the number of patients must be a whole number"),
        (["--allow", "paid_h=nan"], "--allow has 'paid_h=nan', but the most that it may rise must be a number"),
        (["--allow", "paid_h=-1"], "--allow has paid_h=-1, but the most that it may rise must be at least 0"),
        (["--objective", "wait_min=inf"], "--objective has 'wait_min=inf', but the weight must be a number"),
        (["--more", "foetal=2"], "'foetal', which is no exam type of the lab"),
        (["--allow", "paid_h=x"], "--allow has 'paid_h=x', but the most that it may rise must be a number"),
        (["--allow", "paid_hour=1"], "'paid_hour' is no metric of the lab"),
        (["--objective", "wait_min=x"], "--objective has 'wait_min=x', but the weight must be a number"),
        (["--at-once", "0"], "at_once is 0, but must be at least 1"),
        (["--extra", "-1", "--decide", "roster"], "--extra is -1, but must be at least 0"),
        (["--hold", "08:00", "08:15", "08:30"], "there is nothing to decide"),
        (["--journal", "small.yaml/x"], "small.yaml"),
        (["--journal", ""], "--journal is empty, but must be a folder"),
        (["--report", ""], "--report is empty, but must be a folder"),
        (["--output", "-", "--json", "-"], "--output and --json are both -"),
    ],
)
def test_wrong_options_are_one_sentence(
    options: list[str], words: str, lab: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be meant ends with status 2 and one sentence, before anything is searched or written."""
    monkeypatch.chdir(Path(lab).parent)
    assert main([lab, *QUICK, *options]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.strip().splitlines()) == 1
    assert [path.name for path in Path(lab).parent.iterdir()] == ["small.yaml"]


def test_decisions_together_are_written_in_the_general_form(lab: str, tmp_path: Path) -> None:
    """Book and absence plan of a lab of the short form: the report is complete, and its lab is the proposed one."""
    report, numbers = tmp_path / "report", tmp_path / "numbers.json"
    decide = ["--decide", "template", "absence_plan", "--most-rebooked", "2", "--grid", "60"]
    assert main([lab, *QUICK, *decide, "--report", str(report), "--json", str(numbers)]) == 0
    found = json.loads(numbers.read_text())
    assert found["recommended"]
    assert {own["decision"] for own in found["interactions"]} == {"template", "absence_plan"}
    assert "rebooked" in found["front"][found["proposed"]]["effects"]
    better = load_lab(report / "better.yaml")
    plans = [own for own in better.plan.types if own.rebook_from]
    assert isinstance(better, GeneralLabConfig) == bool(plans)
    assert (report / "report.md").read_text().count("## ") >= 4


def test_as_many_more_as_fit(lab: str, tmp_path: Path) -> None:
    """Further patients are booked at times at which nobody waits longer for them."""
    output = tmp_path / "more.yaml"
    assert main([lab, *QUICK, "--more", "non_fetal=2", "--grid", "60", "--output", str(output)]) == 0
    assert len(load_lab(output).plan.types[1].scheduled) == 5


def test_a_naive_objective_is_answered_with_a_warning(lab: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing is protected, a book that sends patients home comes with the number of them."""
    late = ["--window", "fetal=17:00-17:00", "non_fetal=17:00-17:00"]
    assert main([lab, *QUICK, *late, "--objective", "waiting", "--protect", "none"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert re.search(r"Warning: \d\.\d+ more patients a day would be sent home", said)


def test_a_stopped_search_goes_on(lab: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a journal the same command gives the same numbers again, and another lab's is refused."""
    journal, first, again = tmp_path / "journal", tmp_path / "1.json", tmp_path / "2.json"
    for numbers in (first, again):
        assert main([lab, *QUICK, "--grid", "120", "--journal", str(journal), "--json", str(numbers)]) == 0
    assert first.read_text() == again.read_text()
    capsys.readouterr()
    assert main([lab, *QUICK, "--grid", "60", "--journal", str(journal)]) == 2
    assert "is the journal of another search" in capsys.readouterr().err

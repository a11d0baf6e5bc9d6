"""``--input-uncertainty`` of evaluate and of sweep."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from echo_env.commands.evaluate import main

LAB = """
name: small
hours: {opening: "08:00", closing: "12:00", end: "13:00"}
exam: {shape: 9, mean_min: 30, shortest_min: 10, longest_min: 60}
exam_types:
  head: {appointments: ["08:00", "08:30", "09:00", "09:10", "09:20"]}
room_groups: {magnets: {count: 1}}
staff_groups: {everybody: {count: 2}}
"""


@pytest.fixture
def lab_file(tmp_path: Path) -> Path:
    """A lab with the bootstrap of a calibration beside it."""
    path = tmp_path / "lab.yaml"
    path.write_text(LAB, encoding="utf8")
    samples = [[mean] for mean in (22.0, 26.0, 30.0, 34.0, 38.0)]
    content = {"lab": "small", "resampled": "days", "fitted": {"exam.mean_min": 30}, "samples": samples}
    path.with_suffix(".uncertainty.json").write_text(json.dumps(content), encoding="utf8")
    return path


def test_evaluate_gives_both_parts(lab_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tables, JSON and summary have both half-widths; the lab's own numbers are those without the option."""
    out, folder = tmp_path / "table.json", tmp_path / "results"
    common = ["--config", str(lab_file), "--days", "30", "--policies", "policy_2", "random", "--json", str(out)]
    assert main(common) == 0
    plain = json.loads(out.read_text(encoding="utf8"))
    capsys.readouterr()
    assert main([*common, "--input-uncertainty", "5", "--output", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "input uncertainty: 5 labs of the bootstrap" in printed
    assert "wait_min: not knowing the lab dominates" in " ".join(printed.split())
    got = json.loads(out.read_text(encoding="utf8"))
    both = got.pop("input_uncertainty")
    assert got == plain
    wait = both["policies"]["policy_2"]["wait_min"]
    assert wait["mean"] == plain["policies"]["policy_2"]["wait_min"]["mean"]
    assert wait["lab"] > wait["simulation"] > 0
    assert both["labs"] == 5
    summary = json.loads((folder / "summary.json").read_text(encoding="utf8"))
    assert summary["input_uncertainty"] == both


def test_sweep_gives_both_parts(lab_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cells and their differences to the base lab have both half-widths; a second run plays nothing again."""
    folder = tmp_path / "what_if"
    arguments = ["--config", str(lab_file), "--days", "20", "--policies", "policy_2", "--output", str(folder)]
    arguments += ["--sweep", "room_groups.magnets.count=1:2", "--input-uncertainty", "4"]
    assert main(arguments) == 0
    assert "waiting_penalty minus base lab: " in " ".join(capsys.readouterr().out.split())
    rows = list(csv.DictReader((folder / "input_uncertainty.csv").open(encoding="utf8")))
    wait = {row["label"]: row for row in rows if row["metric"] == "wait_min"}
    more = wait["room_groups.magnets.count=2"]
    assert float(more["minus_base_mean"]) < 0
    assert float(more["minus_base_half_lab"]) > 0
    assert {row["labs"] for row in rows} == {"4"}
    summary = json.loads((folder / "summary.json").read_text(encoding="utf8"))
    assert summary["input_uncertainty"]["labs"] == 4
    assert main(arguments) == 0
    assert "10 of 10 results are taken from" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input-uncertainty", "9"], "input-uncertainty is 9, but must be a whole number from 2 to 5"),
        (["--input-uncertainty", "-1"], "input-uncertainty is -1, but must be"),
    ],
)
def test_impossible_numbers_are_refused(
    lab_file: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says how many samples there are."""
    assert main(["--config", str(lab_file), "--days", "2", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_lab_without_a_bootstrap_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Presets and files of one's own have no bootstrap."""
    assert main(["--days", "2", "--input-uncertainty", "2"]) == 2
    assert "no lab is given with --config" in capsys.readouterr().err
    assert main(["--config", "echo_week", "--days", "2", "--input-uncertainty", "2"]) == 2
    assert "echo_week has no echo_week.uncertainty.json" in capsys.readouterr().err

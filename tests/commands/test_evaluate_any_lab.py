"""``evaluate`` in labs that are not of fetal and non-fetal exams."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from echo_env.commands.evaluate import main

LAB = """
name: small
hours: {opening: "08:00", closing: "12:00", end: "13:00"}
exam: {shape: 9, mean_min: 30, shortest_min: 10, longest_min: 60}
exam_types:
  head: {appointments: ["08:00", "08:30", "09:00", "09:10"]}
  knee: {appointments: ["08:15", "10:00"]}
room_groups: {magnets: {count: 1}}
staff_groups: {everybody: {count: 2, price_per_hour: 50}}
days:
  monday: {exam_types: {knee: {appointments: ["11:00"]}}}
"""


@pytest.fixture
def lab_file(tmp_path: Path) -> Path:
    """A lab of two types, with a day of its own for Mondays."""
    path = tmp_path / "lab.yaml"
    path.write_text(LAB, encoding="utf8")
    return path


def test_a_lab_of_exam_types_is_compared(lab_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The rules of any lab are the default; tables and JSON have the metrics of its types, groups and prices."""
    out = tmp_path / "table.json"
    arguments = ["--config", f"{lab_file}#monday", "--days", "3", "--engine", "simpy", "--json", str(out)]
    assert main([*arguments, "--output", str(tmp_path / "results")]) == 0
    got = json.loads(out.read_text(encoding="utf8"))
    assert list(got["policies"]) == ["policy_2", "policy_1", "scarce_first", "random"]
    own = got["policies"]["policy_2"]
    assert {"wait_head_min", "within_15_min_knee", "staff_utilisation_everybody", "cost"} < set(own)
    # Four hours of two members of staff, before any overtime.
    assert own["cost"]["mean"] == pytest.approx(50 * own["paid_h"]["mean"])
    assert own["served"]["mean"] <= 5
    printed = capsys.readouterr().out
    assert "head wait (min)" in printed
    assert "cost" in printed
    summary = json.loads((tmp_path / "results" / "summary.json").read_text(encoding="utf8"))
    assert summary["metrics"]["cost"]["unit"] == "currency units"
    assert summary["lab"]["exam_types"]["knee"]["appointments"] == [180]
    header = (tmp_path / "results" / "days.csv").read_text(encoding="utf8").splitlines()[0].split(",")
    assert header == ["policy", "day", *own]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--policies", "policy_2", "fetal_first"], "policy 'fetal_first' is for labs of fetal and non-fetal exams"),
        (["--bound", "1"], "lower bounds are for labs of the paper's form"),
        (["--sweep", "room_groups.magnets.count=1:2", "--sweep-metrics", "wait_fetal_min"], "'wait_fetal_min'"),
        (["--policies", "agent"], "no agent is kept for the lab 'small_monday'"),
    ],
)
def test_what_is_for_other_labs_is_refused(
    arguments: list[str], message: str, lab_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence says what the option or policy is for."""
    assert main(["--config", f"{lab_file}#monday", "--days", "3", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_sweep_shows_metrics_of_the_lab(lab_file: Path, tmp_path: Path) -> None:
    """A sweep over a group's size ranks by a metric of an exam type, and keeps all metrics of the lab."""
    out = tmp_path / "table.json"
    arguments = ["--config", f"{lab_file}#monday", "--days", "3", "--engine", "simpy", "--json", str(out)]
    arguments += ["--sweep", "room_groups.magnets.count=1:2", "--sweep-metrics", "overall_wait_head_min", "cost"]
    for _ in range(2):
        assert main([*arguments, "--output", str(tmp_path / "results")]) == 0
    got = json.loads(out.read_text(encoding="utf8"))
    assert got["ranking"]["metric"] == "overall_wait_head_min"
    assert "staff_utilisation_everybody" in got["metrics"]
    text = (tmp_path / "results" / "sweep.csv").read_text(encoding="utf8")
    assert ",within_15_min_knee," in text


def test_departures(lab_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rules of any lab are compared decision by decision."""
    pytest.importorskip("numba")
    arguments = ["--policies", "policy_2", "policy_1", "--departures"]
    assert main(["--config", f"{lab_file}#monday", "--days", "3", *arguments]) == 0
    assert "policy_1" in capsys.readouterr().out


def test_a_day_that_the_file_does_not_have(lab_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A day that is not in the file is named, with those that are."""
    assert main(["--config", f"{lab_file}#sunday", "--days", "3"]) == 2
    error = capsys.readouterr().err
    assert "sunday" in error
    assert "monday" in error


def test_a_model_of_single_starts_is_a_policy(lab_file: Path, tmp_path: Path) -> None:
    """A model whose actions are single starts plays in a lab of any kind, the same in one process and in two."""
    pytest.importorskip("sb3_contrib")
    import gymnasium as gym
    from sb3_contrib import MaskablePPO

    import evaluate  # noqa: F401  # provides the plug-in where the package is not installed

    env = gym.make("EchoLab-v0", config=f"{lab_file}#monday", clock="event")
    MaskablePPO("MlpPolicy", env, n_steps=16, batch_size=16, seed=0).save(tmp_path / "model")
    arguments = ["--config", f"{lab_file}#monday", "--days", "4", "--engine", "simpy", "--trust"]
    means = []
    for jobs in (1, 2):
        out = tmp_path / f"{jobs}.json"
        model = f"maskable_ppo={tmp_path / 'model.zip'}"
        assert main([*arguments, "--policies", "policy_2", model, "--jobs", str(jobs), "--json", str(out)]) == 0
        means.append(json.loads(out.read_text(encoding="utf8"))["policies"]["maskable_ppo"])
    assert means[0] == means[1]
    assert means[0]["served"]["mean"] > 0

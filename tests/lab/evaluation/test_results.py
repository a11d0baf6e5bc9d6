"""Files of a comparison: exact and complete."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from echo_env.lab import Comparison, LabConfig, evaluate
from echo_env.lab.evaluation.results import running_means, write_days, write_summary
from echo_env.lab.simulation.metrics import METRICS

SCARCE = LabConfig.load("scarce")


def write(folder: Path, comparison: Comparison) -> None:
    """As the command does."""
    write_days(folder, comparison)
    write_summary(folder, comparison, SCARCE, "EchoLabScarce-v0", command="python evaluate.py")


def hand_made(**penalties: list[float]) -> Comparison:
    """Every metric is the penalty."""
    values = {name: dict.fromkeys(METRICS, np.array(own)) for name, own in penalties.items()}
    return Comparison("tiny", 1, values, dict.fromkeys(penalties, "simpy"))


def test_days_are_written_to_the_bit(tmp_path: Path) -> None:
    """``days.csv`` holds every number exactly, nan as an empty field, and the summary says what they are of."""
    comparison = evaluate(SCARCE, ["policy_1", "fetal_first"], days=30, seed=3, reference="fetal_first")
    # Nobody is served early under policy 1.
    assert np.isnan(comparison.values["policy_1"]["wait_early_min"]).all()
    write(tmp_path, comparison)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["seed"], summary["reference"], summary["engines"]) == (3, "fetal_first", comparison.engines)
    with open(tmp_path / "days.csv", encoding="utf8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["policy"] for row in rows] == ["policy_1"] * 30 + ["fetal_first"] * 30
    for name in comparison.values:
        for metric in METRICS:
            read = [float(row[metric] or "nan") for row in rows if row["policy"] == name]
            assert np.array_equal(read, comparison.values[name][metric], equal_nan=True), metric


def test_days_hold_a_row_for_each_policy_and_day(tmp_path: Path) -> None:
    """``days.csv`` has a row for each policy and day, and both are named in it."""
    write_days(tmp_path, hand_made(a=[1.0, 0.1], b=[float("nan"), 4.0]))
    with open(tmp_path / "days.csv", encoding="utf8", newline="") as file:
        rows = [(row["policy"], row["day"], row["penalty"], row["overtime_min"]) for row in csv.DictReader(file)]
    assert rows == [("a", "0", "1", "1"), ("a", "1", "0.1", "0.1"), ("b", "0", "", ""), ("b", "1", "4", "4")]


def test_summary_says_what_was_found_and_on_what(tmp_path: Path) -> None:
    """The summary holds means, differences, days needed, metrics, lab and command."""
    # Differences b - a: 1, 3; mean 2, half-width t(0.975, 1) * sqrt(2) / sqrt(2) = 12.706: 2 * (12.706 / 2)^2 days.
    comparison = hand_made(a=[1.0, 2.0], b=[2.0, 5.0], c=[1.0, 2.0])
    write(tmp_path, comparison)
    got = json.loads((tmp_path / "summary.json").read_text())
    contract = comparison.to_dict("EchoLabScarce-v0")
    assert {key: got[key] for key in contract} == json.loads(json.dumps(contract))
    assert got["reference"] == "a"
    assert got["days_needed"]["b"]["penalty"] == 81
    assert got["days_needed"]["c"]["penalty"] is None
    assert got["metrics"]["overtime_min"]["unit"] == "minutes"
    assert got["lab"]["rooms"] == {"fetal": 1, "non_fetal": 3}
    assert got["command"] == "python evaluate.py"
    assert got["files"] == ["days.csv", "summary.json"]


def test_a_policys_name_is_no_formula(tmp_path: Path) -> None:
    """A name that a spreadsheet would run is escaped in ``days.csv``; numbers below zero are not."""
    write_days(tmp_path, hand_made(**{"=cmd()": [-1.0], "plain": [2.0]}))
    with open(tmp_path / "days.csv", encoding="utf8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["policy"], row["penalty"]) for row in rows] == [("'=cmd()", "-1"), ("plain", "2")]


def test_running_means_end_at_the_mean(tmp_path: Path) -> None:
    """Running means and differences end at the means of all days."""
    comparison = hand_made(a=[1.0, 2.0, 6.0, 3.0], b=[2.0, float("nan"), 6.0, 1.0])
    assert running_means(comparison, "a")["mean/penalty"] == ([1, 2, 3, 4], [1.0, 1.5, 3.0, 3.0])
    assert not [name for name in running_means(comparison, "a") if name.startswith("minus")]
    curves = running_means(comparison, "b")
    assert curves["mean/penalty"] == ([1, 2, 3, 4], [2.0, 2.0, 4.0, 3.0])
    # b - a: 1, nothing, 0, -2.
    assert curves["minus_a/penalty"] == ([1, 2, 3, 4], [1.0, 1.0, 0.5, -1 / 3])
    assert running_means(hand_made(a=list(range(1000))), "a", points=3)["mean/penalty"][0] == [1, 500, 1000]


def test_running_means_leave_out_days_without_a_number() -> None:
    """Days without a value are left out of running means."""
    comparison = hand_made(a=[float("nan"), 2.0, 4.0])
    assert running_means(comparison, "a")["mean/penalty"] == ([2, 3], [2.0, 3.0])
    assert running_means(hand_made(a=[float("nan")] * 3), "a") == {}

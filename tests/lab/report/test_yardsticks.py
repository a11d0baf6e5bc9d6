"""Bounds and decision times beside a comparison: tables, files, refusals."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import math
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rich")
pytest.importorskip("numba")

from rich.console import Console
from rich.table import Table

from echo_env.commands.options import EvaluateOptions
from echo_env.commands.output import check_outputs
from echo_env.lab import Comparison, LabConfig, make_policy
from echo_env.lab.bounds.bounds import Bounds
from echo_env.lab.evaluation.decision_times import DecisionTime, measure_decisions
from echo_env.lab.report.yardsticks import Yardsticks, bound_table, share_closed, time_table
from echo_env.lab.simulation.metrics import METRICS
from echo_env.lab.simulation.patient import Start
from echo_env.lab.simulation.whiteboard import LabView

BOUNDS = Bounds(np.array([10.0, 20.0]), np.array([5.0, 45.0]))


def printed(table: Table) -> str:
    """The table as printed in a wide window."""
    console = Console(file=io.StringIO(), width=200, color_system=None)
    console.print(table)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def test_share_of_a_gap_is_a_ratio_of_means() -> None:
    """share_closed is the ratio of mean gaps, with the interval of the delta method."""
    reference, bound = np.array([10.0, 30.0]), np.array([0.0, 10.0])
    half = share_closed(reference, (reference + bound) / 2, bound)
    assert half.mean == half.low == half.high == 0.5
    # Gaps 10 and 20, closed by 10 and 0: 5 of 15 on the mean. Linearised: 1/3 + (10 - 10/3) / 15 = 7/9, and
    # 1/3 - 20/3 / 15 = -1/9.
    uneven = share_closed(reference, np.array([0.0, 30.0]), bound)
    assert uneven.mean == pytest.approx(1 / 3)
    assert uneven.half_width == pytest.approx(12.7062 * (8 / 9) / 2, rel=1e-4)
    assert math.isnan(share_closed(bound, bound, bound).mean)


def test_table_is_of_the_first_days() -> None:
    """The bound table compares penalties and bounds of the same first days."""
    paid = {"policy_2": [30.0, 50.0, 999.0], "fetal_first": [20.0, 40.0, 999.0]}
    values = {name: dict.fromkeys(METRICS, np.array(own)) for name, own in paid.items()}
    lines = printed(bound_table(Comparison("lab", 7, values, dict.fromkeys(paid, "simpy")), BOUNDS)).splitlines()
    rows = {line.split()[0]: line.split() for line in lines if line.strip()}
    assert "first 2 days" in lines[0]
    # Gaps of 25 and of 15, of which 10 are closed.
    assert rows["policy_2"][1] == "40.0"
    assert rows["policy_2"][4] == "25.0"
    assert [rows["fetal_first"][k] for k in (1, 4, 7, 10, 13)] == ["30.0", "15.0", "40.0", "5.0", "66.7"]
    assert sum(line.strip().startswith("bound:") for line in lines) == 2


def test_files_hold_what_was_found(tmp_path: Path) -> None:
    """bounds.csv and decision_times.json hold what was found; without yardsticks nothing is written."""
    Yardsticks(BOUNDS, {"policy_2": DecisionTime(30.0, 0.5, 0.75)}).write(tmp_path)
    with open(tmp_path / "bounds.csv", encoding="utf8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["clairvoyant"]) for row in rows] == [10, 20]
    assert [float(row["lengths_unknown"]) for row in rows] == [5, 45]
    assert json.loads((tmp_path / "decision_times.json").read_text(encoding="utf8")) == {
        "policy_2": {"decisions": 30.0, "mean_ms": 0.5, "p95_ms": 0.75}
    }
    (tmp_path / "empty").mkdir()
    Yardsticks(None, {}).write(tmp_path / "empty")
    assert not list((tmp_path / "empty").iterdir())


class SlowPolicy:
    """Decides as policy_2 does, after at least two milliseconds."""

    def __init__(self, config: LabConfig) -> None:
        self.name = "slow"
        self._rule = make_policy("policy_2", config)

    def begin_day(self, view: LabView, seed: int) -> None:
        """Sleeps, off the clock."""
        time.sleep(0.02)

    def decide(self, view: LabView) -> list[Start]:
        """Sleeps, on the clock."""
        time.sleep(0.002)
        return list(self._rule.decide(view))


def test_decisions_are_timed_and_nothing_else() -> None:
    """Only calls of decide are timed, not begin_day or the simulation."""
    config = LabConfig.load("scarce")
    told: list[int] = []
    times = measure_decisions(
        config, {"slow": SlowPolicy(config), "policy_2": make_policy("policy_2", config)}, 2, 7, told.append
    )
    assert times["slow"].decisions == times["policy_2"].decisions > 20
    assert 2 <= times["slow"].mean_ms < 20
    assert 2 <= times["slow"].p95_ms
    assert times["policy_2"].mean_ms < times["slow"].mean_ms
    assert told == [1] * 4
    assert "policy_2" in printed(time_table(times))
    with pytest.raises(ValueError, match="days of decision times is 0, but must be at least 1"):
        measure_decisions(config, {}, 0, 7)


def test_days_of_yardsticks_are_checked_before_anything_is_played(monkeypatch: pytest.MonkeyPatch) -> None:
    """--bound and --decision-times beyond --days, beside --sweep or without numba are refused at once."""
    check_outputs(EvaluateOptions(days=50, bound=50, decision_times=3))
    check_outputs(EvaluateOptions(days=50, sweep=("rooms.non_fetal=3",)))
    for options, message in (
        (EvaluateOptions(days=50, bound=51), "--bound is 51, but must be from 0 to --days, which is 50"),
        (EvaluateOptions(days=50, bound=-1), "--bound is -1, but must be from 0"),
        (EvaluateOptions(days=50, decision_times=51), "--decision-times is 51, but must be from 0 to --days"),
        (
            EvaluateOptions(days=50, bound=3, sweep=("rooms.non_fetal=3",)),
            "--bound is of one lab, and does not go together with --sweep",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            check_outputs(options)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="bounds need the compiled engine, but numba is missing"):
        check_outputs(EvaluateOptions(days=50, bound=3))

"""Bounds beside a comparison: table, file, and what is refused."""

from __future__ import annotations

import csv
import importlib.util
import io
import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rich")
pytest.importorskip("numba")

from rich.console import Console
from rich.table import Table

from echo_env.commands.inputs.evaluate_options import EvaluateOptions
from echo_env.commands.output import check_outputs
from echo_env.lab import Comparison
from echo_env.lab.bounds.bounds import Bounds
from echo_env.lab.report.yardsticks import bound_table, share_closed, write_bounds
from echo_env.lab.simulation.metrics import METRICS

BOUNDS = Bounds(np.array([10.0, 20.0]), np.array([5.0, 45.0]), np.array([12.0, 40.0]))


def printed(table: Table) -> str:
    """What a wide window shows."""
    console = Console(file=io.StringIO(), width=250, color_system=None)
    console.print(table)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def test_share_of_a_gap_is_a_ratio_of_means() -> None:
    """A policy halfway to the bound closes half of the gap, with an interval."""
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
    """Penalties are compared with the bounds of the same days."""
    paid = {"policy_2": [30.0, 50.0, 999.0], "fetal_first": [20.0, 40.0, 999.0]}
    values = {name: dict.fromkeys(METRICS, np.array(own)) for name, own in paid.items()}
    lines = printed(bound_table(Comparison("lab", 7, values, dict.fromkeys(paid, "simpy")), BOUNDS)).splitlines()
    rows = {line.split()[0]: line.split() for line in lines if line.strip()}
    assert "first 2 days" in lines[0]
    assert "the largest, and so the tightest, is attached" in " ".join(lines)
    # Gaps of 25 and of 15, of which 10 are closed.
    assert rows["policy_2"][1] == "40.0"
    assert rows["policy_2"][4] == "25.0"
    assert [rows["fetal_first"][k] for k in (1, 4, 7, 10, 13)] == ["30.0", "15.0", "40.0", "5.0", "66.7"]
    assert sum(line.strip().startswith("bound:") for line in lines) == 3


def test_the_file_has_a_row_for_each_day(tmp_path: Path) -> None:
    """``bounds.csv`` holds all bounds of every day."""
    write_bounds(tmp_path, BOUNDS)
    with open(tmp_path / "bounds.csv", encoding="utf8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["clairvoyant"]) for row in rows] == [10, 20]
    assert [float(row["lengths_unknown"]) for row in rows] == [5, 45]
    assert [float(row["attached"]) for row in rows] == [12, 40]


def test_refused_before_anything_is_played(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of days that cannot be, bounds of a sweep, and a missing compiler are refused in one sentence."""
    check_outputs(EvaluateOptions(days=50, bound=50))
    for changes, message in (
        ({"bound": 51}, "--bound is 51, but must be from 0 to --days, which is 50"),
        ({"bound": -1}, "--bound is -1, but must be from 0"),
        ({"bound": 3, "sweep": ("rooms.non_fetal=3",)}, "--bound is of one lab, and does not go together with --sweep"),
    ):
        with pytest.raises(ValueError, match=message):
            check_outputs(EvaluateOptions(**{"days": 50, **changes}))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="bounds need the compiled engine, but numba is missing"):
        check_outputs(EvaluateOptions(days=50, bound=3))

"""What a sweep says: played cells, differences, elasticities, tables, files."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from echo_env.common.stats import estimate, paired_difference
from echo_env.lab import Comparison, LabConfig, Policy, evaluate, make_policy
from echo_env.lab.simulation.metrics import METRICS
from echo_env.lab.sweep import Player, Sweep, SweepResults, make_sweep, play_sweep, report, tasks_of

SCARCE = LabConfig.load("scarce")


def policies(config: LabConfig) -> list[Policy]:
    """Two rules."""
    return [make_policy(name, config) for name in ("policy_2", "fetal_first")]


def played(wanted: list[str], mode: str = "grid", days: int = 30, folder: Path | None = None) -> SweepResults:
    """A sweep of the scarce lab under both."""
    sweep = make_sweep(SCARCE, wanted, mode)
    return play_sweep(sweep, tasks_of(sweep, policies, days, 3), Player(days, 3, folder), 3)


def made_up(sweep: Sweep, penalty: Any) -> SweepResults:
    """A sweep whose penalties are a function of the cell."""
    comparisons = []
    for cell in sweep.cells:
        table = dict.fromkeys(METRICS, np.asarray(penalty(cell.values), dtype=np.float64))
        comparisons.append(Comparison("scarce", 3, {"policy_2": table}, {"policy_2": "simpy"}))
    return SweepResults(sweep, tuple(comparisons))


@pytest.fixture(scope="module")
def grid() -> SweepResults:
    """Few rooms and more sonographers."""
    return played(["rooms.non_fetal=2:4", "sonographers.fetal=2,3"])


def test_a_cell_is_what_evaluate_says_of_its_lab(grid: SweepResults) -> None:
    """The answer to a what-if would not be that of the same lab in a file of its own."""
    for cell in grid.sweep.cells:
        alone = evaluate(cell.config, ["policy_2", "fetal_first"], 30, 3)
        for policy, metric in (("policy_2", "penalty"), ("fetal_first", "wait_min")):
            assert np.array_equal(grid.values(cell, policy, metric), alone.values[policy][metric], equal_nan=True)
        assert grid.minus_reference(cell, "fetal_first", "penalty") == alone.paired("fetal_first", "penalty")


def test_cells_are_compared_day_by_day(grid: SweepResults) -> None:
    """The luck of the days would be in the difference between two labs."""
    base, other = grid.sweep.cells[0], grid.sweep.cells[1]
    first, second = (grid.values(cell, "policy_2", "penalty") for cell in (base, other))
    assert grid.minus_base(other, "policy_2", "penalty") == paired_difference(second, first)
    assert (grid.days, grid.seed, grid.reference, grid.others) == (30, 3, "policy_2", ["fetal_first"])


def test_jobs_change_nothing(grid: SweepResults) -> None:
    """Two processes would give other numbers than one."""
    sweep = make_sweep(SCARCE, ["rooms.non_fetal=2:4", "sonographers.fetal=2,3"])
    both = play_sweep(sweep, tasks_of(sweep, policies, 30, 3), Player(30, 3, None), 3, jobs=2)
    for cell in sweep.cells:
        for policy in both.policies:
            assert np.array_equal(both.values(cell, policy, "penalty"), grid.values(cell, policy, "penalty"))


@pytest.mark.parametrize(("power", "expected"), [(1, 1.0), (-1, -1.0), (0, 0.0)])
def test_elasticity_of_a_proportional_response(power: int, expected: float) -> None:
    """One percent more rooms, one percent more penalty: that is 1, in both directions from where the lab is."""
    sweep = make_sweep(SCARCE, ["rooms.non_fetal=2:5"])
    results = made_up(sweep, lambda values: 10.0 * values["rooms.non_fetal"] ** power * np.ones(4))
    found = results.elasticity(sweep.axes[0], "policy_2", "penalty")
    assert found is not None
    assert (found.low, found.high) == (2, 4)
    assert found.value.mean == pytest.approx(expected)
    assert found.value.half_width == pytest.approx(0, abs=1e-12)


def test_elasticity_interval_is_that_of_the_bootstrap() -> None:
    """The interval would be too narrow or too wide; the days of both cells are drawn again together."""
    results = played(["exam.mean_min=40,50"], days=400)
    axis = results.sweep.axes[0]
    found = results.elasticity(axis, "policy_2", "penalty")
    assert found is not None
    low, high = (results.values(cell, "policy_2", "penalty") for cell in results.sweep.along(axis) if cell.number)
    rng = np.random.default_rng(0)
    drawn = rng.integers(400, size=(4000, 400))
    m1, m2 = low[drawn].mean(axis=1), high[drawn].mean(axis=1)
    bootstrap = (m2 - m1) / (m1 + m2) / ((50 - 40) / (50 + 40))
    assert found.value.mean == pytest.approx(bootstrap.mean(), rel=0.02)
    assert found.value.half_width == pytest.approx(1.96 * bootstrap.std(), rel=0.06)


@pytest.mark.parametrize(
    ("wanted", "ends"),
    [
        ("rooms.non_fetal=3:6", (3, 4)),
        ("rooms.non_fetal=1:3", (2, 3)),
        ("rooms.non_fetal=5,8", (3, 5)),
        ("sonographers.absence_rate=0,0.5", (0, 0.5)),
        ("penalty.idle_rule=none", None),
    ],
)
def test_elasticity_is_taken_next_to_the_base_lab(wanted: str, ends: tuple[float, float] | None) -> None:
    """A local number would be told about a distant part of the curve."""
    sweep = make_sweep(SCARCE, [wanted])
    found = made_up(sweep, lambda _: np.ones(3)).elasticity(sweep.axes[0], "policy_2", "penalty")
    assert (found and (found.low, found.high)) == ends


def test_elasticity_of_nothing_is_none() -> None:
    """A lab without penalties would divide by 0."""
    sweep = make_sweep(SCARCE, ["rooms.non_fetal=2:4"])
    for value in (0.0, math.nan):
        results = made_up(sweep, lambda _, value=value: np.full(3, value))
        assert results.elasticity(sweep.axes[0], "policy_2", "penalty") is None
        effect = results.effect(sweep.axes[0], "policy_2", "penalty")
        assert (effect.lowest.number, effect.highest.number) == (0, 0)


def test_what_matters_most_comes_first() -> None:
    """The tornado would stand on its head, or a bar end at the wrong value."""
    sweep = make_sweep(SCARCE, ["rooms.non_fetal=2:5", "exam.mean_min=40,45,60"], "one_at_a_time")
    results = made_up(sweep, lambda v: np.ones(3) * (100 + 3 * abs(v["rooms.non_fetal"] - 4) + 2 * v["exam.mean_min"]))
    first, second = results.effects("policy_2", "penalty")
    assert first.axis.path == "exam.mean_min"
    assert (first.lowest.config.exam.mean_min, first.highest.config.exam.mean_min) == (40, 60)
    assert first.span.mean == 40
    # Not the ends of the range, but those of the response.
    assert (second.lowest.config.rooms.non_fetal, second.highest.config.rooms.non_fetal) == (4, 2)
    assert second.span.mean == 6
    assert results.best("penalty")[0] is first.lowest


def test_points_of_another_kind_are_not_the_best() -> None:
    """A lab would be praised for what its penalties are called."""
    results = played(["penalty.idle_rule=none", "rooms.non_fetal=4"], days=5)
    assert results.best("penalty")[0].config.penalty == SCARCE.penalty


def test_long_table_holds_every_number(grid: SweepResults, tmp_path: Path) -> None:
    """A spreadsheet would show other numbers than the screen."""
    report.write_long(tmp_path, grid)
    with open(tmp_path / "sweep.csv", encoding="utf8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(grid.sweep.cells) * 2 * len(METRICS)
    for row in rows:
        cell = grid.sweep.cells[int(row["cell"])]
        assert (row["rooms.non_fetal"], row["sonographers.fetal"]) == (
            str(cell.config.rooms.non_fetal),
            str(cell.config.sonographers.fetal),
        )
        assert (row["days_in_common"], row["unit"]) == (cell.common, METRICS[row["metric"]][0])
        mean = grid.mean(cell, row["policy"], row["metric"])
        assert float(row["mean"] or "nan") == pytest.approx(mean.mean, nan_ok=True)
        assert (row["minus_base_mean"] == "") == (cell.number == 0)
        assert (row["minus_reference_mean"] == "") == (row["policy"] == "policy_2")
    shown = next(r for r in rows if r["cell"] == "1" and r["policy"] == "fetal_first" and r["metric"] == "penalty")
    assert float(shown["minus_base_ci95_low"]) == grid.minus_base(grid.sweep.cells[1], "fetal_first", "penalty").low
    assert (
        float(shown["minus_reference_ci95_high"])
        == grid.minus_reference(grid.sweep.cells[1], "fetal_first", "penalty").high
    )


def test_effects_table_says_where_the_others_stand(tmp_path: Path) -> None:
    """An elasticity would be read as one around the base lab, which was not in the grid."""
    report.write_effects(tmp_path, played(["rooms.non_fetal=2:3", "sonographers.absence_rate=0.2,0.4"], days=5))
    with open(tmp_path / "effects.csv", encoding="utf8", newline="") as file:
        rows = {(r["policy"], r["metric"], r["field"]): r for r in csv.DictReader(file)}
    rooms = rows["fetal_first", "penalty", "rooms.non_fetal"]
    assert (rooms["held"], rooms["own"]) == ("sonographers.absence_rate=0.2", "3")
    assert (rooms["elasticity_from"], rooms["elasticity_to"]) == ("2", "3")
    assert rows["policy_2", "penalty", "sonographers.absence_rate"]["held"] == "base lab"


def test_summary_is_json(grid: SweepResults) -> None:
    """A script could not read it, where a mean is of nobody."""
    content = report.summary(grid, "scarce", ["penalty", "wait_min"], command="x")
    again = json.loads(json.dumps(content, allow_nan=False))
    assert again["cells"][0]["minus_base"] == {}
    mean = estimate(grid.values(grid.sweep.cells[2], "fetal_first", "wait_min")).mean
    assert again["cells"][2]["policies"]["fetal_first"]["wait_min"]["mean"] == mean
    assert again["effects"]["policy_2"]["penalty"][0]["field"] in again["fields"]


def printed(results: SweepResults, width: int) -> str:
    """What a window shows."""
    pytest.importorskip("rich")
    from rich.console import Console

    from echo_env.lab.sweep.tables import print_sweep

    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=True, color_system=None)
    print_sweep(results, ["penalty", "wait_min"], "some days", console)
    return file.getvalue()


@pytest.mark.parametrize("width", [60, 200])
def test_tables_show_every_cell_whole(grid: SweepResults, width: int) -> None:
    """A narrow window would cut numbers off, or days that are not common pass unnoticed."""
    from echo_env.lab.evaluation.tables import cell as text

    shown = printed(grid, width)
    assert "…" not in shown
    for cell in grid.sweep.cells:
        for policy in grid.policies:
            assert text(grid.mean(cell, policy, "penalty")) in shown
            if cell.number:
                assert text(grid.minus_base(cell, policy, "penalty"), "+") in shown
    words = " ".join(shown.split())
    assert "partly, in 3 cells, where the number of sonographers differs" in words
    assert "Idle pairs of a room and a sonographer cost points here" in words


def test_tables_say_what_is_all_the_same() -> None:
    """Rows of zeros would leave the reader to guess that the sonographers are the bottleneck."""
    words = " ".join(printed(played(["rooms.non_fetal=3:4"], days=5), 200).split())
    assert "rooms.non_fetal alone makes no difference to penalty a day on any of these days." in words
    assert "All cells were played on the same days as the base lab." in words

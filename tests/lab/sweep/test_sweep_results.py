"""Results of a sweep: simulated cells, differences, elasticities, tables, files."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from echo_env.commands.inputs.evaluate_options import SHOWN
from echo_env.common.stats import estimate, paired_difference
from echo_env.lab import Comparison, LabConfig, Policy, evaluate, make_policy
from echo_env.lab.simulation.metrics import METRICS
from echo_env.lab.sweep import Player, Sweep, SweepResults, make_sweep, play_sweep, report, tasks_of
from echo_env.lab.sweep.results import RANKED, left_out

SCARCE = LabConfig.load("scarce")


def policies(config: LabConfig) -> list[Policy]:
    """Two policies."""
    return [make_policy(name, config) for name in ("policy_2", "fetal_first")]


def played(wanted: list[str], mode: str = "grid", days: int = 30, folder: Path | None = None) -> SweepResults:
    """A sweep of the scarce lab under both policies."""
    sweep = make_sweep(SCARCE, wanted, mode)
    return play_sweep(sweep, tasks_of(sweep, policies, days, 3), Player(days, 3, folder), 3)


def made_up(sweep: Sweep, penalty: Any) -> SweepResults:
    """A sweep whose penalties are a given function of the cell's values."""
    comparisons = []
    for cell in sweep.cells:
        table = dict.fromkeys(METRICS, np.asarray(penalty(cell.values), dtype=np.float64))
        comparisons.append(Comparison("scarce", 3, {"policy_2": table}, {"policy_2": "simpy"}))
    return SweepResults(sweep, tuple(comparisons))


@pytest.fixture(scope="module")
def grid() -> SweepResults:
    """Numbers of rooms and of sonographers."""
    return played(["rooms.non_fetal=2:4", "sonographers.fetal=2,3"])


def test_a_cell_is_what_evaluate_says_of_its_lab(grid: SweepResults) -> None:
    """A cell has the numbers of `evaluate` for the same lab, to the bit."""
    for cell in grid.sweep.cells:
        alone = evaluate(cell.config, ["policy_2", "fetal_first"], 30, 3)
        for policy, metric in (("policy_2", "penalty"), ("fetal_first", "wait_min")):
            assert np.array_equal(grid.values(cell, policy, metric), alone.values[policy][metric], equal_nan=True)
        assert grid.minus_reference(cell, "fetal_first", "penalty") == alone.paired("fetal_first", "penalty")


def test_cells_are_compared_day_by_day(grid: SweepResults) -> None:
    """Differences to the base lab are paired by day."""
    base, other = grid.sweep.cells[0], grid.sweep.cells[1]
    first, second = (grid.values(cell, "policy_2", "penalty") for cell in (base, other))
    assert grid.minus_base(other, "policy_2", "penalty") == paired_difference(second, first)
    assert (grid.days, grid.seed, grid.reference, grid.others) == (30, 3, "policy_2", ["fetal_first"])


def test_jobs_change_nothing(grid: SweepResults) -> None:
    """Two processes give the same numbers as one."""
    sweep = make_sweep(SCARCE, ["rooms.non_fetal=2:4", "sonographers.fetal=2,3"])
    both = play_sweep(sweep, tasks_of(sweep, policies, 30, 3), Player(30, 3, None), 3, jobs=2)
    for cell in sweep.cells:
        for policy in both.policies:
            assert np.array_equal(both.values(cell, policy, "penalty"), grid.values(cell, policy, "penalty"))


@pytest.mark.parametrize(("power", "expected"), [(1, 1.0), (-1, -1.0), (0, 0.0)])
def test_elasticity_of_a_proportional_response(power: int, expected: float) -> None:
    """A response proportional to the field's power p has elasticity p."""
    sweep = make_sweep(SCARCE, ["rooms.non_fetal=2:5"])
    results = made_up(sweep, lambda values: 10.0 * values["rooms.non_fetal"] ** power * np.ones(4))
    found = results.elasticity(sweep.axes[0], "policy_2", "penalty")
    assert found is not None
    assert (found.low, found.high) == (2, 4)
    assert found.value.mean == pytest.approx(expected)
    assert found.value.half_width == pytest.approx(0, abs=1e-12)


def test_elasticity_interval_is_that_of_the_bootstrap() -> None:
    """The delta-method interval equals the bootstrap interval over days."""
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
    """The elasticity is between the neighbours of the base value, or the two nearest values."""
    sweep = make_sweep(SCARCE, [wanted])
    found = made_up(sweep, lambda _: np.ones(3)).elasticity(sweep.axes[0], "policy_2", "penalty")
    assert (found and (found.low, found.high)) == ends


def test_elasticity_of_nothing_is_none() -> None:
    """The elasticity of a metric that is 0 or undefined is None."""
    sweep = make_sweep(SCARCE, ["rooms.non_fetal=2:4"])
    for value in (0.0, math.nan):
        results = made_up(sweep, lambda _, value=value: np.full(3, value))
        assert results.elasticity(sweep.axes[0], "policy_2", "penalty") is None
        effect = results.effect(sweep.axes[0], "policy_2", "penalty")
        assert (effect.lowest.number, effect.highest.number) == (0, 0)


def test_what_matters_most_comes_first() -> None:
    """Effects are ordered by span, from the lowest to the highest mean of the response."""
    sweep = make_sweep(SCARCE, ["rooms.non_fetal=2:5", "exam.mean_min=40,45,60"], "one_at_a_time")
    results = made_up(sweep, lambda v: np.ones(3) * (100 + 3 * abs(v["rooms.non_fetal"] - 4) + 2 * v["exam.mean_min"]))
    first, second = results.effects("policy_2", "penalty")
    assert first.axis.path == "exam.mean_min"
    assert (first.lowest.config.exam.mean_min, first.highest.config.exam.mean_min) == (40, 60)
    assert first.span.mean == 40
    # The lowest and highest response lie inside the range of the field.
    assert (second.lowest.config.rooms.non_fetal, second.highest.config.rooms.non_fetal) == (4, 2)
    assert second.span.mean == 6
    assert results.best("penalty")[0] is first.lowest


def test_points_of_another_kind_are_not_the_best() -> None:
    """Cells with other penalty weights cannot be the best cell."""
    results = played(["penalty.idle_rule=none", "rooms.non_fetal=4"], days=5)
    assert results.best("penalty")[0].config.penalty == SCARCE.penalty


def baseline_with_more_rooms() -> SweepResults:
    """One more room or sonographer of the baseline lab: patients wait less, and more of them stand idle."""
    baseline = LabConfig.load("baseline")
    sweep = make_sweep(baseline, ["rooms.fetal=1:3", "sonographers.fetal=4:5"], "one_at_a_time")
    return play_sweep(sweep, tasks_of(sweep, policies, 60, 3), Player(60, 3, None), 3)


def test_cells_are_ranked_by_the_waiting_part_by_default() -> None:
    """What patients wait less for is best, though the whole penalty is higher by idle pairs; both are said."""
    pytest.importorskip("rich")
    from echo_env.common.tables import cell as text

    results = baseline_with_more_rooms()
    best, policy = results.best(RANKED)
    base = results.sweep.cells[0]
    assert RANKED == SHOWN[0] == "waiting_penalty"
    assert best.number
    assert results.mean(best, policy, "waiting_penalty").mean < results.mean(base, policy, "waiting_penalty").mean
    assert results.mean(best, policy, "penalty").mean > results.mean(base, policy, "penalty").mean
    assert results.best("penalty")[0] is not best
    words = " ".join(printed(results, 200, SHOWN).split())
    assert f"Lowest waiting part of all cells and policies: {results.sweep.name(best)} under {policy}" in words
    beside = words.partition("This ranking leaves out, there under ")[2].partition(". ")[0]
    for name, label in (("penalty_idle", "idle part"), ("turned_away", "turned away"), ("left_waiting", "left at")):
        assert label in beside
        assert text(results.mean(base, policy, name)) in beside
    assert "left out: idle part, turned away, left at 19:00" in words
    content = report.summary(results, "baseline", SHOWN)["ranking"]
    assert content["metric"] == "waiting_penalty"
    assert content["lowest"] == {"cell": best.number, "label": results.sweep.name(best), "policy": policy}
    assert content["left_out"]["penalty_idle"]["base"] == results.mean(base, policy, "penalty_idle").as_json()


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("waiting_penalty", ("penalty_idle", "turned_away", "left_waiting")),
        ("wait_min", ("penalty_idle", "turned_away", "left_waiting")),
        ("penalty", ("turned_away", "left_waiting")),
        ("turned_away", ("penalty_idle", "left_waiting")),
    ],
)
def test_what_a_ranking_leaves_out(metric: str, expected: tuple[str, ...]) -> None:
    """A ranking names the idle part and the patients that it does not count, and not what it does."""
    assert left_out(metric) == expected


def test_long_table_holds_every_number(grid: SweepResults, tmp_path: Path) -> None:
    """sweep.csv holds every mean and difference with its cell, label and unit."""
    report.write_long(tmp_path, grid)
    with open(tmp_path / "sweep.csv", encoding="utf8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(grid.sweep.cells) * 2 * len(grid.metrics)
    for row in rows:
        cell = grid.sweep.cells[int(row["cell"])]
        assert (row["rooms.non_fetal"], row["sonographers.fetal"]) == (
            str(cell.config.rooms.non_fetal),
            str(cell.config.sonographers.fetal),
        )
        assert row["label"] == grid.sweep.name(cell)
        assert row["unit"] == grid.metrics[row["metric"]].unit
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
    """effects.csv states the values of the other fields where they are not the base lab's."""
    report.write_effects(tmp_path, played(["rooms.non_fetal=2:3", "sonographers.absence_rate=0.2,0.4"], days=5))
    with open(tmp_path / "effects.csv", encoding="utf8", newline="") as file:
        rows = {(r["policy"], r["metric"], r["field"]): r for r in csv.DictReader(file)}
    rooms = rows["fetal_first", "penalty", "rooms.non_fetal"]
    assert (rooms["held"], rooms["own"]) == ("sonographers.absence_rate=0.2", "3")
    assert (rooms["elasticity_from"], rooms["elasticity_to"]) == ("2", "3")
    assert rows["policy_2", "penalty", "sonographers.absence_rate"]["held"] == "base lab"


def test_summary_is_json(grid: SweepResults) -> None:
    """The summary is strict JSON, with null for undefined means."""
    content = report.summary(grid, "scarce", ["penalty", "wait_min"], command="x")
    again = json.loads(json.dumps(content, allow_nan=False))
    assert again["cells"][0]["minus_base"] == {}
    mean = estimate(grid.values(grid.sweep.cells[2], "fetal_first", "wait_min")).mean
    assert again["cells"][2]["policies"]["fetal_first"]["wait_min"]["mean"] == mean
    assert again["effects"]["policy_2"]["penalty"][0]["field"] in again["fields"]


def printed(results: SweepResults, width: int, metrics: Sequence[str] = ("penalty", "wait_min")) -> str:
    """Output of a terminal of the given width, or of a pipe."""
    pytest.importorskip("rich")
    from rich.console import Console

    from echo_env.lab.sweep.tables import print_sweep

    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=True, color_system=None)
    print_sweep(results, metrics, "some days", console)
    return file.getvalue()


@pytest.mark.parametrize("width", [60, 200])
def test_tables_show_every_cell_whole(grid: SweepResults, width: int) -> None:
    """Tables show every number in full at any width, with the notes on shared random numbers."""
    from echo_env.lab.evaluation.tables import cell as text

    shown = printed(grid, width)
    assert "…" not in shown
    for cell in grid.sweep.cells:
        for policy in grid.policies:
            assert text(grid.mean(cell, policy, "penalty")) in shown
            if cell.number:
                assert text(grid.minus_base(cell, policy, "penalty"), "+") in shown
    words = " ".join(shown.split())
    assert "All cells share their random numbers with the base lab" in words
    assert "Idle pairs of a room and a sonographer cost points here" in words


def test_tables_say_what_is_all_the_same() -> None:
    """A field without effect is named."""
    words = " ".join(printed(played(["rooms.non_fetal=3:4"], days=5), 200).split())
    assert "rooms.non_fetal alone does not change penalty a day on any of these days." in words
    assert "All cells share their random numbers with the base lab" in words


def test_names_in_the_tables_are_no_formulas(tmp_path: Path) -> None:
    """Names of policies that a spreadsheet would run are escaped in both tables; numbers below zero are not."""
    sweep = make_sweep(SCARCE, ["rooms.non_fetal=2:3"])
    table = dict.fromkeys(METRICS, np.array([-2.0, -4.0]))
    every = tuple(Comparison("scarce", 3, {"@sum": table}, {"@sum": "simpy"}) for _ in sweep.cells)
    results = SweepResults(sweep, every)
    report.write_long(tmp_path, results)
    report.write_effects(tmp_path, results)
    for name in (report.LONG, report.EFFECTS):
        with open(tmp_path / name, encoding="utf8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert {row["policy"] for row in rows} == {"'@sum"}
    with open(tmp_path / report.LONG, encoding="utf8", newline="") as file:
        assert {row["mean"] for row in csv.DictReader(file)} == {"-3"}

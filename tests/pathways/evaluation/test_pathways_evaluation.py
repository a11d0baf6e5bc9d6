"""Comparisons: numbers, files, tables, figures, and the command."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

import evaluate as command
from echo_env.commands.inputs.pathways_options import read_numbers
from echo_env.common.files import MARKER, files_in
from echo_env.pathways import PathwaysConfig, make_policy, sample_draw, simulate, trial_luck
from echo_env.pathways.config.pathway import NONE
from echo_env.pathways.evaluation.comparison import Comparison, HospitalSize, evaluate
from echo_env.pathways.policies import BiddingPolicy
from echo_env.pathways.report import results
from echo_env.pathways.report.tables import print_comparison
from echo_env.pathways.simulation.metrics import METRICS, trace_metrics

QUICK = PathwaysConfig.load("baseline").replace(horizon=12, learning__rounds=1, learning__episodes=5)
SMALL = ["--env", "PatientPathways-v0", "--draws", "3", "--trials", "2", "--seed", "5"]


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """A small comparison."""
    return evaluate(QUICK, ["auction", "matching", "fcfs_request"], 4, 2, 5, patients=(2, 5), resources=(4, 6))


def test_values_are_those_of_the_simulator(comparison: Comparison) -> None:
    """Every value is that of its size, policy, draw and trial."""
    config = QUICK.replace(resources=6, patients=5)
    instance = sample_draw(config, 5, 3)
    for name in ("auction", "matching", "fcfs_request"):
        trace = simulate(instance, trial_luck(instance, 1), make_policy(name, config))
        for metric, value in trace_metrics(trace).items():
            got = comparison.values[HospitalSize(6, 5)][name][metric][3, 1]
            assert got == value or (math.isnan(got) and math.isnan(value))


def test_intervals_are_over_draws(comparison: Comparison) -> None:
    """Intervals are over draws, after averaging the trials of a draw."""
    size, values = HospitalSize(4, 5), comparison.values[HospitalSize(4, 5)]
    means = {name: values[name]["utility"].mean(axis=1) for name in comparison.policies}
    assert comparison.mean(size, "auction", "utility").n == 4
    assert comparison.sd(size, "auction", "utility") == pytest.approx(means["auction"].std(ddof=1))
    difference = means["auction"] - means["fcfs_request"]
    assert comparison.advantage(size, "fcfs_request", "utility").mean == pytest.approx(difference.mean())


def test_a_draw_is_the_same_whatever_else_is_asked_for(comparison: Comparison) -> None:
    """Draws and their values do not depend on the other policies and sizes of the comparison."""
    alone = evaluate(QUICK, [BiddingPolicy(0, name="mine")], 2, 1, 5, patients=(5,), resources=(6,))
    got, expected = alone.values[HospitalSize(6, 5)]["mine"], comparison.values[HospitalSize(6, 5)]["auction"]
    assert np.array_equal(got["utility"][:, 0], expected["utility"][:2, 0])


def test_jobs_change_nothing(comparison: Comparison) -> None:
    """Two processes give the same numbers as one."""
    shared = evaluate(QUICK, ["auction", "matching", "fcfs_request"], 4, 2, 5, (2, 5), (4, 6), jobs=2)
    for size, policies in comparison.values.items():
        for name, metrics in policies.items():
            for metric, values in metrics.items():
                assert np.array_equal(values, shared.values[size][name][metric], equal_nan=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"policies": []}, "policies is empty"),
        ({"policies": ["random", "random"]}, "policies has 'random' twice"),
        ({"draws": 0}, "draws is 0, but must be a whole number of at least 1"),
        ({"trials": 1.5}, "trials is 1.5"),
        ({"reference": "nobody"}, "reference is 'nobody', but must be one of random"),
        ({"patients": (3, 3)}, "a number twice"),
        ({"patients": (30,)}, "patients is 30, but must be at most 20, which is max_patients"),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments: dict[str, object], message: str) -> None:
    """Invalid arguments are refused before anything is simulated."""
    given: dict[str, object] = {"policies": ["random"], "draws": 1, "trials": 1, "seed": 1, **arguments}
    with pytest.raises(ValueError, match=message):
        evaluate(QUICK, **given)  # type: ignore[arg-type]


def test_metrics_of_an_episode_by_hand() -> None:
    """The metrics equal a hand calculation."""
    from small_hospitals import make_condition, make_instance, make_luck

    instance = make_instance([make_condition(waiting=(0.5, 0.5, 0), holding=(0, 0.5, 0.5))], [(0, 0), (0, 1)])
    metrics = trace_metrics(simulate(instance, make_luck(instance), make_policy("fcfs_arrival", instance.config)))
    # The episode of test_two_patients_by_hand: held 0, 1 in steps 1, 2 and 2, 3; finished in steps 3 and 4.
    assert metrics == pytest.approx(
        {
            "utility": 0.75,
            "worst_utility": 3.5 / 5,
            "final_success": 1,
            "finished": 1,
            "finish_steps": 3.5,
            "needs_had": 2,
            "waiting_steps": 1.5,
            "utilisation": 4 / 8,
            "dead": 0,
        }
    )
    assert set(metrics) == set(METRICS)
    nobody = trace_metrics(simulate(instance, make_luck(instance), Nobody()))
    assert math.isnan(nobody["finish_steps"])
    assert (nobody["finished"], nobody["waiting_steps"], nobody["utilisation"]) == (0, 5, 0)


class Nobody:
    """Assigns no resource."""

    name = "nobody"

    def begin_instance(self, instance: object) -> None:
        """Nothing to prepare."""

    def decide(self, view: object) -> np.ndarray:
        """No assignment."""
        return np.full(2, NONE)


@pytest.mark.parametrize(
    ("given", "expected"),
    [(["2:8:2"], (2, 4, 6, 8)), (["4", "10"], (4, 10)), (["3:5"], (3, 4, 5)), ([], ()), (["2:5:2", "9"], (2, 4, 9))],
)
def test_ranges_have_both_ends(given: list[str], expected: tuple[int, ...]) -> None:
    """Ranges include both ends."""
    assert read_numbers("patients", given) == expected


def test_tables_have_every_policy(comparison: Comparison) -> None:
    """Tables show every policy in full at any width."""
    for width in (60, 200):
        console = Console(width=width, record=True, force_terminal=False)
        print_comparison(comparison, "small", console)
        text = console.export_text()
        assert text.startswith("small\n")
        assert "utility of auction minus" in text
        for name in comparison.policies:
            assert text.count(name) >= 4
        assert "…" not in text


def test_the_command_writes_and_prints_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command writes all files and prints all tables."""
    out = tmp_path / "new" / "pathways"
    more = ["--patients", "2:4:2", "--resources", "4", "6", "--policies", "auction", "random", "--figures"]
    arguments = [*SMALL, *more, "--output", str(out), "--json", str(tmp_path / "t.json")]
    assert command.main(arguments) == 0
    printed = capsys.readouterr().out
    for words in (
        "PatientPathways-v0: 3 draws of 2 trials, seed 5\n",
        "utility, 6 resources",
        "utility of auction minus",
    ):
        assert words in printed
    summary = json.loads((out / "summary.json").read_text())
    assert {*summary["files"], MARKER} == files_in(out)
    figures = {path.stem for path in (out / "figures").glob("*.png")}
    kinds = {f"{kind}_{r}_resources" for kind in ("episode", "chances") for r in (4, 6)}
    assert figures == {"figure_2", "figure_2_sd", "figure_2_differences"} | kinds
    for path in (out / "figures").glob("*.png"):
        with Image.open(path) as image:
            assert np.asarray(image.convert("L")).std() > 5
    with open(out / "draws.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * 2 * 3
    own = [float(row["utility"]) for row in rows if row["policy"] == "auction"][-3:]
    last = summary["cells"][-1]
    assert (last["resources"], last["patients"]) == (6, 4)
    assert last["policies"]["auction"]["utility"]["mean"] == pytest.approx(np.mean(own))
    assert last["policies"]["auction"]["utility"]["sd"] == pytest.approx(np.std(own, ddof=1))
    assert json.loads((tmp_path / "t.json").read_text())["cells"] == summary["cells"]
    # Again, in place of what it wrote; but not in place of what is somebody else's.
    assert command.main([*SMALL, "--policies", "random", "--patients", "2", "--output", str(out)]) == 0
    assert files_in(out) == {MARKER, "draws.csv", "summary.json"}
    (out / "draws.csv").write_text("mine")
    assert command.main([*SMALL, "--output", str(out)]) == 2
    assert "draws.csv" in capsys.readouterr().err


def test_names_in_the_table_are_no_formulas(comparison: Comparison, tmp_path: Path) -> None:
    """A policy's name that a spreadsheet would run is escaped in ``draws.csv``."""
    values = {size: {f"={name}": table for name, table in own.items()} for size, own in comparison.values.items()}
    results.write_draws(tmp_path, dataclasses.replace(comparison, values=values, reference=""))
    with open(tmp_path / "draws.csv", newline="") as file:
        assert {row["policy"] for row in csv.DictReader(file)} == {f"'={name}" for name in comparison.policies}


def test_a_hospital_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--config selects a hospital, and output carries its name."""
    path = tmp_path / "mine.yaml"
    path.write_text("base: baseline\nname: mine\npatients: 3\nresources: 5\n")
    assert command.main([*SMALL, "--config", str(path), "--policies", "random", "--json", str(tmp_path / "t")]) == 0
    cells = json.loads((tmp_path / "t").read_text())["cells"]
    assert [(cell["resources"], cell["patients"]) for cell in cells] == [(5, 3)]
    assert f"{path}: 3 draws" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--patients", "2:30:2"], "patients is 22, but must be at most 20, which is max_patients"),
        (["--patients", "8:2"], "--patients is '8:2', but must be a whole number, or FIRST:LAST:STEP"),
        (["--patients", "1:99999999"], "--patients is '1:99999999', but must be at most 1,000 numbers"),
        (["--patients", "2:8:0"], "--patients is '2:8:0'"),
        (["--resources", "3"], "needs is 4, but must be at most 3, which is resources"),
        (["--policies", "auktion"], "did you mean auction?"),
        (["--reference", "matching"], "reference is 'matching'"),
        (["--draws", "0"], "draws is 0"),
        (["--jobs", "0"], "jobs is 0"),
        (["--figures"], "--figures needs --output DIR"),
        (["--config", "nowhere.yaml"], "neither a file nor a preset"),
    ],
)
def test_errors_are_one_sentence(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Errors are one sentence, and nothing is written."""
    more = [] if "--figures" in arguments else ["--output", str(tmp_path / "out")]
    assert command.main([*SMALL, *arguments, *more]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())

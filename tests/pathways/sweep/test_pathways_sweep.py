"""What-if analysis of hospitals: fields, cells, numbers, files and the command."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from echo_env.commands.app import main
from echo_env.pathways.config import ConfigError, PathwaysConfig
from echo_env.pathways.evaluation.comparison import HospitalSize, evaluate
from echo_env.pathways.sweep import make_sweep, play_sweep
from echo_env.pathways.sweep.fields import changed, fields_of, holding_mean

SMALL = PathwaysConfig.load("baseline").replace(patients=4, needs=2, horizon=8, learning__rounds=1)
POLICIES = ["auction", "sickest_now"]
FILE = "base: baseline\nname: small\npatients: 4\nneeds: 2\nhorizon: 8\nlearning: {rounds: 1}\n"


def test_every_field_can_be_swept_by_its_path() -> None:
    """Fields of all sections are there, and setting one to what it is changes nothing."""
    fields = fields_of(SMALL)
    assert {"patients", "reward", "durations", "prior.waiting_mean", "learning.step"} < set(fields)
    assert "name" not in fields
    for path, value in fields.items():
        assert changed(SMALL, {path: value}) == SMALL, path


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("patients=2:6:2", (2, 4, 6)),
        ("prior.concentration=4,2.5", (2.5, 4)),
        ("treatment_effectiveness=0:1.2:0.4", (0.0, 0.4, 0.8, 1.2)),
        ("reward=completion,success", ("completion", "success")),
        ("durations=[1,1],[1,3]", ((1, 1), (1, 3))),
        ("lethal=true,false", (True, False)),
        ("units=1,2", (1, 2)),
    ],
)
def test_values_are_read_as_typed(text: str, values: tuple[object, ...]) -> None:
    """Numbers, ranges, words, flags and lists become values, numbers in ascending order."""
    assert make_sweep(SMALL, [text]).axes[0].values == values


def test_effectiveness_moves_health_between_waiting_and_treatment() -> None:
    """0 is as waiting, 1 as the base hospital, and the most is where health never goes down."""
    waiting, holding = SMALL.prior.waiting_mean, SMALL.prior.holding_mean
    assert holding_mean(waiting, holding, 0) == pytest.approx(waiting)
    assert holding_mean(waiting, holding, 1) == pytest.approx(holding)
    half = changed(SMALL, {"treatment_effectiveness": 0.5}).prior.holding_mean
    assert half == pytest.approx(np.add(waiting, holding) / 2)
    assert holding_mean(waiting, holding, 1.2)[0] == 0.0
    assert sum(holding_mean(waiting, holding, 1.2)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (["patience=3"], "patience is no field of the hospital that can be swept: did you mean patients"),
        (["concentration=3"], "did you mean prior.concentration?"),
        (["treatment_effectiveness=1.3"], "treatment_effectiveness is 1.3, but must be a number from 0 to 1.2"),
        (["treatment_effectiveness=-1"], "treatment_effectiveness is -1, but must be a number from 0 to 1.2"),
        (["treatment_effectiveness=x"], "treatment_effectiveness is 'x', but must be a number"),
        (["treatment_effectiveness=0.5", "prior.holding_mean=[0,0,1]"], "give one of them"),
        (["reward=successes"], "cell reward=successes is not a valid hospital: reward is 'successes', but must be"),
        (["patients=25"], "cell patients=25 is not a valid hospital: patients is 25, but must be at most 20"),
        (["patients=3,"], "patients has an empty value"),
        (["patients=3,3"], "patients has 3 twice"),
        (["patients=5:3"], "which is empty, because 5 is above 3"),
        (["patients=3", "patients=5"], "sweep has patients twice"),
        (["patients"], "sweep has 'patients', but takes FIELD=VALUES, as in treatment_effectiveness=0:1.2:0.2"),
        (["patients=4"], "sweep changes nothing: every cell is the hospital as it is"),
        (["patients=[,]"], "patients has '[,]', but must be a number, a word, or a list"),
        ([], "sweep is empty"),
    ],
)  # fmt: skip
def test_what_cannot_be_swept_is_one_sentence(wanted: list[str], words: str) -> None:
    """Each message names the field, its value and what is allowed."""
    with pytest.raises(ConfigError) as error:
        make_sweep(SMALL, wanted)
    assert words in str(error.value)


def test_modes_differ_in_their_cells() -> None:
    """A grid has all combinations, one at a time each value alone, and the base hospital is cell 0 of both."""
    wanted = ["patients=3,4,5", "resources=4,6"]
    grid, one = make_sweep(SMALL, wanted), make_sweep(SMALL, wanted, "one_at_a_time")
    assert [grid.name(cell) for cell in grid.cells] == [
        "base", "patients=3, resources=4", "patients=3, resources=6", "patients=4, resources=6",
        "patients=5, resources=4", "patients=5, resources=6",
    ]  # fmt: skip
    assert [one.name(cell) for cell in one.cells] == ["base", "patients=3", "patients=5", "resources=6"]
    lines = grid.along(grid.axes[0])
    assert [(fixed, [cell.config.patients for cell in cells]) for fixed, cells in lines] == [
        ("resources=4", [3, 4, 5]),
        ("resources=6", [3, 4, 5]),
    ]
    with pytest.raises(ConfigError, match="sweep mode is 'all', but must be one of grid, one_at_a_time"):
        make_sweep(SMALL, wanted, "all")


def test_cells_have_the_numbers_of_a_comparison_of_their_own() -> None:
    """Each cell is the comparison that its hospital alone would give, to the bit."""
    sweep = make_sweep(SMALL, ["units=1,2"])
    found = play_sweep(sweep, lambda config: POLICIES, draws=3, trials=2, seed=5, reference="sickest_now")
    alone = evaluate(SMALL.replace(units=2), POLICIES, 3, 2, 5, reference="sickest_now")
    size = HospitalSize(SMALL.resources, SMALL.patients)
    assert found.mean(sweep.cells[1], "auction", "utility") == alone.mean(size, "auction", "utility")
    assert found.advantage(sweep.cells[1], "auction", "utility") == alone.advantage(size, "auction", "utility")
    gain = found.minus_base(sweep.cells[1], "auction", "utility")
    means = [found.mean(cell, "auction", "utility").mean for cell in sweep.cells]
    assert gain.mean == pytest.approx(means[1] - means[0])
    assert gain.mean > 0


def test_the_command_writes_numbers_and_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """echo-lab sweep of a hospital: a row for each cell, policy and metric, the summary, two figures for each field."""
    pytest.importorskip("matplotlib")
    (tmp_path / "small.yaml").write_text(FILE)
    fields = ["treatment_effectiveness=0,1", "reward=success,completion"]
    options = ["--config", str(tmp_path / "small.yaml"), "--policies", *POLICIES, "--draws", "2", "--trials", "1"]
    output = tmp_path / "new"
    asked = ["sweep", *fields, "--env", "PatientPathways-v0", *options, "--output", str(output), "--figures"]
    assert main(asked) == 0
    printed = capsys.readouterr().out
    assert "treatment_effectiveness=0, reward=completion" in printed
    assert "base: treatment_effectiveness=1, reward=success" in printed
    with open(output / "sweep.csv", encoding="utf8", newline="") as file:
        rows = list(csv.DictReader(file))
    summary = json.loads((output / "summary.json").read_text())
    assert [cell["label"] for cell in summary["cells"]] == list(dict.fromkeys(row["label"] for row in rows))
    assert len(rows) == 4 * len(POLICIES) * len(summary["metrics"])
    base = [row for row in rows if row["cell"] == "0" and row["metric"] == "utility"]
    assert [row["reference_minus_mean"] == "" for row in base] == [True, False]
    assert {row["minus_base_mean"] for row in base} == {""}
    names = {f"{kind}_by_{field.partition('=')[0]}" for field in fields for kind in ("utility", "advantage")}
    assert {path.stem for path in (output / "figures").iterdir()} == names


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--patients", "4"], "--patients does not go together with --sweep: --sweep patients=... varies it"),
        (["--bound"], "--bound is of one hospital"),
        (["--policies", "auctoin"], "auctoin"),
        (["--figures"], "--figures needs --output DIR"),
    ],
)
def test_what_does_not_go_with_a_sweep_is_said(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refusals have status 2 and one sentence."""
    assert main(["sweep", "patients=3,4", "--env", "PatientPathways-v0", *options]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.strip().splitlines()) == 1

"""evaluate.py --sweep: what it prints and writes, its errors, Ctrl-C."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import gymnasium as gym
import pytest
from interrupts import heed_ctrl_c
from sb3_contrib import MaskablePPO

import echo_env  # noqa: F401
import evaluate
from echo_env.common.files import MARKER, files_in
from echo_env.lab import LabConfig
from echo_env.lab import evaluate as evaluate_policies

ROOT = Path(evaluate.__file__).parent
SMALL = ["--policies", "policy_2", "fetal_first", "--days", "5", "--seed", "3"]
ROOMS = ["--sweep", "rooms.non_fetal=2:4", "sonographers.absence_rate=0,0.1"]


def rows_of(folder: Path) -> list[dict[str, str]]:
    """The long table."""
    with open(folder / "sweep.csv", encoding="utf8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_sweep_writes_and_prints_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sweep prints and writes every cell; a cell equals an evaluation of its lab."""
    out = tmp_path / "new" / "what_if"
    arguments = [*SMALL, *ROOMS, "--output", str(out), "--json", str(tmp_path / "t.json"), "--reference", "fetal_first"]
    assert evaluate.main(arguments) == 0
    printed = capsys.readouterr().out
    for words in ("EchoLabScarce-v0: 5 days, seed 3", "minus base lab", "minus fetal_first", "what matters most"):
        assert words in printed
    summary = json.loads((out / "summary.json").read_text())
    assert {*summary["files"], MARKER} == files_in(out)
    assert {name for name in files_in(out) if "/" not in name} == {MARKER, "sweep.csv", "effects.csv", "summary.json"}
    assert len([name for name in files_in(out) if name.startswith("cells/")]) == 12
    assert json.loads((tmp_path / "t.json").read_text())["cells"] == summary["cells"]
    assert [entry.name for entry in out.parent.iterdir()] == ["what_if"]
    lab = LabConfig.load("scarce").replace(rooms__non_fetal=2, sonographers__absence_rate=0.0)
    expected = evaluate_policies(lab, ["fetal_first", "policy_2"], 5, 3)
    (row,) = (
        row
        for row in rows_of(out)
        if (row["rooms.non_fetal"], row["sonographers.absence_rate"]) == ("2", "0")
        and (row["policy"], row["metric"]) == ("policy_2", "penalty")
    )
    assert float(row["mean"]) == expected.mean("policy_2", "penalty").mean
    assert float(row["minus_reference_mean"]) == expected.paired("policy_2", "penalty").mean


def test_the_same_again_plays_nothing_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A re-run takes all stored cells, and none of another seed."""
    monkeypatch.chdir(tmp_path)
    assert evaluate.main([*SMALL, *ROOMS, "--output", "out"]) == 0
    first = rows_of(Path("out"))
    capsys.readouterr()
    assert evaluate.main([*SMALL, *ROOMS, "--output", "out"]) == 0
    assert capsys.readouterr().err == "12 of 12 results are taken from out/cells, where they were kept\n"
    assert rows_of(Path("out")) == first
    assert evaluate.main([*SMALL, *ROOMS, "--output", "out", "--seed", "4"]) == 0
    assert "out/cells also has 12 results that are not used here" in capsys.readouterr().err
    assert rows_of(Path("out")) != first
    assert len(list(Path("out", "cells").iterdir())) == 24
    # An ordinary evaluation takes the place of a finished sweep, as of another evaluation, but leaves the cache.
    assert evaluate.main([*SMALL, "--output", "out"]) == 0
    assert not Path("out", "sweep.csv").exists()
    assert len(list(Path("out", "cells").iterdir())) == 24


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sweep", "rooms.non_fetl=3:7"], "did you mean rooms.non_fetal?"),
        (["--sweep", "rooms.non_fetal=three"], "rooms.non_fetal has 'three', but must be a whole number"),
        (["--sweep", "rooms.non_fetal=7:3"], "which is empty, because 7 is above 3"),
        (["--sweep", "rooms.fetal=0:1"], "cell rooms.fetal=0 is not a valid lab: appointments.fetal is not empty"),
        (["--sweep", "sonographers.absence_rate=2"], "absence_rate is 2.0, but must be a number from 0 to 1"),
        ([*ROOMS, "--sweep-mode", "gird"], "sweep mode is 'gird', but must be one of grid, one_at_a_time"),
        ([*ROOMS, "--sweep-metrics", "waits"], "--sweep-metrics has 'waits', but takes only penalty, "),
        ([*ROOMS, "--departures"], "--departures is of one lab, and does not go together with --sweep"),
        ([*ROOMS, "--reference", "nobody"], "reference is 'nobody', but must be one of policy_2, fetal_first"),
        ([*ROOMS, "--days", "0"], "days is 0, but must be at least 1"),
        ([*ROOMS, "--jobs", "0"], "jobs is 0, but must be a whole number of at least 1"),
        ([*ROOMS, "--engine", "fast"], "engine is 'fast'"),
        ([*ROOMS, "--policies", "policy_22"], "policy 'policy_22' is unknown"),
        ([*ROOMS, "--config", "nowhere.yaml"], "neither a file nor a preset"),
        ([*ROOMS, "--config", "unknown.yaml"], "roms is no known field (did you mean rooms?)"),
        ([*ROOMS, "--config", "ill_typed.yaml"], "rooms.fetal is 'one', but must be a whole number from 0 to 999"),
        ([*ROOMS, "--output", "mine"], "mine holds sweep.csv, written by no run of this version"),
    ],
)
def test_errors_are_one_sentence_and_exit_code_2(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Unusable input gives one sentence on stderr, exit status 2 and no files."""
    monkeypatch.chdir(tmp_path)
    Path("mine", "cells").mkdir(parents=True)
    Path("mine", "cells", "notes.txt").write_text("mine")
    Path("mine", "sweep.csv").write_text("mine")
    Path("unknown.yaml").write_text("base: scarce\nroms: {fetal: 1}\n")
    Path("ill_typed.yaml").write_text("base: scarce\nrooms: {fetal: one}\n")
    before = files_in(tmp_path)
    assert evaluate.main([*SMALL, "--output", "out", "--json", "t.json", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert len(error.splitlines()) == 1
    assert files_in(tmp_path) == before
    assert not Path("out").exists()


def save_model(path: Path, observation: str) -> str:
    """A model, untrained."""
    env = gym.make("EchoLabScarce-v0", clock="event", idling=False, observation=observation)
    model = MaskablePPO("MlpPolicy", env, n_steps=16, batch_size=16, seed=3)
    model.env_spec = {"id": "EchoLabScarce-v0", "kwargs": {"idling": False, "observation": observation}}  # type: ignore[attr-defined]
    model.save(path)
    return f"maskable_ppo={path}"


def test_models_are_policies_where_they_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Models are compared where they fit; stored cells belong to the very model, not to its path."""
    model = save_model(tmp_path / "model.zip", "rich")
    arguments = ["--policies", "policy_2", model, "--days", "3", "--output", str(tmp_path / "out")]
    assert evaluate.main([*arguments, "--trust", "--sweep", "rooms.non_fetal=3:4"]) == 0
    assert {row["policy"] for row in rows_of(tmp_path / "out")} == {"policy_2", "maskable_ppo"}
    capsys.readouterr()
    assert evaluate.main([*arguments, "--trust", "--sweep", "sonographers.fetal=2:3"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: cell sonographers.fetal=3: maskable_ppo was trained on observations of shape")
    assert len(error.splitlines()) == 1
    assert evaluate.main([*arguments, "--trust", "--sweep", "rooms.non_fetal=3:4"]) == 0
    assert "4 of 4 results are taken" in capsys.readouterr().err
    save_model(tmp_path / "model.zip", "paper")
    assert evaluate.main([*arguments, "--trust", "--sweep", "rooms.non_fetal=3:4"]) == 0
    assert "2 of 4 results are taken" in capsys.readouterr().err


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_keeps_what_is_finished(jobs: str, tmp_path: Path) -> None:
    """Ctrl-C keeps every finished cell whole, and nothing else."""
    sweep = "--policies policy_2 policy_3 --days 60 --engine simpy --sweep rooms.non_fetal=2:60 --output out"
    command = [sys.executable, str(ROOT / "evaluate.py"), *sweep.split(), "--jobs", jobs]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        start_new_session=True,
        preexec_fn=heed_ctrl_c,
    )
    try:
        limit = time.monotonic() + 60
        while len(list(tmp_path.glob("out/cells/*.csv"))) < 2 and time.monotonic() < limit:
            time.sleep(0.02)
        # To all of them, as a terminal does it.
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert (process.returncode, out) == (130, "")
    kept = len(list(tmp_path.glob("out/cells/*.csv")))
    assert err == f"{kept} of 118 results are kept in out/cells: the same command goes on from there\ninterrupted\n"
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == ["cells"]
    for path in tmp_path.glob("out/cells/*.csv"):
        assert len(path.read_text().splitlines()) == 61


@pytest.mark.slow
def test_figures_of_a_sweep_are_written(tmp_path: Path) -> None:
    """--figures of a sweep writes its figures."""
    assert evaluate.main([*SMALL, *ROOMS, "--output", str(tmp_path / "out"), "--figures"]) == 0
    names = {path.stem for path in (tmp_path / "out" / "figures").iterdir()}
    assert "tornado_penalty" in names
    assert "response_rooms_non_fetal" in names

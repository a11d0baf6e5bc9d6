"""One agent for any lab: trained by train.py, kept as the policy ``generalist``, tuned on one lab."""

from __future__ import annotations

import json
import pickle
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

pytest.importorskip("rl_zoo3")
pytest.importorskip("numba")

import export_agent  # noqa: E402

import evaluate  # noqa: E402
import train  # noqa: E402
from echo_env import ANY_ID  # noqa: E402
from echo_env.commands.players import generalist, models, policies  # noqa: E402
from echo_env.commands.players.agent_list import LIST, read_list  # noqa: E402
from echo_env.lab import evaluate as compare  # noqa: E402
from echo_env.lab import load_lab  # noqa: E402
from echo_env.lab.evaluation.guard import better_rule  # noqa: E402
from sb3_ext.zoo import load_predictor  # noqa: E402

SHORT = ["--verbose", "0", "--num-threads", "1", "--seed", "3", "--eval-freq", "-1", "-n", "64"]
SMALL = ["-params", "n_envs:4", "n_steps:8", "batch_size:16"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a short training in labs of the family."""
    folder = tmp_path_factory.mktemp("training")
    given = ["--algo", "maskable_ppo", "--env", ANY_ID, "--env-kwargs", "labs:3", "--log-folder", str(folder)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "orig_argv", ["python3", str(ROOT / "train.py"), "--env", ANY_ID])
        assert train.main([*given, *SHORT, *SMALL]) == 0
    return folder / "maskable_ppo" / f"{ANY_ID}_1"


@pytest.fixture
def folder(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list of agents with this one alone."""
    path = tmp_path / "agents"
    path.mkdir()
    (path / LIST).write_text("# What this is.\n{}\n")
    monkeypatch.setattr(models, "AGENTS", path)
    # What was said of the agent that ships says nothing of this one.
    monkeypatch.setattr(policies, "_advised", set())
    export_agent.export(run, ANY_ID, path)
    return path


def test_it_plays_any_lab_and_says_what_to_use(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is evaluated beside the rules in labs of both forms, and the guard says what to use."""
    assert read_list(folder)[ANY_ID].evaluation["days"] == export_agent.DAYS
    for lab in ("scarce", "mri_unit"):
        given = ["--config", lab, "--policies", "policy_2", "scarce_first", "generalist", "--days", "20"]
        assert evaluate.main(given) == 0
        printed = capsys.readouterr()
        assert "generalist" in printed.out
        assert "on 1,000 days of its own generalist pays" in printed.err


def test_it_follows_the_better_rule_where_it_is_not_sure(folder: Path) -> None:
    """A copy that is sent to workers follows the same rule, and sweeps keep its results for that rule and margin."""
    lab = load_lab("scarce")
    policy = generalist.find_generalist("generalist", lab, {})
    again = pickle.loads(pickle.dumps(policy))
    assert (again._rule.name, again._margin) == (better_rule(lab), generalist.MARGINS["generalist"])
    assert again.fingerprint == policy.fingerprint
    assert policy.fingerprint.endswith(" scarce_first within 2")
    one, other = (compare(lab, [own], 10, 3).values["generalist"]["penalty"] for own in (policy, again))
    assert np.array_equal(one, other)


def test_a_generalist_that_is_not_kept_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence names those that are."""
    assert evaluate.main(["--config", "scarce", "--policies", "generalist_best", "--days", "2"]) == 2
    said = capsys.readouterr().err
    assert "--policies has 'generalist_best', but the agents for any lab that are kept are generalist" in said


def test_an_agent_that_ships_names_no_folder_outside_of_the_repository(run: Path, tmp_path: Path) -> None:
    """Neither its entry nor its file says where the run lay, or the config that it was trained with."""
    copied = shutil.copytree(run, tmp_path / "run")
    arguments = copied / ANY_ID / "args.yml"
    arguments.write_text(arguments.read_text().replace(str(ROOT), "/elsewhere/checkout"))
    command = copied / ANY_ID / "command.txt"
    command.write_text(f"{command.read_text()} -f {tmp_path / 'logs'} --conf-file {ROOT / 'zoo_configs' / 'own.yml'}")
    assert "/elsewhere/checkout" in arguments.read_text()
    found = export_agent.how_it_was_trained(copied, ANY_ID)
    assert found["conf_file"] == "maskable_ppo.yml"
    assert found["command"].endswith("-f logs --conf-file zoo_configs/own.yml")


def test_it_is_tuned_on_one_lab(run: Path, tmp_path: Path) -> None:
    """Training goes on from it in one lab, and what comes out plays that lab."""
    model = str(run / f"{ANY_ID}.zip")
    given = ["--algo", "maskable_ppo", "--env", ANY_ID, "--env-kwargs", "config:'scarce'", "--trained-agent", model]
    given.append("--trust")
    assert train.main([*given, *SHORT, *SMALL, "--log-folder", str(tmp_path)]) == 0
    tuned = tmp_path / "maskable_ppo" / f"{ANY_ID}_1"
    assert evaluate.main(["--config", "scarce", "--policies", "policy_2", f"maskable_ppo={tuned}", "--days", "5"]) == 0


def test_the_shipped_one_is_tuned_by_its_name(folder: Path, tmp_path: Path) -> None:
    """``--trained-agent generalist`` goes on from the weights that ship, and changes them."""
    given = [
        "--algo",
        "maskable_ppo",
        "--env",
        ANY_ID,
        "--env-kwargs",
        "config:'mri_unit'",
        "--log-folder",
        str(tmp_path),
    ]
    assert train.main([*given, *SHORT, *SMALL, "--trained-agent", "generalist"]) == 0
    shipped = load_predictor("maskable_ppo", folder / f"{ANY_ID}.zip")
    tuned = load_predictor("maskable_ppo", tmp_path / "maskable_ppo" / f"{ANY_ID}_1", trust=True)
    pairs = list(zip(shipped.policy.parameters(), tuned.policy.parameters(), strict=True))
    assert all((one - other).abs().max() < 0.05 for one, other in pairs)
    assert any((one != other).any() for one, other in pairs)


def test_settings_that_cannot_apply_to_an_exported_agent_are_refused(
    run: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another network is refused, and so is an agent whose normalisation could not be trained on."""
    given = [
        "--algo",
        "maskable_ppo",
        "--env",
        ANY_ID,
        "--env-kwargs",
        "config:'scarce'",
        "--log-folder",
        str(tmp_path),
    ]
    other = [*SMALL, "policy_kwargs:dict(net_arch=[8], padded=True)"]
    assert train.main([*given, *SHORT, *other, "--trained-agent", "generalist"]) == 2
    assert "cannot be changed to" in capsys.readouterr().err
    path = folder / f"{ANY_ID}.zip"
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    description = json.loads(members["agent.json"])
    count = int(np.prod(description["observation_space"]["shape"]))
    description["normalization"] = {"mean": [0.0] * count, "var": [1.0] * count, "epsilon": 1e-8, "clip": 10.0}
    normalising = tmp_path / "normalising.zip"
    with zipfile.ZipFile(normalising, "w") as file:
        for name, content in {**members, "agent.json": json.dumps(description).encode()}.items():
            file.writestr(name, content)
    assert train.main([*given, *SHORT, *SMALL, "--trained-agent", str(normalising)]) == 2
    assert "normalises observations" in capsys.readouterr().err

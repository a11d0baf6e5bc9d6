"""The command evaluate.py: its JSON, its models, its errors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import pytest
from sb3_contrib import MaskablePPO
from stable_baselines3 import DQN

import echo_env  # noqa: F401
import evaluate
from echo_env.lab.wrappers import NearestFeasibleAction

ROOT = Path(evaluate.__file__).parent


def test_json_holds_what_was_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The contract of --json would be broken."""
    out = tmp_path / "new" / "table.json"
    arguments = ["--env", "EchoLabScarce-v0", "--policies", "policy_1", "policy_2", "fetal_first"]
    assert evaluate.main([*arguments, "--days", "12", "--seed", "7", "--json", str(out)]) == 0
    got = json.loads(out.read_text())
    assert (got["env"], got["days"], got["seed"]) == ("EchoLabScarce-v0", 12, 7)
    assert set(got["policies"]) == {"policy_1", "policy_2", "fetal_first"}
    assert set(got["paired"]) == {"policy_2", "fetal_first"}
    printed = capsys.readouterr().out
    assert "minus policy_1" in printed
    assert "12 days, seed 7" in printed


def test_saved_models_of_any_algorithm_are_policies(tmp_path: Path) -> None:
    """A trained model could not be compared with the rules."""
    env = gym.make("EchoLabScarce-v0", clock="event", idling=False)
    MaskablePPO("MlpPolicy", env, n_steps=16, batch_size=16).save(tmp_path / "masked")
    DQN("MlpPolicy", NearestFeasibleAction(env), buffer_size=10).save(tmp_path / "plain")
    models = [f"maskable_ppo={tmp_path / 'masked.zip'}", f"dqn={tmp_path / 'plain.zip'}"]
    out = tmp_path / "table.json"
    arguments = ["--policies", "policy_2", *models, "--days", "3", "--env-kwargs", "idling:False"]
    assert evaluate.main([*arguments, "--json", str(out)]) == 0
    assert set(json.loads(out.read_text())["paired"]) == {"maskable_ppo", "dqn"}


def test_two_models_of_one_algorithm_are_told_apart(tmp_path: Path) -> None:
    """The second model would replace the first in the table."""
    env = gym.make("EchoLabScarce-v0", clock="event", idling=False)
    for seed in (1, 2):
        MaskablePPO("MlpPolicy", env, n_steps=16, batch_size=16, seed=seed).save(tmp_path / f"model{seed}")
    models = [f"maskable_ppo={tmp_path / f'model{seed}.zip'}" for seed in (1, 2)]
    assert evaluate.main(["--policies", *models, "--days", "2", "--json", str(tmp_path / "t.json")]) == 0
    assert list(json.loads((tmp_path / "t.json").read_text())["policies"]) == models


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env", "EchoLabScarse-v0"], "did you mean EchoLabScarce-v0?"),
        (["--policies", "policy_22"], "known: fetal_first, policy_1"),
        (["--policies", "maskable_dqn=nowhere.zip"], "nowhere.zip"),
        (["--policies", "maskable_dqm=x.zip"], "maskable_dqn"),
        (["--config", "nowhere.yaml"], "neither a file nor a preset"),
        (["--days", "0"], "days is 0"),
        (["--env-kwargs", "idlng:False"], "'idlng', but takes only observation and idling"),
        (["--engine", "fast"], "must be one of auto, simpy, compiled"),
    ],
)
def test_errors_are_one_sentence_and_exit_code_2(arguments: list[str], message: str, tmp_path: Path) -> None:
    """A typo would print a traceback, or leave a file behind."""
    command = [sys.executable, str(ROOT / "evaluate.py"), *arguments, "--json", "t.json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_model_of_another_env_is_refused_with_both_shapes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A CartPole agent would be asked to run a hospital."""
    DQN("MlpPolicy", "CartPole-v1", buffer_size=10).save(tmp_path / "pole")
    assert evaluate.main(["--policies", f"dqn={tmp_path / 'pole.zip'}", "--days", "2"]) == 2
    error = capsys.readouterr().err
    assert "(4,)" in error
    assert "(13,)" in error

"""Hyperparameters by action space: single starts by default, the paper's joint actions, rows of any lab."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import yaml

pytest.importorskip("rl_zoo3")
pytest.importorskip("numba")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import train  # noqa: E402
from echo_env import ENV_IDS, PLAN_ID  # noqa: E402
from echo_env.commands.players.models import TrainedPolicy, TrainedStartPolicy, trained_policy  # noqa: E402
from echo_env.commands.train import _with_lab_defaults  # noqa: E402
from echo_env.lab import evaluate, load_lab, sample_days, simulate  # noqa: E402
from echo_env.lab.envs.env import EchoLabEnv  # noqa: E402
from sb3_ext.zoo import load_predictor  # noqa: E402

SMALL = ["--verbose", "0", "--num-threads", "1", "--seed", "3", "--eval-freq", "-1", "-n", "256"]
FEW: dict[str, list[str]] = {
    "maskable_ppo": ["n_envs:4", "n_steps:32", "batch_size:32"],
    "maskable_dqn": ["n_envs:4", "learning_starts:40", "buffer_size:2000"],
}
VARIANTS = {
    "": ("start", "paper", 7),
    "_joint": ("joint", "paper", 729),
    "_rows": ("start", "rows", 7),
    "_reserve": ("start", "staffed", 11),
}
"""Ending of a file of hyperparameters -> action space, observation, and number of actions in the paper's labs."""


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def trained(algo: str, *arguments: str, env_id: str = "EchoLabScarce-v0") -> Path:
    """The run folder of a training of 256 steps."""
    given = ["--algo", algo, "--env", env_id, *arguments, "-params", *FEW[algo]]
    assert train.main([*SMALL, *given]) == 0
    return Path("logs", algo, f"{env_id}_1").resolve()


@pytest.mark.parametrize("algo", FEW)
@pytest.mark.parametrize("variant", VARIANTS)
def test_files_of_an_algorithm_have_every_lab(algo: str, variant: str) -> None:
    """Each file of a masked algorithm has an entry for every lab, which names its action space."""
    entries = yaml.safe_load((ROOT / "zoo_configs" / f"{algo}{variant}.yml").read_text())
    actions, observation, _ = VARIANTS[variant]
    for env_id in ENV_IDS:
        kwargs = entries[env_id]["env_kwargs"]
        assert kwargs["actions"] == actions
        assert kwargs.get("observation", "paper") == observation
    assert (entries["EchoLab-v0"]["policy"] == "RowPolicy") == (variant == "_rows")


@pytest.mark.parametrize("algo", FEW)
@pytest.mark.parametrize("variant", VARIANTS)
def test_agents_of_every_file_play_as_in_their_env(algo: str, variant: str) -> None:
    """A few steps of training leave an agent that plays as a policy: the same exams as when it steps its env, the same
    days on both engines, and also after it went through a pickle."""
    actions, observation, size = VARIANTS[variant]
    conf = ["--conf-file", str(ROOT / "zoo_configs" / f"{algo}{variant}.yml")] if variant else []
    run = trained(algo, *conf)
    config = load_lab("scarce")
    policy = trained_policy(algo, str(run), config, {})
    assert type(policy) is (TrainedPolicy if actions == "joint" else TrainedStartPolicy)
    assert isinstance(pickle.loads(pickle.dumps(policy)), type(policy))
    model: Any = load_predictor(algo, str(run))
    assert model.action_space.n == size
    keeps = (10, 30) if variant == "_reserve" else ()
    env = EchoLabEnv(config, observation, clock="event", idling=False, actions=actions, reservations=keeps)
    for day in sample_days(config, 5, seed=3):
        shown, info = env.reset(options={"day": day})
        over = False
        while not over:
            action, _ = model.predict(shown[None], deterministic=True, action_masks=info["action_mask"][None])
            shown, _, over, _, info = env.step(action[0])
        assert env.trace.exams == simulate(config, day, policy).exams
    slow, fast = (evaluate(config, [policy], 10, 3, engine=engine) for engine in ("simpy", "compiled"))
    for metric, values in slow.values[policy.name].items():
        assert np.array_equal(values, fast.values[policy.name][metric], equal_nan=True), metric


@pytest.mark.parametrize("algo", FEW)
@pytest.mark.parametrize("config", ["mri_unit", "walk_in_clinic"])
def test_any_lab_trains_out_of_the_box(algo: str, config: str) -> None:
    """With a lab of other exam types, train.py takes the rows by itself; the agent plays there on both engines."""
    run = trained(algo, "--env-kwargs", f"config:{config}", env_id="EchoLab-v0")
    lab = load_lab(config)
    policy = trained_policy(algo, str(run), lab, {})
    assert policy.observation == "rows"
    slow, fast = (evaluate(lab, [policy], 4, 3, engine=engine) for engine in ("simpy", "compiled"))
    assert np.array_equal(slow.values[policy.name]["penalty"], fast.values[policy.name]["penalty"])


def test_hyperparameters_of_any_lab_are_taken_only_where_they_are_needed() -> None:
    """train.py keeps to the usual file in labs of fetal and non-fetal exams, where a file is given, and where the lab
    cannot be read, which is said later."""

    def file_of(*arguments: str) -> str:
        given = _with_lab_defaults(["--algo", "maskable_ppo", *arguments])
        return Path(given[given.index("--conf-file") + 1]).name if "--conf-file" in given else ""

    assert file_of("--env-kwargs", "clock:event", "config:mri_unit", "-n", "9") == "maskable_ppo_rows.yml"
    assert file_of("--env-kwargs", "config:'mri_unit'") == "maskable_ppo_rows.yml"
    assert file_of("--env-kwargs=config:walk_in_clinic") == "maskable_ppo_rows.yml"
    assert file_of("--conf-file", "mine.yml", "--env-kwargs", "config:mri_unit") == "mine.yml"
    for arguments in (["-n", "9"], ["--env-kwargs", "config:scarce"], ["--env-kwargs", "config:nowhere.yaml"]):
        assert file_of(*arguments) == ""
    assert file_of("--eval-env-kwargs", "config:mri_unit") == ""


@pytest.mark.parametrize("algo", FEW)
def test_the_morning_trains_out_of_the_box(algo: str) -> None:
    """Each masked algorithm has hyperparameters for the decision of the morning, and rebooks no more than it may."""
    run = trained(algo, env_id=PLAN_ID)
    model: Any = load_predictor(algo, str(run))
    env = gym.make(PLAN_ID)
    shown, info = env.reset(seed=0)
    over = False
    while not over:
        action, _ = model.predict(shown[None], deterministic=True, action_masks=info["action_mask"][None])
        shown, _, over, _, info = env.step(action[0])
    assert info["metrics"]["rebooked"] == info["rebooked"] <= 8

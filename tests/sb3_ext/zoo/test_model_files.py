"""The files of a model: its zip is of one algorithm, and its statistics are those of its own run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from sb3_ext.zoo.agents import check_model_file, find_statistics, load_agent, model_files, statistics_path
from sb3_ext.zoo.algorithms import ALGORITHMS
from sb3_ext.zoo.errors import UsageError

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize(("saved", "asked"), [("maskable_dqn", "lookahead_dqn"), ("lookahead_dqn", "maskable_dqn")])
def test_algorithms_with_the_same_policies_are_told_apart(saved: str, asked: str) -> None:
    """A model loads as its own algorithm alone, though another one has the same network."""
    path = DATA / f"{saved}.zip"
    check_model_file(saved, ALGORITHMS[saved], path)
    with pytest.raises(UsageError, match=f"was trained with {saved}, not with {asked}"):
        load_agent(asked, path)


@pytest.mark.parametrize("saved", ["a2c", "dqn", "ppo", "qrdqn", "trpo"])
def test_a_model_is_of_one_algorithm(saved: str, tmp_path: Path) -> None:
    """Every algorithm's model is refused as any other's, by the name of its own."""
    model: Any = ALGORITHMS[saved]("MlpPolicy", "CartPole-v1", policy_kwargs={"net_arch": [4]})
    model.save(tmp_path / "model")
    for asked, algorithm in ALGORITHMS.items():
        if asked == saved:
            check_model_file(asked, algorithm, tmp_path / "model.zip")
        else:
            with pytest.raises(UsageError, match=f"was trained with {saved}, not with {asked}"):
                check_model_file(asked, algorithm, tmp_path / "model.zip")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run on CartPole-v1, with a folder that is somebody else's."""
    folder = tmp_path / "ppo" / "CartPole-v1_1"
    env = DummyVecEnv([lambda: gym.make("CartPole-v1")])
    model = PPO("MlpPolicy", env, policy_kwargs={"net_arch": [4]})
    for name in ("CartPole-v1", "best_model", "rl_model_100_steps", "rl_model_200_steps", "mine"):
        model.save(folder / name)
    for place in ("CartPole-v1/vecnormalize.pkl", "another/vecnormalize.pkl", "rl_model_vecnormalize_200_steps.pkl"):
        (folder / place).parent.mkdir(exist_ok=True)
        VecNormalize(env).save(str(folder / place))
    return folder


@pytest.mark.parametrize("says_its_env", [True, False])
def test_statistics_are_those_of_the_models_own_run(run: Path, says_its_env: bool) -> None:
    """The run's folder of its environment serves its models, a checkpoint's own statistics that checkpoint."""
    if says_its_env:
        for path in run.glob("*.zip"):
            model = PPO.load(path)
            model.env_spec = {"id": "CartPole-v1", "kwargs": {}}
            model.save(path)
    own = run / "CartPole-v1" / "vecnormalize.pkl"
    beside = run / "rl_model_vecnormalize_200_steps.pkl"
    expected = {
        "CartPole-v1": own,
        "best_model": own,
        "rl_model_100_steps": own,
        "rl_model_200_steps": beside,
        "mine": None,
    }
    assert {name: statistics_path(run / f"{name}.zip") for name in expected} == expected
    assert model_files(run) == [run / "best_model.zip", own]
    shutil.rmtree(run / "CartPole-v1")
    assert find_statistics(run / "best_model.zip") is None
    assert model_files(run / "CartPole-v1") == [run / "CartPole-v1.zip"]


def test_a_file_beside_another_run_takes_nothing_of_it(run: Path, tmp_path: Path) -> None:
    """A model of another environment keeps its observations as they are, whatever lies beside it."""
    other = DQN("MlpPolicy", "Acrobot-v1", policy_kwargs={"net_arch": [4]}, buffer_size=10)
    other.env_spec = {"id": "Acrobot-v1", "kwargs": {}}  # type: ignore[attr-defined]
    for name in ("best_model", "CartPole-v1"):
        other.save(run / name)
        assert find_statistics(run / f"{name}.zip") is None
    A2C("MlpPolicy", "CartPole-v1", policy_kwargs={"net_arch": [4]}).save(tmp_path / "loose")
    shutil.copytree(run / "CartPole-v1", tmp_path / "CartPole-v1")
    assert find_statistics(tmp_path / "loose.zip") is None

"""
Models and replay buffers of the previous class layout, in which LookaheadDQN was a MaskableDQN.

``data/`` holds what that code saved: ``MaskableDQN("MlpPolicy", CountingEnv(), learning_starts=5, buffer_size=40,
batch_size=8, train_freq=1, target_update_interval=10, policy_kwargs={"net_arch": [4], "dueling": True},
exploration_decay=0.9, reward_scale=0.5, elapsed_key="elapsed_min", seed=0, device="cpu")`` after ``learn(60)``, and the
``LookaheadDQN`` of test_lookahead_dqn.py with ``buffer_size=40, policy_kwargs={"net_arch": [4]}`` after ``learn(160)``.
"""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch as th
from lookahead_dqn.test_lookahead_dqn import OFFERED, PLACES, STAGES, Stages
from masked_envs import N_ACTIONS, CountingEnv
from stable_baselines3.common.base_class import BaseAlgorithm

from sb3_ext import GymnasiumVecEnv, LookaheadDQN, MaskableDQN
from sb3_ext.maskable_dqn.base import MaskedQLearning
from sb3_ext.zoo import load_agent

DATA = Path(__file__).parent / "data"
ALGORITHMS: list[tuple[str, type[MaskedQLearning], Any]] = [
    ("maskable_dqn", MaskableDQN, CountingEnv),
    ("lookahead_dqn", LookaheadDQN, lambda: GymnasiumVecEnv(Stages())),
]


def saved_parameters(name: str) -> dict[str, th.Tensor]:
    """Parameters as they stand in the file."""
    with zipfile.ZipFile(DATA / f"{name}.zip") as archive:
        state: dict[str, th.Tensor] = th.load(io.BytesIO(archive.read("policy.pth")), weights_only=True)
    return state


@pytest.mark.parametrize(("name", "algorithm", "make_env"), ALGORITHMS)
def test_saved_training_continues(name: str, algorithm: type[MaskedQLearning], make_env: Any) -> None:
    """A model and a replay buffer of the previous layout load with their parameters and continue to learn."""
    model = algorithm.load(DATA / f"{name}.zip", env=make_env())
    model.load_replay_buffer(DATA / f"{name}_buffer.pkl")
    assert model.replay_buffer.full
    steps, saved = model.num_timesteps, saved_parameters(name)
    assert all(th.equal(value, saved[key]) for key, value in model.policy.state_dict().items())
    model.learn(40, reset_num_timesteps=False)
    assert model.num_timesteps == steps + 40
    assert model.exploration.start == 0
    assert not all(th.equal(value, saved[key]) for key, value in model.policy.state_dict().items())


def test_settings_of_the_previous_layout_are_kept() -> None:
    """Every setting that the file holds is the model's after loading."""
    model = MaskableDQN.load(DATA / "maskable_dqn.zip")
    assert (model.exploration_decay, model.reward_scale, model.elapsed_key) == (0.9, 0.5, "elapsed_min")
    assert model.exploration.rate(8) == pytest.approx(0.9**2)
    other = LookaheadDQN.load(DATA / "lookahead_dqn.zip")
    assert (other.base, other.base_steps, other.most_actions) == ("lowest", 2400, 16)


@pytest.mark.parametrize(("name", "algorithm", "make_env"), ALGORITHMS)
def test_saved_agents_act(name: str, algorithm: type[BaseAlgorithm], make_env: Any) -> None:
    """A model of the previous layout loads by the zoo's name of its algorithm and takes feasible actions."""
    model = load_agent(name, DATA / f"{name}.zip", trust=True)
    assert isinstance(model, algorithm)
    n_actions, width = (N_ACTIONS, 2) if name == "maskable_dqn" else (OFFERED.shape[2], STAGES * PLACES)
    masks = np.eye(n_actions, dtype=bool)
    observations = np.random.default_rng(0).random((n_actions, width), dtype=np.float32)
    actions, _ = model.predict(observations, deterministic=True, action_masks=masks)  # type: ignore[call-arg]
    assert actions.tolist() == list(range(n_actions))

"""Hyperparameters: type and range, per algorithm."""

import os
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from sb3_ext.zoo import UsageError, register
from sb3_ext.zoo.inputs.checks import check_memory
from sb3_ext.zoo.inputs.settings import check_settings

VALID: dict[str, Any] = {"policy": "MlpPolicy", "n_timesteps": 1e6}


@pytest.fixture(autouse=True)
def _registered() -> None:
    register()


@pytest.mark.parametrize(
    ("algo", "name", "value"),
    [
        ("maskable_dqn", "batch_size", 64.0),
        ("maskable_dqn", "batch_size", True),
        ("maskable_dqn", "buffer_size", 0),
        ("maskable_dqn", "train_freq", 0),
        ("maskable_dqn", "train_freq", [1, "day"]),
        ("maskable_dqn", "gradient_steps", -2),
        ("maskable_dqn", "target_update_interval", "never"),
        ("dqn", "target_update_interval", "episode"),
        ("dqn", "gamma", 1.01),
        ("dqn", "gamma", float("nan")),
        ("dqn", "learning_rate", "lin_fast"),
        ("dqn", "learning_rate", -1e-3),
        ("ppo", "ent_coef", "auto"),
        ("ppo", "clip_range", 0),
        ("ppo", "policy", "Nope"),
        ("ppo", "n_timesteps", 0),
        ("ppo", "n_timesteps", 10.5),
        ("ppo", "policy_kwargs", {"net_arch": [0]}),
        ("ppo", "policy_kwargs", {"net_arch": {"pi": [8, 1.5]}}),
        ("ppo", "policy_kwargs", [8]),
        ("ppo", "normalize", "maybe"),
        ("ppo", "normalize", {"norm_observations": True}),
    ],
)
def test_a_value_out_of_its_range_is_refused_by_name(algo: str, name: str, value: Any) -> None:
    """A hyperparameter of the wrong type or out of its range is refused in one sentence with its name."""
    with pytest.raises(UsageError, match=rf"{name}|{algo}") as caught:
        check_settings(algo, {**VALID, name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("algo", "settings"),
    [
        ("maskable_dqn", {"target_update_interval": "episode", "train_freq": [1, "episode"], "gradient_steps": -1}),
        ("maskable_dqn", {"exploration_decay": 0.99999, "learning_rate": "lin_1e-3", "gamma": 1}),
        ("ppo", {"target_kl": None, "clip_range_vf": None, "clip_range": "lin_0.2", "ent_coef": 0.0}),
        ("ppo", {"policy_kwargs": {"net_arch": {"pi": [8], "vf": [8]}}, "normalize": {"norm_reward": False}}),
        ("ppo", {"frame_stack": 2, "normalize": True}),
        ("sac", {"ent_coef": "auto"}),
    ],
)
def test_valid_values_pass(algo: str, settings: dict[str, Any]) -> None:
    """Values that the algorithm takes pass."""
    check_settings(algo, {**VALID, **settings})


def test_frame_stack_and_normalize_exclude_each_other_off_policy() -> None:
    """Off-policy algorithms take frame_stack or normalize, not both."""
    with pytest.raises(UsageError, match="frame_stack and normalize cannot be combined for maskable_dqn"):
        check_settings("maskable_dqn", {**VALID, "frame_stack": 2, "normalize": True})


@pytest.mark.parametrize(
    ("algo", "settings", "transition_bytes"),
    [
        ("maskable_dqn", {}, 2 * 12 + 729 // 8),
        ("lookahead_dqn", {}, 12),
        ("dqn", {}, 2 * 12),
        ("dqn", {"optimize_memory_usage": True}, 12),
    ],
)
def test_a_replay_buffer_beyond_the_memory_is_refused(
    algo: str, settings: dict[str, Any], transition_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A buffer passes up to the size at which what it keeps of each transition, at least, fills the memory."""
    register()
    monkeypatch.setattr(os, "sysconf", lambda name: {"SC_PAGE_SIZE": 1000, "SC_PHYS_PAGES": 1000}[name])
    there = spaces.Box(0.0, 1.0, (3,), np.float32), spaces.Discrete(729)
    most = 10**6 // transition_bytes
    check_memory(algo, {"buffer_size": most, **settings}, *there)
    with pytest.raises(UsageError, match=rf"buffer_size {most + 1} needs at least"):
        check_memory(algo, {"buffer_size": most + 1, **settings}, *there)

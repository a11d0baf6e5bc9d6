"""MaskableDQN's memory filled by a rule before learning starts."""

from typing import Any

import numpy as np
import pytest
import torch as th
from masked_envs import CountingEnv
from ruled_envs import RuledEnv
from stable_baselines3.common.vec_env import DummyVecEnv

from sb3_ext import MaskableDQN

WARM_UP = 224
"""Steps: 32 episodes of 7."""


def taken(noise: float, demonstrator: str | None = "higher") -> tuple[np.ndarray, RuledEnv]:
    """Whether the higher of two offered actions was taken, in each step of a warm-up with a choice."""
    th.set_num_threads(1)
    env = RuledEnv()
    model = MaskableDQN(
        "MlpPolicy",
        DummyVecEnv([lambda: env]),
        learning_starts=WARM_UP,
        buffer_size=1000,
        demonstrator=demonstrator,
        demonstration_noise=noise,
        seed=1,
        device="cpu",
    )
    model.learn(WARM_UP)
    buffer = model.replay_buffer
    assert buffer is not None
    assert buffer.size() == WARM_UP
    # Rewards tell: 1 for the lower, -1 for the higher; in the first state of an episode there is no choice.
    return buffer.rewards[:WARM_UP].reshape(-1, env.length)[:, 1:] < 0, env


def test_the_rule_fills_the_memory() -> None:
    """With a demonstrator and no noise the replay buffer holds the rule's actions."""
    higher, env = taken(0.0)
    assert higher.all()
    assert env.rules_asked == ["higher"] * WARM_UP


def test_noise_shows_alternatives_too() -> None:
    """Demonstration noise adds other feasible actions."""
    higher, _ = taken(0.5)
    # Half of the steps are random, and half of these the lower one. Band: four standard errors of a proportion.
    assert abs(higher.mean() - 0.75) < 4 * np.sqrt(0.75 * 0.25 / higher.size)


def test_without_a_rule_actions_are_random() -> None:
    """Without a demonstrator the warm-up is random and calls no rule."""
    higher, env = taken(0.1, demonstrator=None)
    assert abs(higher.mean() - 0.5) < 4 * np.sqrt(0.25 / higher.size)
    assert env.rules_asked == []


@pytest.mark.parametrize(
    ("env", "settings", "message"),
    [
        (CountingEnv, {"demonstrator": "higher"}, "needs an environment with a method rule_actions"),
        (RuledEnv, {"demonstrator": "higher", "demonstration_noise": 2.0}, r"must be in \[0, 1\], not 2.0"),
        (RuledEnv, {"demonstrator": "wrong", "demonstration_noise": 0.0}, "which is infeasible"),
    ],
)
def test_what_cannot_be_is_refused(env: Any, settings: dict[str, Any], message: str) -> None:
    """An environment without rules, an infeasible rule and noise out of range raise an error."""
    with pytest.raises(ValueError, match=message):
        MaskableDQN("MlpPolicy", DummyVecEnv([env]), learning_starts=10, device="cpu", **settings).learn(10)

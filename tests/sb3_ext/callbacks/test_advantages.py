"""Advantages that are evened out among environments."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3 import DQN
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv

from sb3_ext import MaskablePPO
from sb3_ext.callbacks import EvenAdvantages


class Paid(gym.Env[np.ndarray, np.int64]):
    """Two actions, of which the second pays, so much; after ten of them it is over.

    :param reward: how much
    """

    def __init__(self, reward: float) -> None:
        self.observation_space, self.action_space = spaces.Box(0.0, 1.0, (1,)), spaces.Discrete(2)
        self._reward = reward

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Ten actions are left."""
        super().reset(seed=seed)
        self._left = 10
        return np.zeros(1, dtype=np.float32), {}

    def action_masks(self) -> np.ndarray:
        """Both."""
        return np.ones(2, dtype=np.bool_)

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """One of them."""
        self._left -= 1
        return np.zeros(1, dtype=np.float32), self._reward * int(action), self._left == 0, False, {}


class Kept(BaseCallback):
    """Advantages and returns of the first rollout."""

    def _on_rollout_end(self) -> None:
        buffer = self.model.rollout_buffer  # type: ignore[attr-defined]
        self.advantages, self.returns = buffer.advantages.copy(), buffer.returns.copy()

    def _on_step(self) -> bool:
        return True


def rollout(rewards: list[float], **arguments: Any) -> tuple[Kept, Kept]:
    """What a rollout of environments that pay so much is before and after."""
    env = DummyVecEnv([lambda reward=reward: Paid(reward) for reward in rewards])
    model = MaskablePPO("MlpPolicy", env, n_steps=16, batch_size=16, n_epochs=1, seed=1, device="cpu")
    before, after = Kept(), Kept()
    model.learn(16 * len(rewards), callback=[before, EvenAdvantages(**arguments), after])
    return before, after


def size(kept: Kept) -> np.ndarray:
    """Of the advantages of each environment, the root of their mean square."""
    own: np.ndarray = np.sqrt(np.square(kept.advantages).mean(axis=0))
    return own


def test_environments_count_alike() -> None:
    """With their own mean square alone, advantages of each environment have a mean square of 1, in the same shape."""
    before, after = rollout([1.0, 1000.0], own=1.0)
    assert size(after) == pytest.approx(1.0, rel=1e-5)
    assert size(before)[1] > 100 * size(before)[0]
    np.testing.assert_allclose(after.advantages * size(before), before.advantages, rtol=1e-5)
    np.testing.assert_array_equal(after.returns, before.returns)


def test_a_mixture_keeps_quiet_environments_quiet() -> None:
    """The mean square of all bounds by how much an environment's advantages grow; with it alone all have one factor."""
    before, after = rollout([1.0, 1000.0])
    factors = size(after) / size(before)
    assert factors[0] > 4 * factors[1]
    assert factors[0] == pytest.approx(1 / np.sqrt(0.1 * np.square(before.advantages).mean()), rel=0.01)
    before, after = rollout([1.0, 1000.0], own=0.0)
    factors = size(after) / size(before)
    assert factors[0] == pytest.approx(factors[1], rel=1e-5)


@pytest.mark.parametrize("own", [-0.1, 1.1, float("nan")])
def test_weights_outside_of_0_to_1_are_refused(own: float) -> None:
    """The message says which are allowed."""
    with pytest.raises(ValueError, match="own must be between 0 and 1"):
        EvenAdvantages(own=own)


def test_models_without_advantages_are_refused() -> None:
    """DQN has none."""
    model = DQN("MlpPolicy", Paid(1.0), device="cpu")
    with pytest.raises(TypeError, match="such as MaskablePPO, and DQN does not"):
        model.learn(1, callback=EvenAdvantages())

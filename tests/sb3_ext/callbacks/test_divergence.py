"""A training that diverges ends, whatever the algorithm."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from masked_envs import CountingEnv
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.env_util import make_vec_env

from sb3_ext.callbacks import DivergenceCheck
from sb3_ext.maskable_ppo import MaskablePPO


class BadReward(gym.RewardWrapper[Any, Any]):
    """Every reward is infinite."""

    def reward(self, reward: Any) -> float:
        """Infinity."""
        return -np.inf

    def action_masks(self) -> np.ndarray:
        """(n_actions,) bool."""
        return self.env.get_wrapper_attr("action_masks")()  # type: ignore[no-any-return]


def test_an_infinite_reward_is_told() -> None:
    """A reward that is not finite ends the training in the step that gives it."""
    model = MaskablePPO("MlpPolicy", make_vec_env(CountingEnv, wrapper_class=BadReward), n_steps=8, device="cpu")
    with pytest.raises(ValueError, match="MaskablePPO: a reward is -inf, not a finite number"):
        model.learn(8, callback=DivergenceCheck())
    assert model.num_timesteps == 1


@pytest.mark.parametrize("algorithm", [A2C, DQN, PPO])
def test_a_loss_of_nan_is_told(algorithm: Any) -> None:
    """A loss that is not finite ends the training before the next rollout, or at its end."""
    settings: dict[str, Any] = {"learning_starts": 1} if algorithm is DQN else {"n_steps": 8}
    model = algorithm("MlpPolicy", "CartPole-v1", device="cpu", **settings)
    update = model.train

    def train(*args: Any, **kwargs: Any) -> None:
        update(*args, **kwargs)
        model.logger.record("train/value_loss" if algorithm is A2C else "train/loss", np.nan)

    model.train = train
    with pytest.raises(ValueError, match=rf"{algorithm.__name__}: (value_)?loss is nan, .* has diverged"):
        model.learn(40, callback=DivergenceCheck())
    assert model.num_timesteps <= 12


def test_a_healthy_training_goes_on() -> None:
    """Finite rewards and losses end nothing."""
    assert PPO("MlpPolicy", "CartPole-v1", device="cpu", n_steps=32).learn(64, callback=DivergenceCheck())

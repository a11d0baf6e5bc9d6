"""MaskableDQN keeps SB3's conventions for odd calls."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from masked_envs import AllOffered, CountingEnv
from ruled_envs import RuledEnv
from stable_baselines3.common.env_util import make_vec_env

from sb3_ext import MaskableDQN


def make(env: Any = None, **kwargs: Any) -> MaskableDQN:
    """A small model that learns from its fifth step on."""
    settings: dict[str, Any] = {"learning_starts": 5, "buffer_size": 500, "batch_size": 8, "train_freq": 1}
    settings |= {"policy_kwargs": {"net_arch": [8]}, "seed": 0, "device": "cpu"}
    return MaskableDQN("MlpPolicy", CountingEnv() if env is None else env, **(settings | kwargs))


def test_no_update_is_legal() -> None:
    """train(0) changes nothing and logs nothing."""
    model = make()
    model.learn(20, log_interval=1000)
    before, n_updates = model.last_losses, model._n_updates
    model.logger.name_to_value.clear()
    model.train(0)
    assert model.last_losses is before
    assert model._n_updates == n_updates
    assert not any(name.startswith("train/") for name in model.logger.name_to_value)


def test_more_environments_than_the_target_interval() -> None:
    """SB3's warning that the target network cannot be updated that often is ours, too."""
    env = make_vec_env(CountingEnv, n_envs=3)
    with pytest.warns(UserWarning, match=r"greater than the target network update interval \(3 > 2\)"):
        make(env, target_update_interval=2)


def test_gym_and_vec_env_api_are_not_mixed() -> None:
    """The tuple that reset() of a Gymnasium environment returns is refused with SB3's hint."""
    model = make()
    for predicting in (model, model.policy):
        with pytest.raises(ValueError, match="mixing Gym API"):
            predicting.predict(CountingEnv().reset(), action_masks=np.ones(5))  # type: ignore[arg-type]


def test_refused_buffers_and_environments_leave_the_model_as_it_was(tmp_path: Any) -> None:
    """A replay buffer or an environment that cannot be used is not installed."""
    model, other = make(), make(make_vec_env(CountingEnv, n_envs=2))
    other.save_replay_buffer(tmp_path / "buffer")
    buffer, env = model.replay_buffer, model.env
    with pytest.raises(ValueError, match="filled with n_envs 2 and cannot be used with 1"):
        model.load_replay_buffer(tmp_path / "buffer")
    with pytest.raises(AssertionError, match="number of environments"):
        model.set_env(make_vec_env(CountingEnv, n_envs=2))
    with pytest.raises(ValueError, match="Observation spaces do not match"):
        model.set_env(AllOffered(gym.make("CartPole-v1")))
    assert model.replay_buffer is buffer
    assert model.env is env
    ruled = make(RuledEnv(), demonstrator="higher")
    env = ruled.env
    with pytest.raises(ValueError, match=r"needs an environment with a method rule_actions"):
        ruled.set_env(CountingEnv())
    assert ruled.env is env

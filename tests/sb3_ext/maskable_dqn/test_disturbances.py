"""What ends a training with an error, and what it survives: nan, and environments reset behind its back."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from masked_envs import CountingEnv
from sb3_contrib.common.maskable.evaluation import evaluate_policy
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import SubprocVecEnv, VecNormalize

from sb3_ext.common.vec_env import GymnasiumVecEnv
from sb3_ext.common.wrappers import ActionMaskInfo
from sb3_ext.maskable_dqn import MaskableDQN


class BadReward(gym.Wrapper[Any, Any, Any, Any]):
    """Gives a reward that is no number from the third step on."""

    steps = 0

    def step(self, action: Any) -> Any:
        """As the environment, but for the reward."""
        obs, reward, terminated, truncated, info = self.env.step(action)
        self.steps += 1
        return obs, reward if self.steps < 20 else np.nan, terminated, truncated, info

    def action_masks(self) -> np.ndarray:
        """(n_actions,) bool."""
        return self.env.get_wrapper_attr("action_masks")()  # type: ignore[no-any-return]


SMALL: dict[str, Any] = {"learning_starts": 5, "batch_size": 4, "train_freq": 1, "device": "cpu", "seed": 0}


@pytest.mark.parametrize("prioritized", [True, False])
def test_a_reward_of_nan_ends_the_training(prioritized: bool) -> None:
    """A reward of nan raises one sentence, with either replay buffer."""
    env = make_vec_env(CountingEnv, wrapper_class=BadReward)
    model = MaskableDQN("MlpPolicy", env, prioritized_replay=prioritized, **SMALL)
    with pytest.raises(ValueError, match=r"^MaskableDQN: a reward is nan, .* the training has diverged\.$"):
        model.learn(50)
    assert model.num_timesteps == 20


@pytest.mark.parametrize("prioritized", [True, False])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_loss_of_nan_ends_the_training(prioritized: bool, activation: str) -> None:
    """Parameters that overflow raise one sentence, with either replay buffer and either way to update."""
    from torch import nn

    kwargs: dict[str, Any] = {"policy_kwargs": {"activation_fn": nn.ReLU if activation == "relu" else nn.Tanh}}
    env = make_vec_env(CountingEnv)
    model = MaskableDQN("MlpPolicy", env, learning_rate=1e38, prioritized_replay=prioritized, **SMALL, **kwargs)
    with pytest.raises(ValueError, match=r"^MaskableDQN: a loss is (nan|inf), .* the training has diverged\.$"):
        model.learn(60)


class Disturb(BaseCallback):
    """
    Resets the training environment, or evaluates on it.

    :param when: Name of the event
    :param how: "reset" or "evaluate"
    """

    def __init__(self, when: str, how: str) -> None:
        super().__init__()
        self.when, self.how = when, how
        self.calls = 0

    def _disturb(self, event: str) -> None:
        if event != self.when:
            return
        self.calls += 1
        if self.calls % 3 == 0:
            env = self.model.get_env()
            assert env is not None
            if self.how == "reset":
                env.reset()
            else:
                # Ends in the middle of an episode of one of the environments.
                evaluate_policy(self.model, env, n_eval_episodes=3, warn=False)  # type: ignore[arg-type]

    def _on_step(self) -> bool:
        self._disturb("step")
        return True

    def _on_rollout_start(self) -> None:
        self._disturb("rollout_start")

    def _on_rollout_end(self) -> None:
        self._disturb("rollout_end")


def make_env(kind: str) -> Any:
    """Two environments that raise an error where an infeasible action is taken."""
    if kind == "gymnasium":
        return GymnasiumVecEnv(gym.vector.SyncVectorEnv([CountingEnv, CountingEnv]))
    options: dict[str, Any] = {"wrapper_class": ActionMaskInfo} if kind == "dummy_with_info" else {}
    env = make_vec_env(CountingEnv, n_envs=2, vec_env_cls=SubprocVecEnv if kind == "subproc" else None, **options)
    return VecNormalize(env) if kind == "normalized" else env


@pytest.mark.parametrize("kind", ["dummy", "dummy_with_info", "normalized", "gymnasium", "subproc"])
@pytest.mark.parametrize("when", ["step", "rollout_start", "rollout_end"])
@pytest.mark.parametrize("how", ["reset", "evaluate"])
def test_masks_are_of_the_episode_that_is_played(kind: str, when: str, how: str) -> None:
    """After a callback has reset the training environment, actions are feasible and transitions are of one episode."""
    if kind == "subproc" and (when != "step" or how != "reset"):
        pytest.skip("slow, and the same as dummy but for the step")
    env = make_env(kind)
    model = MaskableDQN("MlpPolicy", env, **SMALL)
    callback = Disturb(when, how)
    model.learn(160, callback=callback)
    assert callback.calls > 20
    assert model.replay_buffer is not None
    buffer = model.replay_buffer
    filled = buffer.pos
    assert filled > 30
    if kind != "normalized":
        steps = buffer.observations[:filled, :, 0], buffer.next_observations[:filled, :, 0]
        # One step on in the same episode, never from one to another.
        np.testing.assert_allclose(7 * (steps[1] - steps[0]), 1.0, atol=1e-5)
    env.close()


def test_evaluating_between_trainings_leaves_no_stale_state() -> None:
    """A training that continues after an evaluation on its environment begins a new episode."""
    env = make_vec_env(CountingEnv, n_envs=2)
    model = MaskableDQN("MlpPolicy", env, **SMALL)
    model.learn(20)
    evaluate_policy(model, env, n_eval_episodes=3, warn=False)  # type: ignore[arg-type]
    model.learn(40, reset_num_timesteps=False)
    assert model.replay_buffer is not None
    buffer, filled = model.replay_buffer, model.replay_buffer.pos
    steps = 7 * (buffer.next_observations[:filled, :, 0] - buffer.observations[:filled, :, 0])
    np.testing.assert_allclose(steps, 1.0, atol=1e-5)

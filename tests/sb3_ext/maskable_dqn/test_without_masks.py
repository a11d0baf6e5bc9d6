"""Environments without masks, and masks without any feasible action."""

import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch as th
from masked_envs import AllOffered, CountingEnv
from sb3_contrib.common.maskable.evaluation import evaluate_policy
from stable_baselines3.common.env_util import make_vec_env

from sb3_ext import ActionMaskInfo, GymnasiumVecEnv, MaskableDQN
from sb3_ext.replay import MaskableReplayBuffer

SETTINGS: dict[str, Any] = {"learning_starts": 20, "train_freq": 1, "seed": 0, "device": "cpu"}


def weights(model: MaskableDQN) -> np.ndarray:
    """All parameters of the online network."""
    return th.nn.utils.parameters_to_vector(model.q_net.parameters()).detach().numpy()


def test_an_environment_without_masks_is_refused_when_a_training_begins() -> None:
    """A masked training needs action_masks(), and the message says what else can be done."""
    model = MaskableDQN("MlpPolicy", "CartPole-v1", **SETTINGS)
    with pytest.raises(ValueError, match=r"a method action_masks\(\), which is missing .*learn\(use_masking=False\)"):
        model.learn(30)
    assert model.num_timesteps == 0
    masked = MaskableDQN("MlpPolicy", AllOffered(gym.make("CartPole-v1")), **SETTINGS).learn(10)
    masked.set_env(gym.make("CartPole-v1"))
    with pytest.raises(ValueError, match=r"MaskableDQN needs an environment with a method action_masks\(\)"):
        masked.learn(30)


def test_training_without_masks_is_training_with_all_actions_feasible() -> None:
    """use_masking=False learns to the bit what masks that are always True do, and asks the environment for none."""
    plain = MaskableDQN("MlpPolicy", "CartPole-v1", **SETTINGS).learn(80, use_masking=False)
    offered = ActionMaskInfo(AllOffered(gym.make("CartPole-v1")))
    assert np.array_equal(weights(plain), weights(MaskableDQN("MlpPolicy", offered, **SETTINGS).learn(80)))
    refusing = CountingEnv()
    refusing.action_masks = None  # type: ignore[method-assign, assignment]
    model = MaskableDQN("MlpPolicy", refusing, **SETTINGS)
    with pytest.raises(RuntimeError, match=r"action . is infeasible"):
        model.learn(80, use_masking=False)


def test_prediction_and_evaluation_without_masks(tmp_path: Any) -> None:
    """A model that was trained without masks predicts and evaluates without them and without a warning, also loaded."""
    model = MaskableDQN("MlpPolicy", "CartPole-v1", **SETTINGS).learn(40, use_masking=False)
    model.save(tmp_path / "model")
    loaded = MaskableDQN.load(tmp_path / "model", env=model.get_env(), device="cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for trained in (model, loaded):
            evaluate_policy(trained, trained.get_env(), n_eval_episodes=2, use_masking=False)  # type: ignore[arg-type]
            trained.predict(np.zeros(4, dtype=np.float32))
        masked = MaskableDQN("MlpPolicy", AllOffered(gym.make("CartPole-v1")), **SETTINGS)
        masked.predict(np.zeros(4, dtype=np.float32), use_masking=False)
    with pytest.warns(UserWarning, match="without action_masks"):
        masked.predict(np.zeros(4, dtype=np.float32))
    with pytest.raises(ValueError, match="action_masks must be None where use_masking is False"):
        masked.predict(np.zeros(4, dtype=np.float32), action_masks=np.ones(2), use_masking=False)


class StuckEnv(CountingEnv):
    """A CountingEnv in whose last state nothing is feasible, or in another one."""

    def __init__(self, stuck_at: int = 7, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stuck_at = stuck_at

    def mask_of(self, t: int, episode: int) -> np.ndarray:
        """All False in the state of that number."""
        return super().mask_of(t, episode) & (t != self.stuck_at)


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("truncates", [False, True])
def test_nothing_follows_a_last_state_without_actions(truncates: bool, native: bool) -> None:
    """An episode may end in a state without feasible actions: nothing follows, whether it was truncated or not."""

    def one() -> gym.Env[Any, Any]:
        return ActionMaskInfo(StuckEnv(truncates=truncates))

    env = GymnasiumVecEnv(gym.vector.SyncVectorEnv([one] * 2)) if native else make_vec_env(one, n_envs=2)
    model = MaskableDQN("MlpPolicy", env, **SETTINGS).learn(100)
    buffer = model.replay_buffer
    assert isinstance(buffer, MaskableReplayBuffer)
    batch = buffer.gather(np.arange(100))
    last = np.isclose(batch.next_observations[:, 0], 1.0)  # type: ignore[call-overload]
    assert last.sum() >= 10
    assert np.array_equal(batch.terminals == 1.0, last)
    assert batch.next_action_masks[last].all()
    assert np.isfinite(model.last_losses).all()


@pytest.mark.parametrize("native", [False, True])
def test_a_state_without_actions_in_the_middle_is_an_error(native: bool) -> None:
    """In the middle of an episode a mask that is all False raises an error."""
    makers = [lambda: ActionMaskInfo(StuckEnv(stuck_at=3))] * 2
    env = GymnasiumVecEnv(gym.vector.SyncVectorEnv(makers)) if native else make_vec_env(makers[0], n_envs=2)
    with pytest.raises(ValueError, match="at least one feasible action in every state that is not terminal"):
        MaskableDQN("MlpPolicy", env, **SETTINGS).learn(30)


def test_a_buffer_filled_without_masks_needs_none(tmp_path: Any) -> None:
    """Transitions without masks can be added by hand to the buffer of a training without masks, also once loaded."""
    model = MaskableDQN("MlpPolicy", "CartPole-v1", **SETTINGS).learn(30, use_masking=False)
    model.save_replay_buffer(tmp_path / "buffer")
    model.load_replay_buffer(tmp_path / "buffer")
    buffer = model.replay_buffer
    assert buffer is not None
    obs = np.zeros((1, 4), dtype=np.float32)
    buffer.add(obs, obs, np.zeros(1), np.zeros(1), np.zeros(1), [{}])
    assert buffer.gather(np.array([30])).next_action_masks.all()

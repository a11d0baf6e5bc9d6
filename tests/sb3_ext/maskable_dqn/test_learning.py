"""What MaskableDQN learns, to floors stated in words."""

from typing import Any

import gymnasium as gym
import pytest
import torch as th
from masked_envs import AllOffered
from sb3_contrib.common.envs import InvalidActionEnvDiscrete
from sb3_contrib.common.maskable.callbacks import MaskableEvalCallback
from sb3_contrib.common.maskable.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor

from sb3_ext import ActionMaskInfo, MaskableDQN
from sb3_ext.replay import LOSS_ADJUSTED


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Networks this small only lose by threads."""
    th.set_num_threads(1)


EPSILON_GREEDY: dict[str, Any] = {"learning_rate": 2e-3, "batch_size": 64, "train_freq": 2, "exploration_fraction": 0.3}
# Every action tried at random, and one weight per observation and action: a table.
RANDOM_PLAY: dict[str, Any] = {
    "learning_rate": 0.05,
    "batch_size": 128,
    "gradient_steps": 2,
    "exploration_final_eps": 1.0,
    "policy_kwargs": {"net_arch": []},
}


@pytest.mark.parametrize(("dim", "n_invalid_actions", "settings"), [(20, 10, EPSILON_GREEDY), (70, 55, RANDOM_PLAY)])
def test_identity(dim: int, n_invalid_actions: int, settings: dict[str, Any]) -> None:
    """
    MaskableDQN passes sb3-contrib's test of MaskablePPO: over 90 of 100 points within 3,000 steps, where the
    right action is the observation. A random feasible action scores 10 of 100 with 10 of 20 feasible, and 7
    with 15 of 70.
    """
    env = ActionMaskInfo(InvalidActionEnvDiscrete(dim=dim, n_invalid_actions=n_invalid_actions))
    model = MaskableDQN("MlpPolicy", env, gamma=0.0, seed=32, device="cpu", **settings)
    model.learn(3000)
    evaluate_policy(model, env, n_eval_episodes=20, reward_threshold=90, warn=False)  # type: ignore[arg-type]


def test_untrained_model_with_one_offered_action() -> None:
    """With the right action as the only feasible one an untrained model scores 100."""
    env = InvalidActionEnvDiscrete(dim=20, n_invalid_actions=19)
    model = MaskableDQN("MlpPolicy", env, seed=8)
    evaluate_policy(model, env, reward_threshold=99, warn=False)  # type: ignore[arg-type]


@pytest.mark.slow
def test_cartpole() -> None:
    """
    MaskableDQN solves CartPole-v1: within 50,000 steps the policy of one of 20 evaluations has 475 of 500 points, with
    loss-adjusted 3-step replay and masks under which every action is feasible. Takes about a minute.
    """
    env = ActionMaskInfo(AllOffered(gym.make("CartPole-v1")))
    model = MaskableDQN(
        "MlpPolicy",
        env,
        learning_rate=1e-3,
        learning_starts=1000,
        batch_size=64,
        gradient_steps=2,
        n_steps=3,
        target_update_interval=500,
        exploration_fraction=0.2,
        exploration_final_eps=0.04,
        replay_buffer_kwargs=LOSS_ADJUSTED,
        seed=1,
        device="cpu",
    )
    # The best of several: on CartPole the policy of any one moment may be anything.
    evaluations = MaskableEvalCallback(Monitor(AllOffered(gym.make("CartPole-v1"))), eval_freq=2500, verbose=0)
    model.learn(50_000, evaluations)
    assert evaluations.best_mean_reward >= 475

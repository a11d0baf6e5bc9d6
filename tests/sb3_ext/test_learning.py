"""What MaskableDQN learns, to floors stated in words."""

import gymnasium as gym
import numpy as np
import pytest
import torch as th
from masked_envs import AllOffered
from sb3_contrib.common.envs import InvalidActionEnvDiscrete
from sb3_contrib.common.maskable.evaluation import evaluate_policy
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.monitor import Monitor

from sb3_ext import ActionMaskInfo, MaskableDQN


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Networks this small only lose by threads."""
    th.set_num_threads(1)


@pytest.mark.parametrize("dim", [(20, 10), (70, 55)])
def test_identity(dim: tuple[int, int]) -> None:
    """
    MaskableDQN would not learn what sb3-contrib asks of MaskablePPO: at least 90 of 100 points within 3,000 steps
    where the right action is the observation. At random one of the offered actions is right in about 10 and 7 of
    100 steps, and without masks 3,000 steps are too few.
    """
    env = ActionMaskInfo(InvalidActionEnvDiscrete(dim=dim[0], n_invalid_actions=dim[1]))
    model = MaskableDQN(
        "MlpPolicy",
        env,
        learning_rate=2e-3,
        learning_starts=100,
        batch_size=64,
        gamma=0.0,
        train_freq=2,
        target_update_interval=100,
        exploration_fraction=0.3,
        seed=32,
        device="cpu",
    )
    model.learn(3000)
    evaluate_policy(model, env, n_eval_episodes=20, reward_threshold=90, warn=False)  # type: ignore[arg-type]


def test_untrained_model_with_one_offered_action() -> None:
    """Masks would not be heeded in evaluation: with only the right action offered anything scores 100."""
    env = InvalidActionEnvDiscrete(dim=20, n_invalid_actions=19)
    model = MaskableDQN("MlpPolicy", env, seed=8)
    evaluate_policy(model, env, reward_threshold=99, warn=False)  # type: ignore[arg-type]


@pytest.mark.slow
def test_cartpole() -> None:
    """MaskableDQN would fail where every DQN succeeds: CartPole-v1 to 475 of 500 points, its solved mark."""
    env = make_vec_env(lambda: AllOffered(gym.make("CartPole-v1")), n_envs=1, seed=1)
    model = MaskableDQN("MlpPolicy", env, **CARTPOLE)
    model.learn(50_000)
    eval_env = Monitor(AllOffered(gym.make("CartPole-v1")))
    eval_env.reset(seed=2)
    mean, _ = evaluate_policy(model, eval_env, n_eval_episodes=20)  # type: ignore[arg-type]
    assert np.mean(mean) >= 475.0

"""Steadiness of trainings: evaluations of one policy agree with SB3's, and every kind of training yields them."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import DQN
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor

from benchmarks import stability
from benchmarks.stability_evaluation import Episodes, greedy


def test_episodes_at_once_are_those_one_by_one() -> None:
    """The mean return of episodes played together is that of SB3's evaluation of the same episodes."""
    model = DQN("MlpPolicy", "CartPole-v1", seed=3, device="cpu")
    one_by_one = []
    for seed in range(5, 7):
        env = Monitor(gym.make("CartPole-v1"))
        env.reset(seed=seed)
        # A seed given to the vector environment holds for its next reset.
        vector = model.env.__class__([lambda env=env: env])  # type: ignore[union-attr]
        vector.seed(seed)
        one_by_one.append(evaluate_policy(model, vector, 1, warn=False)[0])
    episodes = Episodes("CartPole-v1", 2, 5)
    assert episodes.mean_return(greedy(model, masked=False)) == np.mean(one_by_one)
    assert episodes.mean_return(greedy(model, masked=False)) == np.mean(one_by_one)


@pytest.mark.parametrize(
    ("env_id", "variant"), [("CartPole-v1", "sb3_dqn"), ("CartPole-v1", "double_per"), ("Taxi-v4", "masked")]
)
def test_second_half_is_evaluated(env_id: str, variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A training has all its evaluations in its second half, the last one at its end, and its seed decides them."""
    for name, value in (("train_freq", 8), ("gradient_steps", 1), ("learning_starts", 16)):
        monkeypatch.setitem(stability.ENVS[env_id], name, value)
    monkeypatch.setattr(stability, "EPISODES", 2)
    monkeypatch.setattr(stability, "EVALUATIONS", 3)
    returns = stability.train(env_id, variant, 0, 60)
    assert len(returns) == 3
    assert returns == stability.train(env_id, variant, 0, 60)
    low, high = (0, 500) if env_id == "CartPole-v1" else (-200, 20)
    assert low <= min(returns) <= max(returns) <= high


def test_table_has_means_and_differences_by_seed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Differences to SB3's DQN are of the same seeds only."""
    rows = [("sb3_dqn", "0", 100.0), ("sb3_dqn", "1", 300.0), ("plain", "1", 310.0), ("plain", "2", 0.0)]
    made = [
        {
            "env": "E",
            "variant": variant,
            "seed": seed,
            "second_half": value,
            "last_three": value,
            "last": value,
            "cpu_s": 1,
        }
        for variant, seed, value in rows
    ]
    monkeypatch.setattr(stability, "read_rows", lambda table: made)
    stability.print_table()
    lines = capsys.readouterr().out.splitlines()
    assert "| E | sb3_dqn | 2 | 200 ± 196 | 150 |  | 200 ± 196 |" in lines[2]
    assert "| E | plain | 2 | 155 ± 304 | 78 | 10 ± nan | 155 ± 304 |" in lines[3]

"""Evaluations of a greedy policy for ``stability.py``: many episodes at once, one forward pass for all of them."""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from stable_baselines3 import DQN
from stable_baselines3.common.callbacks import BaseCallback

from sb3_ext import MaskableDQN

Choose = Callable[[np.ndarray, list[dict[str, Any]]], np.ndarray]
"""Observations (n, ...) and the infos of the n episodes -> actions (n,)."""


class Episodes:
    """The same episodes for every policy that is asked.

    :param env_id: environment
    :param n_episodes: how many
    :param seed: of the first; the next ones have the next seeds
    """

    def __init__(self, env_id: str, n_episodes: int, seed: int) -> None:
        self.envs = [gym.make(env_id, disable_env_checker=True) for _ in range(n_episodes)]
        self.seeds = range(seed, seed + n_episodes)

    def mean_return(self, choose: Choose) -> float:
        """Play all episodes to their ends.

        :param choose: the policy
        :return: mean over the episodes
        """
        begun = [env.reset(seed=seed) for env, seed in zip(self.envs, self.seeds, strict=True)]
        states = [(env, *state) for env, state in zip(self.envs, begun, strict=True)]
        total = 0.0
        while states:
            actions = choose(np.array([obs for _, obs, _ in states]), [info for _, _, info in states])
            following = []
            for (env, _, _), action in zip(states, actions, strict=True):
                obs, reward, terminated, truncated, info = env.step(action)
                total += float(reward)
                if not (terminated or truncated):
                    following.append((env, obs, info))
            states = following
        return total / len(self.envs)


def greedy(model: DQN, masked: bool) -> Choose:
    """The greedy policy of a model.

    :param model: SB3's DQN or MaskableDQN
    :param masked: whether it is given the masks that the environment writes into ``info["action_mask"]``
    """

    def choose(observations: np.ndarray, infos: list[dict[str, Any]]) -> np.ndarray:
        if masked:
            masks = np.array([info["action_mask"] for info in infos], dtype=bool)
            return model.predict(observations, deterministic=True, action_masks=masks)[0]  # type: ignore[call-arg]
        options = {"use_masking": False} if isinstance(model, MaskableDQN) else {}
        return model.predict(observations, deterministic=True, **options)[0]

    return choose


class Evaluate(BaseCallback):
    """Evaluates the greedy policy at even distances, the last time after the steps planned.

    :param episodes: what it is evaluated on
    :param steps: of the training, which may do a few more until its next updates
    :param every: steps between two evaluations
    :param times: how often
    :param masked: see :func:`greedy`
    """

    def __init__(self, episodes: Episodes, steps: int, every: int, times: int, masked: bool = False) -> None:
        super().__init__()
        self.episodes, self.masked = episodes, masked
        self.due = list(range(steps, steps - every * times, -every))
        self.returns: list[float] = []

    def _on_step(self) -> bool:
        if self.due and self.num_timesteps >= self.due[-1]:
            self.due.pop()
            assert isinstance(self.model, DQN)
            self.returns.append(self.episodes.mean_return(greedy(self.model, self.masked)))
        return True

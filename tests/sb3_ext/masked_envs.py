"""Tiny environments with action masks."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

N_ACTIONS = 5


class CountingEnv(gym.Env[np.ndarray, int]):
    """
    State = steps since reset, all of it deterministic. In the state t of episode k only the actions
    (t + k) % 5 and (t + k + 1) % 5 are feasible; another one raises an error.

    :param length: steps of an episode
    :param truncates: whether episodes are truncated or terminated
    :param mask_in_info: whether ``info`` carries the mask
    """

    def __init__(self, length: int = 7, truncates: bool = False, mask_in_info: bool = False) -> None:
        self.observation_space = spaces.Box(0.0, 1.0, (2,), np.float32)
        self.action_space = spaces.Discrete(N_ACTIONS)
        self.length, self.truncates, self.mask_in_info = length, truncates, mask_in_info
        self.t, self.episode, self.mask_calls = 0, -1, 0

    def mask_of(self, t: int, episode: int) -> np.ndarray:
        """(5,) bool."""
        return np.isin(np.arange(N_ACTIONS), [(t + episode) % N_ACTIONS, (t + episode + 1) % N_ACTIONS])

    def action_masks(self) -> np.ndarray:
        """(5,) bool."""
        self.mask_calls += 1
        return self.mask_of(self.t, self.episode)

    def _observed(self) -> tuple[np.ndarray, dict[str, Any]]:
        info: dict[str, Any] = {"elapsed_min": self.t + 1, "state": (self.t, self.episode)}
        if self.mask_in_info:
            info["action_mask"] = self.mask_of(self.t, self.episode)
        return np.array([self.t / self.length, (self.episode % 7) / 7], dtype=np.float32), info

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin the next episode."""
        super().reset(seed=seed)
        self.t, self.episode = 0, self.episode + 1
        return self._observed()

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Reward 1 for the lower-numbered of the two, -1 for the other."""
        offered = self.mask_of(self.t, self.episode)
        if not offered[action]:
            raise RuntimeError(f"action {action} is infeasible in state {self.t} of episode {self.episode}")
        reward = 1.0 if action == np.flatnonzero(offered)[0] else -1.0
        self.t += 1
        over = self.t == self.length
        obs, info = self._observed()
        return obs, reward, over and not self.truncates, over and self.truncates, info


class AllOffered(gym.Wrapper[np.ndarray, int, np.ndarray, int]):
    """Gives an environment without masks one that is always True."""

    def action_masks(self) -> np.ndarray:
        """(n_actions,) bool."""
        return np.ones(self.action_space.n, dtype=bool)  # type: ignore[attr-defined]

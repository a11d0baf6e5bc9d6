"""An environment that refuses infeasible actions, its hyperparameters, and a training that says nothing."""

from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from sb3_ext.zoo import cli

MASKED = ["maskable_dqn", "maskable_ppo"]


class Doors(gym.Env[np.ndarray, np.int64]):
    """Five rooms, each with two of four doors open; the higher one pays. A closed door cannot be taken."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 5}  # noqa: RUF012
    action_space = gym.spaces.Discrete(4)

    def __init__(
        self, lying: bool = False, worthless: bool = False, size: int = 2, render_mode: str | None = None
    ) -> None:
        self.worthless = worthless
        self.observation_space = gym.spaces.Box(0.0, 1.0, (size,))
        self.lying = lying
        self.render_mode = render_mode
        self.first_draws: list[int] = []

    def _enter(self) -> tuple[np.ndarray, dict[str, Any]]:
        self.open = np.zeros(4, dtype=bool)
        self.open[self.np_random.choice(4, 2, replace=False)] = True
        observation = np.full(self.observation_space.shape, self.rooms / 5, np.float32)
        return observation, {"action_mask": self.action_masks()}

    def action_masks(self) -> np.ndarray:
        """Which doors are open; all of them, says the liar."""
        return np.ones(4, dtype=bool) if self.lying else self.open.copy()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """Begin in the first room."""
        super().reset(seed=seed)
        self.rooms = 0
        self.first_draws.append(int(self.np_random.integers(10**9)))
        return self._enter()

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict]:
        """Go through a door."""
        if not self.open[int(action)]:
            raise ValueError(f"door {int(action)} is closed")
        reward = float(int(action) == np.flatnonzero(self.open)[-1]) if not self.worthless else np.nan
        self.rooms += 1
        observation, info = self._enter()
        done = self.rooms == 5
        return observation, reward, done, False, info | ({"metrics": {"rooms": 5.0}} if done else {})

    def render(self) -> np.ndarray:
        """A picture of which doors are open."""
        return np.kron(self.open[None, :, None], np.full((64, 16, 3), 255)).astype(np.uint8)


def many_doors(num_envs: int, **kwargs: Any) -> SyncVectorEnv:
    """Many at once, for want of an environment that is made for it."""
    return SyncVectorEnv([partial(Doors, **kwargs)] * num_envs, autoreset_mode=AutoresetMode.SAME_STEP)


gym.register("Doors-v0", entry_point=Doors)
gym.register("NativeDoors-v0", entry_point=Doors, vector_entry_point=many_doors)

CONFIGS = {
    "maskable_dqn": "learning_starts: 50, batch_size: 8, policy_kwargs: {net_arch: [8]}, buffer_size: 500",
    "maskable_ppo": "n_steps: 32, batch_size: 32, n_epochs: 1, n_envs: 2, policy_kwargs: {net_arch: [8]}",
    "dqn": "learning_starts: 50, batch_size: 8, env_wrapper: " + __name__ + ".OpenDoors",
}


class OpenDoors(gym.ActionWrapper):
    """For algorithms without masks: takes the first open door."""

    def action(self, action: Any) -> Any:
        """The first open door."""
        return int(np.flatnonzero(self.env.get_wrapper_attr("action_masks")())[0])


def train(defaults: cli.ZooDefaults, *arguments: str) -> Path:
    """Train as a user would, quietly."""
    folder = cli.train(["--verbose", "0", "--seed", "3", "--eval-freq", "100", *arguments], defaults)
    assert folder is not None
    return folder

"""A small replay buffer filled by hand, for the tests of the replay buffers."""

from typing import Any

import numpy as np
from gymnasium import spaces

from sb3_ext.replay import MaskableReplayBuffer

OBSERVATIONS = spaces.Box(-np.inf, np.inf, (1,), np.float32)
N_ACTIONS = 11  # Not a multiple of 8: packing must cut the padding off again.


def mask_of(number: int) -> np.ndarray:
    """A mask that says which number it belongs to."""
    return np.array([number >> bit & 1 for bit in range(N_ACTIONS)], dtype=bool)


def make(capacity: int = 6, n_envs: int = 1, cls: type = MaskableReplayBuffer, **kwargs: Any) -> Any:
    """A small buffer; ``capacity`` is per environment."""
    settings = {"device": "cpu", "n_envs": n_envs, "seed": 0} | kwargs
    return cls(capacity * n_envs, OBSERVATIONS, spaces.Discrete(N_ACTIONS), **settings)


def add(buffer: Any, *rows: tuple[Any, ...]) -> None:
    """
    Add transitions from state s to s + 1 with mask s + 1. Row: per environment (s, reward, end), where end is
    "" or "term" or "trunc" or a number: elapsed units.
    """
    for row in rows:
        envs = [row] if not isinstance(row[0], tuple) else list(row)
        states = np.array([[env[0]] for env in envs], dtype=np.float32)
        buffer.add(
            states,
            states + 1,
            np.array([env[0] % N_ACTIONS for env in envs]),
            np.array([env[1] for env in envs], dtype=np.float32),
            np.array([env[2] in ("term", "trunc") for env in envs]),
            [
                {
                    "action_mask": mask_of(env[0] + 1),
                    "TimeLimit.truncated": env[2] == "trunc",
                    "elapsed": env[2] if isinstance(env[2], int) else 1,
                }
                for env in envs
            ],
        )

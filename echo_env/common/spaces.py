"""Action spaces of environments in which not every action is possible in every state."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np


class FeasibleDiscrete(gym.spaces.Discrete):
    """All actions; :meth:`sample` without a mask draws among those that are feasible now.

    Copies and pickles are plain ``Discrete`` spaces, so a saved model does not need this package.
    """

    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.feasible = np.ones(n, dtype=bool)

    def sample(self, mask: Any = None, probability: Any = None) -> np.int64:
        """Draw an action."""
        if mask is None and probability is None:
            mask = self.feasible.astype(np.int8)
        return super().sample(mask=mask, probability=probability)

    def __reduce__(self) -> Any:
        return gym.spaces.Discrete, (int(self.n),)

"""Action spaces of environments in which not every action is possible in every state."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np


class FeasibleDiscrete(gym.spaces.Discrete):
    """All actions; :meth:`sample` without a mask draws among those that are feasible now.

    Copies and pickles are plain ``Discrete`` spaces, so a saved model does not need this package. Those of an
    environment that is a :class:`KeepsFeasible` are not.
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


class KeepsFeasible:
    """An environment with a :class:`FeasibleDiscrete`, which copies and pickles of the environment keep."""

    action_space: FeasibleDiscrete

    def __getstate__(self) -> dict[str, Any]:
        """The environment's attributes, of the action space those that its own pickle leaves out."""
        state = dict(self.__dict__)
        space: FeasibleDiscrete = state.pop("action_space")
        return {**state, "_space_of_copies": dict(space.__dict__)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Set the attributes of a copy."""
        own = dict(state)
        kept = own.pop("_space_of_copies")
        self.__dict__.update(own)
        self.action_space = FeasibleDiscrete(int(kept["n"]))
        self.action_space.__dict__.update(kept)

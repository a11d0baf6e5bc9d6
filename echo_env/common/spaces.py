"""Action spaces of environments in which not every action is possible in every state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import InvalidAction
from numpy.typing import NDArray


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


def one_action_each(actions: Any, count: int) -> NDArray[np.int64]:
    """The actions of a batch as whole numbers, a copy.

    :param actions: one for each environment
    :param count: how many environments there are
    :return: (count,) int64
    :raises InvalidAction: another number of actions, or one that is no whole number
    """
    try:
        given = np.asarray(actions)
        # A copy: strided or read-only ones would be another type to a compiled step.
        chosen = np.array(given, dtype=np.int64)
    except (TypeError, ValueError, OverflowError):
        raise InvalidAction(f"actions are {actions!r}, but must be {count} whole numbers") from None
    if chosen.shape != (count,):
        raise InvalidAction(f"actions have shape {chosen.shape}, but must have {(count,)}: one for each environment")
    if not np.array_equal(chosen, given):
        raise InvalidAction(f"actions are {given.tolist()}, but must be whole numbers")
    return chosen


def one_seed_each(seed: Any, count: int) -> list[int | None]:
    """The seeds of a batch.

    :param seed: None; a number s, which makes them s, s + 1, ...; or one for each environment, some of them None
    :param count: how many environments there are
    :return: count seeds
    :raises ValueError: another number of seeds, or something else
    """
    if seed is None:
        return [None] * count
    if isinstance(seed, (int, np.integer)):
        return [int(seed) + i for i in range(count)]
    seeds = list(seed) if isinstance(seed, (Sequence, np.ndarray)) and not isinstance(seed, str) else None
    if seeds is None or not all(own is None or isinstance(own, (int, np.integer)) for own in seeds):
        raise ValueError(f"seed is {seed!r}, but must be a whole number, or one for each environment")
    if len(seeds) != count:
        raise ValueError(f"seed has {len(seeds)} entries, but must have {count}: one for each environment")
    return [None if own is None else int(own) for own in seeds]


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

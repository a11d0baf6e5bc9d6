"""Actions as numbers from 0, whatever the environment's action space is."""

from typing import Any

import numpy as np
from gymnasium import spaces

from sb3_ext.common.masks import has_action, random_actions


class ActionParts:
    """
    The parts that an action is made of, each a choice among a few: one part in a ``Discrete`` space, one for each
    dimension of a ``MultiDiscrete`` or ``MultiBinary``.

    Inside the algorithms and in replay buffers choices are numbered from 0: (n,) for ``Discrete``, else (n, n_parts).
    A mask has one entry for each choice of each part, one part after another, as sb3-contrib's: whether a choice is
    feasible does not depend on those of the other parts.

    :param space: Action space
    :param who: Class that needs it, for the message
    :raises ValueError: the space is none of these, or has more than one dimension
    """

    def __init__(self, space: spaces.Space[Any], who: str) -> None:
        #: Whether an action is a number rather than a vector.
        self.is_number = isinstance(space, spaces.Discrete)
        start: Any = 0
        if isinstance(space, spaces.Discrete):
            sizes, start = [int(space.n)], int(space.start)
        elif isinstance(space, spaces.MultiDiscrete) and space.nvec.ndim == 1:
            sizes, start = space.nvec.tolist(), space.start
        elif isinstance(space, spaces.MultiBinary) and len(space.shape) == 1:
            sizes = [2] * space.shape[0]
        else:
            raise ValueError(
                f"{who}: action_space must be Discrete, or MultiDiscrete or MultiBinary of one dimension, not {space}."
            )
        #: Number of choices of each part.
        self.sizes = sizes
        #: Entries of a mask, and action values.
        self.n_choices = sum(sizes)
        #: (n_parts,) int64, where in a mask the choices of each part begin.
        self.begins = np.cumsum([0, *sizes[:-1]])
        self._start = np.asarray(start, dtype=np.int64)
        self._dtype = np.dtype(space.dtype)
        self._as_they_are = self.is_number and start == 0

    def to_env(self, chosen: np.ndarray) -> np.ndarray:
        """
        Actions as the environment takes them.

        :param chosen: (n,) or (n, n_parts) int, from 0
        :return: the same in the numbers and the dtype of the action space
        """
        return chosen if self._as_they_are else (chosen + self._start).astype(self._dtype)

    def from_env(self, actions: np.ndarray) -> np.ndarray:
        """
        The reverse of :meth:`to_env`.

        :param actions: (n,) or (n, n_parts), as the environment takes them
        :return: the same as int64, from 0
        """
        return actions if self._as_they_are else actions.astype(np.int64) - self._start

    def random(self, masks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """
        A uniform draw from the feasible choices of each part.

        :param masks: (n, n_choices) bool, with a True in every part of every row
        :param rng: Source of the draws
        :return: (n,) or (n, n_parts) int64, from 0
        """
        if self.is_number:
            return random_actions(masks, rng)
        return np.stack([random_actions(part, rng) for part in np.split(masks, self.begins[1:], axis=1)], axis=1)

    def all_feasible(self, n: int) -> np.ndarray:
        """
        Masks under which every action is feasible.

        :param n: Number of states
        :return: (n, n_choices) bool
        """
        return np.ones((n, self.n_choices), dtype=bool)

    def has_action(self, masks: np.ndarray) -> np.ndarray:
        """
        Which masks leave an action: a choice in every part.

        :param masks: (n, n_choices) bool
        :return: (n,) bool
        """
        return has_action(masks, self.begins)

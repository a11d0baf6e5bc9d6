"""Wrappers of the lab."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from echo_env.lab.decisions.actions import DIGITS


def nearest_feasible(action: int, mask: np.ndarray) -> int:
    """The feasible joint action that differs from ``action`` by the fewest starts; ties go to the lowest.

    :param action: 0 to 728
    :param mask: (729,) bool, at least one True
    """
    if mask[action]:
        return action
    allowed = np.flatnonzero(mask)
    return int(allowed[np.abs(DIGITS[allowed] - DIGITS[action]).sum(axis=1).argmin()])


class NearestFeasibleAction(gym.ActionWrapper, gym.utils.RecordConstructorArgs):
    """Lets algorithms that know no masks act: what they ask for is bent to the nearest feasible action.

    :param env: a lab
    """

    def __init__(self, env: gym.Env) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.ActionWrapper.__init__(self, env)

    def action(self, action: Any) -> int:
        """Bend an action: see :func:`nearest_feasible`."""
        return nearest_feasible(int(action), self.env.get_wrapper_attr("action_masks")())

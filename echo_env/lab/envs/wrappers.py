"""Wrappers of the lab."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from echo_env.lab.decisions.actions import nearest_feasible


class NearestFeasibleActions(gym.vector.VectorActionWrapper):
    """:class:`NearestFeasibleAction` of many labs at once.

    :param env: labs as one :class:`~echo_env.lab.envs.vector_env.EchoLabVectorEnv`
    """

    def actions(self, actions: Any) -> NDArray[np.int64]:
        """Replace (B,) actions: see :func:`nearest_feasible`."""
        masks = self.env.action_masks()  # type: ignore[attr-defined]
        return np.array([nearest_feasible(int(a), mask) for a, mask in zip(actions, masks, strict=True)])


class NearestFeasibleAction(gym.ActionWrapper, gym.utils.RecordConstructorArgs):
    """For algorithms without action masks: replaces an infeasible action by the nearest feasible one.

    :param env: a lab
    """

    vector_form = NearestFeasibleActions
    """What does the same to labs as one vector environment."""

    def __init__(self, env: gym.Env) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.ActionWrapper.__init__(self, env)

    def action(self, action: Any) -> int:
        """Replace an action: see :func:`nearest_feasible`."""
        return nearest_feasible(int(action), self.env.get_wrapper_attr("action_masks")())

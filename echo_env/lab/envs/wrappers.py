"""Wrappers of the lab."""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from echo_env.lab.decisions.actions import nearest_feasible


class NearestFeasibleAction(gym.ActionWrapper, gym.utils.RecordConstructorArgs):
    """For algorithms without action masks: replaces an infeasible action by the nearest feasible one.

    :param env: a lab
    """

    def __init__(self, env: gym.Env) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.ActionWrapper.__init__(self, env)

    def action(self, action: Any) -> int:
        """Replace an action: see :func:`nearest_feasible`."""
        return nearest_feasible(int(action), self.env.get_wrapper_attr("action_masks")())

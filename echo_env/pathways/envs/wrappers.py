"""Wrappers of the environment."""

from __future__ import annotations

from typing import Any

import gymnasium as gym


class NobodyInstead(gym.ActionWrapper, gym.utils.RecordConstructorArgs):
    """Serves algorithms without action masks: infeasible actions become nobody.

    :param env: the environment
    """

    def __init__(self, env: gym.Env) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.ActionWrapper.__init__(self, env)

    def action(self, action: Any) -> int:
        """The action if it is feasible, else nobody."""
        mask = self.env.get_wrapper_attr("action_masks")()
        return int(action) if mask[int(action)] else len(mask) - 1

"""Wrappers of the hospital."""

from __future__ import annotations

from typing import Any

import gymnasium as gym


class NobodyInstead(gym.ActionWrapper, gym.utils.RecordConstructorArgs):
    """Lets algorithms that know no masks act: a unit given to who does not ask for it goes to nobody.

    :param env: a hospital
    """

    def __init__(self, env: gym.Env) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.ActionWrapper.__init__(self, env)

    def action(self, action: Any) -> int:
        """The action, if it can be done, else nobody."""
        mask = self.env.get_wrapper_attr("action_masks")()
        return int(action) if mask[int(action)] else len(mask) - 1

"""CountingEnv with rules to learn from."""

import numpy as np
from gymnasium import spaces
from masked_envs import N_ACTIONS, CountingEnv


class RuledEnv(CountingEnv):
    """
    The rule "higher" takes the higher-numbered of the two actions on offer, which pays -1, and the rule "wrong" one
    that is not on offer. In the first state of an episode a single action is on offer.

    Episodes begun and steps taken, so far, are counted in ``episode`` and ``steps``.
    """

    def __init__(self, length: int = 7, truncates: bool = False, mask_in_info: bool = False) -> None:
        super().__init__(length, truncates, mask_in_info)
        # As many as there are states, so that a linear network can tell them apart.
        self.observation_space = spaces.Box(0.0, 1.0, (length + 1 + N_ACTIONS,), np.float32)
        self.rules_asked: list[str] = []
        self.steps = 0

    def mask_of(self, t: int, episode: int) -> np.ndarray:
        """(5,) bool."""
        mask = super().mask_of(t, episode)
        if t == 0:
            mask[np.flatnonzero(mask)[0]] = False
        return mask

    def rule_actions(self, rule: str) -> int:
        """What a rule does now."""
        self.rules_asked.append(rule)
        offered = np.flatnonzero(self.mask_of(self.t, self.episode))
        if rule == "wrong":
            return int(np.setdiff1d(np.arange(N_ACTIONS), offered)[0])
        if rule != "higher":
            raise ValueError(f"rule {rule!r} is unknown; known: higher, wrong")
        return int(offered[-1])

    def step(self, action: int) -> tuple:
        """As CountingEnv."""
        self.steps += 1
        return super().step(action)

    def _observed(self) -> tuple:
        _, info = super()._observed()
        obs = np.zeros(self.observation_space.shape, dtype=np.float32)
        obs[self.t] = obs[self.length + 1 + self.episode % N_ACTIONS] = 1.0
        return obs, info

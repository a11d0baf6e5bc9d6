"""Statistics of the feasible and the chosen actions, written to the training log."""

import numpy as np
from gymnasium import spaces
from scipy import stats
from stable_baselines3.common.callbacks import BaseCallback


class ActionMaskStatistics(BaseCallback):
    """
    Records, over every ``window`` steps of the environments, how many actions were feasible and which were chosen:

    - ``actions/offered``: mean number of feasible actions;
    - ``actions/forced``: share of the steps with a single feasible action;
    - ``actions/rank_entropy``: entropy of the rank of the chosen action among the feasible ones, by action number,
      as a share of the entropy of uniform random choices. 1 is as mixed as random, 0 is always the same rank.
      Forced steps do not count.

    Reads the masks that MaskableDQN and MaskablePPO themselves used; with
    another algorithm, without masks, or with actions that are not ``Discrete``, nothing is recorded.

    :param window: Steps, over all environments, that a value is taken over
    :param prefix: Put before each name in the log
    :param verbose: Verbosity level
    """

    def __init__(self, window: int = 1000, prefix: str = "actions/", verbose: int = 0) -> None:
        super().__init__(verbose)
        if window < 1:
            raise ValueError(f"ActionMaskStatistics: window must be at least 1 step, not {window}.")
        self.window = window
        self.prefix = prefix
        self._offered: list[int] = []
        self._ranks: list[int] = []

    def _on_step(self) -> bool:
        masks = self._masks()
        if masks is None:
            return True
        first = int(self.model.action_space.start)  # type: ignore[attr-defined]
        # One count at a time: with hundreds of actions much cheaper than a cumulative sum over them.
        for mask, action in zip(masks, self.locals["actions"], strict=True):
            self._offered.append(int(np.count_nonzero(mask)))
            self._ranks.append(int(np.count_nonzero(mask[: int(action) - first])))
        if len(self._offered) >= self.window:
            self._record(np.array(self._offered), np.array(self._ranks))
            self._offered.clear()
            self._ranks.clear()
        return True

    def _masks(self) -> np.ndarray | None:
        """(n_envs, n_actions) bool, what the actions of this step were chosen from."""
        if not isinstance(self.model.action_space, spaces.Discrete):
            return None
        # MaskablePPO's variable, else MaskableDQN's attribute, which it moves on after the callbacks.
        masks = self.locals.get("action_masks")
        return getattr(self.model, "_acting_masks", None) if masks is None else masks

    def _record(self, offered: np.ndarray, ranks: np.ndarray) -> None:
        free = offered > 1
        self.logger.record(self.prefix + "offered", offered.mean())
        self.logger.record(self.prefix + "forced", 1.0 - free.mean())
        if free.any():
            self.logger.record(self.prefix + "rank_entropy", rank_entropy(offered[free], ranks[free]))


def rank_entropy(offered: np.ndarray, ranks: np.ndarray) -> float:
    """
    Entropy of ranks as a share of that of uniform random choices.

    :param offered: (n,) int, numbers of feasible actions, at least 2 each
    :param ranks: (n,) int, which of them was chosen, from 0
    :return: 0 where all ranks are the same, about 1 where they are random
    """
    # A random choice of m has each of the ranks 0 to m - 1 with 1 / m; summed over all choices, from the last rank on.
    shares = np.bincount(offered)[1:] / np.arange(1, offered.max() + 1)
    at_random = shares[::-1].cumsum()[::-1]
    return float(stats.entropy(np.bincount(ranks)) / stats.entropy(at_random))

"""Prioritized experience replay, as in the paper's appendix A.4.3 (Schaul et al., 2016)."""

import math
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecNormalize

from sb3_ext.replay.masked import MaskableReplayBuffer
from sb3_ext.replay.samples import ReplayBatch
from sb3_ext.replay.sum_tree import SumTree

#: Priority of the first transitions, before any TD error is known (Schaul et al., algorithm 1).
FIRST_PRIORITY = 1.0
#: ``replay_buffer_kwargs`` of loss-adjusted prioritized replay (Fujimoto et al., 2020, arxiv.org/abs/2007.06049):
#: :math:`P(i) \propto \max(|\delta_i|^\alpha, 1)` without importance weights. Of errors below 1, where Huber's loss is
#: a square, the expected gradient is then that of uniform replay; larger ones count with their power of alpha.
LOSS_ADJUSTED = {"alpha": 0.4, "min_priority": 1.0, "max_priority": math.inf, "beta": 0.0, "beta_increment": 0.0}


class PrioritizedReplayBuffer(MaskableReplayBuffer):
    r"""
    Replay in proportion to the TD error: :math:`P(i) = (p_i + \epsilon)^\alpha / \sum_k (p_k + \epsilon)^\alpha`
    (equation (2)), where :math:`p_i` is the last known \|TD error\| within [``min_priority``,
    ``max_priority``], in the units of the learning target (after ``reward_scale``).

    Importance weights are :math:`w_i = (N P(i))^{-\beta}` (equation (3)), N the number of stored transitions.
    Equation (3) gives weights above 1, up to 63 with the default limits, to rarely drawn transitions, and so
    larger steps than the learning rate intends. ``normalize_weights`` therefore divides by the largest weight of
    the batch, which only ever makes steps smaller (Schaul et al., section 3.4), and is the default; with
    False the weights are those of equation (3) exactly.

    New transitions get the largest priority known so far (1 before any is known), so that each is likely
    drawn soon. The draws of a batch are independent, with replacement: their frequencies are exactly P(i).
    Stratified draws would vary a little less, but would not be independent.

    :param args: as :class:`MaskableReplayBuffer`
    :param alpha: How much priorities matter, in [0, 1]; 0 is uniform replay
    :param epsilon: Added to every priority
    :param beta: First exponent of the importance weights, in [0, 1]
    :param beta_increment: Added to beta after every draw of a batch, until beta is 1
    :param min_priority: Lower limit of priorities, above 0
    :param max_priority: Upper limit of priorities
    :param normalize_weights: Divide weights by the largest of the batch
    :param kwargs: as :class:`MaskableReplayBuffer`
    """

    def __init__(
        self,
        *args: Any,
        alpha: float = 0.6,
        epsilon: float = 1e-6,
        beta: float = 0.4,
        beta_increment: float = 1e-4,
        min_priority: float = 0.01,
        max_priority: float = 10.0,
        normalize_weights: bool = True,
        **kwargs: Any,
    ) -> None:
        for name, value in (("alpha", alpha), ("beta", beta)):
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"PrioritizedReplayBuffer: {name} must be in [0, 1], not {value}.")
        for name, value in (("epsilon", epsilon), ("beta_increment", beta_increment)):
            if value < 0.0:
                raise ValueError(f"PrioritizedReplayBuffer: {name} must be at least 0, not {value}.")
        if not 0.0 < min_priority <= max_priority:
            raise ValueError(
                "PrioritizedReplayBuffer: min_priority must be above 0 and at most max_priority "
                f"({max_priority}), not {min_priority}."
            )
        super().__init__(*args, **kwargs)
        self.alpha = alpha
        self.epsilon = epsilon
        self.beta = beta
        self.beta_increment = beta_increment
        self.min_priority = min_priority
        self.max_priority = max_priority
        self.normalize_weights = normalize_weights
        self._env_columns = np.arange(self.n_envs)
        self._forget_priorities()

    def _forget_priorities(self) -> None:
        self.largest_priority = float(np.clip(FIRST_PRIORITY, self.min_priority, self.max_priority))
        self.tree = SumTree(self.buffer_size * self.n_envs, self.compiled)

    def reset(self) -> None:
        """Forget all transitions, and with them their priorities; see SB3."""
        super().reset()
        self._forget_priorities()

    def add_step(self, *args: Any, **kwargs: Any) -> None:
        """Store one transition of each environment with the largest priority known; see the parent."""
        rows = self.pos * self.n_envs + self._env_columns
        super().add_step(*args, **kwargs)
        self.tree.write(rows, (self.largest_priority + self.epsilon) ** self.alpha)
        if self.optimize_memory_usage:
            # The oldest, whose observations are now the next ones of the newest.
            self.tree.write(self.pos * self.n_envs + self._env_columns, 0.0)

    def draw(self, batch_size: int, env: VecNormalize | None = None) -> ReplayBatch:
        """
        Draw a batch as numpy arrays by priority, with importance weights.

        :param batch_size: Number of transitions
        :param env: Environment that normalizes observations and rewards
        :return: the batch
        """
        n_rows, beta = self._n_rows(), self.beta
        rows, powers, total = self.tree.draw(self.rng.random(batch_size))
        # The largest weight of the batch is that of its smallest power.
        reference = powers.min() if self.normalize_weights else total / n_rows
        weights = (powers / reference) ** -beta
        self.beta = min(1.0, self.beta + self.beta_increment)
        return self.gather(rows, env, weights.astype(np.float32))

    def update_priorities(self, rows: np.ndarray, td_errors: np.ndarray) -> None:
        """
        Set the priorities of drawn transitions.

        :param rows: (B,) int, of the batch
        :param td_errors: (B,) float, target minus estimate, of either sign
        """
        priorities, largest = limited(td_errors, self.min_priority, self.max_priority)
        if not math.isfinite(largest):
            raise ValueError("PrioritizedReplayBuffer: td_errors must not be nan; the training has diverged.")
        self.largest_priority = max(self.largest_priority, largest)
        priorities += self.epsilon
        self.tree.write(rows, priorities**self.alpha)

    def priorities(self, at_most: int) -> np.ndarray:
        """
        Priorities of stored transitions, all of them or an evenly spaced sample.

        :param at_most: Largest size of the sample
        :return: (n,) float64, their last known limited TD errors; not available with alpha 0
        """
        n_rows = self._n_rows()
        rows = self._rows(np.arange(0, n_rows, max(1, -(-n_rows // at_most))))
        return self.tree.values(rows) ** (1.0 / self.alpha) - self.epsilon


def limited(td_errors: np.ndarray, smallest: float, largest: float) -> tuple[np.ndarray, float]:
    """
    Priorities before epsilon and alpha.

    :param td_errors: (B,) float
    :param smallest: Lower limit
    :param largest: Upper limit
    :return: (B,) float64, absolute values within the limits; the largest of them, nan if any is nan
    """
    values = np.abs(td_errors, dtype=np.float64).clip(smallest, largest)
    return values, float(values.max())

"""Advantages by which environments of small rewards count as much as those of large ones."""

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm


class EvenAdvantages(BaseCallback):
    """
    Divides the advantages of each environment by their size, the root of their mean square over the rollout.

    Where environments differ, say in what a good decision is worth, a policy gradient is that of the environments with
    the largest differences: the others are hardly learned. Values and returns stay as they are, and so does the
    normalization of advantages by PPO, which comes after this.

    A rollout is a small sample, so an environment's mean square is mixed with that of all: environments in which little
    happened in this rollout do not become large.

    :param own: Weight of an environment's own mean square in the mixture, in [0, 1]; with 0 all have one factor
    :param verbose: Verbosity level, without effect
    """

    def __init__(self, own: float = 0.9, verbose: int = 0) -> None:
        super().__init__(verbose)
        if not 0.0 <= own <= 1.0:
            raise ValueError(f"EvenAdvantages: own must be between 0 and 1, not {own}.")
        self.own = own

    def _init_callback(self) -> None:
        if not isinstance(self.model, OnPolicyAlgorithm):
            raise TypeError(
                "EvenAdvantages needs a model that learns from advantages, such as MaskablePPO, "
                f"and {type(self.model).__name__} does not."
            )

    def _on_rollout_end(self) -> None:
        assert isinstance(self.model, OnPolicyAlgorithm)
        advantages = self.model.rollout_buffer.advantages
        squares = np.square(advantages).mean(axis=0)
        sizes = np.sqrt(self.own * squares + (1 - self.own) * squares.mean())
        # An environment whose advantages are all 0 keeps them.
        advantages /= np.where(sizes > 0, sizes, 1)

    def _on_step(self) -> bool:
        return True

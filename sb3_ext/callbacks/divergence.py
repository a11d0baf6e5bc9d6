"""Ends a training of any algorithm that has diverged."""

import math
import re

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

# The losses among what SB3's algorithms log of an update.
LOSS = re.compile(r"train/(\w+_)?loss|train/policy_objective")


class DivergenceCheck(BaseCallback):
    """
    Ends the training where a reward or a loss is nan or infinite, with a sentence that says so.

    Rewards are looked at in every step; losses, as the algorithm logged them, before the next rollout and at the end.

    :raises ValueError: a reward or a loss is not finite
    """

    def _on_step(self) -> bool:
        rewards = self.locals.get("rewards")
        if rewards is not None and not np.isfinite(rewards).all():
            wrong = np.asarray(rewards)[~np.isfinite(rewards)][0]
            raise ValueError(f"{type(self.model).__name__}: a reward is {wrong}, not a finite number.")
        return True

    def _on_rollout_start(self) -> None:
        self._check_losses()

    def _on_training_end(self) -> None:
        self._check_losses()

    def _check_losses(self) -> None:
        for name, value in self.logger.name_to_value.items():
            if LOSS.fullmatch(name) and not math.isfinite(value):
                raise ValueError(
                    f"{type(self.model).__name__}: {name.removeprefix('train/')} is {value}, not a finite number: "
                    "the training has diverged."
                )

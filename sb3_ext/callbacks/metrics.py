"""Metrics that an environment reports about a finished episode, written to the training log."""

import math

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback


class EpisodeMetrics(BaseCallback):
    """
    Records the numbers that an environment puts into ``info[key]`` on the last step of an episode, as means
    over the episodes finished since the log was last written, over all environments.

    A number that is not finite, for instance the mean of an empty set, is left out: one of them would make the mean
    of all others useless.

    Algorithms that tell their callbacks of no steps, such as ARS, have none.

    :param key: Entry of ``info`` with the numbers of the episode, by name
    :param prefix: Put before each name in the log
    :param verbose: Verbosity level
    """

    def __init__(self, key: str = "metrics", prefix: str = "metrics/", verbose: int = 0) -> None:
        super().__init__(verbose)
        self.key = key
        self.prefix = prefix

    def _on_step(self) -> bool:
        # Where no episode ended, infos may not have been made yet.
        dones = self.locals.get("dones", ())
        for i in np.flatnonzero(dones) if np.count_nonzero(dones) else ():
            for name, value in self.locals["infos"][i].get(self.key, {}).items():
                if math.isfinite(value):
                    self.logger.record_mean(self.prefix + name, float(value))
        return True

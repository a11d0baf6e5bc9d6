"""Notices resets of the training environment that are not the training's own."""

import operator
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback, ConvertCallback
from stable_baselines3.common.type_aliases import MaybeCallback
from stable_baselines3.common.vec_env import VecEnv


class ResetWatch(BaseCallback):
    """
    Remembers the latest resets of the environments after each step, before any other callback is called.

    A callback that evaluates on the training environment, or resets it, leaves the model with observations and masks
    of an episode that is no longer played. Every reset of a ``VecEnv`` puts a new ``info`` into its ``reset_infos``.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: tuple[Any, ...] | None = None

    def _on_step(self) -> bool:
        self.remember(self.training_env)
        return True

    def remember(self, env: VecEnv) -> None:
        """
        Take the environments as they are for the training's own.

        :param env: The training environment
        """
        self._seen = tuple(env.unwrapped.reset_infos)

    def is_disturbed(self, env: VecEnv) -> bool:
        """
        Whether an environment was reset since the latest step.

        :param env: The training environment
        """
        now = env.unwrapped.reset_infos
        return self._seen is not None and not (len(now) == len(self._seen) and all(map(operator.is_, now, self._seen)))


def with_watch(watch: ResetWatch, callback: MaybeCallback) -> list[BaseCallback]:
    """
    The callbacks of a training, with the watch before them.

    :param watch: The watch
    :param callback: As given to ``learn``
    :return: all of them
    """
    if isinstance(callback, list):
        return [watch, *callback]
    return [watch, callback if isinstance(callback, BaseCallback) else ConvertCallback(callback)]

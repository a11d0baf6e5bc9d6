"""State of a callback that survives saving and loading the model."""

from typing import Any

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback


class StatefulCallback(BaseCallback):
    """
    Base of callbacks that resume where they were when training continues from a saved model.

    SB3 saves the model's attributes and none of its callbacks, and ``learn()`` starts its counters at zero
    again unless it is told not to. The state therefore lives in the model, as plain numbers in the dict
    ``model.callback_states[state_name]``: every zip carries it, also the best model and the checkpoints,
    whatever ``reset_num_timesteps`` says. To start over on a trained model, ``del model.callback_states``. Two
    callbacks with one ``state_name`` would share their state: use one of each.

    :param verbose: Verbosity level: 0 for no output, 1 for a line at each change
    """

    state: dict[str, Any]
    #: Key of the state in the model.
    state_name: str

    def __init__(self, verbose: int = 0) -> None:
        super().__init__(verbose)
        self.state_name = type(self).__name__

    def initial_state(self) -> dict[str, Any]:
        """
        The state of a model that was never trained with this callback.

        :return: names to plain numbers, so that SB3 stores them as readable JSON
        """
        return {}

    def _init_callback(self) -> None:
        self._init_state()

    def _init_state(self) -> None:
        """Find the state in the model, or put it there."""
        states = self.model.__dict__.setdefault("callback_states", {})
        self.state = states.setdefault(self.state_name, self.initial_state())

    def episodes_just_finished(self) -> int:
        """
        How many environments ended an episode in this step.

        :return: between 0 and the number of environments
        """
        return int(np.count_nonzero(self.locals["dones"]))


def begin_episodes_anew(model: BaseAlgorithm) -> None:
    """
    Reset the training environments, as ``learn()`` has just done, before the first step of a training.

    :param model: The model, about to be trained
    """
    assert model.env is not None
    model._last_obs = model.env.reset()  # type: ignore[assignment]
    model._last_episode_starts = np.ones(model.env.num_envs, dtype=bool)
    if model._vec_normalize_env is not None:
        model._last_original_obs = model._vec_normalize_env.get_original_obs()

"""A generalist, trained on rows for the most exam types, as an agent of one lab."""

from __future__ import annotations

import inspect
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.lab import Lab
from echo_env.lab.decisions.action_sets import make_actions
from echo_env.lab.decisions.observation import make_observation
from echo_env.lab.decisions.padding import ACTIONS, padded_mask, padded_rows, padded_space
from echo_env.lab.policies.agent import Predictor

OBSERVATION = "rows_wide"


class PaddedPredictor:
    """Pads the rows and masks of one lab for a model of ``EchoLabAny-v0``, and names its actions as the lab does.

    :param model: the model, which takes action masks
    :param config: the lab
    """

    def __init__(self, model: Any, config: Lab) -> None:
        self.observation_space = make_observation(OBSERVATION, config)[0]
        self.action_space = gym.spaces.Discrete(make_actions("start", config).size)
        self._model = model
        spec = getattr(model, "env_spec", {})
        kwargs = spec.get("kwargs", {})
        self._competitors: bool = kwargs.get("competitors", True)
        self.env_spec = {
            **spec,
            "kwargs": {**kwargs, "observation": OBSERVATION, "idling": kwargs.get("idling", False)},
        }

    def predict(
        self,
        observation: NDArray[np.float32],
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = False,
        action_masks: NDArray[np.bool_] | None = None,
    ) -> tuple[NDArray[np.int64], Any]:
        """Actions of the model in a batch of states of the lab; see SB3.

        :param observation: (n, 3 K + 1, columns) float32
        :param action_masks: (n, 3 K + 1) bool
        """
        masks = (
            np.ones((len(observation), self.action_space.n), dtype=np.bool_) if action_masks is None else action_masks
        )
        chosen, state = self._model.predict(
            padded_rows(observation, self._competitors),
            state,
            episode_start,
            deterministic=deterministic,
            action_masks=padded_mask(masks),
        )
        return np.where(chosen == ACTIONS - 1, self.action_space.n - 1, chosen), state


def fitted(model: Any, config: Lab) -> Predictor:
    """A model as an agent of a lab: a generalist is padded for it, any other stays as it is.

    :param model: the model
    :param config: the lab
    """
    general = getattr(model.action_space, "n", None) == ACTIONS
    general = general and getattr(model.observation_space, "shape", None) == padded_space().shape
    masked = "action_masks" in inspect.signature(model.predict).parameters
    return PaddedPredictor(model, config) if general and masked else model

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
from echo_env.lab.decisions.padding import Padding
from echo_env.lab.policies.agent import Predictor


class PaddedPredictor:
    """Pads the rows and masks of one lab for a model of ``EchoLabAny-v0``, and names its actions as the lab does.

    :param model: the model, which takes action masks
    :param config: the lab
    :param padding: that of the model
    """

    def __init__(self, model: Any, config: Lab, padding: Padding) -> None:
        self.observation_space = make_observation(padding.observation, config)[0]
        self.action_space = gym.spaces.Discrete(make_actions("start", config, padding.reservations).size)
        self._model, self._padding, self._types = model, padding, len(config.plan.types)
        spec, kwargs = getattr(model, "env_spec", {}), _kwargs(model)
        told = {"observation": padding.observation, "idling": kwargs.get("idling", False)}
        self.env_spec = {**spec, "kwargs": {**kwargs, **told}}
        if hasattr(model, "action_scores"):
            self.action_scores = self._scores

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
        :param action_masks: (n, 3 K + 1 + K D) bool
        """
        everything = np.ones((len(observation), self.action_space.n), dtype=np.bool_)
        masks = self._padding.mask(everything if action_masks is None else action_masks)
        rows = self._padding.rows(observation, masks)
        chosen, state = self._model.predict(rows, state, episode_start, deterministic=deterministic, action_masks=masks)
        return self._padding.own(chosen, self._types), state

    def _scores(self, observation: NDArray[np.float32], action_masks: NDArray[np.bool_]) -> NDArray[np.float32]:
        """``action_scores``, where the model has them: its scores of the lab's actions.

        :param observation: (n, 3 K + 1, columns) float32
        :param action_masks: (n, 3 K + 1 + K D) bool
        :return: (n, 3 K + 1 + K D) float32
        """
        masks = self._padding.mask(action_masks)
        scores: NDArray[np.float32] = self._model.action_scores(self._padding.rows(observation, masks), masks)
        return scores[:, self._padding.places(self._types)]


def fitted(model: Any, config: Lab) -> Predictor:
    """A model as an agent of a lab: a generalist is padded for it, any other stays as it is.

    :param model: the model
    :param config: the lab
    """
    kwargs = _kwargs(model)
    padding = Padding(kwargs.get("reservations", ()), kwargs.get("competitors", True))
    general = getattr(model.action_space, "n", None) == padding.actions
    general = general and getattr(model.observation_space, "shape", None) == padding.space().shape
    masked = "action_masks" in inspect.signature(model.predict).parameters
    return PaddedPredictor(model, config, padding) if general and masked else model


def _kwargs(model: Any) -> dict[str, Any]:
    """Of the environment that a model was trained in, as a model of our zoo says them."""
    kwargs: dict[str, Any] = getattr(model, "env_spec", {}).get("kwargs", {})
    return kwargs

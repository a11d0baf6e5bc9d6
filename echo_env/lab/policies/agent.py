"""A trained agent as a policy: anything with ``predict``. Nothing here knows any learning library."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config import LabConfig
from echo_env.lab.decisions.actions import ACTIONS, decode_starts, feasible, nearest_feasible
from echo_env.lab.decisions.observation import make_observation
from echo_env.lab.simulation.patient import Start
from echo_env.lab.simulation.whiteboard import LabView


class Predictor(Protocol):
    """What an agent must offer: the call that Stable-Baselines3 models have."""

    observation_space: Any
    action_space: Any

    @property
    def predict(self) -> Callable[..., tuple[Any, Any]]:
        """Observation -> (action, state)."""


class AgentPolicy:
    """Lets an agent decide, in those minutes in which there is a choice.

    An agent whose ``predict`` takes ``action_masks`` is given them. What one without masks asks for is bent
    to the nearest feasible action, as :class:`~echo_env.lab.envs.wrappers.NearestFeasibleAction` does in training.

    :param name: how tables call it
    :param model: the agent
    :param config: the lab it works in
    :param observation: the observation it was trained on
    :param idling: whether it was trained with idling actions on offer
    :raises ValueError: the agent was trained on other observations or actions; both shapes are named
    """

    def __init__(
        self, name: str, model: Predictor, config: LabConfig, observation: str = "paper", idling: bool = True
    ) -> None:
        space, self._observe = make_observation(observation, config)
        if model.observation_space.shape != space.shape:
            raise ValueError(
                f"{name} was trained on observations of shape {model.observation_space.shape}, "
                f"but observation {observation!r} of the lab {config.name!r} has shape {space.shape}"
            )
        if getattr(model.action_space, "n", None) != ACTIONS:
            raise ValueError(f"{name} was trained for {model.action_space}, but the lab has Discrete({ACTIONS})")
        self.name = name
        self.observation = observation
        self.idling = idling
        self._model = model
        self._masked = "action_masks" in inspect.signature(model.predict).parameters

    def begin_day(self, view: LabView, seed: int) -> None:
        """Nothing to prepare."""

    def decide(self, view: LabView) -> list[Start]:
        """What the agent chooses; the only action, unasked, where there is but one."""
        offered = feasible(view.waiting_counts, view.free_counts, self.idling)
        action = offered.first
        if offered.size > 1:
            action = int(self.choose(self._observe(view)[None], offered.mask[None].copy())[0])
        return decode_starts(action, view)

    def choose(self, observations: NDArray[np.float32], masks: NDArray[np.bool_]) -> NDArray[np.int64]:
        """What the agent would do in several states.

        :param observations: (n, ...) float32
        :param masks: (n, 729) bool, what is on offer in each
        :return: (n,) int64, feasible actions
        """
        options = {"action_masks": masks} if self._masked else {}
        chosen, _ = self._model.predict(observations, deterministic=True, **options)
        return np.array([nearest_feasible(int(a), mask) for a, mask in zip(chosen, masks, strict=True)])

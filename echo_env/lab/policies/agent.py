"""A trained agent as a policy: anything with ``predict``. Nothing here knows any learning library."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Protocol

from echo_env.lab.actions import ACTIONS, decode_starts, feasible
from echo_env.lab.config import LabConfig
from echo_env.lab.observation import make_observation
from echo_env.lab.patient import Start
from echo_env.lab.whiteboard import LabView
from echo_env.lab.wrappers import nearest_feasible


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
    to the nearest feasible action, as :class:`~echo_env.lab.wrappers.NearestFeasibleAction` does in training.

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
            options = {"action_masks": offered.mask.copy()} if self._masked else {}
            chosen, _ = self._model.predict(self._observe(view), deterministic=True, **options)
            action = nearest_feasible(int(chosen), offered.mask)
        return decode_starts(action, view)

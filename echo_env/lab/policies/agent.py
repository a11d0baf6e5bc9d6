"""A trained agent as a policy: anything with ``predict``. Nothing here knows any learning library."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Days
from echo_env.lab.decisions.action_sets import default_actions, make_actions
from echo_env.lab.decisions.actions import ACTIONS, decode_starts
from echo_env.lab.decisions.observation import make_observation
from echo_env.lab.simulation.allocation import assign
from echo_env.lab.simulation.patient import Start
from echo_env.lab.simulation.policy import BatchChooser
from echo_env.lab.simulation.view import LabView

if TYPE_CHECKING:
    from echo_env.lab.compiled.layout import Labs


class Predictor(Protocol):
    """What an agent must offer: the ``predict`` of Stable-Baselines3 models."""

    observation_space: Any
    action_space: Any

    @property
    def predict(self) -> Callable[..., tuple[Any, Any]]:
        """Observation -> (action, state)."""


class AgentPolicy:
    """A trained agent of joint actions as a policy; it acts where more than one is feasible.

    An agent whose ``predict`` takes ``action_masks`` is given the action mask. Any other agent's action is replaced by
    the nearest feasible one, as :class:`~echo_env.lab.envs.wrappers.NearestFeasibleAction` does in training.

    :param name: label in tables
    :param model: the agent
    :param config: the lab
    :param observation: name of the observation the agent was trained on
    :param idling: whether the action masks it was trained with include idling actions
    :raises ValueError: the agent's observation or action space is not the lab's; the message gives both
    """

    memoryless = True
    actions = "joint"

    def __init__(
        self, name: str, model: Predictor, config: Lab, observation: str = "paper", idling: bool = True
    ) -> None:
        space, self._observe = make_observation(observation, config)
        if model.observation_space.shape != space.shape:
            raise ValueError(
                f"{name} was trained on observations of shape {model.observation_space.shape}, "
                f"but observation {observation!r} of the lab {config.name!r} has shape {space.shape}"
            )
        self._set = make_actions(self.actions, config)
        if getattr(model.action_space, "n", None) != self._set.size:
            raise ValueError(
                f"{name} was trained for {model.action_space}, but the lab has Discrete({self._set.size}) as its "
                f"action space {self.actions!r}"
            )
        self.name = name
        self.observation = observation
        self.idling = idling
        self._model = model
        self._masked = "action_masks" in inspect.signature(model.predict).parameters

    def begin_day(self, view: LabView, seed: int) -> None:
        """Nothing to prepare."""

    def decide(self, view: LabView) -> list[Start]:
        """The starts of the agent's action; where only one action is feasible, of that one without a prediction."""
        return decode_starts(self._action(view), view)

    def _action(self, view: LabView) -> int:
        offered = self._set.offered(view, self.idling)
        if offered.size == 1:
            return offered.first
        return int(self.choose(self._observe(view)[None], offered.mask[None].copy())[0])

    def choose(self, observations: NDArray[np.float32], masks: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The agent's actions in a batch of states.

        :param observations: (n, ...) float32
        :param masks: (n, actions) bool, action masks
        :return: (n,) int64, feasible actions
        """
        options = {"action_masks": masks} if self._masked else {}
        chosen, _ = self._model.predict(observations, deterministic=True, **options)
        return np.array([self._set.nearest(int(a), mask) for a, mask in zip(chosen, masks, strict=True)])

    def chooser(self, config: Lab, days: Days) -> BatchChooser:
        """The agent's actions in a batch of labs of the compiled engine (needs numba).

        :param config: the lab
        :param days: not used: a trained agent is memoryless
        """
        from echo_env.lab.compiled.observations import BatchObservation

        observe = BatchObservation(self.observation, config)

        def choose(labs: Labs, which: NDArray[np.int64], masks: NDArray[np.bool_]) -> NDArray[np.int64]:
            return self.choose(observe(labs)[which], masks)

        return choose


class StartAgentPolicy(AgentPolicy):
    """A trained agent of single starts as a policy, in any lab. Parameters as :class:`AgentPolicy`."""

    actions = "start"

    def next_class(self, view: LabView) -> int | None:
        """The class that the agent starts next, or None if it lets time pass."""
        action = self._action(view)
        return None if action == self._set.size - 1 else action

    def decide(self, view: LabView) -> list[Start]:
        """The next start alone."""
        kind = self.next_class(view)
        return [] if kind is None else assign(view, view.waiting(kind)[:1])


def decides_on_starts(model: Predictor, config: Lab) -> bool:
    """Whether an agent decides on single starts: not with 729 actions, else with those of the lab's ``start``, and in
    labs that have no joint actions.

    :param model: the agent
    :param config: the lab
    """
    actions = getattr(model.action_space, "n", None)
    return actions != ACTIONS and (actions == make_actions("start", config).size or default_actions(config) == "start")


def agent_policy(
    name: str, model: Predictor, config: Lab, observation: str = "paper", idling: bool = True
) -> AgentPolicy:
    """A trained agent as a policy: its action space says whether it decides on joint actions or on single starts.

    :param name: label in tables
    :param model: the agent
    :param config: the lab
    :param observation: name of the observation the agent was trained on
    :param idling: whether the action masks it was trained with include idling actions
    :raises ValueError: the agent's observation or action space is not the lab's; the message gives both
    """
    made = StartAgentPolicy if decides_on_starts(model, config) else AgentPolicy
    return made(name, model, config, observation, idling)

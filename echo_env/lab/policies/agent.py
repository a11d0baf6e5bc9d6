"""A trained agent as a policy: anything with ``predict``. Nothing here knows any learning library."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Days
from echo_env.lab.decisions.action_sets import default_actions, make_actions
from echo_env.lab.decisions.actions import ACTIONS, decode_starts
from echo_env.lab.decisions.observation import make_observation
from echo_env.lab.decisions.starts import StartActions
from echo_env.lab.simulation.allocation import assign
from echo_env.lab.simulation.patient import Start
from echo_env.lab.simulation.policy import BatchChooser, Keep
from echo_env.lab.simulation.view import LabView

if TYPE_CHECKING:
    from echo_env.lab.compiled.layout import Labs


State = tuple[NDArray[np.float32], ...] | None
"""What a recurrent agent remembers: arrays (layers, n, units). None: nothing."""


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

    A recurrent agent, one whose ``predict`` returns a state, has the state of its own day, from its first decision on.

    :param name: label in tables
    :param model: the agent
    :param config: the lab
    :param observation: name of the observation the agent was trained on
    :param idling: whether the action masks it was trained with include idling actions
    :param reservations: minutes of the reservations among its actions
    :raises ValueError: the agent's observation or action space is not the lab's; the message gives both
    """

    actions = "joint"

    def __init__(
        self,
        name: str,
        model: Predictor,
        config: Lab,
        observation: str = "paper",
        idling: bool = True,
        reservations: Sequence[int] = (),
    ) -> None:
        space, self._observe = make_observation(observation, config)
        if model.observation_space.shape != space.shape:
            raise ValueError(
                f"{name} was trained on observations of shape {model.observation_space.shape}, "
                f"but observation {observation!r} of the lab {config.name!r} has shape {space.shape}"
            )
        self._set = make_actions(self.actions, config, reservations)
        if getattr(model.action_space, "n", None) != self._set.size:
            raise ValueError(
                f"{name} was trained for {model.action_space}, but the lab has Discrete({self._set.size}) as its "
                f"action space {self.actions!r}"
            )
        self.name = name
        self.observation = observation
        self.idling = idling
        self.reservations = tuple(reservations)
        self._model = model
        self._masked = "action_masks" in inspect.signature(model.predict).parameters
        self._state: State = None
        self._recurrent = not self._masked and self._predict(np.zeros((1, *space.shape), np.float32), {})[1] is not None
        self.memoryless = not self._recurrent
        """Whether a decision depends on the lab at that minute alone."""

    def begin_day(self, view: LabView, seed: int) -> None:
        """Forget the day before."""
        self._state = None

    def decide(self, view: LabView) -> list[Start]:
        """The starts of the agent's action; where only one action is feasible, of that one without a prediction."""
        return decode_starts(self._action(view), view)

    def _action(self, view: LabView) -> int:
        offered = self._set.offered(view, self.idling)
        if offered.size == 1:
            return offered.first
        chosen, self._state = self.choose(self._observe(view)[None], offered.mask[None].copy(), self._state)
        return int(chosen[0])

    def choose(
        self, observations: NDArray[np.float32], masks: NDArray[np.bool_], state: State = None
    ) -> tuple[NDArray[np.int64], State]:
        """The agent's actions in a batch of states of the lab.

        :param observations: (n, ...) float32
        :param masks: (n, actions) bool, action masks
        :param state: of a recurrent agent, after its latest decisions in the n labs; None before the first ones
        :return: (n,) int64, feasible actions; and the state of a recurrent agent, None of any other
        """
        options: dict[str, Any] = {"action_masks": masks} if self._masked else {}
        chosen, after = self._predict(observations, options if state is None else {**options, "state": state})
        actions = np.array([self._set.nearest(int(a), mask) for a, mask in zip(chosen, masks, strict=True)])
        return actions, after

    def _predict(self, observations: NDArray[np.float32], options: dict[str, Any]) -> tuple[Any, State]:
        return self._model.predict(observations, deterministic=True, **options)

    def chooser(self, config: Lab, days: Days) -> BatchChooser:
        """The agent's actions in a batch of labs of the compiled engine (needs numba).

        :param config: the lab
        :param days: of the labs, one each
        """
        from echo_env.lab.compiled.observations import BatchObservation

        observe = BatchObservation(self.observation, config)
        memory: list[NDArray[np.float32]] = []

        def choose(labs: Labs, which: NDArray[np.int64], masks: NDArray[np.bool_]) -> NDArray[np.int64]:
            seen = observe(labs)
            # (layers, labs, units) each; zeros are what a recurrent network begins with.
            state = tuple(part[:, which] for part in memory) or None
            chosen, after = self.choose(seen[which], masks, state)
            if after is not None and not memory:
                memory.extend(np.zeros((len(part), len(seen), part.shape[2]), np.float32) for part in after)
            for part, new in zip(memory, after or (), strict=True):
                part[:, which] = new
            return chosen

        return choose


class StartAgentPolicy(AgentPolicy):
    """A trained agent of single starts as a policy, in any lab. Parameters as :class:`AgentPolicy`."""

    actions = "start"
    _set: StartActions

    def next_class(self, view: LabView) -> int | Keep | None:
        """The class that the agent starts next, a reservation, or None if it lets time pass."""
        return self._set.step_of(self._action(view))

    def decide(self, view: LabView) -> list[Start]:
        """The next start alone."""
        step = self.next_class(view)
        return [] if step is None or isinstance(step, Keep) else assign(view, view.waiting(step)[:1])


def decides_on_starts(model: Predictor, config: Lab, reservations: Sequence[int] = ()) -> bool:
    """Whether an agent decides on single starts: not with 729 actions, else with those of the lab's ``start``, and in
    labs that have no joint actions.

    :param model: the agent
    :param config: the lab
    :param reservations: minutes of the reservations among its actions
    """
    actions = getattr(model.action_space, "n", None)
    starts = make_actions("start", config, reservations)
    return actions != ACTIONS and (actions == starts.size or default_actions(config) == "start")


def agent_policy(
    name: str,
    model: Predictor,
    config: Lab,
    observation: str = "paper",
    idling: bool = True,
    reservations: Sequence[int] = (),
) -> AgentPolicy:
    """A trained agent as a policy: its action space says whether it decides on joint actions or on single starts.

    :param name: label in tables
    :param model: the agent
    :param config: the lab
    :param observation: name of the observation the agent was trained on
    :param idling: whether the action masks it was trained with include idling actions
    :param reservations: minutes of the reservations among its actions
    :raises ValueError: the agent's observation or action space is not the lab's; the message gives both
    """
    made = StartAgentPolicy if decides_on_starts(model, config, reservations) else AgentPolicy
    return made(name, model, config, observation, idling, reservations)

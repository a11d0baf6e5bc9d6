"""A trained agent as a policy: anything with ``predict``, independent of any learning library."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from echo_env.pathways.compiled.turns import contends, find_choice, give
from echo_env.pathways.config import PathwaysConfig
from echo_env.pathways.config.pathway import NONE
from echo_env.pathways.decisions.observation import MAX_RESOURCES, Layout, observe
from echo_env.pathways.instance.instance import Instance
from echo_env.pathways.simulation.view import View

Ints = NDArray[np.int64]


class Predictor(Protocol):
    """The part of a Stable-Baselines3 model that a policy uses."""

    observation_space: Any
    action_space: Any

    @property
    def predict(self) -> Callable[..., tuple[Any, Any]]:
        """Observation -> (action, state)."""


Load = Callable[[str, str], Predictor]
"""(algorithm, path) -> the model."""


class AgentPolicy:
    """An agent that allocates the contested units, one by one.

    An agent whose ``predict`` takes ``action_masks`` is given them. Infeasible actions of one that does not become
    nobody, as in :class:`~echo_env.pathways.envs.wrappers.NobodyInstead`. The agent works in every hospital within the
    numbers of patients and resources of its observations.

    :param name: name of the policy
    :param model: the agent
    :param config: a hospital that it must work in
    :param max_resources: largest number of resources of its observations
    :raises ValueError: the agent was trained on other observations or actions
    """

    def __init__(self, name: str, model: Predictor, config: PathwaysConfig, max_resources: int = MAX_RESOURCES) -> None:
        self.name, self._model, self._max_resources = name, model, max_resources
        self._masked = "action_masks" in inspect.signature(model.predict).parameters
        actions = getattr(model.action_space, "n", None)
        if actions is None or actions < 2:
            raise ValueError(
                f"{name} was trained for {model.action_space}, but must choose a patient or nobody (Discrete)"
            )
        self._patients = int(actions) - 1
        self._instance: Instance | None = None
        self._layout = self._layout_for(config)

    def begin_instance(self, instance: Instance) -> None:
        """Store the instance.

        :raises ValueError: it exceeds the agent's observations
        """
        if instance is not self._instance:
            self._instance, self._layout = instance, self._layout_for(instance.config)

    def decide(self, view: View) -> Ints:
        """Allocate resource by resource and unit by unit, as in the environment."""
        free, won = view.free.copy(), np.full(len(view.health), NONE, dtype=np.int64)
        resource = find_choice(view.wanted, free, won, 0)
        while resource < len(free):
            resource = give(free, won, resource, self._choose(view, free, won, resource))
            resource = find_choice(view.wanted, free, won, resource)
        return won

    def _choose(self, view: View, free: Ints, won: Ints, resource: int) -> int:
        """Recipient of a unit: a patient, or N for nobody."""
        assert self._instance is not None
        instance, shown = self._instance, np.zeros(self._layout.shape, dtype=np.float32)
        now = view.step, resource, instance.arrivals, view.condition, view.state, view.health
        observe(instance.model, self._layout, instance.config.horizon, *now, view.wanted, won, free, shown)
        mask = np.zeros(self._patients + 1, dtype=np.bool_)
        mask[: len(won)] = [contends(view.wanted, won, n, resource) for n in range(len(won))]
        mask[-1] = True
        options = {"action_masks": mask[None]} if self._masked else {}
        chosen = int(self._model.predict(shown[None], deterministic=True, **options)[0][0])
        return chosen if chosen < len(won) and mask[chosen] else len(won)

    def _layout_for(self, config: PathwaysConfig) -> Layout:
        """Layout of the agent's observations in a hospital.

        :raises ValueError: the hospital exceeds them
        """
        if config.patients > self._patients:
            raise ValueError(
                f"patients is {config.patients}, but must be at most {self._patients}, "
                f"which {self.name} was trained for"
            )
        layout = Layout.of(config, self._max_resources)._replace(patients=self._patients)
        if tuple(self._model.observation_space.shape) != layout.shape:
            raise ValueError(
                f"{self.name} was trained on observations of shape {self._model.observation_space.shape}, "
                f"but in a hospital with {config.needs} needs and {config.health_levels} levels of health they have "
                f"shape {layout.shape}"
            )
        return layout


class LoadedAgent(AgentPolicy):
    """A trained model identified by its file; unpickling loads it again.

    :param load: loads a model; must be picklable
    :param algo: name of the algorithm, and of the policy
    :param path: file of the model, or folder of its run
    :param config: the largest hospital that it must work in
    :raises ValueError: no such model, or one that does not match the hospital
    """

    def __init__(self, load: Load, algo: str, path: str, config: PathwaysConfig) -> None:
        model = load(algo, path)
        trained_with = getattr(model, "env_spec", {}).get("kwargs", {})
        super().__init__(algo, model, config, trained_with.get("max_resources", MAX_RESOURCES))
        self._origin = load, algo, path, config

    def __reduce__(self) -> tuple[Any, ...]:
        return LoadedAgent, self._origin, {"name": self.name}


def find_agents(given: Sequence[str], config: PathwaysConfig, load: Load | None) -> list[str | AgentPolicy]:
    """Load the models among policies as typed; other names are returned unchanged.

    :param given: names of rules, and models as ``ALGO=PATH``
    :param config: the largest hospital that they must work in
    :param load: loads models; None to leave all names unchanged
    :raises ValueError: a model cannot be used
    """
    # An equals sign inside parentheses, as in auction(bids=value), belongs to an argument of a rule.
    models = {name: re.fullmatch(r"([^=(]*)=(.*)", name) if load else None for name in given}
    algos = [match[1] for match in models.values() if match]
    found: list[str | AgentPolicy] = []
    for name in given:
        match = models[name]
        if match is None or load is None:
            found.append(name)
            continue
        policy = LoadedAgent(load, match[1], match[2], config)
        if algos.count(policy.name) > 1:
            # Several models of one algorithm are named as typed.
            policy.name = name
        found.append(policy)
    return found

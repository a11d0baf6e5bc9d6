"""A trained agent as a policy: anything with ``predict``. Nothing here knows any learning library."""

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
    """What an agent must offer: the call that Stable-Baselines3 models have."""

    observation_space: Any
    action_space: Any

    @property
    def predict(self) -> Callable[..., tuple[Any, Any]]:
        """Observation -> (action, state)."""


Load = Callable[[str, str], Predictor]
"""(algorithm, path) -> the model."""


class AgentPolicy:
    """Lets an agent give away the units that two or more ask for, one after the other.

    An agent whose ``predict`` takes ``action_masks`` is given them. What one without masks gives to who does not ask
    goes to nobody, as in :class:`~echo_env.pathways.envs.wrappers.NobodyInstead`. It works in every hospital that fits
    into its observations, with fewer patients and resources than these have room for.

    :param name: how tables call it
    :param model: the agent
    :param config: a hospital it is to work in
    :param max_resources: what its observations have room for
    :raises ValueError: the agent was trained on other observations or actions
    """

    def __init__(self, name: str, model: Predictor, config: PathwaysConfig, max_resources: int = MAX_RESOURCES) -> None:
        self.name, self._model, self._max_resources = name, model, max_resources
        self._masked = "action_masks" in inspect.signature(model.predict).parameters
        actions = getattr(model.action_space, "n", None)
        if actions is None or actions < 2:
            raise ValueError(f"{name} was trained for {model.action_space}, but must give units to patients or nobody")
        self._patients = int(actions) - 1
        self._instance: Instance | None = None
        self._layout = self._layout_for(config)

    def begin_instance(self, instance: Instance) -> None:
        """Remember the instance.

        :raises ValueError: it does not fit into the agent's observations
        """
        if instance is not self._instance:
            self._instance, self._layout = instance, self._layout_for(instance.config)

    def decide(self, view: View) -> Ints:
        """Resource by resource, unit by unit, as in the environment."""
        free, won = view.free.copy(), np.full(len(view.health), NONE, dtype=np.int64)
        resource = find_choice(view.wanted, free, won, 0)
        while resource < len(free):
            resource = give(free, won, resource, self._choose(view, free, won, resource))
            resource = find_choice(view.wanted, free, won, resource)
        return won

    def _choose(self, view: View, free: Ints, won: Ints, resource: int) -> int:
        """Who gets a unit: a patient, or their number for nobody."""
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
        """Sizes of the agent's observations in a hospital.

        :raises ValueError: the hospital does not fit
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
    """A trained model by its file. Other processes get it by loading it themselves.

    :param load: loads it; a function that can be pickled
    :param algo: name of its algorithm; tables call it by this
    :param path: its file, or the folder of its run
    :param config: the largest hospital it is to work in
    :raises ValueError: no such model, or one that does not fit the hospital
    """

    def __init__(self, load: Load, algo: str, path: str, config: PathwaysConfig) -> None:
        model = load(algo, path)
        trained_with = getattr(model, "env_spec", {}).get("kwargs", {})
        super().__init__(algo, model, config, trained_with.get("max_resources", MAX_RESOURCES))
        self._origin = load, algo, path, config

    def __reduce__(self) -> tuple[Any, ...]:
        return LoadedAgent, self._origin, {"name": self.name}


def find_agents(given: Sequence[str], config: PathwaysConfig, load: Load | None) -> list[str | AgentPolicy]:
    """What was typed -> models, and other names as they are.

    :param given: rules by name, models as ``ALGO=PATH``
    :param config: the largest hospital they are to work in
    :param load: loads models; where there is none, names are left as they are
    :raises ValueError: a model is unusable
    """
    # The arguments of a rule, as in auction(bids=value), have an equals sign too.
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
            # Two models of one algorithm are told apart by what was typed.
            policy.name = name
        found.append(policy)
    return found

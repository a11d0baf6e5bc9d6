"""An episode as a sequence of decisions, shared by the environment and the vector environment."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.error import InvalidAction
from numpy.typing import NDArray

from echo_env.pathways.compiled import turns
from echo_env.pathways.compiled.learning import cohort_of
from echo_env.pathways.decisions.observation import Layout, observe
from echo_env.pathways.instance.instance import Instance, Luck
from echo_env.pathways.simulation.metrics import trace_metrics
from echo_env.pathways.simulation.trace import Trace


class Episode:
    """An episode that stops whenever two or more patients request the same unit.

    :param instance: the instance
    :param luck: random draws of the trial
    :param layout: layout of observations
    """

    def __init__(self, instance: Instance, luck: Luck, layout: Layout) -> None:
        self.instance, self.luck, self.layout = instance, luck, layout
        config, model = instance.config, instance.model
        self._cohort = cohort_of(instance)
        sizes = model.resource.shape[1], config.resources, config.horizon
        self._ward = turns.new_ward(instance.condition, instance.initial_health, *sizes)
        counted = int((config.horizon - instance.arrivals).sum())
        self._worth = 1 / ((config.health_levels - 1) * counted)
        self._owed = turns.begin(model, self._cohort, luck, self._ward)

    @property
    def step(self) -> int:
        """The current step t."""
        return int(self._ward.clock[turns.STEP])

    @property
    def resource(self) -> int:
        """Resource of the unit to allocate; R if there is none."""
        return int(self._ward.clock[turns.RESOURCE])

    @property
    def over(self) -> bool:
        """Whether all steps have passed."""
        return self.step == self.instance.config.horizon

    def mask(self) -> NDArray[np.bool_]:
        """(max_patients + 1,) bool: the patients who request the unit, and nobody, which is always feasible."""
        mask: NDArray[np.bool_] = np.zeros(self.layout.patients + 1, dtype=np.bool_)
        mask[-1] = True
        patients = self.instance.config.patients
        if self.resource < len(self._ward.free):
            mask[:patients] = (self._ward.wanted == self.resource).any(axis=1) & (self._ward.won < 0)
        return mask

    def check(self, action: int) -> None:
        """Refuse an infeasible action.

        :raises InvalidAction: names the feasible actions
        """
        mask = self.mask()
        if not (0 <= action < len(mask) and mask[action]):
            can = ", ".join(map(str, np.flatnonzero(mask)))
            raise InvalidAction(
                f"action {action} is infeasible: the unit of resource {self.resource} can go to {can}, "
                f"the last of which is nobody"
            )

    def observe(self, shown: NDArray[np.float32]) -> None:
        """Fill an observation.

        :param shown: float32 array of the layout's shape
        """
        ward, instance = self._ward, self.instance
        now = self.step, self.resource, instance.arrivals, ward.condition, ward.state, ward.health
        observe(instance.model, self.layout, instance.config.horizon, *now, ward.wanted, ward.won, ward.free, shown)

    def give(self, action: int) -> float:
        """Allocate the unit and advance to the next decision.

        :param action: a patient who requests it, or ``max_patients`` for nobody
        :return: the reward; that of the steps before the first decision is paid with the first one
        """
        nobody = self.instance.config.patients
        total = turns.decide(self.instance.model, self._cohort, self.luck, self._ward, min(action, nobody))
        reward = (self._owed + total) * self._worth
        self._owed = 0
        return reward

    def trace(self) -> Trace:
        """The trajectory so far; complete once the episode is over."""
        return Trace(self.instance, *self._ward.record[:, : self.step + 1])

    def metrics(self) -> dict[str, float]:
        """Metrics of an episode that is over, without those that are undefined."""
        return {name: value for name, value in trace_metrics(self.trace()).items() if not np.isnan(value)}

    def info(self) -> dict[str, Any]:
        """The environment's info dict."""
        told: dict[str, Any] = {"action_mask": self.mask(), "step": self.step, "resource": self.resource}
        if self.over:
            told["metrics"] = self.metrics()
        return told

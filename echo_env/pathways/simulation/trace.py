"""The trajectory of an episode."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from echo_env.common.extras import require
from echo_env.pathways.config.pathway import NONE
from echo_env.pathways.instance.instance import Instance
from echo_env.pathways.instance.model import success

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Trace:
    """An episode of T steps with N patients: row t is the state at the start of step t, row T the final state.

    :param instance: the instance
    :param condition: (T + 1, N) int64, condition of each patient, after any change before the step
    :param state: (T + 1, N) int64, resource state in the pathway of that condition
    :param health: (T + 1, N) int64
    """

    instance: Instance
    condition: Ints
    state: Ints
    health: Ints

    @cached_property
    def dead(self) -> NDArray[np.bool_]:
        """(T + 1, N) bool, whether a patient is dead; False unless the hospital is lethal."""
        return (self.health == 0) & self.instance.config.lethal

    @cached_property
    def held(self) -> Ints:
        """(T + 1, N) int64, resource that each patient holds during a step, or ``NONE``; ``NONE`` for the dead."""
        model = self.instance.model
        need = model.held[self.condition, self.state]
        holds = (need != NONE) & ~self.dead
        return np.where(holds, model.resource[self.condition, np.maximum(need, 0)], NONE)

    @cached_property
    def finished(self) -> NDArray[np.bool_]:
        """(T + 1, N) bool, whether the pathway is finished; False for the dead."""
        return self.instance.model.finished[self.condition, self.state] & ~self.dead

    @cached_property
    def in_hospital(self) -> NDArray[np.bool_]:
        """(T, N) bool, whether a patient has arrived by step t and is therefore counted after it."""
        steps = np.arange(self.instance.config.horizon)
        return self.instance.arrivals[None, :] <= steps[:, None]

    @cached_property
    def success(self) -> Floats:
        """(T, N) float64, success Phi(health) after each step; nan before the arrival."""
        phi = success(self.instance.config.health_levels)
        return np.where(self.in_hospital, phi[self.health[1:]], np.nan)

    @property
    def utility(self) -> float:
        """Mean success over patients and steps.

        The health at arrival, which no policy can affect, is not counted; the health after each of the T steps is.
        """
        return float(np.nanmean(self.success))

    def to_pandas(self) -> pd.DataFrame:
        """One row for each patient and step from its arrival on (needs pandas).

        Columns: ``patient``, ``step``, ``condition``, ``health``, ``held`` (resource or -1), ``needs_had``
        (number), ``finished``, ``dead``.
        """
        require("pandas")
        import pandas as pd

        rows, columns = self.health.shape
        steps = np.repeat(np.arange(rows)[:, None], columns, axis=1)
        shown = steps >= self.instance.arrivals[None, :]
        had = self.instance.model.had_count[self.condition, self.state]
        table: dict[str, NDArray[Any]] = {
            "patient": np.repeat(np.arange(columns)[None, :], rows, axis=0),
            "step": steps,
            "condition": self.condition,
            "health": self.health,
            "held": self.held,
            "needs_had": had,
            "finished": self.finished,
            "dead": self.dead,
        }
        return pd.DataFrame({name: values[shown] for name, values in table.items()})

"""Choice by chance: what any policy worth having must beat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config import LabConfig
from echo_env.lab.decisions.actions import decode_starts, feasible
from echo_env.lab.policies.base import register_policy
from echo_env.lab.simulation.patient import Start
from echo_env.lab.simulation.whiteboard import LabView


@register_policy("random")
class RandomPolicy:
    """Any feasible joint action, all equally likely, doing nothing among them.

    The dice are seeded by the day, so the same day always goes the same way.

    :param config: the lab
    """

    name = "random"

    def __init__(self, config: LabConfig) -> None:
        self._rng = np.random.default_rng(0)

    def begin_day(self, view: LabView, seed: int) -> None:
        """Take the day's dice."""
        self._rng = np.random.default_rng(seed)

    def decide(self, view: LabView) -> list[Start]:
        """One of the feasible joint actions."""
        offered = feasible(view.waiting_counts, view.free_counts, idling=True)
        return decode_starts(draw_action(offered.mask, self._rng), view)


def draw_action(mask: NDArray[np.bool_], rng: np.random.Generator) -> int:
    """One of the actions on offer, all equally likely.

    :param mask: (729,) bool
    :param rng: the dice
    """
    allowed = np.flatnonzero(mask)
    return int(allowed[rng.integers(len(allowed))])

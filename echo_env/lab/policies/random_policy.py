"""The uniformly random policy: a lower bar that every other policy should clear."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config import LabConfig
from echo_env.lab.day import Days
from echo_env.lab.decisions.actions import decode_starts, feasible
from echo_env.lab.policies.base import register_policy
from echo_env.lab.simulation.patient import Start
from echo_env.lab.simulation.policy import BatchChooser
from echo_env.lab.simulation.whiteboard import LabView

if TYPE_CHECKING:
    from echo_env.lab.compiled.kernel import Labs


@register_policy("random")
class RandomPolicy:
    """Any feasible joint action with equal probability, idling included.

    The generator is seeded by the day, so the policy acts the same whenever it meets that day.

    :param config: the lab
    """

    name = "random"
    idling = True
    memoryless = False

    def __init__(self, config: LabConfig) -> None:
        self._rng = np.random.default_rng(0)

    def begin_day(self, view: LabView, seed: int) -> None:
        """Seed the day's generator."""
        self._rng = np.random.default_rng(seed)

    def decide(self, view: LabView) -> list[Start]:
        """The starts of a random feasible joint action."""
        offered = feasible(view.waiting_counts, view.free_counts, idling=True)
        return decode_starts(draw_action(offered.mask, self._rng), view)

    def chooser(self, config: LabConfig, days: Days) -> BatchChooser:
        """Random feasible actions for a batch of labs, each with its day's generator.

        :param config: the lab
        :param days: the days, in the order of the labs
        """
        rngs = [np.random.default_rng(seed) for seed in days.policy_seed]

        def choose(labs: Labs, which: NDArray[np.int64], masks: NDArray[np.bool_]) -> NDArray[np.int64]:
            return np.array([draw_action(mask, rngs[i]) for i, mask in zip(which, masks, strict=True)])

        return choose


def draw_action(mask: NDArray[np.bool_], rng: np.random.Generator) -> int:
    """A random feasible action, all equally likely.

    :param mask: (729,) bool, action mask
    :param rng: the day's generator
    """
    allowed = np.flatnonzero(mask)
    return int(allowed[rng.integers(len(allowed))])

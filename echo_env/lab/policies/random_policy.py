"""The uniformly random policy: a lower bar that every other policy should clear."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Days
from echo_env.lab.decisions.actions import decode_starts, offered_now
from echo_env.lab.decisions.starts import StartActions
from echo_env.lab.policies.base import register_policy
from echo_env.lab.simulation.allocation import assign
from echo_env.lab.simulation.patient import Start
from echo_env.lab.simulation.policy import BatchChooser, Policy
from echo_env.lab.simulation.view import LabView

if TYPE_CHECKING:
    from echo_env.lab.compiled.layout import Labs


class RandomPolicy:
    """Any feasible joint action with equal probability, idling included: for labs of two nested exam types.

    The generator is seeded by the day, so the policy acts the same whenever it meets that day.
    """

    name = "random"
    actions = "joint"
    idling = True
    memoryless = False

    def __init__(self) -> None:
        self._rng = np.random.default_rng(0)

    def begin_day(self, view: LabView, seed: int) -> None:
        """Seed the day's generator."""
        self._rng = np.random.default_rng(seed)

    def decide(self, view: LabView) -> list[Start]:
        """The starts of a random feasible joint action."""
        return decode_starts(draw_action(offered_now(view, idling=True).mask, self._rng), view)

    def chooser(self, config: Lab, days: Days) -> BatchChooser:
        """Random feasible actions for a batch of labs, each with its day's generator.

        :param config: the lab
        :param days: the days, in the order of the labs
        """
        rngs = [np.random.default_rng(seed) for seed in days.policy_seed]

        def choose(labs: Labs, which: NDArray[np.int64], masks: NDArray[np.bool_]) -> NDArray[np.int64]:
            return np.array([draw_action(mask, rngs[i]) for i, mask in zip(which, masks, strict=True)])

        return choose


class RandomStartPolicy(RandomPolicy):
    """The same of single starts, for any lab: in each minute starts are drawn until stop is.

    :param config: the lab
    """

    actions = "start"

    def __init__(self, config: Lab) -> None:
        super().__init__()
        self._actions = StartActions(config.plan)

    def next_class(self, view: LabView) -> int | None:
        """The class of a random feasible start, or None for stop."""
        action = draw_action(self._actions.offered(view, idling=True).mask, self._rng)
        return None if action == self._actions.stop else action

    def decide(self, view: LabView) -> list[Start]:
        """The next start alone."""
        kind = self.next_class(view)
        return [] if kind is None else assign(view, view.waiting(kind)[:1])


@register_policy("random")
def random_policy(config: Lab) -> Policy:
    """Any feasible action with equal probability, idling included: a joint one where these are, else single starts."""
    return RandomPolicy() if config.plan.nested_pair else RandomStartPolicy(config)


def draw_action(mask: NDArray[np.bool_], rng: np.random.Generator) -> int:
    """A random feasible action, all equally likely.

    :param mask: (actions,) bool, action mask
    :param rng: the day's generator
    """
    allowed = np.flatnonzero(mask)
    return int(allowed[rng.integers(len(allowed))])

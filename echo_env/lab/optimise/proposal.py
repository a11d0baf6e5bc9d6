"""What an optimisation hands over: gain by number of changes, each step measured on days that no search has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from echo_env.common.stats import Estimate, simultaneous
from echo_env.lab.config.lab import Lab
from echo_env.lab.evaluation.input_uncertainty import TwoParts
from echo_env.lab.optimise.gains import Gains
from echo_env.lab.optimise.interactions import Interaction
from echo_env.lab.optimise.levers import Change, Choice, Values
from echo_env.lab.optimise.search import PROTECTED, Floats, Selection

WAIT = "overall_wait_min"
"""The mean wait of everybody who came, early patients included, for whom the penalty charges nothing."""
MOST_OF_IT = 0.8
"""Share of the gain that the smallest change worth naming has."""


@dataclass(frozen=True)
class Step:
    """Some changes, on held-out days.

    :param values: of each lever
    :param changes: what has to be done
    :param number: how many changes that is
    :param effects: metric -> mean paired difference to the lab as it is; the intervals hold for all metrics and all
        steps together, at 95 %
    """

    values: Values
    changes: tuple[Change, ...]
    number: int
    effects: dict[str, Estimate]


@dataclass(frozen=True)
class World:
    """A lab that differs from the one searched in, played with and without the proposal.

    :param name: how it differs
    :param effects: metric -> mean paired difference that the proposal makes, 95 % each
    """

    name: str
    effects: dict[str, Estimate]


@dataclass(frozen=True)
class Proposal:
    """The proposal.

    :param choice: what could change
    :param objective: name of the metric that is made smaller, or how the sum is put together
    :param protected: metrics that may not rise
    :param allowance: protected metric -> how much it may
    :param today: metric -> mean of the lab as it is, on the held-out days
    :param front: steps by number of changes, ascending
    :param chosen: number of the step that is proposed
    :param selection: how that one was chosen among the finalists; None if there was but one
    :param worlds: how it does elsewhere
    :param unknown: metric -> mean paired difference of the proposal with both parts of its interval, for the number of
        days and for not knowing the lab; empty without labs of a bootstrap
    :param wins: labs of the bootstrap in which the objective falls, of how many
    :param days: held-out days
    :param searched: how much was played in the search
    :param cut: whether the search was ended before nothing got better: by time or by Ctrl-C
    :param interrupted: whether by Ctrl-C
    :param gains: who gains and who loses; None if nothing was found
    :param interactions: each kind of decision alone and with the rest of the proposal, if there are several
    """

    choice: Choice
    objective: str
    protected: tuple[str, ...]
    allowance: dict[str, float]
    today: dict[str, Estimate]
    front: tuple[Step, ...]
    chosen: int
    selection: Selection | None
    worlds: tuple[World, ...]
    unknown: dict[str, TwoParts]
    wins: tuple[int, int]
    days: int
    searched: int = 0
    cut: bool = False
    interrupted: bool = False
    gains: Gains | None = None
    interactions: tuple[Interaction, ...] = ()

    @property
    def config(self) -> Lab:
        """The lab as it is."""
        return self.choice.config

    @property
    def lab(self) -> Lab:
        """The lab as it is, with what the decisions let it know."""
        return self.choice.lab(self.choice.today)

    @property
    def step(self) -> Step | None:
        """The step that is proposed; None if nothing helps."""
        return self.front[self.chosen] if self.front else None

    @property
    def harms(self) -> tuple[str, ...]:
        """Protected metrics that rise by more than is allowed, beyond chance."""
        if self.step is None:
            return ()
        effects, allowed = self.step.effects, self.allowance
        return tuple(name for name in self.protected if effects[name].low > allowed.get(name, 0.0))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What nobody wants to rise, is not protected, and rises under the proposal beyond chance."""
        if self.step is None:
            return ()
        open_ = [name for name in (*PROTECTED, WAIT) if name not in self.protected and name in self.step.effects]
        return tuple(name for name in open_ if self.step.effects[name].low > 0)

    @property
    def recommended(self) -> bool:
        """Whether the objective falls beyond chance and no protected metric rises beyond chance."""
        return self.step is not None and self.step.effects[self.objective].high < 0 and not self.harms

    @property
    def smallest(self) -> Step | None:
        """The smallest change with four fifths of the proposal's gain."""
        if self.step is None:
            return None
        goal = MOST_OF_IT * self.step.effects[self.objective].mean
        return next((own for own in self.front if own.effects[self.objective].mean <= goal), self.step)


def estimates(names: Sequence[str], differences: Floats, comparisons: int) -> dict[str, Estimate]:
    """Names with their intervals, see :func:`simultaneous`.

    :param names: (M,)
    :param differences: (M, n)
    :param comparisons: how many intervals are given in all
    """
    return dict(zip(names, simultaneous(np.asarray(differences), comparisons), strict=True))

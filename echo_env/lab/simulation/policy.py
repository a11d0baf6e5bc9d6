"""What a policy is: the one protocol of rules, optimisers and agents, and what a policy may offer beyond it.

Capabilities are looked up by structure, not by class: a policy gains the compiled engine by offering ``tiers``
(:class:`TieredPolicy`) or ``chooser`` (:class:`ChoosingPolicy`), whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Days
from echo_env.lab.simulation.view import LabView

if TYPE_CHECKING:
    from echo_env.lab.compiled.layout import Labs

ClassTiers: TypeAlias = Sequence[Sequence[int]]
"""Classes in order of precedence, those of equal precedence together; a class in no tier is not served."""

BatchChooser: TypeAlias = "Callable[[Labs, NDArray[np.int64], NDArray[np.bool_]], NDArray[np.int64]]"
"""(labs, indices (n,) of those with a choice, their action masks (n, actions)) -> (n,) feasible actions."""


class Keep(NamedTuple):
    """A reservation that a policy asks for: see :meth:`~echo_env.lab.simulation.simulator.Simulator.keep`.

    :param kind: the exam type
    :param minutes: how long at the most
    """

    kind: int
    minutes: int


@runtime_checkable
class Policy(Protocol):
    """Decides who begins an exam now. Rules, optimisers and learned agents are all this one thing."""

    name: str

    def begin_day(self, view: LabView, seed: int) -> None:
        """Called at opening.

        :param view: the lab, empty
        :param seed: the day's own seed, for a randomised policy
        """

    def decide(self, view: LabView) -> Sequence[tuple[int, int, int]]:
        """The exams to begin in this minute, as :class:`~echo_env.lab.simulation.patient.Start` or plain (patient,
        room, sonographer); called when at least one is possible.

        :param view: the lab as its staff see it
        """


@runtime_checkable
class SequentialPolicy(Policy, Protocol):
    """A policy that decides on one start at a time: simulators ask for classes until it has none.

    ``decide`` gives the next start alone.
    """

    def next_class(self, view: LabView) -> int | Keep | None:
        """The class whose longest-waiting patient begins next in this minute, or a reservation that begins; None to
        let time pass.

        :param view: the lab, with the starts of this minute made or committed
        """


@runtime_checkable
class TieredPolicy(Policy, Protocol):
    """A rule that serves by class: whole days run on the compiled engine.

    Offering ``tiers`` is a promise: in every minute ``decide`` serves tier after tier, within a tier the longest wait
    first, with the resources that :func:`~echo_env.lab.simulation.allocation.assign` gives. The compiled engine
    follows the tiers and never calls ``decide``.
    """

    tiers: ClassTiers


@runtime_checkable
class ChoosingPolicy(Policy, Protocol):
    """A policy that chooses actions for a batch of labs on the compiled engine.

    ``decide`` and the chooser must choose the same action in the same state. Both are asked only where more than
    one action is feasible. It may also offer ``reservations``: see :func:`reservations_of`.

    :param actions: the action space, one of :data:`~echo_env.lab.decisions.action_sets.ACTION_SETS`
    :param idling: whether its action masks include idling actions
    :param memoryless: whether what it does depends on the present state of the lab alone, so that it can be asked
        about single decisions; neither a randomised policy nor one that remembers what it did is
    """

    actions: str
    idling: bool
    memoryless: bool

    def chooser(self, config: Lab, days: Days) -> BatchChooser:
        """What chooses while these days are played.

        :param config: the lab
        :param days: the days, in the order of the labs; a memoryless policy may be shown any labs
        """


def is_compiled(policy: Policy) -> bool:
    """Whether the compiled engine can play a policy's days."""
    return isinstance(policy, (TieredPolicy, ChoosingPolicy))


def reservations_of(policy: Policy) -> tuple[int, ...]:
    """Minutes of the reservations among a policy's actions; none if it has no attribute ``reservations``."""
    return tuple(getattr(policy, "reservations", ()))


def is_memoryless(policy: Policy) -> bool:
    """Whether a policy's starts depend on the present state of the lab alone, in batches of labs as well; those of a
    policy with reservations depend on what has been reserved."""
    if reservations_of(policy):
        return False
    return isinstance(policy, TieredPolicy) or (isinstance(policy, ChoosingPolicy) and policy.memoryless)

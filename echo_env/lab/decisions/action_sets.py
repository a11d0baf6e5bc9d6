"""What an agent decides on: joint actions of a whole minute, or one start at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.lab import Lab
from echo_env.lab.decisions.actions import JointActions, Offer
from echo_env.lab.decisions.starts import StartActions
from echo_env.lab.simulation.simulator import Simulator
from echo_env.lab.simulation.view import LabView

ACTION_SETS = ("joint", "start")
"""Names of the action spaces."""


class ActionSet(Protocol):
    """An action space of labs: :class:`~echo_env.lab.decisions.actions.JointActions` or
    :class:`~echo_env.lab.decisions.starts.StartActions`."""

    @property
    def name(self) -> str:
        """One of :data:`ACTION_SETS`."""

    @property
    def size(self) -> int:
        """How many actions there are."""

    def offered(self, view: LabView, idling: bool) -> Offer:
        """The feasible actions now."""

    def none(self) -> Offer:
        """Nothing but the action that lets time pass."""

    def carry_out(self, action: int, lab: Simulator) -> bool:
        """Do what an action says; whether time is to pass then."""

    def nearest(self, action: int, mask: NDArray[np.bool_]) -> int:
        """A feasible action in place of one that may not be."""

    def describe(self, action: int) -> str:
        """An action in words, for messages."""


def default_actions(config: Lab) -> str:
    """``joint``, the paper's, in labs of two nested exam types; ``start`` in all others.

    :param config: the lab
    """
    return "joint" if config.plan.nested_pair else "start"


def make_actions(name: str | None, config: Lab, reservations: Sequence[int] = ()) -> ActionSet:
    """An action space of a lab.

    :param name: one of :data:`ACTION_SETS`; None for :func:`default_actions`
    :param config: the lab
    :param reservations: of ``start``, minutes: see :class:`~echo_env.lab.decisions.starts.StartActions`
    :raises ValueError: no such action space, ``joint`` in a lab that is not one of two nested exam types, or
        reservations beside joint actions
    """
    wanted = default_actions(config) if name is None else name
    if wanted not in ACTION_SETS:
        raise ValueError(f"actions is {name!r}, but must be one of {', '.join(ACTION_SETS)}")
    if wanted == "start":
        return StartActions(config.plan, reservations)
    if reservations:
        raise ValueError("reservations are for actions 'start', not 'joint'")
    if not config.plan.nested_pair:
        raise ValueError(
            f"actions 'joint' is for labs of two exam types of which whoever can do the first can do the second, "
            f"which {config.name!r} is not: use actions 'start'"
        )
    return JointActions()

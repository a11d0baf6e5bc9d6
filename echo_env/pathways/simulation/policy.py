"""What a policy is: the one protocol of auctions, rules and agents."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from echo_env.pathways.instance.instance import Instance
from echo_env.pathways.simulation.view import View


@runtime_checkable
class Policy(Protocol):
    """Decides who holds what in the next step. Auctions, rules and learned agents are all this one thing."""

    name: str

    def begin_instance(self, instance: Instance) -> None:
        """Called before the first episode of an instance, and again before each further one.

        :param instance: its conditions and patients are known to all; the luck of its trials to nobody
        """

    def decide(self, view: View) -> NDArray[np.int64]:
        """Who wins what.

        :param view: the hospital as its staff see it
        :return: (N,) a free resource that the patient wants, or ``NONE``
        """

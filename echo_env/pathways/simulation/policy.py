"""The protocol of policies: auctions, rules and agents."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from echo_env.pathways.instance.instance import Instance
from echo_env.pathways.simulation.view import View


@runtime_checkable
class Policy(Protocol):
    """Assigns resources to patients for the next step."""

    name: str

    def begin_instance(self, instance: Instance) -> None:
        """Called before each episode of an instance.

        :param instance: conditions and patients, which are known; the random draws of its trials are not
        """

    def decide(self, view: View) -> NDArray[np.int64]:
        """Assign free units.

        :param view: the observable state of the hospital
        :return: (N,) int64, a free resource that the patient requests, or ``NONE``
        """

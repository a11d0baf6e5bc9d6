"""What a policy is: the one protocol of rules, optimisers and agents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from echo_env.lab.simulation.whiteboard import LabView


@runtime_checkable
class Policy(Protocol):
    """Decides who begins an exam now. Rules, optimisers and learned agents are all this one thing."""

    name: str

    def begin_day(self, view: LabView, seed: int) -> None:
        """Called at opening.

        :param view: the lab, empty
        :param seed: the day's own seed, for a policy that throws dice
        """

    def decide(self, view: LabView) -> Sequence[tuple[int, int, int]]:
        """The exams to begin in this minute, as :class:`~echo_env.lab.simulation.patient.Start` or plain (patient,
        room, sonographer); called when at least one is possible.

        :param view: the lab as its staff see it
        """

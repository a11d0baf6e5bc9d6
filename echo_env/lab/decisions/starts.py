"""Single starts as actions: which class's longest-waiting patient begins next, or stop.

Action c < 3 K begins the exam of whoever has waited longest in class c; the last action, 3 K, lets time pass. Several
starts may follow each other in one minute.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.plan import LabPlan
from echo_env.lab.decisions.actions import Offer
from echo_env.lab.simulation.patient import CLASSES_PER_TYPE, Punctuality, class_label
from echo_env.lab.simulation.simulator import Simulator
from echo_env.lab.simulation.view import LabView


class StartActions:
    """The action space ``start``: Discrete(3 K + 1) for K exam types.

    :param plan: of the lab
    """

    name = "start"

    def __init__(self, plan: LabPlan) -> None:
        self.types = len(plan.types)
        self.stop = CLASSES_PER_TYPE * self.types
        self.size = self.stop + 1
        self._labels = [class_label(kind.name, when) for kind in plan.types for when in Punctuality]

    def offered(self, view: LabView, idling: bool) -> Offer:
        """The feasible actions now.

        A class is feasible if somebody of it waits and a start of its type is left in this minute. Stop is always
        feasible with ``idling``; without, only where no class is.

        :param view: the lab
        :param idling: whether time may pass while somebody could begin
        """
        mask = np.zeros(self.size, dtype=np.bool_)
        waiting = view.waiting_counts
        for kind in range(self.types):
            first = CLASSES_PER_TYPE * kind
            if any(waiting[first : first + CLASSES_PER_TYPE]) and view.can_start_type(kind):
                mask[first : first + CLASSES_PER_TYPE] = np.array(waiting[first : first + CLASSES_PER_TYPE]) > 0
        mask[self.stop] = idling or not mask.any()
        return self._offer(mask)

    def none(self) -> Offer:
        """Nothing but stop, for the end of a day."""
        mask = np.zeros(self.size, dtype=np.bool_)
        mask[self.stop] = True
        return self._offer(mask)

    def carry_out(self, action: int, lab: Simulator) -> bool:
        """Commit the start of an action.

        :param action: a feasible one
        :param lab: the day being played
        :return: whether the decision of this minute is complete, and time is to pass
        """
        if action == self.stop:
            return True
        lab.commit(action)
        return False

    def nearest(self, action: int, mask: NDArray[np.bool_]) -> int:
        """A feasible action in place of one that may not be: stop if that is feasible, else the lowest.

        :param action: 0 to 3 K
        :param mask: (3 K + 1,) bool, at least one True
        """
        if mask[action]:
            return action
        return self.stop if mask[self.stop] else int(mask.argmax())

    def describe(self, action: int) -> str:
        """An action in words, for messages."""
        return f"{action} = {'stop' if action == self.stop else f'start {self._labels[action]}'}"

    def _offer(self, mask: NDArray[np.bool_]) -> Offer:
        mask.flags.writeable = False
        return Offer(mask, int(mask.sum()), int(mask.argmax()))

"""Single starts as actions: which class's longest-waiting patient begins next, or stop; and reservations.

Action c < 3 K begins the exam of whoever has waited longest in class c; action 3 K lets time pass. Several starts may
follow each other in one minute.

With reservations of D lengths, action 3 K + 1 + D k + d keeps what type k needs for the d-th number of minutes:

- *What is kept*: the last free room and the last free member of staff that can do type k, each if there is one, and
  whichever that is at the moment. If there is a member and no room, the member is kept, and the first room that
  becomes free. Who goes to lunch, on a planned break or home is not held back.
- *What it forbids*: starts of other types that would leave no such room or no such member. Starts of all types that
  can be made together beside what is kept stay feasible, exactly: what is kept counts as a start of its type.
- *When it ends*: after its minutes; before that as soon as somebody of type k waits for whom a room and a member are
  free, and it is to be decided again who gets them. "Until one can begin, 60 minutes at most" is thus the length 60.
- *When it is on offer*: where it changes what is feasible. Type k has no reservation and nobody of it could begin now,
  and of some other type somebody could begin now who could not beside what would be kept.

A reservation lets no time pass. Without idling stop is feasible only where nothing can start beside what is kept. On
the event clock a decision is asked when a reservation ends, if there is a choice then.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.plan import LabPlan
from echo_env.lab.decisions.actions import Offer
from echo_env.lab.simulation.patient import CLASSES_PER_TYPE, Punctuality, class_label
from echo_env.lab.simulation.policy import Keep
from echo_env.lab.simulation.simulator import Simulator
from echo_env.lab.simulation.view import LabView


class StartActions:
    """The action space ``start``: Discrete(3 K + 1) for K exam types, Discrete(3 K + 1 + K D) with reservations.

    :param plan: of the lab
    :param reservations: (D,) their lengths, minutes
    :raises ValueError: a length that is no whole number of minutes from 1 on, or one twice
    """

    name = "start"

    def __init__(self, plan: LabPlan, reservations: Sequence[int] = ()) -> None:
        self.types = len(plan.types)
        self.reservations = checked_reservations(reservations)
        self.stop = CLASSES_PER_TYPE * self.types
        self.size = self.stop + 1 + self.types * len(self.reservations)
        self._labels = [f"start {class_label(kind.name, when)}" for kind in plan.types for when in Punctuality]
        self._labels.append("stop")
        self._labels += [f"keep for {kind.name} {minutes} min" for kind in plan.types for minutes in self.reservations]

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
        if self.reservations:
            mask[self.stop + 1 :] = np.repeat(self.reservable(view), len(self.reservations))
        return self._offer(mask)

    def reservable(self, view: LabView) -> list[bool]:
        """The types for which a reservation is on offer: see the head of this file.

        :param view: the lab
        """
        possible, kept = view.open_types(), sum(1 << kind for kind in view.reservations)
        out = kept | view.open_types(kept=0)
        return [
            possible != 0 and not out >> kind & 1 and view.open_types(kept=kept | 1 << kind) != possible
            for kind in range(self.types)
        ]

    def none(self) -> Offer:
        """Nothing but stop, for the end of a day."""
        mask = np.zeros(self.size, dtype=np.bool_)
        mask[self.stop] = True
        return self._offer(mask)

    def carry_out(self, action: int, lab: Simulator) -> bool:
        """Commit the start of an action, or begin its reservation.

        :param action: a feasible one
        :param lab: the day being played
        :return: whether the decision of this minute is complete, and time is to pass
        """
        step = self.step_of(action)
        if step is None:
            return True
        if isinstance(step, Keep):
            lab.keep(*step)
        else:
            lab.commit(step)
        return False

    def step_of(self, action: int) -> int | Keep | None:
        """What a policy that decides on single starts answers in place of an action.

        :param action: one of the actions
        """
        if action > self.stop:
            kind, length = divmod(action - self.stop - 1, len(self.reservations))
            return Keep(kind, self.reservations[length])
        return None if action == self.stop else action

    def nearest(self, action: int, mask: NDArray[np.bool_]) -> int:
        """A feasible action in place of one that may not be: stop if that is feasible, else the lowest.

        :param action: one of the actions
        :param mask: (actions,) bool, at least one True
        """
        if mask[action]:
            return action
        return self.stop if mask[self.stop] else int(mask.argmax())

    def describe(self, action: int) -> str:
        """An action in words, for messages."""
        return f"{action} = {self._labels[action]}"

    def _offer(self, mask: NDArray[np.bool_]) -> Offer:
        mask.flags.writeable = False
        return Offer(mask, int(mask.sum()), int(mask.argmax()))


def checked_reservations(reservations: Sequence[int]) -> tuple[int, ...]:
    """Lengths of reservations as a tuple.

    :param reservations: minutes
    :raises ValueError: a length that is no whole number of minutes from 1 on, or one twice
    """
    lengths = tuple(reservations)
    for minutes in lengths:
        if isinstance(minutes, bool) or not isinstance(minutes, (int, np.integer)) or minutes < 1:
            raise ValueError(f"reservations has {minutes!r}, but must be whole numbers of minutes, at least 1")
    if len(set(lengths)) < len(lengths):
        raise ValueError(f"reservations is {lengths}, but each length must be there once")
    return tuple(int(minutes) for minutes in lengths)

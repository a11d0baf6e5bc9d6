"""Whole minutes of a day in SimPy, and the order of events inside one."""

from __future__ import annotations

from typing import cast

import simpy
from simpy.events import EventPriority

# Patients who are ready, by number; early patients who become on time, by number; exams, breaks and lunches that end,
# by member of staff; rooms that have been cleaned; what shifts, lunch, planned breaks and the rooms' hours change.
# Patients come first, so that who has a break to put off knows who waits. SimPy keeps priority 0 for the start of a
# process.
ARRIVES, BECOMES_ON_TIME, ENDS, CLEAN, ROSTER = 1, 1_000_000, 2_000_000, 2_010_000, 2_020_000


class Moment(simpy.Event):
    """A whole minute of the day, with a stated place among the other events of that minute.

    :param clock: of the day
    :param minute: now or later
    :param order: the place; lower ones come first
    """

    def __init__(self, clock: simpy.Environment, minute: int, order: int) -> None:
        super().__init__(clock)
        self._ok = True
        self._value = None
        # Any whole number orders events; SimPy's own type names only the two it uses itself.
        clock.schedule(self, priority=cast(EventPriority, order), delay=minute - clock.now)

"""Observations: the lab in numbers, scaled to about [0, 1].

An observation is a row of whole numbers read off the whiteboard, divided by a scale. :data:`OBSERVATIONS` is the table
of all of them; :mod:`~echo_env.lab.compiled.observations` fills the same rows for many labs at once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config import LabConfig
from echo_env.lab.simulation.patient import PatientClass
from echo_env.lab.simulation.whiteboard import LabView, Status

STATE_ORDER = (2, 0, 1, 5, 3, 4)
"""Places of the six classes, which are numbered in action order, in the order of the paper's state vector."""

HORIZONS = (15, 30, 60)
"""Minutes ahead within which the rich observation counts appointments."""
OVERDUE_MIN = 30
"""A patient who has not arrived counts as overdue for this many minutes."""
LONGEST_SHOWN = 120
"""Waiting and elapsed times are capped at this many minutes."""
HOUR = 60
"""Minutes that are scaled to 1."""


class ObservedNumber(NamedTuple):
    """One number of an observation.

    :param name: what it is
    :param scale: the number that is shown as 1
    :param most: the largest it can be
    """

    name: str
    scale: float
    most: float


def paper_fields(config: LabConfig) -> list[ObservedNumber]:
    """The 13 numbers of section 5.1.

    Patients waiting (fetal, non-fetal; early, on time, late), free rooms and sonographers, sonographers on break
    (n non-fetal only, b both), time.
    """
    rooms, staff, book = config.rooms, config.sonographers, config.appointments
    waiting = [ObservedNumber(f"W_f{when}", 5, len(book.times("fetal"))) for when in "etl"]
    waiting += [ObservedNumber(f"W_n{when}", 5, len(book.times("non_fetal"))) for when in "etl"]
    counts = [("R_n", rooms.non_fetal), ("R_b", rooms.fetal), ("S_n", staff.non_fetal), ("S_b", staff.fetal)]
    counts += [("L_n", staff.non_fetal), ("L_b", staff.fetal)]
    free = [ObservedNumber(name, max(count, 1), count) for name, count in counts]
    return [*waiting, *free, ObservedNumber("t", config.hours.end_min, config.hours.end_min)]


def rich_fields(config: LabConfig) -> list[ObservedNumber]:
    """The paper's 13 numbers, and what its Future Work asks for: waits, appointments to come, staff in detail."""
    book = config.appointments
    kinds = (("fetal", len(book.times("fetal"))), ("non_fetal", len(book.times("non_fetal"))))
    fields = paper_fields(config)
    fields += [ObservedNumber(f"longest_wait_{kind.name.lower()}_min", HOUR, LONGEST_SHOWN) for kind in PatientClass]
    for kind, number in kinds:
        fields += [ObservedNumber(f"due_{kind}_within_{horizon}_min", 5, number) for horizon in HORIZONS]
        fields.append(ObservedNumber(f"due_{kind}_today", max(number, 1), number))
        fields.append(ObservedNumber(f"overdue_{kind}", 5, number))
        fields.append(ObservedNumber(f"next_{kind}_in_min", HOUR, HOUR))
    breaks = config.breaks.number
    for number in range(config.sonographers.total):
        fields += [
            ObservedNumber(f"sonographer_{number}_present", 1, 1),
            ObservedNumber(f"sonographer_{number}_in_exam", 1, 1),
            ObservedNumber(f"sonographer_{number}_busy_min", HOUR, LONGEST_SHOWN),
            ObservedNumber(f"sonographer_{number}_breaks_left", max(breaks, 1), breaks),
        ]
    return fields


def paper_numbers(view: LabView) -> list[int]:
    """The row of :func:`paper_fields` now."""
    waiting = view.waiting_counts
    return [*(waiting[place] for place in STATE_ORDER), *view.free_counts, *view.on_break_counts, view.minute]


def rich_numbers(view: LabView) -> list[int]:
    """The row of :func:`rich_fields` now."""
    row, now = paper_numbers(view), view.minute
    for kind in PatientClass:
        queue = view.waiting(kind)
        row.append(min(max(now - queue[0].since_min, 0), LONGEST_SHOWN) if queue else 0)
    for fetal in (True, False):
        ahead = [
            entry.scheduled_min - now
            for entry in view.appointments
            if entry.fetal == fetal and not view.has_arrived(entry.patient)
        ]
        row += [sum(0 <= minutes < horizon for minutes in ahead) for horizon in HORIZONS]
        row.append(sum(minutes >= 0 for minutes in ahead))
        row.append(sum(-OVERDUE_MIN <= minutes < 0 for minutes in ahead))
        row.append(min((minutes for minutes in ahead if 0 <= minutes < HOUR), default=HOUR))
    begun = {exam.sonographer: exam.start_min for exam in view.running_exams}
    for number in range(view.config.sonographers.total):
        since = begun.get(number, view.break_since(number))
        busy = 0 if since is None else min(now - since, LONGEST_SHOWN)
        row += [view.status(number) != Status.ABSENT, number in begun, busy, view.breaks_left(number)]
    return row


class Observation(NamedTuple):
    """What an agent may be shown. The compiled engine has a filler of the same name for the same row.

    :param fields: the numbers it consists of, given a lab
    :param numbers: their row in a state, whole numbers before scaling
    """

    fields: Callable[[LabConfig], list[ObservedNumber]]
    numbers: Callable[[LabView], list[int]]


OBSERVATIONS = {"paper": Observation(paper_fields, paper_numbers), "rich": Observation(rich_fields, rich_numbers)}
"""Name -> observation. A new one needs a row here, and one in ``FILLERS`` of the compiled engine."""


def observed_numbers(name: str, config: LabConfig) -> list[ObservedNumber]:
    """The numbers of an observation.

    :param name: one of :data:`OBSERVATIONS`
    :param config: the lab
    :raises ValueError: no such observation
    """
    if name not in OBSERVATIONS:
        raise ValueError(f"observation is {name!r}, but must be one of {', '.join(OBSERVATIONS)}")
    return OBSERVATIONS[name].fields(config)


def make_observation(name: str, config: LabConfig) -> tuple[gym.spaces.Box, Callable[[LabView], NDArray[np.float32]]]:
    """The space of an observation, and the function that observes.

    :param name: one of :data:`OBSERVATIONS`
    :param config: the lab
    :return: the space, (numbers,) float32, and the function, which gives an element of it
    :raises ValueError: no such observation
    """
    shown = observed_numbers(name, config)
    scale = np.array([number.scale for number in shown], dtype=np.float64)
    most = (np.array([number.most for number in shown]) / scale).astype(np.float32)
    # A partial of functions that have names can be pickled with an environment.
    return gym.spaces.Box(0.0, most, dtype=np.float32), partial(_observe, OBSERVATIONS[name].numbers, scale)


def _observe(numbers: Callable[[LabView], list[int]], scale: NDArray[np.float64], view: LabView) -> NDArray[np.float32]:
    return (np.array(numbers(view)) / scale).astype(np.float32)

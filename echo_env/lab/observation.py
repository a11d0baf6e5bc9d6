"""What an agent is shown: the lab in numbers, scaled to about [0, 1]."""

from __future__ import annotations

from collections.abc import Callable

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config import LabConfig
from echo_env.lab.whiteboard import LabView

PAPER_FIELDS = (
    "W_fe", "W_ft", "W_fl", "W_ne", "W_nt", "W_nl", "R_n", "R_b", "S_n", "S_b", "L_n", "L_b", "t",
)  # fmt: skip
"""Section 5.1: patients waiting (fetal, non-fetal; early, on time, late), free rooms and sonographers,
sonographers on break (n non-fetal only, b both), time."""

WAITING_SCALE = 5.0
"""Patients waiting, of one class, that are shown as 1."""

# Places of the six classes, which are numbered in action order, in the order of the paper's state vector.
_STATE_ORDER = (2, 0, 1, 5, 3, 4)

Observe = Callable[[LabView], NDArray[np.float32]]


def _paper(config: LabConfig) -> tuple[gym.spaces.Box, Observe]:
    """The paper's 13 numbers: their space, and the function that reads them off the whiteboard."""
    rooms, staff, book = config.rooms, config.sonographers, config.appointments
    patients = [len(book.fetal)] * 3 + [len(book.non_fetal)] * 3
    counts = [rooms.non_fetal, rooms.fetal, staff.non_fetal, staff.fetal, staff.non_fetal, staff.fetal]
    most = np.array([*patients, *counts, config.hours.end_min], dtype=np.float64)
    scale = np.array([WAITING_SCALE] * 6 + [max(count, 1) for count in counts] + [config.hours.end_min])
    a, b, c, d, e, f = _STATE_ORDER

    def observe(view: LabView) -> NDArray[np.float32]:
        w = view.waiting_counts
        numbers = (w[a], w[b], w[c], w[d], w[e], w[f], *view.free_counts, *view.on_break_counts, view.minute)
        return (np.array(numbers) / scale).astype(np.float32)

    return gym.spaces.Box(0.0, (most / scale).astype(np.float32), dtype=np.float32), observe


_OBSERVATIONS = {"paper": _paper}

OBSERVATIONS = tuple(_OBSERVATIONS)
"""Names of the observations there are."""


def make_observation(name: str, config: LabConfig) -> tuple[gym.spaces.Box, Observe]:
    """The space of an observation, and the function that makes one.

    :param name: one of :data:`OBSERVATIONS`
    :param config: the lab
    :raises ValueError: no such observation
    """
    if name not in _OBSERVATIONS:
        raise ValueError(f"observation is {name!r}, but must be one of {', '.join(OBSERVATIONS)}")
    return _OBSERVATIONS[name](config)

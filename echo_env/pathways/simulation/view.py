"""The observable state of the hospital: all that a policy may use."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


class View(NamedTuple):
    """The state in one step, for N patients, K needs and R resources. Its arrays are copies.

    :param step: t
    :param condition: (N,) int64, condition of each patient, an index into the model's conditions
    :param state: (N,) int64, resource state in that pathway
    :param health: (N,) int64
    :param wanted: (N, K) int64, resource of each need that can be requested now, else ``NONE``; all ``NONE`` for a
        patient who has not arrived, is finished, is dead, or keeps a unit
    :param requested: (N, K) int64, step in which each need was first requested, or ``NONE``
    :param free: (R,) int64, units available for the next step
    :param priority_draw: (N,) float64, uniform numbers for randomised policies
    """

    step: int
    condition: Ints
    state: Ints
    health: Ints
    wanted: Ints
    requested: Ints
    free: Ints
    priority_draw: NDArray[np.float64]

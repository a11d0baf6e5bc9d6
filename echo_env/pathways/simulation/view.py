"""What the staff of the hospital know in a step: all that a policy may see."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


class View(NamedTuple):
    """The hospital in one step, for N patients, K needs and R resources. Copies: nothing can be changed through it.

    :param step: t
    :param condition: (N,) int64, which pathway each patient is on, a number into the model's conditions
    :param state: (N,) int64, resource state in that pathway
    :param health: (N,) int64
    :param wanted: (N, K) int64, the resource of each need that can be asked for now, else ``NONE``; all ``NONE`` for
        who has not arrived, is finished, is dead, or keeps a unit
    :param requested: (N, K) int64, step since which each need has been asked for, or ``NONE``
    :param free: (R,) int64, units that can be had in the next step
    :param priority_draw: (N,) float64, dice for a policy that throws them
    """

    step: int
    condition: Ints
    state: Ints
    health: Ints
    wanted: Ints
    requested: Ints
    free: Ints
    priority_draw: NDArray[np.float64]

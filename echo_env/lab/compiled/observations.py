"""Observations of many labs at once: for each name of ``OBSERVATIONS``, what fills the same rows compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo_env.common.jit import njit
from echo_env.lab.compiled import kernel
from echo_env.lab.compiled.kernel import Labs
from echo_env.lab.config import LabConfig
from echo_env.lab.decisions.observation import (
    HORIZONS,
    HOUR,
    LONGEST_SHOWN,
    OVERDUE_MIN,
    STATE_ORDER,
    observed_numbers,
)
from echo_env.lab.simulation.patient import PatientClass

_CLASSES = len(PatientClass)


class BatchObservation:
    """An observation, made of many labs at once.

    :param name: one of :data:`~echo_env.lab.decisions.observation.OBSERVATIONS`
    :param config: the lab
    :raises ValueError: no such observation
    """

    def __init__(self, name: str, config: LabConfig) -> None:
        self._scale = np.array([number.scale for number in observed_numbers(name, config)], dtype=np.float64)
        self._fill = FILLERS[name]

    def __call__(self, labs: Labs, out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Observe.

        :param labs: the arrays of n labs
        :param out: (n, numbers) float32 to fill in place of a new array
        :return: (n, numbers) float32
        """
        shown = np.zeros((len(labs.lab), len(self._scale)), dtype=np.float32) if out is None else out
        self._fill(labs, self._scale, shown)
        return shown


@njit
def observe_paper(labs, scale, out):
    """Fill a row of the paper's numbers for each lab.

    :param labs: the arrays of n labs
    :param scale: (numbers,) float64, what is shown as 1
    :param out: (n, numbers) float32
    """
    row = np.empty(len(scale), np.int64)
    for b in range(len(labs.lab)):
        _paper_row(labs.lab[b], row)
        for k in range(len(scale)):
            out[b, k] = row[k] / scale[k]


@njit
def observe_rich(labs, scale, out):
    """Fill a row of the rich numbers for each lab. Parameters as in :func:`observe_paper`."""
    row = np.empty(len(scale), np.int64)
    for b in range(len(labs.lab)):
        _paper_row(labs.lab[b], row)
        _rich_row(labs.lab[b], labs.patients[b], labs.queue[b], labs.staff[b], row)
        for k in range(len(scale)):
            out[b, k] = row[k] / scale[k]


FILLERS: dict[str, Callable[[Labs, NDArray[np.float64], NDArray[np.float32]], Any]] = {
    "paper": observe_paper,
    "rich": observe_rich,
}
"""Observation -> (labs, scales, rows to fill)."""


@njit
def _paper_row(lab, row):
    """The row of ``paper_numbers``."""
    for k in range(_CLASSES):
        row[k] = lab[kernel.COUNTS + STATE_ORDER[k]]
    for k in range(6):
        row[_CLASSES + k] = lab[kernel.FREE + k]
    row[12] = lab[kernel.MINUTE]


@njit
def _rich_row(lab, patients, queue, staff, row):
    """The row of ``rich_numbers``, behind the paper's 13."""
    now = lab[kernel.MINUTE]
    for kind in range(_CLASSES):
        row[13 + kind] = 0
    # The queue stands in order of who has waited longest: from its end, so that the first of a class stays.
    for k in range(lab[kernel.QUEUED] - 1, -1, -1):
        p = queue[k]
        wait = max(now - patients[p, kernel.SINCE], 0)
        row[13 + patients[p, kernel.CLASS]] = min(wait, LONGEST_SHOWN)
    at = 13 + _CLASSES
    for fetal in (1, 0):
        for k in range(5):
            row[at + k] = 0
        row[at + 5] = HOUR
        for p in range(len(patients)):
            if patients[p, kernel.FETAL] != fetal or patients[p, kernel.ARRIVED]:
                continue
            ahead = patients[p, kernel.SCHEDULED] - now
            for k in range(3):
                row[at + k] += 0 <= ahead < HORIZONS[k]
            row[at + 3] += ahead >= 0
            row[at + 4] += -OVERDUE_MIN <= ahead < 0
            if 0 <= ahead < HOUR:
                row[at + 5] = min(row[at + 5], ahead)
        at += 6
    for s in range(len(staff)):
        status = staff[s, kernel.STATUS]
        busy = status in (kernel.IN_EXAM, kernel.ON_A_BREAK)
        row[at] = status != kernel.ABSENT
        row[at + 1] = status == kernel.IN_EXAM
        row[at + 2] = min(now - staff[s, kernel.BUSY_SINCE], LONGEST_SHOWN) if busy else 0
        row[at + 3] = staff[s, kernel.BREAKS_LEFT]
        at += 4

"""Rows and masks of labs of any number of exam types as those of the most: one shape for all labs."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.plan import MOST_TYPES
from echo_env.lab.decisions.wide_rows import COLUMNS, LAST_MOST, LAST_SCALE, MOST, RIVAL_FEATURES, SCALE
from echo_env.lab.simulation.patient import CLASSES_PER_TYPE

ACTIONS = CLASSES_PER_TYPE * MOST_TYPES + 1
"""Actions of a lab of most types; the last one is stop."""


def padded_space() -> gym.spaces.Box:
    """The space of ``rows_wide`` with rows for the most types."""
    most = np.vstack([*[MOST / SCALE] * (ACTIONS - 1), LAST_MOST / LAST_SCALE]).astype(np.float32)
    return gym.spaces.Box(0.0, most, dtype=np.float32)


def hide_competitors(rows: NDArray[np.float32]) -> None:
    """Set the columns that say who competes to 0, in place: for ablations.

    :param rows: (n, 25, columns)
    """
    rows[:, :-1, COLUMNS - len(RIVAL_FEATURES) :] = 0


def padded_rows(rows: NDArray[np.float32], competitors: bool = True) -> NDArray[np.float32]:
    """Rows of zeros for the types that a lab does not have.

    :param rows: (n, 3 K + 1, columns)
    :param competitors: whether the columns that say who competes are kept
    :return: (n, 25, columns)
    """
    padded = np.zeros((len(rows), ACTIONS, rows.shape[2]), dtype=np.float32)
    padded[:, : rows.shape[1] - 1] = rows[:, :-1]
    padded[:, -1] = rows[:, -1]
    if not competitors:
        hide_competitors(padded)
    return padded


def padded_mask(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """An action mask with stop in the last place.

    :param mask: (..., 3 K + 1)
    :return: (..., 25)
    """
    padded = np.zeros((*mask.shape[:-1], ACTIONS), dtype=np.bool_)
    padded[..., : mask.shape[-1] - 1] = mask[..., :-1]
    padded[..., -1] = mask[..., -1]
    return padded

"""Rows and masks of labs of any number of exam types as those of the most: one shape for all labs.

Rows and actions of the classes come first, 3 for each of 8 types; with reservations of D lengths, D for each type
follow, as in :mod:`~echo_env.lab.decisions.starts`; stop is the last one. The row of a reservation is that of its
type's first class, with its length behind it. Rows of types that a lab does not have are zero, as are those of
reservations that are not on offer.
"""

from __future__ import annotations

from collections.abc import Sequence

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.plan import MOST_TYPES
from echo_env.lab.decisions.kept_rows import KEPT_COLUMNS, KEPT_FEATURES
from echo_env.lab.decisions.numbers import HOUR
from echo_env.lab.decisions.starts import checked_reservations
from echo_env.lab.decisions.wide_rows import COLUMNS, LAST_MOST, LAST_SCALE, MOST, RIVAL_FEATURES, SCALE
from echo_env.lab.simulation.patient import CLASSES_PER_TYPE

STARTS = CLASSES_PER_TYPE * MOST_TYPES
"""Starts in a lab of most types."""


class Padding:
    """One shape of observations, masks and actions for all labs.

    :param reservations: (D,) minutes for which what a type needs can be kept
    :param competitors: whether the columns that say who competes are kept; else they are 0: for ablations
    :raises ValueError: a length that is no whole number of minutes from 1 on, or one twice
    """

    def __init__(self, reservations: Sequence[int] = (), competitors: bool = True) -> None:
        self.reservations = checked_reservations(reservations)
        self.competitors = competitors
        self.observation = "rows_kept" if self.reservations else "rows_wide"
        """What the rows are made of: one of ``OBSERVATIONS``."""
        self.actions = STARTS + MOST_TYPES * len(self.reservations) + 1
        """How many actions there are; the last one is stop."""
        # Behind the columns of rows_kept: whether a row is of a reservation, and of how long a one.
        self.columns = KEPT_COLUMNS + 2 if self.reservations else COLUMNS

    def space(self) -> gym.spaces.Box:
        """The space of observations: (actions, columns)."""
        most = np.zeros((self.actions, self.columns))
        most[:-1, :COLUMNS], most[-1, :COLUMNS] = MOST / SCALE, LAST_MOST / LAST_SCALE
        if self.reservations:
            most[:-1, COLUMNS:KEPT_COLUMNS] = [own.most / own.scale for own in KEPT_FEATURES]
            most[STARTS:-1, KEPT_COLUMNS:] = 1, max(self.reservations) / HOUR
        return gym.spaces.Box(0.0, most.astype(np.float32), dtype=np.float32)

    def mask(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """An action mask with stop in the last place.

        :param mask: (..., 3 K + 1 + K D)
        :return: (..., actions)
        """
        padded = np.zeros((*mask.shape[:-1], self.actions), dtype=np.bool_)
        padded[..., self.places((mask.shape[-1] - 1) // (CLASSES_PER_TYPE + len(self.reservations)))] = mask
        return padded

    def rows(self, rows: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Rows for the most types.

        :param rows: (n, 3 K + 1, columns) of :attr:`observation`
        :param mask: (n, actions), padded
        :return: (n, actions, columns)
        """
        padded = np.zeros((len(rows), STARTS + 1, rows.shape[2]), dtype=np.float32)
        padded[:, : rows.shape[1] - 1] = rows[:, :-1]
        padded[:, -1] = rows[:, -1]
        return self.shown(padded[:, :, :COLUMNS], padded[:, :-1:CLASSES_PER_TYPE, COLUMNS:], mask)

    def shown(
        self, rows: NDArray[np.float32], kept: NDArray[np.float32], mask: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """A new array of the rows that agents see.

        :param rows: (n, 25, columns of ``rows_wide``)
        :param kept: (n, 8, 2) the further columns of ``rows_kept`` of each type; without reservations of any size
        :param mask: (n, actions), padded
        :return: (n, actions, columns)
        """
        seen = np.zeros((len(rows), self.actions, self.columns), dtype=np.float32)
        seen[:, :STARTS, :COLUMNS], seen[:, -1, :COLUMNS] = rows[:, :-1], rows[:, -1]
        if not self.competitors:
            seen[:, :STARTS, COLUMNS - len(RIVAL_FEATURES) : COLUMNS] = 0
        if self.reservations:
            seen[:, :STARTS, COLUMNS:KEPT_COLUMNS] = np.repeat(kept, CLASSES_PER_TYPE, axis=1)
            which, choice = np.nonzero(mask[:, STARTS:-1])
            kind, length = np.divmod(choice, len(self.reservations))
            seen[which, STARTS + choice] = seen[which, CLASSES_PER_TYPE * kind]
            seen[which, STARTS + choice, KEPT_COLUMNS] = 1
            seen[which, STARTS + choice, KEPT_COLUMNS + 1] = np.array(self.reservations)[length] / HOUR
        return seen

    def own(self, action: NDArray[np.int64], types: int) -> NDArray[np.int64]:
        """Actions as a lab of so many types names them.

        :param action: of :attr:`actions`, feasible in the lab
        :param types: K
        """
        names, places = np.zeros(self.actions, dtype=np.int64), self.places(types)
        names[places] = np.arange(len(places))
        return names[action]

    def places(self, types: int) -> NDArray[np.int64]:
        """(3 K + 1 + K D,) where the actions of a lab of so many types stand.

        :param types: K
        """
        starts, kept = np.arange(CLASSES_PER_TYPE * types), np.arange(types * len(self.reservations))
        return np.concatenate([starts, [self.actions - 1], STARTS + kept])

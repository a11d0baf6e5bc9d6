"""The observation ``rows_kept``: that of ``rows_wide``, and how long what a type needs has been and will be kept."""

from __future__ import annotations

import numpy as np

from echo_env.lab.config.lab import Lab
from echo_env.lab.decisions.numbers import HOUR, LONGEST_SHOWN, ObservedNumber
from echo_env.lab.decisions.rows import Feature
from echo_env.lab.decisions.wide_rows import COLUMNS, wide_features, wide_row_numbers
from echo_env.lab.simulation.patient import CLASSES_PER_TYPE
from echo_env.lab.simulation.view import LabView

KEPT_FEATURES = (
    Feature("kept_since", HOUR, LONGEST_SHOWN, "minutes since its reservation was made, 0 if there is none"),
    Feature("kept_left", HOUR, LONGEST_SHOWN, "minutes until its reservation ends at the latest, 0 if there is none"),
)
"""Columns of a type behind those of ``rows_wide``; 0 in the last row."""
KEPT_COLUMNS = COLUMNS + len(KEPT_FEATURES)


def kept_features(config: Lab) -> list[ObservedNumber]:
    """The numbers of the observation, row by row.

    :param config: the lab
    """
    wide, numbers = wide_features(config), []
    last = len(wide) // COLUMNS - 1
    for row in range(last + 1):
        numbers += wide[COLUMNS * row : COLUMNS * (row + 1)]
        label = "lab" if row == last else f"row_{row}"
        numbers += [ObservedNumber(f"{label}_{own.name}", own.scale, own.most * (row < last)) for own in KEPT_FEATURES]
    return numbers


def kept_shape(config: Lab) -> tuple[int, ...]:
    """(3 K + 1, columns)."""
    return CLASSES_PER_TYPE * len(config.plan.types) + 1, KEPT_COLUMNS


def kept_row_numbers(view: LabView) -> list[float]:
    """The row of :func:`kept_features` now, before scaling."""
    wide = np.array(wide_row_numbers(view)).reshape(-1, COLUMNS)
    table = np.zeros((len(wide), KEPT_COLUMNS))
    table[:, :COLUMNS] = wide
    for kind, own in view.reservations.items():
        rows = slice(CLASSES_PER_TYPE * kind, CLASSES_PER_TYPE * (kind + 1))
        table[rows, COLUMNS:] = np.minimum([view.minute - own.since_min, own.until_min - view.minute], LONGEST_SHOWN)
    row: list[float] = table.ravel().tolist()
    return row

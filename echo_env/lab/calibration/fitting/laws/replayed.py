"""How far replayed exams are from the recorded ones, by minutes of preparation."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.calibration.validation.replay import Replayer
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config.lab import Lab

Floats = NDArray[np.float64]

MINUTES = tuple(range(46))
"""Minutes of preparation that are tried."""
_MOST_DAYS = 60
"""Days that are played again, spread over the record: more would not make whole minutes more certain."""


def replay_errors(visits: Visits, config: Lab, minutes: Sequence[int] = MINUTES) -> Floats:
    """Begin simulated minus begin recorded of each visit, by minutes of preparation of all exam types.

    Patients are ready so many minutes after check-in: what was recorded of preparations is not used, since a simulated
    lab has none either.

    :param visits: the visits
    :param config: the lab
    :param minutes: (P,) minutes of preparation
    :return: (n, P) float64, nan for visits without begin or check-in, on days that were not played, or not begun
    """
    import pandas as pd

    table = visits.table
    days = visits.days
    chosen = {days[k] for k in np.unique(np.linspace(0, len(days) - 1, min(len(days), _MOST_DAYS)).astype(np.int64))}
    unprepared = pd.Series(pd.NA, table.index, dtype="Int64")
    played = table[table["day"].isin(chosen)].assign(vitals_in=unprepared, vitals_out=unprepared)
    replayer = Replayer(dataclasses.replace(visits, table=played), config)
    errors = np.full((len(table), len(minutes)), np.nan)
    for column, prepared in enumerate(minutes):
        rows = replayer.play(preparation_min=prepared)
        far = (rows["simulated_begin"] - rows["seen_begin"]).to_numpy(dtype=np.float64, na_value=np.nan)
        errors[table.index.get_indexer(rows.index), column] = far
    return errors


def nearest_minutes(errors: Floats, minutes: Sequence[int]) -> int:
    """The minutes of preparation with which replayed begins fit the recorded ones.

    The mean absolute error is flat near its least value where begins vary for reasons that are not in the record. Of
    all minutes within one standard error of it, those count that have the least mean squared error, because mean
    waits are what a lab is asked about. In a record that the lab explains, no other minutes are so near.

    :param errors: (n, P) begin simulated minus begin recorded, n at least 1
    :param minutes: (P,) minutes of the columns
    """
    far = np.abs(errors)
    more = far - far[:, [int(far.mean(axis=0).argmin())]]
    near = more.mean(axis=0) <= more.std(axis=0) / np.sqrt(len(more))
    squared = np.where(near, (errors**2).mean(axis=0), np.inf)
    return minutes[int(squared.argmin())]

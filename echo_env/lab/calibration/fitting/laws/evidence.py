"""What the visits say about the numbers of a lab, one array entry a visit, so that visits can be resampled."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.calibration.visits import Visits

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LEAST_DAYS = 30
"""Days from which on whole days are resampled."""


class Evidence(NamedTuple):
    """Quantities of n visits; nan where a visit has none.

    :param day: (n,) int64, number of the day
    :param type: (n,) int64, number of the exam type, -1 where it is unknown
    :param known: (n,) bool, an exam was booked, and it is known whether the patient came
    :param no_show: (n,) bool, of those who did not come
    :param offset: (n,) check-in minus expected check-in, minutes
    :param exam: (n,) length of the exam, minutes
    :param lead: (n,) appointment minus expected check-in, minutes
    :param vitals: (n,) end of a preparation that was recorded before the exam minus check-in, minutes
    :param errors: (n, P) begin of the replayed exam minus begin recorded, by minutes of preparation
    """

    day: Ints
    type: Ints
    known: Bools
    no_show: Bools
    offset: Floats
    exam: Floats
    lead: Floats
    vitals: Floats
    errors: Floats

    def take(self, rows: Ints) -> Evidence:
        """The evidence of some visits, any number of times each.

        :param rows: (m,) int64, numbers of visits
        """
        return Evidence._make(part[rows] for part in self)


def evidence_of(visits: Visits, types: tuple[str, ...]) -> Evidence:
    """The evidence of all visits, without replays.

    Without a column of expected check-ins, patients are expected at the appointment.

    :param visits: the visits
    :param types: exam types in the order of the lab
    """
    table = visits.table
    booked, came = table["booked"] == "yes", table["came"]
    expects = bool(table["expected"].notna().any())
    offset = table["offset_min"] if expects else _appointment_offset(table)
    before = table["vitals_out"].notna() & (table["vitals_out"] <= table["begin"]).fillna(False)
    vitals = (table["vitals_out"] - table["actual"]).where(before)
    return Evidence(
        day=table["day"].map({day: number for number, day in enumerate(visits.days)}).to_numpy(dtype=np.int64),
        type=table["type"].map({name: number for number, name in enumerate(types)}).fillna(-1).to_numpy(dtype=np.int64),
        known=(booked & (came != "unknown")).to_numpy(dtype=bool),
        no_show=(booked & (came == "no")).to_numpy(dtype=bool),
        offset=_floats(offset),
        exam=_floats(table["exam_min"]),
        lead=_floats((table["scheduled"] - table["expected"]).where(booked)),
        vitals=_floats(vitals.where(vitals > 0)),
        errors=np.full((len(table), 0), np.nan),
    )


def _appointment_offset(table: pd.DataFrame) -> pd.Series:
    """Check-in minus appointment; a check-in after the exam began cannot be the arrival."""
    sensible = ~(table["actual"] > table["begin"]).fillna(False) & (table["booked"] == "yes")
    return (table["actual"] - table["scheduled"]).where(sensible)


def _floats(column: pd.Series) -> Floats:
    return np.asarray(column.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan))


def resampled_rows(evidence: Evidence, rng: np.random.Generator, count: int) -> list[Ints]:
    """Rows of bootstrap samples: whole days where there are enough of them, else visits, type by type.

    What the visits of a day have in common makes intervals wider than visits by themselves would tell: whole days
    keep it. But a handful of days has too few different samples for an interval, so that visits are drawn instead,
    as if independent.

    :param evidence: of all visits
    :param rng: random generator
    :param count: number of samples
    """
    if resampled_days(evidence):
        days = np.unique(evidence.day)
        of_day = [np.flatnonzero(evidence.day == day) for day in days]
        drawn = rng.integers(len(days), size=(count, len(days)))
        return [np.concatenate([of_day[day] for day in sample]) for sample in drawn.tolist()]
    strata = [np.flatnonzero(evidence.type == name) for name in np.unique(evidence.type)]
    return [np.concatenate([rng.choice(stratum, len(stratum)) for stratum in strata]) for _ in range(count)]


def resampled_days(evidence: Evidence) -> int:
    """Number of days if whole days are resampled, else 0.

    :param evidence: of all visits
    """
    days = len(np.unique(evidence.day))
    return days if days >= LEAST_DAYS else 0


def what_is_resampled(evidence: Evidence) -> str:
    """In words, with the reason.

    :param evidence: of all visits
    """
    days = len(np.unique(evidence.day))
    if days >= LEAST_DAYS:
        return f"days, {days} of them, so that what the visits of a day share is kept"
    number = f"{days} recorded day{'s' if days > 1 else ''}"
    return f"visits, because {number} would be too few to resample (at least {LEAST_DAYS})"

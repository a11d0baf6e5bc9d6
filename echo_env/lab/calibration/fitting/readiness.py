"""When patients are ready, and who comes without an appointment: what the visits tell without replays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from echo_env.lab.calibration.fitting.estimates import Estimate, share_of
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config.clock import clock_text
from echo_env.lab.config.loading import Values

if TYPE_CHECKING:
    import pandas as pd

_WELL_BEFORE = (30, 20, 15)
"""Minutes before the appointment at which a patient who checks in is taken to be ready before it; the first of them
for which there are enough patients counts."""
_LEAST_READY = 10
"""Patients ready before their appointment from which it can be told whether they are taken early."""
_MAY = 0.25
"""Share of them taken early from which a lab is said to begin exams before their appointments."""
_HOUR = 60


def early_begins(visits: Visits, name: str, default: bool, base_name: str) -> tuple[bool, Estimate]:
    """Whether exams of a type may begin before their appointment.

    Where they may not, the share of begins before it among patients who were ready before it is small, but not 0: the
    odd patient is taken early. Where they may, it is as large as resources allow. A type of which too few came early
    enough is judged by all types together.

    :param visits: the visits
    :param name: exam type
    :param default: answer where too few patients of all types were ready before their appointment
    :param base_name: lab that the default is from
    """
    table = visits.table
    exams = table[table["begin"].notna() & table["scheduled"].notna() & ~table["unscheduled"]]
    whose, rows, minutes = _came_well_before(exams, name)
    early = share_of(int((rows["begin"] < rows["scheduled"]).sum()), len(rows))
    path = f"exam_types.{name}.may_begin_early"
    words = f"share of {whose} begun before the appointment, of those who came {minutes} min before it"
    if early.of < _LEAST_READY:
        source = f"not identified, only {early.of} came so early; as in {base_name}"
        return default, Estimate(path, words, float(default), rows=early.of, source=source)
    may = early.share > _MAY
    source = f"{early.count} of {early.of} of {whose}: exams {'may' if may else 'do not'} begin before the appointment"
    return may, Estimate(path, words, early.share, early.low, early.high, early.of, source)


def _came_well_before(exams: pd.DataFrame, name: str) -> tuple[str, pd.DataFrame, int]:
    """Exams whose patients must have been ready before the appointment: of whom, which, and how long before it."""
    before = (exams["scheduled"] - exams["actual"]).fillna(0)
    for minutes in _WELL_BEFORE:
        rows = exams[((exams["type"] == name) & (before >= minutes)).to_numpy(dtype=bool)]
        if len(rows) >= _LEAST_READY:
            return name, rows, minutes
    return "all types", exams[(before >= minutes).to_numpy(dtype=bool)], minutes


def unscheduled_counts(visits: Visits, name: str) -> dict[str, int]:
    """Clock hour -> patients without an appointment who came in it for exams of a type, over all days.

    :param visits: the visits
    :param name: exam type
    """
    table = visits.table
    own = table[table["unscheduled"] & (table["type"] == name)]
    came: pd.Series = own["actual"].fillna(own["begin"]).dropna()
    hours, counts = np.unique(came.to_numpy(dtype=np.int64) // _HOUR * _HOUR, return_counts=True)
    return {clock_text(int(hour)): int(count) for hour, count in zip(hours, counts, strict=True)}


def unscheduled_estimates(name: str, counts: dict[str, int], days: int) -> list[Estimate]:
    """Expected numbers an hour with exact Poisson intervals.

    :param name: exam type
    :param counts: from :func:`unscheduled_counts`
    :param days: number of recorded days
    """
    found = []
    for hour, count in counts.items():
        low, high = float(stats.chi2.ppf(0.025, 2 * count)) / 2, float(stats.chi2.ppf(0.975, 2 * count + 2)) / 2
        path, words = f"exam_types.{name}.unscheduled.{hour}", f"{name} without appointment in the hour from {hour}"
        source = f"{count} patients on {days} days"
        found.append(Estimate(path, words, round(count / days, 3), low / days, high / days, count, source))
    return found


def unscheduled_resampled(name: str, counts: dict[str, int], days: int, rng: np.random.Generator) -> Values:
    """Expected numbers of a bootstrap sample: Poisson, around the counts.

    :param name: exam type
    :param counts: from :func:`unscheduled_counts`
    :param days: number of recorded days
    :param rng: random generator
    """
    drawn: Values = {}
    for hour, count in counts.items():
        drawn[f"exam_types.{name}.unscheduled.{hour}"] = round(int(rng.poisson(count)) / days, 3)
    return drawn


def clock_hours(visits: Visits, book: dict[str, tuple[int, ...]], base: Any) -> tuple[tuple[int, int, int], str]:
    """Opening, closing and end, minutes after midnight: the base's, widened to half hours by what was recorded.

    :param visits: the visits
    :param book: exam type -> appointments, minutes after midnight
    :param base: hours of the base lab, see :class:`~echo_env.lab.config.lab_config.Hours`
    """
    table = visits.table
    begins = [int(minute) for times in book.values() for minute in times]
    last = list(begins)
    for name in ("expected", "begin"):
        begins += table[name].dropna().astype(int).tolist()
    # The hour in which somebody comes without an appointment begins before closing.
    unscheduled = (table.loc[table["unscheduled"], "actual"].dropna().astype(int) + 1).tolist()
    opening = min(base.opening_min, min(begins, default=base.opening_min) // 30 * 30)
    closing = max(base.opening_min + base.closing_min, -(-max([*last, *unscheduled], default=0) // 30) * 30)
    ends = table["end"].dropna().astype(int).tolist()
    end = max(base.opening_min + base.end_min, closing, -(-max(ends, default=0) // 30) * 30)
    own = (opening, closing, end)
    same = own == (base.opening_min, base.opening_min + base.closing_min, base.opening_min + base.end_min)
    return own, "" if same else ", widened to include all recorded times"

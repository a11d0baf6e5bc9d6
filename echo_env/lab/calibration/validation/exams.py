"""Recorded and simulated days in one form, and the numbers in which they are compared."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from echo_env.common.stats import Estimate, student_quantile
from echo_env.lab.calibration.validation.recorded import recorded_exams
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import sample_days
from echo_env.lab.evaluation.comparison import CHUNK, choose_engine
from echo_env.lab.policies.base import make_policy
from echo_env.lab.simulation.metrics import DayResults, day_results, joined_results
from echo_env.lab.simulation.simulator import simulate

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray
Ints = np.ndarray

A_DAY = 1440
COMPLETE = 0.9
"""A recorded day tells about rooms, staff and its end if so large a share of its exams has a begin and an end."""


@dataclass(frozen=True)
class Exams:
    """The m exams of n days. Times are minutes after midnight.

    :param day: (m,) int64, number of the day
    :param kind: (m,) int64, number of the exam type
    :param waits_from: (m,) float64, the later of check-in and expected check-in; nan where it is unknown
    :param scheduled: (m,) float64, appointment; nan without one
    :param begin: (m,) float64
    :param end: (m,) float64
    :param examined: (n,) float64, patients who came and were not left waiting; nan where that is not known
    :param complete: (n,) bool, days of which nearly all exams have a begin and an end
    """

    day: Ints
    kind: Ints
    waits_from: Floats
    scheduled: Floats
    begin: Floats
    end: Floats
    examined: Floats
    complete: np.ndarray

    @property
    def days(self) -> int:
        """Number of days."""
        return len(self.examined)

    @property
    def wait(self) -> Floats:
        """(m,) minutes from check-in, or expected check-in if that is later, to the begin."""
        return self.begin - self.waits_from


class Sums(NamedTuple):
    """A number of each of n days as a sum and how many values it is of: their mean is the ratio of the sums.

    :param total: (n,) float64
    :param values: (n,) float64, 0 where the day says nothing
    """

    total: Floats
    values: Floats

    @property
    def known(self) -> Sums:
        """Those of the days that say something."""
        return Sums(self.total[self.values > 0], self.values[self.values > 0])

    def mean(self) -> Estimate:
        """The mean with its 95 % interval, with days as what is sampled (Student's, for a ratio)."""
        total, values = self.known
        n = len(total)
        if not n:
            return Estimate(np.nan, np.nan, np.nan, 0)
        mean = float(total.sum() / values.sum())
        if n < 2:
            return Estimate(mean, np.nan, np.nan, n)
        error = np.sqrt(n / (n - 1) * ((total - mean * values) ** 2).sum()) / values.sum()
        half = float(student_quantile(n - 1) * error)
        return Estimate(mean, mean - half, mean + half, n)


class Number(NamedTuple):
    """A number in which recorded and simulated days are compared.

    :param name: as in files
    :param words: what it is
    :param unit: of it
    :param tolerance: a difference up to this one does not matter; of ``exams`` as a share
    :param of: computes it
    """

    name: str
    words: str
    unit: str
    tolerance: float
    of: Callable[[Exams], Sums]


TOLERANCE_MIN = 3.0
"""Waiting times that differ by at most so many minutes are called equal."""


def numbers_of(config: Lab) -> tuple[Number, ...]:
    """The numbers in which days of a lab are compared.

    :param config: the lab
    """
    types, rooms = config.plan.types, max(len(config.plan.room_group), 1)
    open_min = rooms * config.plan.closing_min
    of_types = [
        Number(
            f"wait_{own.name}_min",
            f"wait of {words_of(own.name)} patients",
            "minutes",
            TOLERANCE_MIN,
            partial(wait_sums, kind=k),
        )
        for k, own in enumerate(types)
        if len(types) > 1
    ]
    return (
        Number("wait_min", "wait from check-in", "minutes", TOLERANCE_MIN, wait_sums),
        *of_types,
        Number("delay_min", "delay after the appointment", "minutes", TOLERANCE_MIN, _delay),
        Number("late_share", "share begun over 15 minutes late", "share", 0.1, _late),
        Number("exams", "patients examined a day", "patients", 0.05, _examined),
        Number("last_end_min", "end of the last exam", "time", 15.0, _last_end),
        Number("at_once", "most exams at once", "exams", 0.5, _at_once),
        Number("utilisation", "use of the lab's rooms", "share", 0.05, partial(_utilisation, open_min=open_min)),
    )


def words_of(name: str) -> str:
    """An exam type in words."""
    return name.replace("_", "-")


def _by_day(exams: Exams, values: Floats, which: np.ndarray) -> Sums:
    which = which & ~np.isnan(values)
    day = exams.day[which]
    return Sums(np.bincount(day, values[which], exams.days), np.bincount(day, minlength=exams.days).astype(np.float64))


def wait_sums(exams: Exams, kind: int | None = None) -> Sums:
    """Waits of a day from check-in to exam.

    :param exams: of the days
    :param kind: number of an exam type; of all if it is left out
    """
    return _by_day(exams, exams.wait, np.full(len(exams.day), True) if kind is None else exams.kind == kind)


def _delay(exams: Exams) -> Sums:
    return _by_day(exams, exams.begin - exams.scheduled, np.full(len(exams.day), True))


def _late(exams: Exams) -> Sums:
    return _by_day(exams, (exams.begin - exams.scheduled > 15).astype(np.float64), ~np.isnan(exams.scheduled))


def _examined(exams: Exams) -> Sums:
    known = ~np.isnan(exams.examined)
    return Sums(np.where(known, exams.examined, 0.0), known.astype(np.float64))


def _last_end(exams: Exams) -> Sums:
    last = np.zeros(exams.days)
    np.maximum.at(last, exams.day, exams.end)
    return Sums(np.where(exams.complete, last, 0.0), (exams.complete & (last > 0)).astype(np.float64))


def _at_once(exams: Exams) -> Sums:
    return Sums(np.where(exams.complete, under_way(exams).max(axis=1), 0), exams.complete.astype(np.float64))


def _utilisation(exams: Exams, open_min: int) -> Sums:
    busy = np.bincount(exams.day, exams.end - exams.begin, exams.days) / open_min
    return Sums(np.where(exams.complete, busy, 0.0), exams.complete.astype(np.float64))


def under_way(exams: Exams) -> Ints:
    """(n, 1440) int64, exams under way in each minute after midnight."""
    change = np.zeros((exams.days, A_DAY + 1), dtype=np.int64)
    np.add.at(change, (exams.day, np.minimum(exams.begin, A_DAY).astype(np.int64)), 1)
    np.add.at(change, (exams.day, np.minimum(exams.end, A_DAY).astype(np.int64)), -1)
    return np.cumsum(change[:, :-1], axis=1)


def seen_exams(visits: Visits, config: Lab) -> Exams:
    """The recorded exams.

    :param visits: the record; only days with an exam count
    :param config: the lab
    :raises ValueError: the record has an exam type that the lab lacks
    """
    table, exams = visits.table, recorded_exams(visits, config)
    number = {name: k for k, name in enumerate(dict.fromkeys(exams["day"]))}
    came = ((table["came"] == "yes") & (table["booked"] == "yes")) | table["begin"].notna()
    unknown = ~came & (table["came"] == "unknown") & (table["booked"] != "no")

    def a_day(which: pd.Series) -> Floats:
        return table.loc[which, "day"].value_counts().reindex(list(number), fill_value=0).to_numpy(dtype=np.float64)

    examined, recorded = a_day(came), a_day(table["begin"].notna() & table["exam_min"].notna())
    examined = np.where(a_day(unknown) <= (1 - COMPLETE) * examined, examined, np.nan)
    begin = exams["begin"].to_numpy(dtype=np.float64)
    known = exams["actual"].notna().to_numpy()
    return Exams(
        day=exams["day"].map(number).to_numpy(dtype=np.int64),
        kind=exams["kind"].to_numpy(),
        waits_from=np.where(known, exams["waits_from_min"].to_numpy(dtype=np.float64), np.nan),
        scheduled=exams["scheduled"].to_numpy(dtype=np.float64, na_value=np.nan),
        begin=begin,
        end=begin + exams["takes_min"].to_numpy(),
        examined=examined,
        complete=recorded >= COMPLETE * examined,
    )


def simulated_exams(config: Lab, rule: str, days: int, seed: int) -> Exams:
    """The exams of simulated days.

    :param config: the lab
    :param rule: name of a policy that works in any lab
    :param days: how many days
    :param seed: of the days
    """
    results = played_days(config, rule, days, seed)
    leads = np.array([kind.check_in_lead_min for kind in config.plan.types], dtype=np.int64)
    due = results.scheduled - np.where(results.unscheduled, 0, leads[results.exam_type])
    opening = config.plan.opening_min
    begun = results.start >= 0
    return Exams(
        day=np.nonzero(begun)[0],
        kind=results.exam_type[begun],
        waits_from=opening + np.maximum(results.arrival, due)[begun].astype(np.float64),
        scheduled=np.where(results.unscheduled, np.nan, opening + results.scheduled)[begun],
        begin=opening + results.start[begun].astype(np.float64),
        end=opening + results.end[begun].astype(np.float64),
        examined=begun.sum(axis=1).astype(np.float64),
        complete=np.full(days, True),
    )


def days_like(visits: Visits, config: Lab, books: Mapping[str, Lab], rule: str, days: int, seed: int) -> Exams:
    """Simulated days, of each weekday as many as its share of the record.

    :param visits: the record
    :param config: the lab of weekdays without one of their own, and of days without a date
    :param books: weekday, as in ``monday`` -> the lab of that day
    :param rule: name of a policy that works in any lab
    :param days: how many days, about
    :param seed: of the days
    """
    if not books:
        return simulated_exams(config, rule, days, seed)
    recorded = visits.table.loc[visits.table["begin"].notna(), "day"].unique()
    weekdays = [weekday_of(str(day)) for day in recorded]
    parts = []
    for weekday in dict.fromkeys(weekdays):
        own = max(round(days * weekdays.count(weekday) / len(weekdays)), 2)
        parts.append(simulated_exams(books.get(weekday, config), rule, own, seed))
    return _joined(parts)


def weekday_of(day: str) -> str:
    """``2026-03-02`` -> ``monday``; empty for a name that is no date.

    :param day: name of a day
    """
    try:
        return dt.date.fromisoformat(day).strftime("%A").lower()
    except ValueError:
        return ""


def _joined(parts: list[Exams]) -> Exams:
    first = np.cumsum([0, *(part.days for part in parts)])
    whole = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Exams)
        if field.name != "day"
    }
    days = np.concatenate([part.day + shift for part, shift in zip(parts, first[:-1].tolist(), strict=True)])
    return Exams(day=days, **whole)


def played_days(config: Lab, rule: str, days: int, seed: int) -> DayResults:
    """Simulated days.

    :param config: the lab
    :param rule: name of a policy that works in any lab
    :param days: how many days
    :param seed: of the days
    """
    policy, parts = make_policy(rule, config), []
    compiled = choose_engine(policy, "auto") == "compiled"
    for first in range(0, days, CHUNK):
        drawn = sample_days(config, min(CHUNK, days - first), seed, first)
        if compiled:
            from echo_env.lab.evaluation.engines import play_days

            parts.append(play_days(config, policy, drawn))
        else:
            parts += [day_results(simulate(config, day, policy)) for day in drawn]
    return joined_results(parts)

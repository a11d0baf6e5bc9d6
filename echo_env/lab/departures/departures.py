"""Departures of one policy from another over many days: how often, when, in which states, and savings (section 6.0.5).

:func:`~echo_env.lab.departures.state_by_state.state_by_state` shows a single day minute by minute; this module
summarises many days for those who run a lab (needs pandas).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.stats import Estimate, estimate, paired_difference
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import sample_days
from echo_env.lab.departures import words
from echo_env.lab.evaluation.comparison import CHUNK
from echo_env.lab.simulation.patient import CLASSES_PER_TYPE
from echo_env.lab.simulation.penalty import penalty_points
from echo_env.lab.simulation.policy import Policy
from echo_env.lab.simulation.trace import count_names

if TYPE_CHECKING:
    import pandas as pd

    from echo_env.lab.departures.counterfactual import Decisions


class Columns(NamedTuple):
    """Columns of :attr:`Departures.decisions` that depend on the lab.

    :param waiting: (3 K,) patients waiting, by class
    :param free: free rooms and members of staff, by group in the plan's order of columns
    :param followed: (3 K,) exams that the followed policy begins, by class
    :param other: (3 K,) those that the other policy would begin
    """

    waiting: tuple[str, ...]
    free: tuple[str, ...]
    followed: tuple[str, ...]
    other: tuple[str, ...]

    @property
    def every(self) -> tuple[str, ...]:
        """All columns of the table, in order."""
        own = (*self.waiting, *self.free, *self.followed, *self.other)
        return ("day", "minute", "time", *own, "departs", "kind", "saved")


def columns_of(config: Lab) -> Columns:
    """The columns of a lab's decisions.

    :param config: the lab
    """
    plan, names = config.plan, count_names(config)
    classes = CLASSES_PER_TYPE * len(plan.types)
    free = names[classes : classes + len(plan.room_columns) + len(plan.staff_columns)]
    of_class = [name.removeprefix("waiting_") for name in names[:classes]]
    begins = (tuple(f"{prefix}begins_{name}" for name in of_class) for prefix in ("", "other_"))
    return Columns(names[:classes], free, *begins)


GROUP_COLUMNS = (
    "departures",
    "share",
    "per_day",
    "saved",
    "saved_low",
    "saved_high",
    "saved_per_day",
    "helped",
    "hurt",
)
"""Columns of :meth:`Departures.by_kind`, after ``kind``."""


@dataclass(frozen=True)
class Departures:
    """The decisions of one policy, with those of another policy in the same states.

    ``decisions`` has a row for each decision with a choice: number of the ``day``; ``minute`` since opening and clock
    ``time``; patients waiting, by class; free rooms and sonographers; exams begun, by class, and those that the other
    policy would begin; whether the policy ``departs`` from it; the ``kind`` of departure in words (empty if none);
    and the points ``saved`` by the end of the day, see :func:`find_departures`.

    :param followed: name of the policy that played the days
    :param other: name of the policy compared with
    :param config: the lab
    :param seed: seed of the days
    :param decisions: a row for each decision, columns as in :func:`columns_of`
    :param penalty: (days,) float64, points of each day under the followed policy
    :param other_penalty: (days,) float64, points of each day under the other policy
    """

    followed: str
    other: str
    config: Lab
    seed: int
    decisions: pd.DataFrame
    penalty: NDArray[np.float64]
    other_penalty: NDArray[np.float64]

    @property
    def lab(self) -> str:
        """Name of the lab."""
        return self.config.name

    @property
    def days(self) -> int:
        """Number of days."""
        return len(self.penalty)

    @property
    def departures(self) -> pd.DataFrame:
        """The rows of ``decisions`` in which the policies differ."""
        return self.decisions[self.decisions["departs"]]

    def per_day(self) -> Estimate:
        """Departures a day."""
        return estimate(self._by_day(self.departures, np.ones(len(self.departures))))

    def whole_day(self) -> Estimate:
        """Points that the other policy pays more a day."""
        return paired_difference(self.other_penalty, self.penalty)

    def saved(self, departures: pd.DataFrame | None = None) -> Estimate:
        """Mean points that a departure saves.

        Departures of one day are dependent, so the interval is that of a ratio of two sums over days.

        :param departures: a subset of them, by default all
        """
        rows = self.departures if departures is None else departures
        count = self._by_day(rows, np.ones(len(rows)))
        if not len(rows):
            return estimate([])
        mean = float(rows["saved"].mean())
        residual = estimate(self._by_day(rows, rows["saved"].to_numpy()) - mean * count)
        # One day says nothing about the variation between days.
        half = residual.half_width / float(count.mean()) if (count > 0).sum() > 1 else math.nan
        return Estimate(mean, mean - half, mean + half, len(rows))

    def by_kind(self) -> pd.DataFrame:
        """A row for each kind of departure, the most frequent first.

        Columns: ``departures``, their ``share`` and number ``per_day``; mean points ``saved`` by each with the
        interval ``saved_low`` to ``saved_high``, and ``saved_per_day`` by all; the shares ``helped`` and ``hurt`` that
        saved and that cost points.
        """
        return self._grouped(["kind"], self.departures)

    def by_hour(self) -> pd.DataFrame:
        """A row for each hour with a choice; columns as in :meth:`by_situation`."""
        return self._among_choices(self.decisions.assign(hour=self.decisions["time"].str[:3] + "00"), ["hour"])

    def by_situation(self) -> pd.DataFrame:
        """A row for each situation with a departure: classes waiting and free resources, the most frequent first.

        Columns: those of :meth:`by_kind`, the number of ``choices`` in such situations, and the share of them in
        which the policy ``departs``.
        """
        rows, config, columns = self.decisions, self.config, columns_of(self.config)
        present = rows[list(columns.waiting)].to_numpy() > 0
        waiting = _in_words(present, lambda row: words.waiting_in_words(config, row, numbered=False))
        free = _in_words(rows[list(columns.free)].to_numpy(), lambda row: words.free_in_words(config, row))
        table = self._among_choices(rows.assign(waiting=waiting, free=free), ["waiting", "free"])
        table = table[table["departures"] > 0]
        return table.sort_values("departures", ascending=False, kind="stable", ignore_index=True)

    def _by_day(self, rows: pd.DataFrame, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(rows["day"], weights=values, minlength=self.days).astype(np.float64)

    def _among_choices(self, rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
        table = rows.groupby(keys, as_index=False).agg(choices=("departs", "size"), departs=("departs", "mean"))
        own = self._grouped(keys, rows[rows["departs"]])
        table = table.merge(own, "left", on=keys)
        return table.fillna(dict.fromkeys(("departures", "share", "per_day", "saved_per_day"), 0))

    def _grouped(self, keys: list[str], departures: pd.DataFrame) -> pd.DataFrame:
        import pandas as pd

        rows = []
        for key, group in departures.groupby(keys):
            saved = self.saved(group)
            rows.append(
                {
                    **dict(zip(keys, key, strict=True)),
                    "departures": len(group),
                    "share": len(group) / len(departures),
                    "per_day": len(group) / self.days,
                    "saved": saved.mean,
                    "saved_low": saved.low,
                    "saved_high": saved.high,
                    "saved_per_day": group["saved"].sum() / self.days,
                    "helped": (group["saved"] > 0).mean(),
                    "hurt": (group["saved"] < 0).mean(),
                }
            )
        table = pd.DataFrame(rows, columns=[*keys, *GROUP_COLUMNS])
        return table.sort_values("departures", ascending=False, kind="stable", ignore_index=True)


def find_departures(
    config: Lab,
    followed: Policy,
    other: Policy,
    days: int,
    seed: int,
    progress: Callable[[int], None] | None = None,
) -> Departures:
    """Play days under one policy, and compare each of its decisions with that of another policy in the same state.

    The saving of a departure is counterfactual, on the same day: the other policy decides once, at this moment, and
    the followed policy from then on; the extra penalty by the end of the day is what the departure saved. The
    savings of a day do not add up to the difference between the two policies: a departure that is prevented may be
    made a minute later.

    :param config: the lab
    :param followed: plays the days; a trained agent, or a rule that serves by class
    :param other: the policy compared with; likewise
    :param days: number of days, at least 1
    :param seed: seed of the days, the same days as in :func:`~echo_env.lab.evaluation.comparison.evaluate`
    :param progress: called with a number of days whenever these have been played
    :raises ValueError: no day, or a policy that is not memoryless
    """
    from echo_env.lab.departures import counterfactual
    from echo_env.lab.evaluation import engines as compiled

    if days < 1:
        raise ValueError(f"days is {days}, but must be at least 1")
    parts, other_penalty = [], []
    for first in range(0, days, CHUNK):
        chunk = sample_days(config, min(CHUNK, days - first), seed, first)
        part = counterfactual.follow(config, followed, other, chunk)
        parts.append(part._replace(day=part.day + first))
        units = compiled.play_days(config, other, chunk).units
        other_penalty.append(np.asarray(penalty_points(config, units.T).total, dtype=np.float64))
        if progress:
            progress(len(chunk))
    every = counterfactual.Decisions(*map(np.concatenate, zip(*parts, strict=True)))
    table = _table(config, every, other.name)
    return Departures(followed.name, other.name, config, seed, table, every.penalty, np.concatenate(other_penalty))


def _table(config: Lab, every: Decisions, other: str) -> pd.DataFrame:
    """The decisions as :attr:`Departures.decisions` has them."""
    import pandas as pd

    difference, names = every.followed - every.other, columns_of(config)
    columns: dict[str, Any] = {"day": every.day, "minute": every.minute}
    columns["time"] = [config.hours.clock(minute) for minute in every.minute.tolist()]
    for own, block in (
        (names.waiting, every.waiting),
        (names.free, every.free),
        (names.followed, every.followed),
        (names.other, every.other),
    ):
        columns |= dict(zip(own, block.T, strict=True))
    columns["departs"] = difference.any(axis=1)
    columns["kind"] = _in_words(difference, lambda row: words.kind_in_words(config, row, other))
    columns["saved"] = every.saved
    return pd.DataFrame(columns, columns=list(names.every))


def _in_words(
    rows: NDArray[np.int64] | NDArray[np.bool_], words: Callable[[Sequence[int]], str]
) -> NDArray[np.object_]:
    """Words for each row; each distinct row is put into words once."""
    if not len(rows):
        return np.empty(0, dtype=object)
    unique, inverse = np.unique(rows, axis=0, return_inverse=True)
    return np.array([words(row) for row in unique.tolist()], dtype=object)[inverse.reshape(-1)]

"""What happened on a day. Every metric and figure starts from here."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.extras import require
from echo_env.common.files import written_whole
from echo_env.lab.config import LabConfig
from echo_env.lab.day import NO_SHOW, TURNED_AWAY, Day
from echo_env.lab.simulation.patient import PatientClass, waits_since
from echo_env.lab.simulation.penalty import PenaltyParts, idle_rule_index, penalty_points, penalty_units

if TYPE_CHECKING:
    import pandas as pd

COUNTS = (
    *(f"waiting_{kind.name.lower()}" for kind in PatientClass),
    "free_rooms_non_fetal",
    "free_rooms_fetal",
    "free_sonographers_non_fetal",
    "free_sonographers_fetal",
    "on_break_non_fetal",
    "on_break_fetal",
)
"""Columns of :attr:`Trace.minutes`."""


class ExamRecord(NamedTuple):
    """An exam that was begun; ``end_min`` is the minute in which room and sonographer are let go."""

    patient: int
    room: int
    sonographer: int
    start_min: int
    end_min: int
    patient_class: PatientClass


class BreakRecord(NamedTuple):
    """A sonographer's break, from ``start_min`` up to ``end_min``."""

    sonographer: int
    start_min: int
    end_min: int


class PatientRecord(NamedTuple):
    """A patient's day. Times are minutes since opening, None for what did not happen.

    ``outcome`` is ``served``, ``no_show``, ``turned_away`` or ``left_waiting``. ``waiting_min`` is from the
    later of arrival and appointment to the start of the exam, at least 0, for those served.
    """

    patient: int
    fetal: bool
    scheduled_min: int
    arrival_min: int | None
    outcome: str
    patient_class: str | None
    start_min: int | None
    end_min: int | None
    room: int | None
    sonographer: int | None
    waiting_min: int | None


@dataclass(frozen=True)
class Trace:
    """One day, done.

    :param config: the lab
    :param day: its luck
    :param exams: in the order in which they were begun
    :param breaks: in the order in which they began
    :param rows: (minute, counts after the decision ...), one for each stretch in which nothing changed
    :param units: penalty units of the day, see :func:`~echo_env.lab.simulation.penalty.penalty_units`
    """

    config: LabConfig
    day: Day
    exams: Sequence[ExamRecord]
    breaks: Sequence[BreakRecord]
    rows: Sequence[tuple[int, ...]]
    units: tuple[int, ...]

    @property
    def penalty(self) -> PenaltyParts:
        """The day's penalty by cause, points."""
        return penalty_points(self.config, self.units)

    @cached_property
    def minutes(self) -> NDArray[np.int64]:
        """(minutes of the day, 12) int64, the counts named in :data:`COUNTS` after each minute's decision."""
        return np.repeat(np.array(self.rows, dtype=np.int64)[:, 1:], self._lengths, axis=0)

    @cached_property
    def _lengths(self) -> NDArray[np.int64]:
        """Minutes that each row stands for."""
        return np.diff([*(row[0] for row in self.rows), self.config.hours.end_min])

    @cached_property
    def minute_units(self) -> NDArray[np.int64]:
        """(minutes of the day, 4) int64, penalty units of each minute."""
        rule, closing = idle_rule_index(self.config), self.config.hours.closing_min
        rows = [(row[0], after, row[1:7], row[7:11]) for row in self.rows for after in (False, True)]
        units = np.array([penalty_units(rule, after, waiting, free) for _, after, waiting, free in rows])
        which = np.repeat(np.arange(len(self.rows)), self._lengths)
        return units[2 * which + (np.arange(len(which)) >= closing)]

    @cached_property
    def cumulated_penalty(self) -> NDArray[np.float64]:
        """(minutes of the day + 1,) float64, points paid before each minute."""
        units = np.cumsum(self.minute_units, axis=0).T
        return np.append(0.0, penalty_points(self.config, units).total)

    @cached_property
    def patients(self) -> list[PatientRecord]:
        """One record per appointment, by patient number."""
        exams = {exam.patient: exam for exam in self.exams}
        return [self._record(number, exams.get(number)) for number in range(len(self.day.scheduled))]

    def _record(self, number: int, exam: ExamRecord | None) -> PatientRecord:
        scheduled, arrival = int(self.day.scheduled[number]), int(self.day.arrival[number])
        head = (number, bool(self.day.fetal[number]), scheduled, arrival if arrival >= 0 else None)
        if exam is None:
            outcome = {NO_SHOW: "no_show", TURNED_AWAY: "turned_away"}.get(arrival, "left_waiting")
            return PatientRecord(*head, outcome, *[None] * 6)
        wait = max(exam.start_min - waits_since(scheduled, arrival), 0)
        kind = exam.patient_class.label
        return PatientRecord(*head, "served", kind, exam.start_min, exam.end_min, exam.room, exam.sonographer, wait)

    def to_pandas(self) -> pd.DataFrame:
        """The patients' records as a data frame (needs pandas)."""
        require("pandas")
        import pandas as pd

        return pd.DataFrame(self.patients, columns=list(PatientRecord._fields))

    def to_csv(self, path: str | Path) -> None:
        """Write the patients' records, a line each; the file appears whole or not at all."""
        with written_whole(path) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(PatientRecord._fields)
            writer.writerows(self.patients)

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
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import NO_SHOW, NOBODY, REBOOKED, TURNED_AWAY, Day
from echo_env.lab.simulation.patient import CLASSES_PER_TYPE, Punctuality, class_label, punctuality, waits_since
from echo_env.lab.simulation.penalty import UNITS, PenaltyParts, idle_rule_index, penalty_points, penalty_units

if TYPE_CHECKING:
    import pandas as pd


def count_names(config: Lab) -> tuple[str, ...]:
    """Columns of :attr:`Trace.minutes`.

    :param config: the lab
    """
    plan = config.plan
    rooms = [plan.room_groups[group].name for group in plan.room_columns]
    staff = [plan.staff_groups[group].name for group in plan.staff_columns]
    return (
        *(f"waiting_{kind.name}_{when.name.lower()}" for kind in plan.types for when in Punctuality),
        *(f"free_rooms_{name}" for name in rooms),
        *(f"free_sonographers_{name}" for name in staff),
        *(f"on_break_{name}" for name in staff),
        "startable_types",
    )


_OUTCOMES = {NO_SHOW: "no_show", TURNED_AWAY: "turned_away", REBOOKED: "rebooked"}


class ExamRecord(NamedTuple):
    """An exam that was begun; ``end_min`` is the minute in which room and sonographer are let go."""

    patient: int
    room: int
    sonographer: int
    start_min: int
    end_min: int
    patient_class: int


class BreakRecord(NamedTuple):
    """A member of staff's break or lunch, from ``start_min`` up to ``end_min``."""

    sonographer: int
    start_min: int
    end_min: int


class HandoverRecord(NamedTuple):
    """At the end of a shift a colleague goes on with an exam."""

    patient: int
    sonographer: int
    colleague: int
    minute: int


class WorkRecord(NamedTuple):
    """Minutes of an exam that one member of staff did, from ``start_min`` up to ``end_min``."""

    sonographer: int
    patient: int
    start_min: int
    end_min: int


class PatientRecord(NamedTuple):
    """A patient's day. Times are minutes since opening, None for what did not happen.

    ``outcome`` is ``served``, ``no_show``, ``turned_away``, ``rebooked`` or ``left_waiting``. ``waiting_min`` is from
    the later of arrival and appointment to the start of the exam, at least 0, for those served. ``scheduled_min`` is
    None for a patient without an appointment.
    """

    patient: int
    exam_type: str
    scheduled_min: int | None
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
    :param breaks: by chance and planned, in the order in which they began
    :param rows: (minute, counts after the decision ...), one for each stretch in which nothing changed
    :param units: penalty units of the day, see :func:`~echo_env.lab.simulation.penalty.penalty_points`
    :param lunches: in the order in which they began
    :param handovers: in order
    """

    config: Lab
    day: Day
    exams: Sequence[ExamRecord]
    breaks: Sequence[BreakRecord]
    rows: Sequence[tuple[int, ...]]
    units: tuple[int, ...]
    lunches: Sequence[BreakRecord] = ()
    handovers: Sequence[HandoverRecord] = ()

    @property
    def penalty(self) -> PenaltyParts:
        """The day's penalty by cause, points."""
        return penalty_points(self.config, self.units)

    @cached_property
    def minutes(self) -> NDArray[np.int64]:
        """(minutes of the day, counts) int64, those of :func:`count_names` after each minute's decision."""
        return np.repeat(np.array(self.rows, dtype=np.int64)[:, 1:], self._lengths, axis=0)

    @cached_property
    def work(self) -> list[WorkRecord]:
        """Who worked on which exam, and when: exams, divided where they were handed over."""
        records = []
        for exam in self.exams:
            member, begin = exam.sonographer, exam.start_min
            for handover in self.handovers:
                if handover.patient == exam.patient:
                    records.append(WorkRecord(member, exam.patient, begin, handover.minute))
                    member, begin = handover.colleague, handover.minute
            records.append(WorkRecord(member, exam.patient, begin, exam.end_min))
        return records

    @cached_property
    def _lengths(self) -> NDArray[np.int64]:
        """Minutes that each row stands for."""
        return np.diff([*(row[0] for row in self.rows), self.config.hours.end_min])

    @cached_property
    def minute_units(self) -> NDArray[np.int64]:
        """(minutes of the day, 7) int64, penalty units of each minute."""
        plan, hours, rule = self.config.plan, self.config.hours, idle_rule_index(self.config)
        weights = [kind.weight for kind in plan.types]
        waiting = CLASSES_PER_TYPE * len(weights)
        rooms, staff = waiting + len(plan.room_columns), waiting + len(plan.room_columns) + len(plan.staff_columns)
        rows = np.array(
            [
                penalty_units(
                    rule,
                    after,
                    row[1 : 1 + waiting],
                    weights,
                    min(sum(row[1 + waiting : 1 + rooms]), sum(row[1 + rooms : 1 + staff])),
                    row[-1],
                )
                for row in self.rows
                for after in (False, True)
            ]
        )
        which = np.repeat(np.arange(len(self.rows)), self._lengths)
        units = np.zeros((hours.end_min, UNITS), dtype=np.int64)
        units[:, :4] = rows[2 * which + (np.arange(len(which)) >= hours.closing_min)]
        for member, _, begin, end in self.work:
            units[max(begin, int(plan.overtime_from[member])) : end, -1] += 1
        # Who was not let in, and who was not examined, is charged with the last minute.
        units[-1, 4:6] = (self.day.arrival == TURNED_AWAY).sum(), (self.day.arrival >= 0).sum() - len(self.exams)
        return units

    @cached_property
    def cumulated_penalty(self) -> NDArray[np.float64]:
        """(minutes of the day + 1,) float64, points paid before each minute."""
        units = np.cumsum(self.minute_units, axis=0).T
        return np.append(0.0, penalty_points(self.config, units).total)

    @cached_property
    def patients(self) -> list[PatientRecord]:
        """One record per patient, by number; potential patients without an appointment who do not exist today have
        none."""
        exams = {exam.patient: exam for exam in self.exams}
        there = np.flatnonzero(self.day.arrival != NOBODY).tolist()
        return [self._record(number, exams.get(number)) for number in there]

    def _record(self, number: int, exam: ExamRecord | None) -> PatientRecord:
        scheduled, arrival = int(self.day.scheduled[number]), int(self.day.arrival[number])
        name = self.config.plan.types[self.day.exam_type[number]].name
        booked = None if self.day.unscheduled[number] else scheduled
        head = (number, name, booked, arrival if arrival >= 0 else None)
        if exam is None:
            outcome = _OUTCOMES.get(arrival, "left_waiting")
            return PatientRecord(*head, outcome, *[None] * 6)
        wait = max(exam.start_min - waits_since(scheduled, arrival), 0)
        kind = class_label(name, punctuality(exam.patient_class))
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

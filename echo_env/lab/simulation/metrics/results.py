"""What happened on days, in arrays: what both engines give, and metrics are computed from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.plan import LabPlan
from echo_env.lab.simulation.trace import Trace

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class DayResults(NamedTuple):
    """What metrics are computed from, for n days with P patients and S members of staff.

    :param scheduled: (n, P) int64, as in :class:`~echo_env.lab.day.day.Day`
    :param exam_type: (n, P) int64, number of the exam type
    :param unscheduled: (n, P) bool, who has no appointment
    :param arrival: (n, P) int64, as in :class:`~echo_env.lab.day.day.Day`
    :param start: (n, P) int64, minute in which the exam began, -1 if it did not
    :param end: (n, P) int64, minute in which its room and sonographer were let go, -1 if it did not begin
    :param room: (n, P) int64, where, -1 if it did not begin
    :param sonographer: (n, P) int64, who began it, -1 if nobody
    :param patient_class: (n, P) int64, the class when it began, or -1
    :param present: (n, S) bool, who came; members on call who were not called did not
    :param lunch_start: (n, S) int64, minute in which the member's lunch began, -1 if it did not
    :param handovers: (n,) int64, exams handed over
    :param work_min: (n, S) int64, minutes of exams that each member did up to the end of the day
    :param overtime_min: (n, S) int64, those of them from ``plan.overtime_from`` on
    :param absence_rate: (n,) float64
    :param units: (n, 7) int64, as in :class:`~echo_env.lab.simulation.trace.Trace`
    """

    scheduled: Ints
    exam_type: Ints
    unscheduled: Bools
    arrival: Ints
    start: Ints
    end: Ints
    room: Ints
    sonographer: Ints
    patient_class: Ints
    present: Bools
    lunch_start: Ints
    handovers: Ints
    work_min: Ints
    overtime_min: Ints
    absence_rate: Floats
    units: Ints


def staff_minutes(plan: LabPlan, sonographer: Ints, start: Ints, end: Ints, handovers: Ints) -> tuple[Ints, Ints]:
    """Minutes of exams that each member of staff did up to the end of the day, and those that were overtime.

    :param plan: of the lab
    :param sonographer: (n, P), who began the exam, -1 if nobody
    :param start: (n, P), minute in which it began
    :param end: (n, P), minute in which it ended
    :param handovers: (n, H, 4), (patient, from whom, to whom, minute), in order for each patient; the patient is -1 in
        rows that are not used
    :return: (n, S) int64 each
    """
    staff = len(plan.staff_group)
    whose, begin, until = sonographer, start, np.minimum(end, plan.end_min)
    sign: Ints = np.ones(1, dtype=np.int64)
    if handovers.shape[1] and (handovers[..., 0] >= 0).any():
        # From the handover on, the rest of the exam is the colleague's.
        patient, giver, taker, minute = np.moveaxis(handovers, 2, 0)
        last = np.take_along_axis(until, np.maximum(patient, 0), axis=1)
        unused = patient < 0
        whose = np.concatenate([whose, np.where(unused, -1, giver), np.where(unused, -1, taker)], axis=1)
        begin, until = np.concatenate([begin, minute, minute], axis=1), np.concatenate([until, last, last], axis=1)
        sign = np.repeat([1, -1, 1], [start.shape[1], patient.shape[1], patient.shape[1]])
    overtime_from = plan.overtime_from[whose] if staff else begin
    worked = (sign * (until - begin)).astype(np.int64, copy=False)
    late = (sign * np.maximum(until - np.maximum(begin, overtime_from), 0)).astype(np.int64, copy=False)
    return sums_by_day(whose, worked, staff), sums_by_day(whose, late, staff)


def sums_by_day(whose: Ints, numbers: Ints, count: int) -> Ints:
    """(n, count) int64, sums of numbers of each day by whose they are.

    :param whose: (n, m) int64, from 0 to count - 1, or negative for nobody's
    :param numbers: (n, m) int64
    :param count: how many there are
    """
    # Imported here: who computes no metrics does not wait for a compiler.
    from echo_env.lab.simulation.metrics.patient_sums import add_up

    sums = np.zeros((len(whose), count), dtype=np.int64)
    add_up(whose, numbers, sums)
    return sums


def day_results(trace: Trace) -> DayResults:
    """The results of one day."""
    day, plan = trace.day, trace.config.plan
    room, sonographer, start, end, kind = np.full((5, 1, len(day.scheduled)), -1, dtype=np.int64)
    for exam in trace.exams:
        p = exam.patient
        room[0, p], sonographer[0, p], start[0, p], end[0, p], kind[0, p] = exam[1:]
    lunch_start = np.full((1, len(plan.staff_group)), -1, dtype=np.int64)
    for lunch in trace.lunches:
        lunch_start[0, lunch.sonographer] = lunch.start_min
    handovers = np.array(trace.handovers, dtype=np.int64).reshape(1, -1, 4)
    work, overtime = staff_minutes(plan, sonographer, start, end, handovers)
    return DayResults(
        scheduled=day.scheduled[None],
        exam_type=day.exam_type[None],
        unscheduled=day.unscheduled[None],
        arrival=day.arrival[None],
        start=start,
        end=end,
        room=room,
        sonographer=sonographer,
        patient_class=kind,
        present=day.present[None],
        lunch_start=lunch_start,
        handovers=np.array([len(trace.handovers)]),
        work_min=work,
        overtime_min=overtime,
        absence_rate=np.array([np.max(day.absence_rate, initial=0.0)]),
        units=np.array([trace.units]),
    )


def joined_results(every: Sequence[DayResults]) -> DayResults:
    """Results of several days of one lab as one.

    :param every: results of at least one day each
    """
    return DayResults(*map(np.concatenate, zip(*every, strict=True)))

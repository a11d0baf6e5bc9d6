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
    shape = len(sonographer), len(plan.staff_group)
    work, overtime = np.zeros((2, *shape), dtype=np.int64)
    last = np.minimum(end, plan.end_min)

    def credit(day: Ints, member: Ints, begin: Ints, until: Ints, sign: int) -> None:
        late = np.maximum(until - np.maximum(begin, plan.overtime_from[member]), 0)
        np.add.at(work, (day, member), sign * (until - begin))
        np.add.at(overtime, (day, member), sign * late)

    day, patient = np.nonzero(sonographer >= 0)
    credit(day, sonographer[day, patient], start[day, patient], last[day, patient], 1)
    day, row = np.nonzero(handovers[..., 0] >= 0)
    if len(day):
        # From the handover on, the rest of the exam is the colleague's.
        patient, giver, taker, minute = handovers[day, row].T
        credit(day, giver, minute, last[day, patient], -1)
        credit(day, taker, minute, last[day, patient], 1)
    return work, overtime


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

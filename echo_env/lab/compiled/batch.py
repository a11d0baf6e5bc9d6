"""Many labs at once: their arrays, whole days under a rule, and steps of an environment.

The compiled counterpart of :func:`~echo_env.lab.simulation.simulator.simulate` and of the stepping in
:class:`~echo_env.lab.envs.env.EchoLabEnv`; :mod:`~echo_env.lab.compiled.kernel` holds what happens in one lab.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from echo_env.common.jit import njit
from echo_env.lab.compiled import kernel
from echo_env.lab.compiled.kernel import Labs, Rules
from echo_env.lab.config import LabConfig
from echo_env.lab.day import Day, Days, stack_days, whole_minutes
from echo_env.lab.simulation.breaks import break_thresholds
from echo_env.lab.simulation.metrics import DayResults
from echo_env.lab.simulation.patient import PatientClass
from echo_env.lab.simulation.penalty import idle_rule_index
from echo_env.lab.simulation.trace import BreakRecord, ExamRecord, Trace
from echo_env.lab.simulation.whiteboard import Status

TierTable = NDArray[np.int64]


def rules_of(config: LabConfig) -> Rules:
    """The numbers of a config that the kernel reads."""
    hours, breaks = config.hours, config.breaks
    whole = [0] * 7
    whole[kernel.ROOMS_FETAL] = config.rooms.fetal
    whole[kernel.STAFF_FETAL] = config.sonographers.fetal
    whole[kernel.CLOSING], whole[kernel.END] = hours.closing_min, hours.end_min
    whole[kernel.MARGIN] = config.arrival.on_time_margin_min
    whole[kernel.BREAK_MIN] = breaks.minutes
    whole[kernel.IDLE_RULE] = idle_rule_index(config)
    return Rules(np.array(whole, dtype=np.int64), break_thresholds(breaks))


def make_labs(config: LabConfig, count: int, keep_rows: bool = False) -> Labs:
    """Arrays for ``count`` labs, without a day.

    :param config: the lab
    :param count: how many
    :param keep_rows: whether to keep the counts of every minute, which a trace needs
    """
    patients, staff, rooms = len(config.appointments), config.sonographers.total, config.rooms.total
    minutes = config.hours.end_min if keep_rows else 0

    def whole(*shape: int) -> kernel.Ints:
        return np.zeros((count, *shape), dtype=np.int32)

    return Labs(
        lab=whole(kernel.LAB_COLUMNS),
        patients=whole(patients, kernel.PATIENT_COLUMNS),
        queue=whole(patients),
        staff=whole(staff, kernel.STAFF_COLUMNS),
        rooms=np.ones((count, rooms), dtype=np.bool_),
        break_draw=np.zeros((count, staff, patients)),
        exams=whole(patients, len(ExamRecord._fields)),
        breaks=whole(2 * staff, len(BreakRecord._fields)),
        rows=whole(minutes, 13),
    )


def begin_days(config: LabConfig, labs: Labs, which: NDArray[np.int64], days: Days | Sequence[Day]) -> None:
    """Put new days into some of the labs, at minute 0 before its events.

    :param config: the lab
    :param labs: the arrays
    :param which: (n,) which labs
    :param days: n days
    """
    arrays = days if isinstance(days, Days) else stack_days(days)
    n, fetal_staff = len(which), config.sonographers.fetal
    present = arrays.present
    patients = np.zeros((n, len(config.appointments), kernel.PATIENT_COLUMNS), dtype=np.int32)
    patients[..., kernel.SCHEDULED] = arrays.scheduled
    patients[..., kernel.FETAL] = arrays.fetal
    patients[..., kernel.EXAM_MIN] = whole_minutes(arrays.exam_min)
    staff = np.zeros((n, config.sonographers.total, kernel.STAFF_COLUMNS), dtype=np.int32)
    staff[..., kernel.STATUS] = np.where(present, Status.FREE, Status.ABSENT)
    staff[..., kernel.BREAKS_LEFT] = config.breaks.number
    lab = np.zeros((n, kernel.LAB_COLUMNS), dtype=np.int32)
    put_arrivals(lab, patients, arrays.arrival)
    lab[:, kernel.FREE : kernel.FREE + 2] = config.rooms.non_fetal, config.rooms.fetal
    lab[:, kernel.FREE + 2] = present[:, fetal_staff:].sum(axis=1)
    lab[:, kernel.FREE + 3] = present[:, :fetal_staff].sum(axis=1)
    labs.lab[which], labs.patients[which], labs.staff[which] = lab, patients, staff
    labs.rooms[which], labs.break_draw[which] = True, arrays.break_draw


def put_arrivals(lab: kernel.Ints, patients: kernel.Ints, arrival: NDArray[np.int64]) -> None:
    """Set the arrivals.

    :param lab: (B, 23), as in :class:`~echo_env.lab.compiled.kernel.Labs`
    :param patients: (B, P, 8), likewise
    :param arrival: (B, P), minutes, negative for those who do not come
    """
    comes = arrival >= 0
    patients[..., kernel.ARRIVAL] = arrival
    # Those who come, by minute and then by number; the others last.
    order = np.argsort(np.where(comes, arrival, np.iinfo(np.int64).max), axis=1, kind="stable")
    patients[..., kernel.BY_ARRIVAL] = order
    lab[:, kernel.ARRIVALS] = comes.sum(axis=1)


def tiers_of(tiers: Sequence[Sequence[PatientClass]]) -> TierTable:
    """(6,) int64, the tier of each class, -1 for a class that is not served."""
    table = np.full(len(PatientClass), -1, dtype=np.int64)
    for number, tier in enumerate(tiers):
        table[list(tier)] = number
    return table


@njit
def run_days(labs, rules, tiers, cumulated):
    """Play days that have been begun to their end under a rule of tiers.

    :param labs: the arrays
    :param rules: what is the same in all of them
    :param tiers: (6,) int64, see :func:`tiers_of`
    :param cumulated: (B, minutes + 1, 4) int64, filled with the units paid before each minute; or (B, 0, 4)
    """
    closing, end = rules.whole[kernel.CLOSING], rules.whole[kernel.END]
    before = np.empty(4, np.int64)
    for b in range(len(labs.lab)):
        lab, patients, queue, staff = labs.lab[b], labs.patients[b], labs.queue[b], labs.staff[b]
        rooms, draw, breaks, rows = labs.rooms[b], labs.break_draw[b], labs.breaks[b], labs.rows[b]
        kernel.catch_up(lab, patients, queue, staff, rooms, draw, breaks, rules)
        while lab[kernel.MINUTE] < end:
            if kernel.can_start(lab):
                kernel.start_tiers(tiers, lab, patients, queue, staff, rooms, labs.exams[b], rules)
            # Within a stretch that does not cross closing time every minute costs the same.
            begin = lab[kernel.MINUTE]
            for k in range(4):
                before[k] = lab[kernel.UNITS + k]
            limit = closing if begin < closing else end
            kernel.advance(limit, lab, patients, queue, staff, rooms, draw, breaks, rows, rules)
            if cumulated.shape[1]:
                passed = lab[kernel.MINUTE] - begin
                for minute in range(1, passed + 1):
                    for k in range(4):
                        paid = (lab[kernel.UNITS + k] - before[k]) * minute // passed
                        cumulated[b, begin + minute, k] = before[k] + paid


def results_of(labs: Labs, which: NDArray[np.int64], absence_rate: NDArray[np.float64]) -> DayResults:
    """What metrics are computed from, for days played to their end.

    :param labs: the arrays
    :param which: (n,) which labs
    :param absence_rate: (n,) their absence rates
    """
    patients, staff, exams = labs.patients[which], labs.staff[which], labs.exams[which]
    n, most = exams.shape[:2]
    day, row = np.nonzero(np.arange(most) < labs.lab[which, kernel.EXAMS, None])
    # Columns as in Exam, after patient and room.
    sonographer, start, end, patient_class = outcome = np.full((4, n, most), -1, dtype=np.int64)
    outcome[:, day, exams[day, row, 0]] = exams[day, row, 2:].T
    return DayResults(
        scheduled=patients[..., kernel.SCHEDULED].astype(np.int64),
        fetal=patients[..., kernel.FETAL] == 1,
        arrival=patients[..., kernel.ARRIVAL].astype(np.int64),
        start=start,
        end=end,
        sonographer=sonographer,
        patient_class=patient_class,
        present=staff[..., kernel.STATUS] != Status.ABSENT,
        absence_rate=absence_rate,
        units=labs.lab[which, kernel.UNITS :].astype(np.int64),
    )


def trace_of(config: LabConfig, labs: Labs, b: int, day: Day) -> Trace:
    """The trace of lab ``b``, equal to that of the SimPy engine.

    :param day: the day that was played there
    """
    lab = labs.lab[b].tolist()
    exams = [
        ExamRecord(p, room, s, start, end, PatientClass(kind))
        for p, room, s, start, end, kind in labs.exams[b, : lab[kernel.EXAMS]].tolist()
    ]
    breaks = [BreakRecord(*row) for row in labs.breaks[b, : lab[kernel.BREAKS]].tolist()]
    rows = [tuple(row) for row in labs.rows[b, : lab[kernel.ROWS]].tolist()]
    return Trace(config, day, exams, breaks, rows, tuple(lab[kernel.UNITS : kernel.UNITS + 4]))

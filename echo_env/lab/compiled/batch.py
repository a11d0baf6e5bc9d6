"""Many labs at once: their arrays, and whole days under a rule.

The compiled counterpart of :func:`~echo_env.lab.simulation.simulator.simulate`;
:mod:`~echo_env.lab.compiled.kernel` holds what happens in one lab.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from echo_env.common.jit import njit
from echo_env.lab.compiled import kernel, layout
from echo_env.lab.compiled.duty import settle
from echo_env.lab.compiled.layout import Labs, Rules, one_of
from echo_env.lab.compiled.rules import plan_columns, rules_of
from echo_env.lab.compiled.starts import start_tiers
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import TURNED_AWAY, Day, Days, appointment_book, stack_days, whole_minutes
from echo_env.lab.simulation.duties import RoomStatus, Status
from echo_env.lab.simulation.metrics import DayResults, staff_minutes
from echo_env.lab.simulation.patient import CLASSES_PER_TYPE, ready_minute
from echo_env.lab.simulation.penalty import UNITS
from echo_env.lab.simulation.trace import BreakRecord, ExamRecord, HandoverRecord, Trace

TierTable = NDArray[np.int64]

__all__ = [
    "TierTable",
    "begin_days",
    "make_labs",
    "put_arrivals",
    "results_of",
    "rules_of",
    "run_day",
    "run_days",
    "tiers_of",
    "trace_of",
]


def make_labs(config: Lab, count: int, keep_rows: bool = False) -> Labs:
    """Arrays for ``count`` labs, without a day.

    :param config: the lab
    :param count: how many
    :param keep_rows: whether to keep the counts of every minute, which a trace needs
    """
    plan = config.plan
    columns, groups = plan_columns(plan), plan.staff_groups
    patients, staff, rooms = len(appointment_book(plan)), len(plan.staff_group), len(plan.room_group)
    # Exams take a minute at least, so nobody begins more.
    exams = min(patients, plan.end_min)

    def whole(*shape: int) -> layout.Ints:
        return np.zeros((count, *shape), dtype=np.int32)

    return Labs(
        lab=whole(columns.size),
        left=whole(1 << len(plan.types)),
        patients=whole(patients, layout.PATIENT_COLUMNS),
        pending=whole(0 if plan.nested else patients),
        staff=whole(staff, layout.STAFF_COLUMNS),
        rooms=whole(rooms, layout.ROOM_COLUMNS),
        idle=whole(rooms + staff),
        ends=whole(staff + rooms),
        break_draw=np.zeros((count, staff, exams)),
        exams=whole(patients, len(ExamRecord._fields)),
        breaks=whole(
            sum(group.members * (group.breaks.number + len(group.breaks.planned)) for group in groups),
            len(BreakRecord._fields),
        ),
        lunches=whole(sum(group.members for group in groups if group.lunch), len(BreakRecord._fields)),
        handovers=whole(sum(group.members for group in groups if group.hands_over), len(HandoverRecord._fields)),
        rows=whole(plan.end_min if keep_rows else 0, 1 + columns.able - layout.COUNTS),
    )


def begin_days(config: Lab, labs: Labs, which: NDArray[np.int64], days: Days | Sequence[Day]) -> None:
    """Put new days into some of the labs, at minute 0 before its events.

    :param config: the lab
    :param labs: the arrays
    :param which: (n,) which labs
    :param days: n days
    """
    arrays = days if isinstance(days, Days) else stack_days(days)
    plan, rules, n = config.plan, rules_of(config), len(which)
    patients = np.zeros((n, *labs.patients.shape[1:]), dtype=np.int32)
    patients[..., layout.SCHEDULED] = arrays.scheduled
    patients[..., layout.TYPE] = arrays.exam_type
    patients[..., layout.EXAM_MIN] = whole_minutes(arrays.exam_min)
    lead = np.array([kind.check_in_lead_min for kind in plan.types])[arrays.exam_type]
    patients[..., layout.DUE] = arrays.scheduled - np.where(arrays.unscheduled, 0, lead)
    lab = np.zeros((n, labs.lab.shape[1]), dtype=np.int32)
    lab[:, rules.at.head :] = -1
    early = np.array([kind.may_begin_early for kind in plan.types], dtype=np.int64)[arrays.exam_type]
    ready = ready_minute(arrays.arrival, arrays.prep_min, arrays.scheduled, early)
    put_arrivals(lab, patients, arrays.arrival, ready)
    staff = np.zeros((n, *labs.staff.shape[1:]), dtype=np.int32)
    comes = np.where(plan.duty_from > 0, Status.OFF_DUTY, Status.FREE)
    staff[..., layout.STATUS] = np.where(arrays.present, comes, Status.ABSENT)
    groups = [plan.staff_groups[group] for group in plan.staff_group]
    staff[..., layout.BREAKS_LEFT] = [group.breaks.number for group in groups]
    begins = zip(groups, plan.duty_from.tolist(), strict=True)
    staff[..., layout.LUNCH_LEFT] = [
        group.lunch is not None and begin <= group.lunch.latest_min for group, begin in begins
    ]
    labs.lab[which], labs.patients[which], labs.staff[which] = lab, patients, staff
    labs.rooms[which] = RoomStatus.FREE, 0
    labs.break_draw[which] = arrays.break_draw[..., : labs.break_draw.shape[2]]
    settle_labs(np.array(which), labs, rules)


@njit
def settle_labs(which: NDArray[np.int64], labs: Labs, rules: Rules) -> None:
    """Fill what follows from the state of members and rooms in some labs.

    :param which: (n,) which labs
    :param labs: the arrays
    :param rules: what is the same in all of them
    """
    for b in which:
        settle(one_of(labs, b), rules)


def put_arrivals(lab: layout.Ints, patients: layout.Ints, arrival: NDArray[np.int64], ready: NDArray[np.int64]) -> None:
    """Set who comes, and when.

    :param lab: (B, columns), as in :class:`~echo_env.lab.compiled.layout.Labs`
    :param patients: (B, P, columns), likewise
    :param arrival: (B, P), minutes, negative for those who do not come
    :param ready: (B, P), minute from which each of those who come can be examined
    """
    comes = arrival >= 0
    patients[..., layout.ARRIVAL] = arrival
    patients[..., layout.READY] = ready
    # Those who come, by minute and then by number; the others last.
    order = np.argsort(np.where(comes, ready, np.iinfo(np.int64).max), axis=1, kind="stable")
    patients[..., layout.BY_READY] = order
    lab[:, layout.COMERS] = comes.sum(axis=1)
    lab[:, layout.TURNED] = (arrival == TURNED_AWAY).sum(axis=1)


def tiers_of(tiers: Sequence[Sequence[int]], types: int = 2) -> TierTable:
    """(3 K,) int64, the tier of each class, -1 for a class that is not served.

    :param tiers: classes in order of precedence
    :param types: how many exam types there are, K
    """
    table = np.full(CLASSES_PER_TYPE * types, -1, dtype=np.int64)
    for number, tier in enumerate(tiers):
        table[list(tier)] = number
    return table


@njit
def run_days(labs: Labs, rules: Rules, tiers: TierTable, cumulated: NDArray[np.int64]) -> None:
    """Play days that have been begun to their end under a rule of tiers.

    :param labs: the arrays
    :param rules: what is the same in all of them
    :param tiers: (3 K,) int64, see :func:`tiers_of`
    :param cumulated: (B, minutes + 1, 7) int64, filled with the units paid before each minute; or (B, 0, 7)
    """
    for b in range(len(labs.lab)):
        one = one_of(labs, b)
        kernel.catch_up(one, rules)
        run_day(one, rules, tiers, cumulated[b])


@njit
def run_day(one: Labs, rules: Rules, tiers: TierTable, cumulated: NDArray[np.int64]) -> None:
    """Play the day of one lab to its end under a rule of tiers.

    :param one: the lab, everything done that was due in its minute
    :param rules: its rules
    :param tiers: (3 K,) int64
    :param cumulated: (minutes + 1, 7) int64, filled as by :func:`run_days`; or (0, 7)
    """
    closing, end, lab = rules.whole.closing, rules.whole.end, one.lab
    before = np.empty(UNITS if len(cumulated) else 0, np.int64)
    while lab[layout.MINUTE] < end:
        start_tiers(tiers, one, rules)
        # Within a stretch that does not cross closing time every minute costs the same.
        begin = lab[layout.MINUTE]
        for k in range(len(before)):
            before[k] = lab[layout.UNITS + k]
        kernel.advance(closing if begin < closing else end, one, rules)
        if len(before):
            _cumulate(begin, before, lab, cumulated)


@njit
def _cumulate(begin: int, before: NDArray[np.int64], lab: layout.Ints, cumulated: NDArray[np.int64]) -> None:
    """Fill in the minutes of a stretch; who was turned away or left waiting is paid for with the last one."""
    until = lab[layout.MINUTE]
    for k in range(UNITS):
        paid, minutes = lab[layout.UNITS + k] - before[k], until - begin
        at_once = layout.UNITS + k in (kernel.TURNED_AWAY, kernel.LEFT_WAITING)
        for minute in range(1, minutes + 1):
            part = paid * (minute == minutes) if at_once else paid * minute // minutes
            cumulated[begin + minute, k] = before[k] + part


def results_of(config: Lab, labs: Labs, which: NDArray[np.int64], absence_rate: NDArray[np.float64]) -> DayResults:
    """What metrics are computed from, for days played to their end.

    :param config: the lab
    :param labs: the arrays
    :param which: (n,) which labs
    :param absence_rate: (n,) their absence rates
    """
    patients, staff, exams = labs.patients[which], labs.staff[which], labs.exams[which]
    n, most = exams.shape[:2]
    day, row = np.nonzero(np.arange(most) < labs.lab[which, layout.EXAMS, None])
    # Columns as in ExamRecord, after the patient.
    room, sonographer, start, end, patient_class = outcome = np.full((5, n, most), -1, dtype=np.int64)
    outcome[:, day, exams[day, row, 0]] = exams[day, row, 1:].T
    # Those with an appointment come first.
    booked = sum(minute is not None for kind in config.plan.types for minute in kind.scheduled)
    lunch_start = np.full((n, staff.shape[1]), -1, dtype=np.int64)
    day, row = np.nonzero(np.arange(labs.lunches.shape[1]) < labs.lab[which, layout.LUNCHES, None])
    member, begin, _ = labs.lunches[which][day, row].T
    lunch_start[day, member] = begin
    handovers = labs.lab[which, layout.HANDOVERS].astype(np.int64)
    given = labs.handovers[which].astype(np.int64)
    given[np.arange(given.shape[1]) >= handovers[:, None]] = -1
    work, overtime = staff_minutes(config.plan, sonographer, start, end, given)
    return DayResults(
        scheduled=patients[..., layout.SCHEDULED].astype(np.int64),
        exam_type=patients[..., layout.TYPE].astype(np.int64),
        unscheduled=np.tile(np.arange(most) >= booked, (n, 1)),
        arrival=patients[..., layout.ARRIVAL].astype(np.int64),
        start=start,
        end=end,
        room=room,
        sonographer=sonographer,
        patient_class=patient_class,
        present=staff[..., layout.STATUS] != Status.ABSENT,
        lunch_start=lunch_start,
        handovers=handovers,
        work_min=work,
        overtime_min=overtime,
        absence_rate=absence_rate,
        units=labs.lab[which, layout.PAID].astype(np.int64),
    )


def trace_of(config: Lab, labs: Labs, b: int, day: Day) -> Trace:
    """The trace of lab ``b``, equal to that of the SimPy engine.

    :param day: the day that was played there
    """
    lab = labs.lab[b].tolist()
    return Trace(
        config,
        day,
        exams=[ExamRecord(*row) for row in labs.exams[b, : lab[layout.EXAMS]].tolist()],
        breaks=[BreakRecord(*row) for row in labs.breaks[b, : lab[layout.BREAKS]].tolist()],
        rows=[tuple(row) for row in labs.rows[b, : lab[layout.ROWS]].tolist()],
        units=tuple(lab[layout.PAID]),
        lunches=[BreakRecord(*row) for row in labs.lunches[b, : lab[layout.LUNCHES]].tolist()],
        handovers=[HandoverRecord(*row) for row in labs.handovers[b, : lab[layout.HANDOVERS]].tolist()],
    )

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
from echo_env.lab.compiled.layout import Labs, Rules
from echo_env.lab.compiled.rules import kept_of, rules_of
from echo_env.lab.compiled.staff.duty import settle
from echo_env.lab.compiled.starts import start_tiers
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import TURNED_AWAY, Day, Days, stack_days, whole_minutes
from echo_env.lab.simulation.duties import Status
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
    numbers, plan = rules_of(config).numbers, config.plan
    patients, staff, cells = (int(numbers[n]) for n in (layout.PATIENTS, layout.MEMBERS, layout.AT_ROWS))
    rows = plan.end_min * layout.row_width(numbers) if keep_rows else 0
    lab = np.zeros((count, cells + rows), dtype=np.int32)
    # Exams take a minute at least, so nobody begins more.
    return Labs(lab, np.zeros((count, staff, min(patients, plan.end_min))))


def begin_days(config: Lab, labs: Labs, which: NDArray[np.int64], days: Days | Sequence[Day]) -> None:
    """Put new days into some of the labs, at minute 0 before its events.

    :param config: the lab
    :param labs: the arrays
    :param which: (n,) which labs
    :param days: n days
    """
    arrays = days if isinstance(days, Days) else stack_days(days)
    kept = kept_of(config)
    lab = np.zeros((len(which), labs.lab.shape[1]), dtype=np.int32)
    lab[:, : len(kept.blank)] = kept.blank
    parts = layout.parts_of(lab, kept.rules)
    patients = parts.patients
    patients[..., layout.SCHEDULED] = arrays.scheduled
    patients[..., layout.TYPE] = arrays.exam_type
    patients[..., layout.UNSCHEDULED] = arrays.unscheduled
    patients[..., layout.EXAM_MIN] = whole_minutes(arrays.exam_min)
    patients[..., layout.DUE] = arrays.scheduled - np.where(arrays.unscheduled, 0, kept.lead[arrays.exam_type])
    ready = ready_minute(arrays.arrival, arrays.prep_min, arrays.scheduled, kept.early[arrays.exam_type])
    put_arrivals(lab, patients, arrays.arrival, ready)
    parts.staff[..., layout.STATUS] = np.where(arrays.present, parts.staff[..., layout.STATUS], Status.ABSENT)
    labs.lab[which] = lab
    labs.break_draw[which] = arrays.break_draw[..., : labs.break_draw.shape[2]]
    settle_labs(np.array(which), labs, kept.rules)


@njit
def settle_labs(which: NDArray[np.int64], labs: Labs, rules: Rules) -> None:
    """Fill what follows from the state of members and rooms in some labs.

    :param which: (n,) which labs
    :param labs: the arrays
    :param rules: what is the same in all of them
    """
    for b in which:
        settle(labs.lab[b], rules.numbers)


def put_arrivals(lab: layout.Ints, patients: layout.Ints, arrival: NDArray[np.int64], ready: NDArray[np.int64]) -> None:
    """Set who comes, and when.

    :param lab: (B, cells), as in :class:`~echo_env.lab.compiled.layout.Labs`
    :param patients: (B, P, 12), as in :class:`~echo_env.lab.compiled.layout.Parts`
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
    rule, odds = rules.numbers, rules.odds
    for b in range(len(labs.lab)):
        cell, draw = labs.lab[b], labs.break_draw[b]
        kernel.catch_up(cell, rule, draw, odds)
        run_day(cell, rule, draw, odds, tiers, cumulated[b])


@njit
def run_day(
    cell: layout.Ints,
    rule: layout.Wide,
    draw: layout.Floats,
    odds: layout.Floats,
    tiers: TierTable,
    cumulated: NDArray[np.int64],
) -> None:
    """Play the day of one lab to its end under a rule of tiers.

    :param cell: the lab, everything done that was due in its minute
    :param rule: the numbers of its rules
    :param draw: its draws of breaks
    :param odds: of its rules
    :param tiers: (3 K,) int64
    :param cumulated: (minutes + 1, 7) int64, filled as by :func:`run_days`; or (0, 7)
    """
    closing, end = rule[layout.CLOSING], rule[layout.END]
    before = np.empty(UNITS if len(cumulated) else 0, np.int64)
    while cell[layout.MINUTE] < end:
        start_tiers(tiers, cell, rule)
        # Within a stretch that does not cross closing time every minute costs the same.
        begin = cell[layout.MINUTE]
        for k in range(len(before)):
            before[k] = cell[layout.UNITS + k]
        kernel.advance(closing if begin < closing else end, cell, rule, draw, odds)
        if len(before):
            _cumulate(begin, before, cell, cumulated)


@njit
def _cumulate(begin: int, before: NDArray[np.int64], cell: layout.Ints, cumulated: NDArray[np.int64]) -> None:
    """Fill in the minutes of a stretch; who was turned away or left waiting is paid for with the last one."""
    until = cell[layout.MINUTE]
    for k in range(UNITS):
        paid, minutes = cell[layout.UNITS + k] - before[k], until - begin
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
    rules, n = rules_of(config), len(which)
    members, people = labs.break_draw.shape[1], int(rules.numbers[layout.PATIENTS])
    patients, staff = np.empty((9, n, people), dtype=np.int64), np.empty((2, n, members), dtype=np.int64)
    fill_outcomes(which, labs.lab, rules.numbers, patients, staff)
    scheduled, exam_type, unscheduled, arrival, room, sonographer, start, end, patient_class = patients
    handovers = labs.lab[which, layout.HANDOVERS].astype(np.int64)
    work, overtime = staff_minutes(config.plan, sonographer, start, end, _handovers(labs.lab, which, rules, handovers))
    return DayResults(
        scheduled=scheduled,
        exam_type=exam_type,
        unscheduled=unscheduled == 1,
        arrival=arrival,
        start=start,
        end=end,
        room=room,
        sonographer=sonographer,
        patient_class=patient_class,
        present=staff[0] == 1,
        lunch_start=staff[1],
        handovers=handovers,
        work_min=work,
        overtime_min=overtime,
        absence_rate=absence_rate,
        units=labs.lab[which, layout.PAID].astype(np.int64),
    )


@njit
def fill_outcomes(
    which: NDArray[np.int64],
    lab: layout.Ints,
    numbers: layout.Wide,
    patients: NDArray[np.int64],
    staff: NDArray[np.int64],
) -> None:
    """Copy what happened to patients and members of staff out of the cells of some labs.

    :param which: (n,) which labs
    :param lab: (B, cells)
    :param numbers: of the rules
    :param patients: (9, n, P), filled with appointment, type, whether there is none, arrival, and the columns of
        :class:`~echo_env.lab.simulation.trace.ExamRecord` after the patient, -1 for who was not examined
    :param staff: (2, n, S), filled with who came, and the minute in which lunch began, -1 if it did not
    """
    for day in range(len(which)):
        cell = lab[which[day]]
        for p in range(patients.shape[2]):
            at = numbers[layout.AT_PATIENTS] + p * layout.PATIENT_COLUMNS
            patients[0, day, p], patients[1, day, p] = cell[at + layout.SCHEDULED], cell[at + layout.TYPE]
            patients[2, day, p], patients[3, day, p] = cell[at + layout.UNSCHEDULED], cell[at + layout.ARRIVAL]
            patients[4:, day, p] = -1
        for row in range(cell[layout.EXAMS]):
            at = numbers[layout.AT_EXAMS] + row * layout.EXAM_COLUMNS
            for k in range(1, layout.EXAM_COLUMNS):
                patients[3 + k, day, cell[at]] = cell[at + k]
        for s in range(staff.shape[2]):
            status = cell[numbers[layout.AT_STAFF] + s * layout.STAFF_COLUMNS + layout.STATUS]
            staff[0, day, s], staff[1, day, s] = status != layout.ABSENT, -1
        for row in range(cell[layout.LUNCHES]):
            at = numbers[layout.AT_LUNCHES] + row * layout.BREAK_COLUMNS
            staff[1, day, cell[at]] = cell[at + 1]


def _handovers(
    lab: layout.Ints, which: NDArray[np.int64], rules: Rules, counts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """(n, H, 4), handovers of each day, with rows of -1 after them; H is the most of a day."""
    most = counts.max(initial=0)
    if not most:
        return np.empty((len(counts), 0, layout.HANDOVER_COLUMNS), dtype=np.int64)
    handovers = layout.parts_of(lab[which], rules).handovers[:, :most].astype(np.int64)
    handovers[np.arange(most) >= counts[:, None]] = -1
    return handovers


def trace_of(config: Lab, labs: Labs, b: int, day: Day) -> Trace:
    """The trace of lab ``b``, equal to that of the SimPy engine.

    :param day: the day that was played there
    """
    cell, parts = labs.lab[b].tolist(), layout.parts_of(labs.lab[b : b + 1], rules_of(config))
    return Trace(
        config,
        day,
        exams=[ExamRecord(*row) for row in parts.exams[0, : cell[layout.EXAMS]].tolist()],
        breaks=[BreakRecord(*row) for row in parts.breaks[0, : cell[layout.BREAKS]].tolist()],
        rows=[tuple(row) for row in parts.rows[0, : cell[layout.ROWS]].tolist()],
        units=tuple(cell[layout.PAID]),
        lunches=[BreakRecord(*row) for row in parts.lunches[0, : cell[layout.LUNCHES]].tolist()],
        handovers=[HandoverRecord(*row) for row in parts.handovers[0, : cell[layout.HANDOVERS]].tolist()],
    )

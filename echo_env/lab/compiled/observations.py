"""Observations of many labs at once: for each name of ``OBSERVATIONS``, what fills the same rows compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.jit import njit
from echo_env.lab.compiled import layout
from echo_env.lab.compiled.layout import Floats, Labs, Rules, Wide
from echo_env.lab.compiled.observed.kept import fill_kept
from echo_env.lab.compiled.observed.rows import fill_row_numbers
from echo_env.lab.compiled.observed.staff import fill_staff_numbers
from echo_env.lab.compiled.observed.wide import fill_wide_rows
from echo_env.lab.compiled.rules import rules_of
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import REBOOKED, appointment_book
from echo_env.lab.decisions.free_again import exam_rests
from echo_env.lab.decisions.kept_rows import KEPT_COLUMNS
from echo_env.lab.decisions.numbers import HORIZONS, HOUR, LONGEST_SHOWN, OVERDUE_MIN, STATE_ORDER
from echo_env.lab.decisions.observation import OBSERVATIONS, observed_numbers
from echo_env.lab.decisions.rows import type_numbers
from echo_env.lab.decisions.wide_rows import COLUMNS, NARROW, wide_numbers_of
from echo_env.lab.simulation.patient import PatientClass

_CLASSES = len(PatientClass)
_PAPER = 13
"""Numbers of the paper's observation."""
_DUE = 12
"""Numbers on appointments."""


class Shown(NamedTuple):
    """What observations need of a lab beside its rules.

    :param scale: (numbers,) float64, what is shown as 1
    :param most: (numbers,) float64, the largest number shown
    :param booked: patients with an appointment; they come first
    :param points: (K, 3) float64, see :class:`~echo_env.lab.decisions.rows.TypeNumbers`
    :param rate: (K, minutes + 1) float64, likewise
    :param rooms_for: (K,) int64, rooms in which a type can be done
    :param constants: (K, 3) float64, see :class:`~echo_env.lab.decisions.wide_rows.WideNumbers`
    :param rest: (K, n) float64, see :func:`~echo_env.lab.decisions.free_again.exam_rests`
    :param of_lab: (7,) float64, as ``constants``
    """

    scale: Floats
    most: Floats
    booked: int
    points: Floats
    rate: Floats
    rooms_for: Wide
    constants: Floats
    rest: Floats
    of_lab: Floats


def shown_of(name: str, config: Lab) -> Shown:
    """What an observation needs of a lab.

    :param name: one of :data:`~echo_env.lab.decisions.observation.OBSERVATIONS`
    :param config: the lab
    :raises ValueError: no such observation, or not one of this lab
    """
    numbers, plan = observed_numbers(name, config), config.plan
    of_types = type_numbers(plan, config.penalty.on_time, config.penalty.late)
    wide = wide_numbers_of(plan, config.penalty)
    return Shown(
        scale=np.array([number.scale for number in numbers], dtype=np.float64),
        most=np.array([number.most for number in numbers], dtype=np.float64),
        booked=int((~appointment_book(plan).unscheduled).sum()),
        points=of_types.points,
        rate=of_types.rate,
        rooms_for=(of_types.room_can[:, None] >> np.arange(len(plan.types)) & 1).sum(axis=0).astype(np.int64),
        rest=exam_rests(plan),
        **wide._asdict(),
    )


class BatchObservation:
    """An observation, made of many labs at once.

    :param name: one of :data:`~echo_env.lab.decisions.observation.OBSERVATIONS`
    :param config: the lab
    :raises ValueError: no such observation, or not one of this lab
    """

    def __init__(self, name: str, config: Lab) -> None:
        self._shown = shown_of(name, config)
        shape = OBSERVATIONS[name].shape
        self._shape = (len(self._shown.scale),) if shape is None else shape(config)
        self._rules = rules_of(config)
        self._fill = FILLERS[name]

    def __call__(self, labs: Labs, out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Observe.

        :param labs: the arrays of n labs
        :param out: (n, ...) float32 to fill in place of a new array
        :return: (n, ...) float32
        """
        shown = np.zeros((len(labs.lab), *self._shape), dtype=np.float32) if out is None else out
        self._fill(labs, self._rules, self._shown, shown.reshape(len(shown), -1))
        return shown


@njit
def observe_paper(labs: Labs, rules: Rules, shown: Shown, out: NDArray[np.float32]) -> None:
    """Fill a row of the paper's numbers for each lab.

    :param labs: the arrays of n labs
    :param rules: what is the same in all of them
    :param shown: what else is
    :param out: (n, numbers) float32
    """
    row = np.empty(len(shown.scale), np.int64)
    for b in range(len(labs.lab)):
        _paper_row(labs.lab[b], rules.numbers, row)
        for k in range(len(row)):
            out[b, k] = row[k] / shown.scale[k]


@njit
def observe_rich(labs: Labs, rules: Rules, shown: Shown, out: NDArray[np.float32]) -> None:
    """Fill a row of the rich numbers for each lab. Parameters as in :func:`observe_paper`."""
    row = np.empty(len(shown.scale), np.int64)
    for b in range(len(labs.lab)):
        cell = labs.lab[b]
        _paper_row(cell, rules.numbers, row)
        _rich_row(cell, rules.numbers, shown.booked, row)
        for k in range(len(row)):
            out[b, k] = row[k] / shown.scale[k]


@njit
def observe_rows(labs: Labs, rules: Rules, shown: Shown, out: NDArray[np.float32]) -> None:
    """Fill a row of features for each class of each lab, and one for the lab.

    Parameters as in :func:`observe_paper`.
    """
    row = np.empty(len(shown.scale), np.float64)
    for b in range(len(labs.lab)):
        fill_row_numbers(labs.lab[b], rules.numbers, shown.booked, shown.points, shown.rate, shown.rooms_for, row)
        for k in range(len(row)):
            out[b, k] = min(row[k], shown.most[k]) / shown.scale[k]


@njit
def observe_staffed(labs: Labs, rules: Rules, shown: Shown, out: NDArray[np.float32]) -> None:
    """Fill a row of the numbers of ``staffed`` for each lab. Parameters as in :func:`observe_paper`."""
    row = np.empty(len(shown.scale), np.float64)
    for b in range(len(labs.lab)):
        cell = labs.lab[b]
        _paper_row(cell, rules.numbers, row)
        _count_appointments(cell, rules.numbers, shown.booked, _PAPER, row)
        fill_staff_numbers(cell, rules.numbers, shown.rest, _PAPER + _DUE, row)
        for k in range(len(row)):
            out[b, k] = row[k] / shown.scale[k]


@njit
def observe_wide_rows(labs: Labs, rules: Rules, shown: Shown, out: NDArray[np.float32]) -> None:
    """Fill the rows of ``rows_wide`` of each lab. Parameters as in :func:`observe_paper`."""
    kinds = rules.numbers[layout.KINDS]
    actions = layout.CLASSES_PER_TYPE * kinds + 1
    narrow, row, shared = np.empty(actions * NARROW), np.empty(COLUMNS), np.empty((kinds, kinds))
    for b in range(len(labs.lab)):
        fill_wide_rows(
            labs.lab[b],
            rules.numbers,
            shown.booked,
            shown.points,
            shown.rate,
            shown.rooms_for,
            shown.constants,
            shown.rest,
            shown.of_lab,
            narrow,
            shared,
            row,
            out[b].reshape(actions, COLUMNS),
        )


@njit
def observe_kept_rows(labs: Labs, rules: Rules, shown: Shown, out: NDArray[np.float32]) -> None:
    """Fill the rows of ``rows_kept`` of each lab. Parameters as in :func:`observe_paper`."""
    kinds = rules.numbers[layout.KINDS]
    actions = layout.CLASSES_PER_TYPE * kinds + 1
    wide, kept = np.empty((1, actions * COLUMNS), np.float32), np.empty((kinds, 2), np.float32)
    for b in range(len(labs.lab)):
        observe_wide_rows(Labs(labs.lab[b : b + 1], labs.break_draw[b : b + 1]), rules, shown, wide)
        fill_kept(labs.lab[b], rules.numbers, kept)
        row, own = out[b].reshape(actions, KEPT_COLUMNS), wide.reshape(actions, COLUMNS)
        row[:, :COLUMNS], row[-1, COLUMNS:] = own, 0
        for a in range(actions - 1):
            row[a, COLUMNS:] = kept[a // layout.CLASSES_PER_TYPE]


FILLERS: dict[str, Callable[[Labs, Rules, Shown, NDArray[np.float32]], Any]] = {
    "paper": observe_paper,
    "rich": observe_rich,
    "rows": observe_rows,
    "staffed": observe_staffed,
    "rows_wide": observe_wide_rows,
    "rows_kept": observe_kept_rows,
}
"""Observation -> (labs, rules, what is shown, rows to fill)."""


@njit
def _paper_row(cell, rule, row):
    """The row of ``paper_numbers``."""
    for k in range(_CLASSES):
        row[k] = cell[layout.COUNTS + STATE_ORDER[k]]
    for k in range(_CLASSES, _PAPER - 1):
        row[k] = 0
    for g in range(rule[layout.ROOM_GROUPS]):
        able = rule[rule[layout.OF_ROOMS_CAN] + g] & 1
        row[6 + able] += cell[rule[layout.AT_FREE_ROOMS] + g]
    for g in range(rule[layout.STAFF_GROUPS]):
        able = rule[rule[layout.OF_STAFF] + layout.STAFF_GROUP_COLUMNS * g + layout.CAN] & 1
        row[8 + able] += cell[rule[layout.AT_FREE_STAFF] + g]
        row[10 + able] += cell[rule[layout.AT_AWAY] + g]
    row[12] = cell[layout.MINUTE]


@njit
def _rich_row(cell, rule, booked, row):
    """The row of ``rich_numbers``, behind the paper's 13."""
    now, patients = cell[layout.MINUTE], rule[layout.AT_PATIENTS]
    for kind in range(_CLASSES):
        p, longest = cell[rule[layout.AT_HEAD] + kind], 0
        if p >= 0:
            since = cell[patients + layout.PATIENT_COLUMNS * p + layout.SINCE]
            longest = min(max(now - since, 0), LONGEST_SHOWN)
        row[_PAPER + kind] = longest
    at = _PAPER + _CLASSES
    _count_appointments(cell, rule, booked, at, row)
    at += _DUE
    for s in range(rule[layout.MEMBERS]):
        member = rule[layout.AT_STAFF] + layout.STAFF_COLUMNS * s
        status = cell[member + layout.STATUS]
        busy = status in (layout.IN_EXAM, layout.ON_A_BREAK, layout.AT_LUNCH)
        row[at] = status not in (layout.ABSENT, layout.OFF_DUTY)
        row[at + 1] = status == layout.IN_EXAM
        row[at + 2] = min(now - cell[member + layout.BUSY_SINCE], LONGEST_SHOWN) if busy else 0
        row[at + 3] = cell[member + layout.BREAKS_LEFT]
        at += 4


@njit
def _count_appointments(cell, rule, booked, at, row):
    """Appointments of each type to come and overdue, six numbers each."""
    now, patients = cell[layout.MINUTE], rule[layout.AT_PATIENTS]
    for exam_type in range(2):
        for k in range(5):
            row[at + 6 * exam_type + k] = 0
        row[at + 6 * exam_type + 5] = HOUR
    # Nobody comes in the minute in which the day is over.
    latest = min(now, rule[layout.END] - 1)
    for p in range(booked):
        own = patients + layout.PATIENT_COLUMNS * p
        if 0 <= cell[own + layout.ARRIVAL] <= latest or cell[own + layout.ARRIVAL] == REBOOKED:
            continue
        ahead, first = cell[own + layout.SCHEDULED] - now, at + 6 * cell[own + layout.TYPE]
        for k in range(3):
            row[first + k] += 0 <= ahead < HORIZONS[k]
        row[first + 3] += ahead >= 0
        row[first + 4] += -OVERDUE_MIN <= ahead < 0
        if 0 <= ahead < HOUR:
            row[first + 5] = min(row[first + 5], ahead)

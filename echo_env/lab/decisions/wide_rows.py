"""The observation ``rows_wide``: that of ``rows``, and who is here, who comes free when, and who competes for them.

The columns of :mod:`~echo_env.lab.decisions.rows` stand in front, as they are there, so agents that were trained on
``rows`` keep working. The further ones are what one network for any lab needs: counts of those who can do a type,
expected minutes until the next of them comes free, and the type that competes most for them (its *rival*: of all types
that somebody on duty can do as well, the one of the highest load) with means over all competitors.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config import IDLE_RULES
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.lab_config import Penalty
from echo_env.lab.config.plan import MOST_TYPES, LabPlan
from echo_env.lab.day.expectations import ExpectedExam
from echo_env.lab.decisions.free_again import room_rest, staff_rests
from echo_env.lab.decisions.numbers import HORIZONS, HOUR, LONGEST_SHOWN, MANY, ObservedNumber
from echo_env.lab.decisions.rows import LAB_FEATURES, ROW_FEATURES, Feature, row_numbers
from echo_env.lab.simulation.duties import RoomStatus, Status
from echo_env.lab.simulation.patient import CLASSES_PER_TYPE, Punctuality
from echo_env.lab.simulation.view import LabView

SOON = HORIZONS[:2]
"""Minutes within which exams are expected to end that are counted."""

OWN_FEATURES = (
    Feature("staff_here", 5, MANY, "members of staff on duty who can do the type"),
    Feature("staff_free", 5, MANY, "of these, those who are free and may begin it now"),
    Feature("staff_later", 5, MANY, "members who can do the type, came today, and are on duty in 60 minutes"),
    Feature("rooms_open", 5, MANY, "rooms for the type that are not closed"),
    Feature("rooms_free", 5, MANY, "of these, those that are free"),
    Feature("next_staff_min", HOUR, LONGEST_SHOWN, "expected minutes until a member for the type is free, 0 if one is"),
    Feature("next_room_min", HOUR, LONGEST_SHOWN, "expected minutes until a room for the type is free, 0 if one is"),
    *(Feature(f"freed_{minutes}", 5, MANY, f"members for it expected free in {minutes} minutes") for minutes in SOON),
)
"""Columns of a type behind those of ``rows`` that say who can do it."""

CONSTANT_FEATURES = (
    Feature("weight", 1, 1, "weight of the type, as a share of the most of any type"),
    Feature("no_show_rate", 1, 1, "probability that a patient of the type does not come"),
    Feature("exam_cv", 1, 3, "standard deviation of its exams by their mean"),
)
"""Columns of a type that are the same all day."""

RIVAL_FEATURES = (
    Feature("rival_share", 1, 1, "share of those on duty for the type who can do the rival type too"),
    Feature("rival_back", 1, 1, "share of those on duty for the rival who can do this type too"),
    Feature("rival_load", 1, 5, "load of the rival"),
    Feature("rival_waiting", 5, MANY, "patients of the rival who wait"),
    Feature("rival_left", 5, MANY, "starts of the rival that are left in this minute"),
    Feature("rival_points", 1, 1, "points of one of its on-time patients, as a share of the most"),
    Feature("rival_expected_min", HOUR, LONGEST_SHOWN, "its mean exam, minutes"),
    Feature("rival_due_30", 5, MANY, "its appointments in 30 minutes"),
    Feature("rivals", 1, 8, "sum, over other types, of the share of those on duty for this type who can do that one"),
    Feature("rivals_load", 1, 5, "mean load of the other types, weighted with that share"),
    Feature("rivals_points", 1, 1, "mean points of their on-time patients, weighted likewise"),
    Feature("rivals_expected_min", HOUR, LONGEST_SHOWN, "mean of their mean exams, weighted likewise"),
)
"""Columns of a type on who competes for its resources; 0 if nobody does."""

WIDE_LAB_FEATURES = (
    Feature("overtime", 5, 20, "points of a minute of overtime, by those of an on-time or late patient of weight 1"),
    Feature("idle", 1, 5, "points of an idle unit, likewise"),
    Feature("every_pair", 1, 1, "1 if idle pairs are counted"),
    Feature("while_waiting", 1, 1, "1 if idle units are patients who could begin"),
    Feature("staff_overtime", 1, 5, "points of a minute of staff overtime, likewise"),
    Feature("left_waiting", HOUR, 1200, "points of a patient left waiting, likewise"),
    Feature("types", MOST_TYPES, MOST_TYPES, "exam types"),
    Feature("after_closing", 1, 1, "1 from closing on"),
    Feature("load", 1, 5, "exam minutes of all who wait or are due in 60 minutes, by those of the staff on duty"),
)
"""Columns of the last row behind those of ``rows``."""

WIDE_FEATURES = (*ROW_FEATURES, *OWN_FEATURES, *CONSTANT_FEATURES, *RIVAL_FEATURES)
"""Columns of the rows of classes."""
WIDE_LAST = (*LAB_FEATURES, *WIDE_LAB_FEATURES)
"""Columns of the last row, which is filled up with zeros."""

COLUMNS, NARROW = len(WIDE_FEATURES), len(ROW_FEATURES)
_PLACE = {feature.name: k for k, feature in enumerate(ROW_FEATURES)}
POINTS, LEFT, WAITING = _PLACE["points"], _PLACE["starts_left"], _PLACE["waiting_of_type"]
DUE_30, DUE_60, EXPECTED, LOAD = (_PLACE[name] for name in ("due_30", "due_60", "expected_min", "load"))

MOST = np.array([feature.most for feature in WIDE_FEATURES], dtype=np.float64)
SCALE = np.array([feature.scale for feature in WIDE_FEATURES], dtype=np.float64)
_BLANK = COLUMNS - len(WIDE_LAST)
LAST_MOST = np.array([*(feature.most for feature in WIDE_LAST), *[0] * _BLANK], dtype=np.float64)
LAST_SCALE = np.array([*(feature.scale for feature in WIDE_LAST), *[1] * _BLANK], dtype=np.float64)


def wide_features(config: Lab) -> list[ObservedNumber]:
    """The numbers of the observation, row by row.

    :param config: the lab
    """
    labels = [f"{kind.name}_{when.name.lower()}" for kind in config.plan.types for when in Punctuality]
    rows = [
        ObservedNumber(f"{label}_{feature.name}", feature.scale, feature.most)
        for label in labels
        for feature in WIDE_FEATURES
    ]
    lab = [ObservedNumber(f"lab_{feature.name}", feature.scale, feature.most) for feature in WIDE_LAST]
    return [*rows, *lab, *(ObservedNumber(f"lab_blank_{k}", 1, 0) for k in range(_BLANK))]


def wide_shape(config: Lab) -> tuple[int, ...]:
    """(3 K + 1, columns)."""
    return CLASSES_PER_TYPE * len(config.plan.types) + 1, COLUMNS


class WideNumbers(NamedTuple):
    """What the further columns need of a lab.

    :param constants: (K, 3) float64, see :data:`CONSTANT_FEATURES`
    :param of_lab: (7,) float64, the first of :data:`WIDE_LAB_FEATURES`
    """

    constants: NDArray[np.float64]
    of_lab: NDArray[np.float64]


@lru_cache(maxsize=64)
def wide_numbers_of(plan: LabPlan, penalty: Penalty) -> WideNumbers:
    """See :class:`WideNumbers`; those of the last labs asked about are kept.

    :param plan: of the lab
    :param penalty: its weights
    """
    most = max(kind.weight for kind in plan.types)
    exams = [ExpectedExam(kind.exam) for kind in plan.types]
    unit = max(penalty.on_time, penalty.late, 1e-9)
    return WideNumbers(
        np.array(
            [
                [kind.weight / most, kind.arrival.no_show_rate, exam.variation]
                for kind, exam in zip(plan.types, exams, strict=True)
            ]
        ),
        np.array(
            [
                penalty.overtime / unit,
                penalty.idle / unit,
                penalty.idle_rule == IDLE_RULES[0],
                penalty.idle_rule == IDLE_RULES[1],
                penalty.staff_overtime / unit,
                penalty.left_waiting / unit,
                len(plan.types),
            ],
            dtype=np.float64,
        ),
    )


def wide_row_numbers(view: LabView) -> list[float]:
    """The row of :func:`wide_features` now, before scaling, each at most the feature's ``most``."""
    plan = view.config.plan
    numbers, kinds = wide_numbers_of(plan, view.config.penalty), len(plan.types)
    narrow = np.array(row_numbers(view)).reshape(-1, NARROW)
    of_types = narrow[0:-1:CLASSES_PER_TYPE].tolist()
    own = _own_columns(view)
    shared, here = _shared(view)
    table = np.zeros((len(narrow), COLUMNS))
    table[:, :NARROW] = narrow
    for k in range(kinds):
        further = [*own[k], *numbers.constants[k].tolist(), *_rivals(k, of_types, shared, here)]
        table[CLASSES_PER_TYPE * k : CLASSES_PER_TYPE * (k + 1), NARROW:] = further
    table[-1, len(LAB_FEATURES) : len(WIDE_LAST)] = [*numbers.of_lab, *_of_lab(view, of_types)]
    row: list[float] = np.minimum(table, np.vstack([*[MOST] * (len(table) - 1), LAST_MOST])).ravel().tolist()
    return row


def _here(view: LabView) -> list[int]:
    """Members of staff on duty."""
    members = range(len(view.config.plan.staff_group))
    return [member for member in members if view.status(member) not in (Status.ABSENT, Status.OFF_DUTY)]


def _shared(view: LabView) -> tuple[list[list[int]], list[int]]:
    """Members on duty who can do both of two types, and those who can do each."""
    plan = view.config.plan
    kinds, cans = range(len(plan.types)), [plan.staff_groups[plan.staff_group[member]].can for member in _here(view)]
    shared = [[sum(can >> k & can >> other & 1 for can in cans) for other in kinds] for k in kinds]
    return shared, [shared[k][k] for k in kinds]


def _own_columns(view: LabView) -> list[list[float]]:
    """The columns of :data:`OWN_FEATURES` of each type."""
    plan, now = view.config.plan, view.minute
    rests = staff_rests(view)
    in_rooms = {exam.room: rests[exam.sonographer] for exam in view.running_exams}
    columns: list[list[float]] = []
    for k in range(len(plan.types)):
        able = [m for m, group in enumerate(plan.staff_group) if plan.staff_groups[group].can >> k & 1]
        here = [m for m in able if view.status(m) not in (Status.ABSENT, Status.OFF_DUTY)]
        free = sum(view.status(m) == Status.FREE and view.staff_types(m) >> k & 1 for m in here)
        later = [
            m for m in able if view.status(m) != Status.ABSENT and plan.duty_from[m] <= now + HOUR < plan.duty_until[m]
        ]
        rooms = [r for r in range(len(plan.room_group)) if view.room_types(r) >> k & 1]
        opened = [r for r in rooms if view.room_status(r) != RoomStatus.CLOSED]
        idle = sum(view.room_status(r) == RoomStatus.FREE for r in opened)
        soonest = min([LONGEST_SHOWN, *(rests[m] for m in here if m in rests)])
        room = min([LONGEST_SHOWN, *(room_rest(view, r, in_rooms) for r in opened)])
        examining = [rests[m] for m in here if view.status(m) == Status.IN_EXAM]
        freed = [sum(rest <= minutes for rest in examining) for minutes in SOON]
        columns.append(
            [len(here), free, len(later), len(opened), idle, 0 if free else soonest, 0 if idle else room, *freed]
        )
    return columns


def _rivals(k: int, of_types: list[list[float]], shared: list[list[int]], here: list[int]) -> list[float]:
    """The columns of :data:`RIVAL_FEATURES` of a type."""
    rival, total, load, points, expected = -1, 0.0, 0.0, 0.0, 0.0
    for other, own in enumerate(of_types):
        if other == k or not shared[k][other]:
            continue
        if rival < 0 or own[LOAD] > of_types[rival][LOAD]:
            rival = other
        share = shared[k][other] / here[k]
        total += share
        load += share * own[LOAD]
        points += share * own[POINTS]
        expected += share * own[EXPECTED]
    if rival < 0:
        return [0.0] * len(RIVAL_FEATURES)
    own = of_types[rival]
    return [
        shared[k][rival] / here[k],
        shared[k][rival] / here[rival],
        *(own[place] for place in (LOAD, WAITING, LEFT, POINTS, EXPECTED, DUE_30)),
        *(total, load / total, points / total, expected / total),
    ]


def _of_lab(view: LabView, of_types: list[list[float]]) -> list[float]:
    """The columns of the last row that change during a day."""
    minutes = 0.0
    for own in of_types:
        minutes += (own[WAITING] + own[DUE_60]) * own[EXPECTED]
    return [view.minute >= view.config.plan.closing_min, minutes / (HOUR * max(len(_here(view)), 1))]

"""The observation ``rows``: a row of features for each class that could begin next, and one for the whole lab.

No row names its exam type, so a network that scores rows with shared weights can be used in labs that it was not
trained on. Row 3 k + j is of the patients of type k who are on time, late or early (j = 0, 1, 2), as in the action
space ``start``; the last row, that of stop, is of the whole lab. :data:`ROW_FEATURES` and :data:`LAB_FEATURES` are the
table of both; the second is filled up with zeros.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from echo_env.lab.config.lab import Lab
from echo_env.lab.config.plan import LabPlan
from echo_env.lab.decisions.numbers import HORIZONS, HOUR, LONGEST_SHOWN, MANY, OVERDUE_MIN, ObservedNumber
from echo_env.lab.simulation.duties import RoomStatus, Status
from echo_env.lab.simulation.patient import CLASSES_PER_TYPE, Punctuality
from echo_env.lab.simulation.view import LabView


class Feature(NamedTuple):
    """A column of the observation.

    :param name: what it is
    :param scale: the number that is shown as 1
    :param most: the largest number shown; larger ones are shown as this
    :param meaning: in words
    """

    name: str
    scale: float
    most: float
    meaning: str


ROW_FEATURES = (
    Feature("waiting", 5, MANY, "patients of the class who wait"),
    Feature("on_time", 1, 1, "1 in rows of on-time patients"),
    Feature("late", 1, 1, "1 in rows of late patients"),
    Feature("early", 1, 1, "1 in rows of early patients"),
    Feature("longest_wait_min", HOUR, LONGEST_SHOWN, "longest wait in the class, minutes"),
    Feature("mean_wait_min", HOUR, LONGEST_SHOWN, "mean wait in the class, minutes, each at most 120"),
    Feature("points", 1, 1, "points a minute that one of the class costs, as a share of the most of any class"),
    Feature("starts_left", 5, MANY, "starts of the type that are left in this minute"),
    Feature("starts_left_elsewhere", 5, MANY, "the same of the other type that has fewest; of the only type, its own"),
    Feature("waiting_of_type", 5, MANY, "patients of the type who wait"),
    Feature("preparing", 5, MANY, "patients of the type who have come and are not ready"),
    *(Feature(f"due_{minutes}", 5, MANY, f"of the type: appointments in {minutes} minutes") for minutes in HORIZONS),
    Feature("due_today", 10, 4 * MANY, "of the type: appointments still to come"),
    Feature("overdue", 5, MANY, "of the type: appointments of the last 30 minutes who have not come"),
    Feature("next_in_min", HOUR, HOUR, "of the type: minutes to the next appointment, at most 60"),
    Feature("unscheduled_rate", 5, MANY, "of the type: expected patients without appointment in an hour, now"),
    Feature("expected_min", HOUR, LONGEST_SHOWN, "mean exam of the type, minutes"),
    Feature("load", 1, 5, "exam minutes of those waiting and due in 60 minutes, by the minutes of who can do them"),
    Feature("running", 5, MANY, "exams of the type under way"),
    Feature("running_mean_min", HOUR, LONGEST_SHOWN, "mean age of these, minutes"),
)
"""Columns of the rows of classes."""

LAB_FEATURES = (
    Feature("minute", 1, 1, "share of the day that has passed"),
    Feature("to_closing", 1, 1, "share of the opening hours that is left"),
    Feature("free_rooms", 1, 1, "share of the rooms that are free"),
    Feature("free_staff", 1, 1, "share of the members of staff who are free"),
    Feature("on_break", 1, 1, "share of the members of staff on break or at lunch"),
    Feature("off_duty", 1, 1, "share of the members of staff who are absent or off duty"),
    Feature("unusable_rooms", 1, 1, "share of the rooms that are cleaned or closed"),
    Feature("waiting", 20, 4 * MANY, "patients who wait"),
    Feature("running", 1, 1, "share of the members of staff in an exam"),
)
"""Columns of the last row."""


_ROW_MOST = tuple(feature.most for feature in ROW_FEATURES)
_LAB_MOST = (*(feature.most for feature in LAB_FEATURES), *[0] * (len(ROW_FEATURES) - len(LAB_FEATURES)))
_LABS = 64


def row_features(config: Lab) -> list[ObservedNumber]:
    """The numbers of the observation, row by row.

    :param config: the lab
    """
    labels = [f"{kind.name}_{when.name.lower()}" for kind in config.plan.types for when in Punctuality]
    rows = [
        ObservedNumber(f"{label}_{feature.name}", feature.scale, feature.most)
        for label in labels
        for feature in ROW_FEATURES
    ]
    lab = [ObservedNumber(f"lab_{feature.name}", feature.scale, feature.most) for feature in LAB_FEATURES]
    blank = [ObservedNumber(f"lab_blank_{k}", 1, 0) for k in range(len(ROW_FEATURES) - len(LAB_FEATURES))]
    return [*rows, *lab, *blank]


def rows_shape(config: Lab) -> tuple[int, ...]:
    """(3 K + 1, columns)."""
    return CLASSES_PER_TYPE * len(config.plan.types) + 1, len(ROW_FEATURES)


class TypeNumbers:
    """What the rows need of a lab's types, whole numbers and shares.

    :param plan: of the lab
    :param on_time: points a minute of an on-time patient
    :param late: points a minute of a late patient
    """

    def __init__(self, plan: LabPlan, on_time: float, late: float) -> None:
        points = np.array([[kind.weight * on_time, kind.weight * late, 0.0] for kind in plan.types], dtype=np.float64)
        self.points = points / max(points.max(), 1e-9)
        """(K, 3) float64, points a minute of a class, as a share of the most."""
        self.expected = plan.expected_min
        """(K,) int64, expected minutes of an exam."""
        self.rate = np.zeros((len(plan.types), plan.end_min + 1))
        """(K, minutes + 1) float64, expected patients without appointment in the hour of a minute."""
        for k, kind in enumerate(plan.types):
            for begin, number in kind.unscheduled:
                self.rate[k, begin : begin + HOUR] = number
        self.room_can = np.array([plan.room_groups[group].can for group in plan.room_group], dtype=np.int64)
        """(R,) int64, bit sets."""
        self.staff_can = np.array([plan.staff_groups[group].can for group in plan.staff_group], dtype=np.int64)
        """(S,) int64, bit sets."""
        self.hours = np.array([plan.closing_min, plan.end_min], dtype=np.int64)
        """Closing and end of day."""


@lru_cache(maxsize=_LABS)
def type_numbers(plan: LabPlan, on_time: float, late: float) -> TypeNumbers:
    """See :class:`TypeNumbers`; those of the last labs asked about are kept."""
    return TypeNumbers(plan, on_time, late)


def row_numbers(view: LabView) -> list[float]:
    """The row of :func:`row_features` now, before scaling, each at most the feature's ``most``."""
    config, now = view.config, view.minute
    of_types = type_numbers(config.plan, config.penalty.on_time, config.penalty.late)
    types = range(len(config.plan.types))
    queues = [[view.waiting(CLASSES_PER_TYPE * k + j) for j in range(CLASSES_PER_TYPE)] for k in types]
    left = [_starts_left(k, view.starts_left()) for k in types]
    row: list[float] = []
    for k in types:
        common = _of_type(view, of_types, k, sum(map(len, queues[k])), left)
        for j, queue in enumerate(queues[k]):
            waits = [min(max(now - entry.since_min, 0), LONGEST_SHOWN) for entry in queue]
            own = [len(queue), j == 0, j == 1, j == 2, max(waits, default=0), sum(waits) / max(len(waits), 1)]
            row += [*own, float(of_types.points[k, j]), *common]
    row += [
        *_of_lab(view, sum(len(queue) for own in queues for queue in own)),
        *[0] * (len(ROW_FEATURES) - len(LAB_FEATURES)),
    ]
    most = (*_ROW_MOST * (len(queues) * CLASSES_PER_TYPE), *_LAB_MOST)
    return [min(value, cap) for value, cap in zip(row, most, strict=True)]


def _starts_left(kind: int, left: list[int]) -> int:
    return min(left[a] for a in range(1, len(left)) if a >> kind & 1)


def _of_type(view: LabView, of_types: TypeNumbers, k: int, waiting: int, left: list[int]) -> list[float]:
    """Columns that the three rows of a type share."""
    now = view.minute
    ahead = [
        line.scheduled_min - now
        for line in view.appointments
        if line.exam_type == k and not view.has_arrived(line.patient)
    ]
    due = [sum(0 <= minutes < horizon for minutes in ahead) for horizon in HORIZONS]
    ages = [now - exam.start_min for exam in view.running_exams if view.exam_type(exam.patient) == k]
    preparing = sum(view.exam_type(patient) == k for patient in view.preparing)
    on_duty = sum(
        int(can) >> k & 1
        for member, can in enumerate(of_types.staff_can)
        if view.status(member) not in (Status.ABSENT, Status.OFF_DUTY)
    )
    rooms = sum(int(can) >> k & 1 for can in of_types.room_can)
    minutes = (waiting + due[-1]) * int(of_types.expected[k])
    return [
        left[k],
        min((number for other, number in enumerate(left) if other != k), default=left[k]),
        waiting,
        preparing,
        *due,
        sum(minutes >= 0 for minutes in ahead),
        sum(-OVERDUE_MIN <= minutes < 0 for minutes in ahead),
        min((minutes for minutes in ahead if 0 <= minutes < HOUR), default=HOUR),
        float(of_types.rate[k, now]),
        int(of_types.expected[k]),
        minutes / (HOUR * max(min(on_duty, rooms), 1)),
        len(ages),
        sum(ages) / max(len(ages), 1),
    ]


def _of_lab(view: LabView, waiting: int) -> list[float]:
    """The last row."""
    plan, now = view.config.plan, view.minute
    members, rooms = range(len(plan.staff_group)), range(len(plan.room_group))
    statuses, uses = [view.status(member) for member in members], [view.room_status(room) for room in rooms]
    staff = max(len(statuses), 1)
    return [
        now / plan.end_min,
        max(plan.closing_min - now, 0) / plan.closing_min,
        uses.count(RoomStatus.FREE) / len(uses),
        statuses.count(Status.FREE) / staff,
        (statuses.count(Status.ON_BREAK) + statuses.count(Status.AT_LUNCH)) / staff,
        (statuses.count(Status.ABSENT) + statuses.count(Status.OFF_DUTY)) / staff,
        (uses.count(RoomStatus.CLEANING) + uses.count(RoomStatus.CLOSED)) / len(uses),
        waiting,
        statuses.count(Status.IN_EXAM) / staff,
    ]

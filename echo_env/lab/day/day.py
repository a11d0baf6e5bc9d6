"""A day's random draws, made up front: arrivals, preparations, exam lengths, absences and breaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config import ConfigError
from echo_env.lab.config.lab import Lab
from echo_env.lab.day.book import appointment_book, most_exams

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
DayOrDays = TypeVar("DayOrDays", "Day", "Days")

NO_SHOW = -1
"""In place of an arrival minute: the patient does not come."""
TURNED_AWAY = -2
"""In place of an arrival minute: the patient comes after closing and is not let in."""
NOBODY = -3
"""In place of an arrival minute: a patient without an appointment who might have come, but not on this day."""
REBOOKED = -4
"""In place of an arrival minute: the appointment was moved to another day in the morning, since staff are absent."""


@dataclass(frozen=True, eq=False)
class Day:
    """Everything random about one day, for P patients and S members of staff, numbered from 0.

    Patients with an appointment come first, by its minute and then by type; then everybody who might come without one.

    :param scheduled: (P,) int64, appointment, minutes since opening; of who has none the minute of arrival, -1 if
        nobody comes
    :param exam_type: (P,) int64
    :param arrival: (P,) int64, arrival minute, or ``NO_SHOW``, ``TURNED_AWAY``, ``NOBODY`` or ``REBOOKED``
    :param exam_min: (P,) how long the exam takes once begun, minutes; parts of a minute are rounded up
    :param prep_min: (P,) int64, how long the preparation after the arrival takes, whole minutes
    :param unscheduled: (P,) bool, who has no appointment
    :param absence_draw: (S,) float64, absent if below the absence rate; 1 for who is never absent or on call
    :param break_draw: (S, N) float64, decides the break after a member's n-th exam; N is the number of patients, or of
        the day's minutes if there are more patients
    :param absence_rate: the rate that ``absence_draw`` is compared with, of everybody or (S,) of each
    :param on_call: (S,) bool, who comes only in place of absent members of the own group
    :param staff_group: (S,) int64, groups of staff
    :param policy_seed: seed of a randomised policy
    :param rebook_from: (P,) int64, how many regular members must be absent for each patient to be rebooked; None in a
        lab without an absence plan
    :param unplanned_arrival: (P,) int64, ``arrival`` if nobody were rebooked; None in a lab without an absence plan
    """

    scheduled: Ints
    exam_type: Ints
    arrival: Ints
    exam_min: Ints | Floats
    prep_min: Ints
    unscheduled: Bools
    absence_draw: Floats
    break_draw: Floats
    absence_rate: float | Floats
    on_call: Bools
    staff_group: Ints
    policy_seed: int = 0
    rebook_from: Ints | None = None
    unplanned_arrival: Ints | None = None

    @property
    def fetal(self) -> Bools:
        """(P,) bool, exams of the first type: in the paper's lab the fetal ones."""
        return self.exam_type == 0

    @property
    def present(self) -> Bools:
        """(S,) bool, who comes: regular members who are not absent, and the first of those on call in their place."""
        return _present(self.absence_draw, self.absence_rate, self.on_call, self.staff_group)

    @property
    def exam_whole_min(self) -> Ints:
        """(P,) int64, minutes for which an exam holds its room: the first whole minute not before its end."""
        return whole_minutes(self.exam_min)

    def with_absence_rate(self, rate: float) -> Day:
        """The same day with another absence rate: who is absent at a low rate is so at a higher one.

        :param rate: of all groups, 0 to 1
        """
        return with_rebooking(replace(self, absence_rate=checked_rate(rate)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Day):
            return NotImplemented
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in self.__dict__)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class Days(Sequence[Day]):
    """Several days of one lab, in arrays: those of :class:`Day` with a first axis for the day.

    ``on_call`` and ``staff_group`` are the same every day and have no such axis. Nor have ``exam_type``,
    ``unscheduled`` and ``scheduled``, unless days come without an appointment or were made by hand.
    """

    scheduled: Ints
    exam_type: Ints
    arrival: Ints
    exam_min: Ints | Floats
    prep_min: Ints
    unscheduled: Bools
    absence_draw: Floats
    break_draw: Floats
    absence_rate: float | Floats
    on_call: Bools
    staff_group: Ints
    policy_seed: Sequence[int]
    rebook_from: Ints | None = None
    unplanned_arrival: Ints | None = None

    @property
    def fetal(self) -> Bools:
        """Exams of the first type: in the paper's lab the fetal ones."""
        return self.exam_type == 0

    @property
    def present(self) -> Bools:
        """(n, S) bool, who comes on each day."""
        return _present(self.absence_draw, self.absence_rate, self.on_call, self.staff_group)

    def with_absence_rate(self, rate: float) -> Days:
        """The same days with another absence rate.

        :param rate: of all groups, 0 to 1
        """
        return with_rebooking(replace(self, absence_rate=checked_rate(rate)))

    def __len__(self) -> int:
        return len(self.arrival)

    @overload
    def __getitem__(self, index: int) -> Day: ...
    @overload
    def __getitem__(self, index: slice) -> list[Day]: ...
    def __getitem__(self, index: int | slice) -> Day | list[Day]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        k = range(len(self))[index]

        def own(array: NDArray[Any]) -> NDArray[Any]:
            return array[k] if array.ndim == 2 else array

        return Day(
            own(self.scheduled),
            own(self.exam_type),
            self.arrival[k],
            self.exam_min[k],
            self.prep_min[k],
            own(self.unscheduled),
            self.absence_draw[k],
            self.break_draw[k],
            self.absence_rate,
            self.on_call,
            self.staff_group,
            self.policy_seed[k],
            self.rebook_from,
            None if self.unplanned_arrival is None else self.unplanned_arrival[k],
        )


def stack_days(days: Sequence[Day]) -> Days:
    """Single days of one lab as arrays; each may have its own appointments and absence rate.

    :param days: the days
    """
    arrays = {
        name: np.stack([getattr(day, name) for day in days])
        for name in ("scheduled", "exam_type", "arrival", "exam_min", "prep_min", "unscheduled", "break_draw")
    }
    # Only who is absent matters from here on, so each day's own rate is folded into its draws.
    there = np.stack([day.absence_draw >= day.absence_rate for day in days]).astype(np.float64)
    return Days(
        **arrays,
        absence_draw=there,
        absence_rate=0.5,
        on_call=days[0].on_call,
        staff_group=days[0].staff_group,
        policy_seed=[day.policy_seed for day in days],
    )


def whole_minutes(minutes: Ints | Floats) -> Ints:
    """Durations in minutes, rounded up to whole ones, at least 1; int64 of the same shape."""
    return np.maximum(np.ceil(minutes), 1).astype(np.int64)


def check_day(config: Lab, day: Day) -> None:
    """Check that a day was drawn for a lab of this size.

    :param config: the lab
    :param day: the day
    :raises ConfigError: names the array and both shapes, or an exam type that the lab does not have
    """
    plan = config.plan
    patients, staff = len(appointment_book(plan)), len(plan.staff_group)
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(_BY_PATIENT, (patients,))
    shapes |= {
        "absence_draw": (staff,),
        "break_draw": (staff, most_exams(plan)),
        "on_call": (staff,),
        "staff_group": (staff,),
    }
    for name, shape in shapes.items():
        if getattr(day, name).shape != shape:
            raise ConfigError(
                f"day.{name} has shape {getattr(day, name).shape}, but the lab {config.name!r} needs {shape}"
            )
    if patients and not 0 <= day.exam_type.min() <= day.exam_type.max() < len(plan.types):
        kind = next(kind for kind in day.exam_type.tolist() if not 0 <= kind < len(plan.types))
        raise ConfigError(
            f"day.exam_type has {kind}, but the lab {config.name!r} has the exam types 0 to {len(plan.types) - 1}"
        )


_BY_PATIENT = ("scheduled", "exam_type", "arrival", "exam_min", "prep_min", "unscheduled")


def _present(absence_draw: Floats, absence_rate: float | Floats, on_call: Bools, staff_group: Ints) -> Bools:
    """Who comes, of the shape of the draws."""
    there: Bools = absence_draw >= absence_rate
    if not on_call.any():
        return there
    for group in np.unique(staff_group[on_call]):
        called = np.flatnonzero(on_call & (staff_group == group))
        absent = (~there[..., ~on_call & (staff_group == group)]).sum(axis=-1, keepdims=True)
        there[..., called] = np.arange(len(called)) < absent
    return there


def with_rebooking(days: DayOrDays) -> DayOrDays:
    """The same with ``REBOOKED`` in ``arrival`` for those on the list for as many absent members of staff.

    The lab telephones everybody on the list at opening, those included who would not have come.

    :param days: a day or days
    """
    if days.rebook_from is None or days.unplanned_arrival is None:
        return days
    absent = (~days.present & ~days.on_call).sum(axis=-1)
    rebooked = absent[..., None] >= days.rebook_from
    return replace(days, arrival=np.where(rebooked, REBOOKED, days.unplanned_arrival))


def checked_rate(rate: float) -> float:
    """An absence rate, if it is one.

    :param rate: 0 to 1
    :raises ConfigError: something else
    """
    if not 0 <= rate <= 1:
        raise ConfigError(f"absence_rate is {rate!r}, but must be a number from 0 to 1")
    return float(rate)

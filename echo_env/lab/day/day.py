"""A day's random draws, made up front: arrivals, exam lengths, absences and breaks.

This module is the only user of randomness in the lab. A day is one block of uniform numbers, turned into
minutes by inverse distribution functions, so that changing a parameter moves the quantities it governs and
leaves every other one as it was (common random numbers).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import overload

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config import ConfigError, LabConfig
from echo_env.lab.day.laws import arrival_offsets, exam_minutes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


NO_SHOW = -1
"""In place of an arrival minute: the patient does not come."""
TURNED_AWAY = -2
"""In place of an arrival minute: the patient comes after closing and is not let in."""


@dataclass(frozen=True, eq=False)
class Day:
    """Everything random about one day, for P patients and S sonographers, numbered from 0.

    :param scheduled: (P,) int64, appointment, minutes since opening, ascending
    :param fetal: (P,) bool, kind of exam
    :param arrival: (P,) int64, arrival minute, or ``NO_SHOW`` or ``TURNED_AWAY``
    :param exam_min: (P,) float64, how long the exam takes once begun, minutes
    :param absence_draw: (S,) float64, absent if below the absence rate; 1 for who is never absent
    :param break_draw: (S, P) float64, decides the break after a sonographer's n-th exam
    :param absence_rate: the rate that ``absence_draw`` is compared with
    :param policy_seed: seed of a randomised policy
    """

    scheduled: Ints
    fetal: NDArray[np.bool_]
    arrival: Ints
    exam_min: Floats
    absence_draw: Floats
    break_draw: Floats
    absence_rate: float
    policy_seed: int = 0

    @property
    def present(self) -> NDArray[np.bool_]:
        """(S,) bool, who is there."""
        return self.absence_draw >= self.absence_rate

    @property
    def exam_whole_min(self) -> Ints:
        """(P,) int64, minutes for which an exam holds its room: the first whole minute not before its end."""
        return whole_minutes(self.exam_min)

    def with_absence_rate(self, rate: float) -> Day:
        """The same day with another absence rate: who is absent at a low rate is so at a higher one."""
        return replace(self, absence_rate=_checked_rate(rate))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Day):
            return NotImplemented
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in self.__dict__)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class Days(Sequence[Day]):
    """Several days of one lab, in arrays: those of :class:`Day` with a first axis for the day.

    The appointments, ``scheduled`` and ``fetal``, are the same every day and have no such axis.
    """

    scheduled: Ints
    fetal: NDArray[np.bool_]
    arrival: Ints
    exam_min: Floats
    absence_draw: Floats
    break_draw: Floats
    absence_rate: float
    policy_seed: Sequence[int]

    def with_absence_rate(self, rate: float) -> Days:
        """The same days with another absence rate."""
        return replace(self, absence_rate=_checked_rate(rate))

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
        per_day = (self.arrival[k], self.exam_min[k], self.absence_draw[k], self.break_draw[k])
        return Day(self.scheduled, self.fetal, *per_day, self.absence_rate, self.policy_seed[k])


def whole_minutes(minutes: Floats) -> Ints:
    """Durations in minutes, rounded up to whole ones, at least 1; int64 of the same shape."""
    return np.maximum(np.ceil(minutes), 1).astype(np.int64)


def day_rng(seed: int, index: int) -> np.random.Generator:
    """The generator of day ``index`` of an evaluation with ``seed``.

    Its stream differs from every stream of ``env.reset(seed=...)``, whatever the seeds: evaluation days are never
    training days.
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(index,))))


def sample_day(config: LabConfig, rng: np.random.Generator) -> Day:
    """Draw one day.

    :param config: the lab
    :param rng: generator; every day of a lab takes the same number of draws
    """
    return draw_days(config, [rng])[0]


def sample_days(config: LabConfig, count: int, seed: int, first: int = 0) -> Days:
    """Days ``first`` to ``first + count - 1`` of ``seed``; day k is ``sample_day(config, day_rng(seed, k))``.

    :param config: the lab
    :param count: how many
    :param seed: of the evaluation
    :param first: number of the first one
    """
    return draw_days(config, [day_rng(seed, index) for index in range(first, first + count)])


def draw_days(config: LabConfig, rngs: Sequence[np.random.Generator]) -> Days:
    """Draw a day from each of several generators.

    :param config: the lab
    :param rngs: generators, each moved on by one day
    """
    patients, staff = len(config.appointments), config.sonographers.total
    # Four numbers a patient, then for each sonographer one for absence and a row for breaks.
    uniforms = np.empty((len(rngs), 4 * patients + staff + staff * patients))
    seeds = []
    for row, rng in enumerate(rngs):
        seeds.append(int(rng.integers(2**63)))
        rng.random(out=uniforms[row])
    by_patient = uniforms[:, : 4 * patients].reshape(-1, patients, 4)
    absence = uniforms[:, 4 * patients : 4 * patients + staff].copy()
    absence[:, list(config.sonographers.never_absent)] = 1.0
    scheduled, fetal = _appointment_book(config)
    # Days share these arrays: nothing may change another day through them.
    scheduled.flags.writeable = fetal.flags.writeable = False
    return Days(
        scheduled,
        fetal,
        _arrival_minutes(config, scheduled, by_patient[..., :3]),
        _exam_minutes(config, fetal, by_patient[..., 3]),
        absence,
        uniforms[:, 4 * patients + staff :].reshape(-1, staff, patients),
        config.sonographers.absence_rate,
        seeds,
    )


def check_day(config: LabConfig, day: Day) -> None:
    """Check that a day was drawn for a lab of this size.

    :raises ConfigError: names the array and both shapes
    """
    patients, staff = len(config.appointments), config.sonographers.total
    shapes = dict.fromkeys(("scheduled", "fetal", "arrival", "exam_min"), (patients,))
    for name, shape in {**shapes, "absence_draw": (staff,), "break_draw": (staff, patients)}.items():
        if getattr(day, name).shape != shape:
            raise ConfigError(
                f"day.{name} has shape {getattr(day, name).shape}, but the lab {config.name!r} needs {shape}"
            )


def _checked_rate(rate: float) -> float:
    if not 0 <= rate <= 1:
        raise ConfigError(f"absence rate is {rate!r}, but must be a number from 0 to 1")
    return float(rate)


def _appointment_book(config: LabConfig) -> tuple[Ints, NDArray[np.bool_]]:
    """Appointments by time; on ties fetal first, as in the config."""
    book = config.appointments
    scheduled = np.array(book.fetal + book.non_fetal, dtype=np.int64)
    fetal = np.arange(len(book)) < len(book.fetal)
    order = np.argsort(scheduled, kind="stable")
    return scheduled[order], fetal[order]


def _arrival_minutes(config: LabConfig, scheduled: Ints, draws: Floats) -> Ints:
    """Arrival minutes, (B, P), from the draws (B, P, 3) for show, side and offset (section 3.2)."""
    law = config.arrival
    show, side, offset = draws[..., 0], draws[..., 1], draws[..., 2]
    minute = np.ceil(scheduled + arrival_offsets(law, side, offset)).astype(np.int64)
    minute = np.maximum(minute, 0)
    minute[minute > config.hours.closing_min] = TURNED_AWAY
    minute[show < law.no_show_rate] = NO_SHOW
    return minute


def _exam_minutes(config: LabConfig, fetal: NDArray[np.bool_], draws: Floats) -> Floats:
    """Durations, (B, P), from as many draws."""
    minutes = exam_minutes(config.exam, draws)
    if config.exam.fetal is not None:
        minutes[:, fetal] = exam_minutes(config.exam.fetal, draws[:, fetal])
    return minutes

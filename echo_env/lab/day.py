"""A day's luck, drawn up front: who comes when, how long exams take, who is absent, when breaks fall.

This module is the only user of randomness in the lab. A day is one block of uniform numbers, turned into
minutes by inverse distribution functions, so that changing a parameter moves the quantities it governs and
leaves every other one as it was (common random numbers).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, gammaincinv

from echo_env.lab.config import ConfigError, LabConfig
from echo_env.lab.patient import NO_SHOW, TURNED_AWAY

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Day:
    """Everything random about one day, for P patients and S sonographers, numbered from 0.

    :param scheduled: (P,) int64, appointment, minutes since opening, ascending
    :param fetal: (P,) bool, kind of exam
    :param arrival: (P,) int64, arrival minute, or ``NO_SHOW`` or ``TURNED_AWAY``
    :param exam_min: (P,) float64, how long the exam takes once begun, minutes
    :param absence_draw: (S,) float64, absent if below the absence rate; 1 for who is never absent
    :param break_draw: (S, P) float64, decides the break after a sonographer's n-th exam
    :param absence_rate: the rate that ``absence_draw`` is held against
    :param policy_seed: seed for a policy that throws dice of its own
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

    def with_absence_rate(self, rate: float) -> Day:
        """The same day with another absence rate: who is absent at a low rate is so at a higher one."""
        return replace(self, absence_rate=_checked_rate(rate))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Day):
            return NotImplemented
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in self.__dict__)

    __hash__ = None  # type: ignore[assignment]


def day_rng(seed: int, index: int) -> np.random.Generator:
    """The generator of day ``index`` of an evaluation with ``seed``.

    Its stream is none that ``env.reset(seed=...)`` ever yields, whatever the seeds: what is evaluated on
    has not been trained on.
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(index,))))


def sample_day(config: LabConfig, rng: np.random.Generator) -> Day:
    """Draw one day.

    :param config: the lab
    :param rng: where the luck comes from; every day of a lab takes the same number of draws
    """
    seed = int(rng.integers(2**63))
    return _days_from_uniforms(config, rng.random((1, _uniforms(config))), [seed])[0]


def sample_days(config: LabConfig, count: int, seed: int, first: int = 0) -> list[Day]:
    """Days ``first`` to ``first + count - 1`` of ``seed``; day k is ``sample_day(config, day_rng(seed, k))``.

    :param config: the lab
    :param count: how many
    :param seed: of the evaluation
    :param first: number of the first one
    """
    uniforms = np.empty((count, _uniforms(config)))
    seeds = []
    for row, index in enumerate(range(first, first + count)):
        rng = day_rng(seed, index)
        seeds.append(int(rng.integers(2**63)))
        rng.random(out=uniforms[row])
    return _days_from_uniforms(config, uniforms, seeds)


def check_day(config: LabConfig, day: Day) -> None:
    """Refuse a day that was drawn for another lab.

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


def _uniforms(config: LabConfig) -> int:
    """How many uniform numbers a day takes: four a patient, one and a row of breaks a sonographer."""
    patients, staff = len(config.appointments), config.sonographers.total
    return 4 * patients + staff + staff * patients


def _appointment_book(config: LabConfig) -> tuple[Ints, NDArray[np.bool_]]:
    """Appointments by time; on ties fetal first, as in the config."""
    book = config.appointments
    scheduled = np.array(book.fetal + book.non_fetal, dtype=np.int64)
    fetal = np.arange(len(book)) < len(book.fetal)
    order = np.argsort(scheduled, kind="stable")
    return scheduled[order], fetal[order]


def _days_from_uniforms(config: LabConfig, uniforms: Floats, seeds: list[int]) -> list[Day]:
    """Turn a (B, n) block of uniform numbers into B days."""
    patients, staff = len(config.appointments), config.sonographers.total
    scheduled, fetal = _appointment_book(config)
    # Nobody may shift another's luck through an array that days share.
    scheduled.flags.writeable = fetal.flags.writeable = False
    by_patient = uniforms[:, : 4 * patients].reshape(-1, patients, 4)
    arrival = _arrival_minutes(config, scheduled, by_patient[..., :3])
    exam_min = _exam_minutes(config, by_patient[..., 3])
    absence = uniforms[:, 4 * patients : 4 * patients + staff].copy()
    absence[:, list(config.sonographers.never_absent)] = 1.0
    breaks = uniforms[:, 4 * patients + staff :].reshape(-1, staff, patients)
    rate = config.sonographers.absence_rate
    return [
        Day(scheduled, fetal, arrival[k], exam_min[k], absence[k], breaks[k], rate, seed)
        for k, seed in enumerate(seeds)
    ]


def _arrival_minutes(config: LabConfig, scheduled: Ints, draws: Floats) -> Ints:
    """Arrival minutes, (B, P), from the draws (B, P, 3) for show, side and offset (section 3.2)."""
    law = config.arrival
    show, side, offset = draws[..., 0], draws[..., 1], draws[..., 2]
    delay = -law.late_mean_min * np.log1p(-offset)
    within = -np.expm1(-law.early_max_min / law.early_mean_min)
    lead = -law.early_mean_min * np.log1p(-offset * within)
    minute = np.ceil(scheduled + np.where(side < law.late_share, delay, -lead)).astype(np.int64)
    minute = np.maximum(minute, 0)
    minute[minute > config.hours.closing_min] = TURNED_AWAY
    minute[show < law.no_show_rate] = NO_SHOW
    return minute


def _exam_minutes(config: LabConfig, draws: Floats) -> Floats:
    """Truncated gamma durations from uniform draws, by the inverse distribution function (section 3.3)."""
    law = config.exam
    scale = law.mean_min / law.shape
    low, high = gammainc(law.shape, np.array([law.shortest_min, law.longest_min]) / scale)
    minutes = scale * gammaincinv(law.shape, low + draws * (high - low))
    return np.clip(minutes, law.shortest_min, law.longest_min)

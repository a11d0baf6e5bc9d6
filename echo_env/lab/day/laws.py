"""The laws of arrival and of exam lengths: inverse distribution functions, distribution functions and densities."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from echo_env.lab.config.chance import Arrival, ExamLaw

Floats = NDArray[np.float64]


def arrival_offsets(law: Arrival, side: Floats, offset: Floats) -> Floats:
    """Arrival minus appointment of patients who come, minutes, negative for early (section 3.2).

    :param law: of arrival
    :param side: uniform numbers that decide between late and early; ``empirical`` does without
    :param offset: as many, for how far
    """
    if law.model == "empirical":
        seen = np.array(law.offsets_min, dtype=np.float64)
        return seen[np.minimum((offset * len(seen)).astype(np.int64), len(seen) - 1)]
    delay = -law.late_mean_min * np.log1p(-offset)
    within = -np.expm1(-law.early_max_min / law.early_mean_min)
    lead = -law.early_mean_min * np.log1p(-offset * within)
    return np.where(side < law.late_share, delay, -lead)


def offset_probability(law: Arrival, minutes: ArrayLike) -> Floats:
    """Distribution function of arrival minus appointment of patients who come (section 3.2).

    :param law: of arrival
    :param minutes: arrival minus appointment, minutes; negative for early
    """
    x = np.asarray(minutes, dtype=np.float64)
    if law.model == "empirical":
        return np.searchsorted(np.array(law.offsets_min), x, side="right") / len(law.offsets_min)
    passed = np.where(x >= 0, 1.0, 0.0)
    late = -np.expm1(-np.maximum(x, 0) / law.late_mean_min) if law.late_mean_min else passed
    lead = np.clip(-x, 0, law.early_max_min)
    longest = np.expm1(-law.early_max_min / law.early_mean_min)
    early = 1 - np.expm1(-lead / law.early_mean_min) / longest if law.early_max_min else passed
    return np.asarray(law.late_share * late + (1 - law.late_share) * early)


def gamma_probability(law: ExamLaw, minutes: ArrayLike) -> Floats:
    """Distribution function of exam lengths before truncation: a gamma (section 3.3).

    :param law: of exam lengths
    :param minutes: length, minutes
    """
    return np.asarray(scipy.special.gammainc(law.shape, np.asarray(minutes) / (law.mean_min / law.shape)))


def truncation(law: ExamLaw) -> tuple[float, float]:
    """Probabilities, before truncation, of the shortest and of the longest length (section 3.3).

    :param law: of exam lengths
    """
    low, high = gamma_probability(law, [law.shortest_min, law.longest_min])
    return low, high


def exam_minutes(law: ExamLaw, draws: Floats) -> Floats:
    """Lengths of exams from uniform numbers, by the inverse distribution function (section 3.3).

    :param law: of exam lengths
    :param draws: uniform numbers
    """
    low, high = truncation(law)
    minutes = law.mean_min / law.shape * scipy.special.gammaincinv(law.shape, low + draws * (high - low))
    return np.clip(minutes, law.shortest_min, law.longest_min)


def duration_probability(law: ExamLaw, minutes: ArrayLike) -> Floats:
    """Distribution function of exam lengths: a truncated gamma (section 3.3).

    :param law: of exam lengths
    :param minutes: length, minutes
    """
    x = np.clip(np.asarray(minutes, dtype=np.float64), law.shortest_min, law.longest_min)
    low, high = truncation(law)
    return np.asarray((gamma_probability(law, x) - low) / (high - low))


def duration_density(law: ExamLaw, minutes: ArrayLike) -> Floats:
    """Density of exam lengths, per minute: a truncated gamma (section 3.3).

    :param law: of exam lengths
    :param minutes: length, minutes
    """
    x = np.asarray(minutes, dtype=np.float64)
    scale = law.mean_min / law.shape
    low, high = truncation(law)
    inside = (x >= law.shortest_min) & (x <= law.longest_min)
    power = scipy.special.xlogy(law.shape - 1, np.where(inside, x, 1) / scale)
    log_density = power - x / scale - scipy.special.gammaln(law.shape) - np.log(scale)
    return np.asarray(np.where(inside, np.exp(log_density), 0.0) / (high - low))

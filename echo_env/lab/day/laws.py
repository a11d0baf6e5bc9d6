"""The laws of arrival and of exam lengths: inverse distribution functions, distribution functions and densities."""

from __future__ import annotations

from enum import Enum, auto

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from echo_env.lab.config.chance import Arrival, ExamLaw

Floats = NDArray[np.float64]


def arrival_offsets(law: Arrival, side: Floats, offset: Floats) -> Floats:
    """Arrival minus expected check-in of patients who come, minutes, negative for early (section 3.2).

    The expected check-in is the appointment in a lab without a lead.

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
    side = _side(law)
    if side is Side.INSIDE:
        minutes = law.mean_min / law.shape * scipy.special.gammaincinv(law.shape, low + draws * (high - low))
    elif side is Side.BELOW:
        above, beyond = _survival(law, [law.shortest_min, law.longest_min])
        minutes = law.mean_min / law.shape * scipy.special.gammainccinv(law.shape, above - draws * (above - beyond))
    elif side is Side.FAR_BELOW:
        rate, least = _exponential(law)
        minutes = law.shortest_min - np.log1p(draws * (least - 1)) / rate
    else:
        power, least = _power(law)
        minutes = law.longest_min * (least + draws * (1 - least)) ** (1 / power)
    return np.clip(minutes, law.shortest_min, law.longest_min)


def duration_probability(law: ExamLaw, minutes: ArrayLike) -> Floats:
    """Distribution function of exam lengths: a truncated gamma (section 3.3).

    :param law: of exam lengths
    :param minutes: length, minutes
    """
    x = np.clip(np.asarray(minutes, dtype=np.float64), law.shortest_min, law.longest_min)
    low, high = truncation(law)
    side = _side(law)
    if side is Side.INSIDE:
        return np.asarray((gamma_probability(law, x) - low) / (high - low))
    if side is Side.BELOW:
        above, beyond = _survival(law, [law.shortest_min, law.longest_min])
        return np.asarray((above - _survival(law, x)) / (above - beyond))
    if side is Side.FAR_BELOW:
        rate, least = _exponential(law)
        return np.asarray(np.expm1(-rate * (x - law.shortest_min)) / (least - 1))
    power, least = _power(law)
    return np.asarray(((x / law.longest_min) ** power - least) / (1 - least))


def duration_density(law: ExamLaw, minutes: ArrayLike) -> Floats:
    """Density of exam lengths, per minute: a truncated gamma (section 3.3).

    :param law: of exam lengths
    :param minutes: length, minutes
    """
    x = np.asarray(minutes, dtype=np.float64)
    inside = (x >= law.shortest_min) & (x <= law.longest_min)
    side = _side(law)
    if side is Side.FAR_BELOW:
        rate, least = _exponential(law)
        return np.asarray(
            np.where(inside, rate * np.exp(-rate * np.maximum(x - law.shortest_min, 0)) / (1 - least), 0.0)
        )
    if side is Side.FAR_ABOVE:
        power, least = _power(law)
        share = np.where(inside, x, 0) / law.longest_min
        return np.asarray(power / law.longest_min * share ** (power - 1) / (1 - least))
    scale = law.mean_min / law.shape
    low, high = truncation(law) if side is Side.INSIDE else _survival(law, [law.longest_min, law.shortest_min])
    power = scipy.special.xlogy(law.shape - 1, np.where(inside, x, 1) / scale)
    log_density = power - x / scale - scipy.special.gammaln(law.shape) - np.log(scale)
    return np.asarray(np.where(inside, np.exp(log_density), 0.0) / (high - low))


def whole_minute_table(law: ExamLaw) -> tuple[Floats, float, float]:
    """Distribution function of exam lengths at whole minutes, up to a linear map: for conditional draws.

    :param law: of exam lengths
    :return: (longest + 1,) its values at 0, 1, ... minutes, and the values of the shortest and of the longest length
    """
    minutes = np.arange(np.ceil(law.longest_min) + 1)
    if _side(law) is Side.INSIDE:
        return gamma_probability(law, minutes), *truncation(law)
    return duration_probability(law, minutes), 0.0, 1.0


class Side(Enum):
    """Where the gamma's mass lies, relative to the interval that it is truncated to.

    Its distribution function rounds to 1 above its mass, and its survival function underflows still farther out, as
    the distribution function does far below. What is left of the law out there is exponential, or a power of minutes.
    """

    INSIDE = auto()
    BELOW = auto()
    FAR_BELOW = auto()
    FAR_ABOVE = auto()


_BELOW_FROM = 0.99
"""Probability of lengths below the interval from which the survival function is the more precise one."""
_UNDERFLOW = 1e-290


def _side(law: ExamLaw) -> Side:
    low, high = truncation(law)
    if low > _BELOW_FROM:
        return Side.BELOW if _survival(law, law.shortest_min) > _UNDERFLOW else Side.FAR_BELOW
    return Side.INSIDE if high > _UNDERFLOW else Side.FAR_ABOVE


def _survival(law: ExamLaw, minutes: ArrayLike) -> Floats:
    """One minus :func:`gamma_probability`, precise where that is close to 1."""
    return np.asarray(scipy.special.gammaincc(law.shape, np.asarray(minutes) / (law.mean_min / law.shape)))


def _exponential(law: ExamLaw) -> tuple[float, float]:
    """Far above the gamma's mass lengths beyond the shortest one are exponential.

    :return: the rate, per minute; and the probability, before truncation, of more than the longest length
    """
    rate = law.shape / law.mean_min - (law.shape - 1) / law.shortest_min
    return rate, float(np.exp(-rate * (law.longest_min - law.shortest_min)))


def _power(law: ExamLaw) -> tuple[float, float]:
    """Far below the gamma's mass the distribution function is a power of the minutes as a share of the longest length.

    :return: the exponent, and the power at the shortest length
    """
    power = law.shape - law.longest_min * law.shape / law.mean_min
    return power, float((law.shortest_min / law.longest_min) ** power)

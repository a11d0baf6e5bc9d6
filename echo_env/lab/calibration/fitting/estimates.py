"""What is fitted: estimates of fields of a lab file, and the record that fitting hands on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import special, stats

from echo_env.common.config_model import build
from echo_env.common.stats import student_quantile
from echo_env.lab.config.clock import read_clock
from echo_env.lab.config.general import GeneralLabConfig
from echo_env.lab.config.loading import Values, lay_values

if TYPE_CHECKING:
    from echo_env.lab.calibration.fitting.book import Book
    from echo_env.lab.calibration.fitting.choices import Choices
    from echo_env.lab.calibration.fitting.laws.goodness import Fit


Interval = tuple[float, float]


class FitError(ValueError):
    """Visits that no lab can be fitted to; the message is one sentence."""


@dataclass(frozen=True)
class Share:
    """A proportion with its 95 % Wilson interval.

    :param count: numerator
    :param of: denominator
    :param low: lower end of the interval of the proportion
    :param high: upper end
    """

    count: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The proportion; nan if the denominator is 0."""
        return self.count / self.of if self.of else math.nan


def share_of(count: int, of: int) -> Share:
    """A proportion with its interval.

    :param count: numerator
    :param of: denominator
    """
    if not of:
        return Share(0, 0, math.nan, math.nan)
    interval = stats.binomtest(count, of).proportion_ci(0.95, method="wilson")
    return Share(count, of, float(interval.low), float(interval.high))


class Estimate(NamedTuple):
    """One field of the lab file that the visits speak to.

    :param path: dotted field, such as ``exam_types.fetal.exam.mean_min``
    :param words: what it is, in words
    :param value: its value in the file; of a yes-or-no field, the share that decides
    :param low: lower end of its 95 % interval; nan where the visits do not identify it
    :param high: upper end
    :param rows: number of observations
    :param source: where the value comes from, in words
    """

    path: str
    words: str
    value: float
    low: float = math.nan
    high: float = math.nan
    rows: int = 0
    source: str = ""


@dataclass(frozen=True)
class Fitted:
    """A lab fitted to visits.

    :param config: the lab, with the appointments of a typical day
    :param weekdays: weekday -> the lab with the appointments of that weekday; empty where one typical day stands for
        all
    :param estimates: the fields that the visits speak to
    :param sources: section or field of the file -> where it comes from, in words
    :param bootstrap: one dict for each bootstrap sample, the values that the fields have in it
    :param resampled: ``days`` or ``visits``, and why, in words
    :param laws: ``arrival``, ``exam``, and ``exam_TYPE`` where there are enough of a type -> fitted distribution
    :param types_differ_p: p-value of the hypothesis that all types have one duration distribution; None unless at
        least two were fitted
    :param book: the typical day
    :param weekday_books: weekday -> its appointments
    :param no_show: no-shows among patients with an appointment
    :param choices: the options
    """

    config: GeneralLabConfig
    weekdays: dict[str, GeneralLabConfig]
    estimates: tuple[Estimate, ...]
    sources: dict[str, str]
    bootstrap: tuple[Values, ...]
    resampled: str
    laws: dict[str, Fit[Any]]
    types_differ_p: float | None
    book: Book
    weekday_books: dict[str, Book]
    no_show: Share
    choices: Choices

    @property
    def labs(self) -> dict[str, GeneralLabConfig]:
        """The labs of the file: weekday -> lab, or one lab under an empty name."""
        return self.weekdays or {"": self.config}

    def lab(self, number: int) -> GeneralLabConfig:
        """The lab with the values of a bootstrap sample.

        :param number: of the sample
        """
        return with_values(self.config, self.bootstrap[number])


def with_values(config: GeneralLabConfig, values: Values) -> GeneralLabConfig:
    """A lab with other values.

    :param config: the lab
    :param values: dotted field of its file -> value
    :raises ConfigError: a value that is not allowed
    """
    return lab_of(config.as_file(), values)


def lab_of(data: dict[str, Any], values: Values) -> GeneralLabConfig:
    """A lab from the fields of a file with other values.

    :param data: fields of the file, which stay as they are
    :param values: dotted field -> value
    :raises ConfigError: not a valid lab
    """
    own = _copied(data)
    lay_values(own, values)
    opening, closing, end = (read_clock(own["hours"][name]) for name in ("opening", "closing", "end"))
    own["hours"] = {"opening_min": opening, "closing_min": closing - opening, "end_min": end - opening}
    return build(GeneralLabConfig, own, {"opening": opening})


def _copied(data: dict[str, Any]) -> dict[str, Any]:
    return {name: _copied(value) if isinstance(value, dict) else value for name, value in data.items()}


def four_digits(value: float) -> float:
    """Four significant digits, more than any sheet supports.

    :param value: a number
    """
    return float(f"{value:.4g}")


def interval_of(value: float, samples: Sequence[float], days: int = 0) -> Interval:
    """95 % bootstrap interval of a number; nan without samples.

    Whole minutes have the percentiles of the samples. Of other numbers, the samples lie around the estimate as the
    estimate lies around the truth, on the scale on which that is about symmetric: of a share its log odds, else the
    logarithm. A few days resampled as a whole vary less than they should, which Student's quantile makes up for.

    :param value: the estimate
    :param samples: its values in the bootstrap samples
    :param days: number of days, if whole days were resampled
    """
    if not len(samples):
        return math.nan, math.nan
    low, high = np.quantile(samples, [0.025, 0.975]).tolist()
    scale = _scale_of(value, samples)
    if scale is None:
        return low, high
    to, back = scale
    wider = float(student_quantile(days - 1)) / 1.96 * math.sqrt(days / (days - 1)) if days > 1 else 1.0
    middle = to(value)
    return float(back(middle - wider * (to(high) - middle))), float(back(middle + wider * (middle - to(low))))


Scale = tuple[Callable[[float], float], Callable[[float], float]]


def _scale_of(value: float, samples: Sequence[float]) -> Scale | None:
    """Log odds or logarithm with its inverse; None for whole numbers, and where a sample has no logarithm."""
    if isinstance(value, int) or min(samples) <= 0:
        return None
    if max(samples) < 1:
        return special.logit, special.expit
    return math.log, math.exp

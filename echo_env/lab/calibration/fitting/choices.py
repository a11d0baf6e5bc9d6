"""Options of a fit."""

from __future__ import annotations

from dataclasses import dataclass

from echo_env.lab.config.chance import ARRIVAL_MODELS, ArrivalModel

EXAM_LAWS = ("pooled", "by_type")
"""One duration distribution for all exams, or one for each exam type."""
PAPER = "baseline"
"""The preset that supplies what a sheet does not determine, unless another one is named."""
_LEAST_RESAMPLES, _MOST_RESAMPLES = 20, 100_000


@dataclass(frozen=True)
class Choices:
    """Options of a fit.

    :param arrival: arrival distribution, ``exponential`` or ``empirical``
    :param exams: exam-duration distribution, ``pooled`` or ``by_type``; ``by_kind`` is its former name
    :param day: use the appointments of this day or sheet; by default those of each weekday or of a typical day
    :param base: lab that supplies what the visits do not determine
    :param name: name of the lab; by default the file's
    :param seed: seed of the bootstrap, at least 0
    :param resamples: number of bootstrap samples
    :raises ValueError: a value that is not allowed; names field and value
    """

    arrival: ArrivalModel = "exponential"
    exams: str = "pooled"
    day: str | None = None
    base: str = PAPER
    name: str | None = None
    seed: int = 0
    resamples: int = 1000

    def __post_init__(self) -> None:
        if self.exams == "by_kind":
            # The dataclass is frozen for others.
            object.__setattr__(self, "exams", "by_type")
        for field, allowed in (("arrival", ARRIVAL_MODELS), ("exams", EXAM_LAWS)):
            if getattr(self, field) not in allowed:
                raise ValueError(f"{field} is {getattr(self, field)!r}, but must be one of {', '.join(allowed)}")
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed!r}, but must be a whole number of at least 0")
        if not _LEAST_RESAMPLES <= self.resamples <= _MOST_RESAMPLES:
            allowed_numbers = f"a whole number of at least {_LEAST_RESAMPLES} and at most {_MOST_RESAMPLES:,}"
            raise ValueError(f"resamples is {self.resamples!r}, but must be {allowed_numbers}")

"""The part of a lab's description that is chance: who comes when, and how long exams take."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from echo_env.common.config_file import OPTIONAL, ConfigError, check_number

ARRIVAL_MODELS = ("exponential", "empirical")
"""How far from the appointment patients come: the paper's two exponential sides, or as often as it was seen."""


@dataclass(frozen=True)
class Arrival:
    """Who comes, and when (section 3.2).

    :param no_show_rate: probability that a patient does not come at all
    :param late_share: share of the others who come on the late side of the appointment
    :param late_mean_min: mean of their exponential delay, minutes
    :param early_mean_min: mean of the exponential lead of the rest before truncation, minutes
    :param early_max_min: the lead is truncated to at most this, minutes
    :param on_time_margin_min: up to this many minutes off the appointment counts as on time
    :param model: ``exponential``, the law of the five numbers above, or ``empirical``
    :param offsets_min: for ``empirical``: arrivals minus appointments that were seen, whole minutes, negative for
        early; each is as likely as any other. Unused by ``exponential``.
    """

    no_show_rate: float = 0.10
    late_share: float = 0.80
    late_mean_min: float = 10.0
    early_mean_min: float = 5.0
    early_max_min: float = 60.0
    on_time_margin_min: int = 10
    model: str = field(default="exponential", metadata=OPTIONAL)
    offsets_min: tuple[int, ...] = field(default=(), metadata=OPTIONAL)

    def __post_init__(self) -> None:
        check_number("arrival.no_show_rate", self.no_show_rate, 0, 1)
        check_number("arrival.late_share", self.late_share, 0, 1)
        check_number("arrival.late_mean_min", self.late_mean_min, 0)
        check_number("arrival.early_mean_min", self.early_mean_min, 1e-6)
        check_number("arrival.early_max_min", self.early_max_min, 0)
        check_number("arrival.on_time_margin_min", self.on_time_margin_min, 0, whole=True)
        if self.model not in ARRIVAL_MODELS:
            raise ConfigError(f"arrival.model is {self.model!r}, but must be one of {', '.join(ARRIVAL_MODELS)}")
        if not isinstance(self.offsets_min, (tuple, list)):
            raise ConfigError(f"arrival.offsets_min is {self.offsets_min!r}, but must be a list of minutes")
        for offset in self.offsets_min:
            check_number("arrival.offsets_min", offset, -1440, 1440, whole=True)
        if self.model == "empirical" and not self.offsets_min:
            raise ConfigError("arrival.offsets_min is empty, but arrival.model 'empirical' draws from it")
        object.__setattr__(self, "offsets_min", tuple(sorted(self.offsets_min)))


@dataclass(frozen=True)
class ExamLaw:
    """How long an exam takes: a gamma distribution truncated to an interval (section 3.3).

    :param shape: its shape
    :param mean_min: its mean before truncation, minutes
    :param shortest_min: lower end of the interval, minutes
    :param longest_min: upper end, minutes
    """

    path: ClassVar[str] = "exam.fetal"

    shape: float = 12.0
    mean_min: float = 45.0
    shortest_min: float = 20.0
    longest_min: float = 150.0

    def __post_init__(self) -> None:
        check_number(f"{self.path}.shape", self.shape, 1e-6)
        check_number(f"{self.path}.mean_min", self.mean_min, 1e-6)
        check_number(f"{self.path}.shortest_min", self.shortest_min, 0)
        check_number(f"{self.path}.longest_min", self.longest_min, 1)
        if self.longest_min <= self.shortest_min:
            raise ConfigError(
                f"{self.path}.longest_min is {self.longest_min!r}, but must be above {self.path}.shortest_min, "
                f"which is {self.shortest_min!r}"
            )


@dataclass(frozen=True)
class Exam(ExamLaw):
    """The law of all exams, or of non-fetal ones only if fetal exams have their own.

    :param fetal: law of fetal exams; None where they follow the same law as all others
    """

    path: ClassVar[str] = "exam"

    fetal: ExamLaw | None = field(default=None, metadata=OPTIONAL)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fetal is not None and not isinstance(self.fetal, ExamLaw):
            raise ConfigError(f"exam.fetal is {self.fetal!r}, but must be a section with fields of its own")

    def law_of(self, *, fetal: bool) -> ExamLaw:
        """The law that fetal or non-fetal exams follow.

        :param fetal: which of the two
        """
        return self.fetal if fetal and self.fetal is not None else self

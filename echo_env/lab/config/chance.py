"""The laws of a lab: who comes when, and how long exams take."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, model_validator

from echo_env.common.config_model import AS_WRITTEN, ConfigError, Positive, Probability, section

ArrivalModel = Literal["exponential", "empirical"]
ARRIVAL_MODELS = get_args(ArrivalModel)
"""How far from the appointment patients come: the paper's two exponential sides, or the offsets that were seen."""

Minutes = Annotated[float, Field(strict=True, ge=0, le=1440, allow_inf_nan=False), AS_WRITTEN]
Mean = Annotated[float, Field(strict=True, ge=1e-6, le=14_400, allow_inf_nan=False), AS_WRITTEN]
"""The mean of a law before truncation, minutes: it may lie far beyond the interval that the law is truncated to."""
Longest = Annotated[float, Field(strict=True, ge=1, le=1440, allow_inf_nan=False), AS_WRITTEN]
Margin = Annotated[int, Field(strict=True, ge=0, le=1440)]


def in_order(times: tuple[int, ...]) -> tuple[int, ...]:
    """Sorted: the order in which a file has them says nothing."""
    return tuple(sorted(times))


Offsets = Annotated[
    tuple[Annotated[int, Field(strict=True, ge=-1440, le=1440)], ...],
    AfterValidator(in_order),
    Field(json_schema_extra={"x-allowed": "a list of minutes"}),
]


@section("arrival")
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
        early; each is equally likely. Unused by ``exponential``.
    """

    no_show_rate: Probability
    late_share: Probability
    late_mean_min: Minutes
    early_mean_min: Mean
    early_max_min: Minutes
    on_time_margin_min: Margin
    # One class for both models: a fitted file holds the numbers of both, so that one word changes the model.
    model: ArrivalModel = "exponential"
    offsets_min: Offsets = ()

    @model_validator(mode="after")
    def _check(self) -> Arrival:
        if self.model == "empirical" and not self.offsets_min:
            raise ConfigError("offsets_min is empty, but arrival.model 'empirical' draws from it")
        return self


@section("exam.fetal")
class ExamLaw:
    """How long an exam takes: a gamma distribution truncated to an interval (section 3.3).

    :param shape: its shape
    :param mean_min: its mean before truncation, minutes
    :param shortest_min: lower end of the interval, minutes
    :param longest_min: upper end of the interval, minutes
    """

    shape: Positive
    mean_min: Mean
    shortest_min: Minutes
    longest_min: Longest

    @model_validator(mode="after")
    def _check(self) -> ExamLaw:
        if self.longest_min <= self.shortest_min:
            raise ConfigError(
                f"longest_min is {self.longest_min!r}, but must be above shortest_min, which is {self.shortest_min!r}"
            )
        return self


@section("exam")
class Exam(ExamLaw):
    """The law of all exams, or of non-fetal ones only if fetal exams have their own.

    :param fetal: law of fetal exams; None where they follow the same law as all others
    """

    fetal: ExamLaw | None = None

    def law_of(self, *, fetal: bool) -> ExamLaw:
        """The law that fetal or non-fetal exams follow.

        :param fetal: which of the two
        """
        if fetal and self.fetal is not None:
            return self.fetal
        return ExamLaw(self.shape, self.mean_min, self.shortest_min, self.longest_min)

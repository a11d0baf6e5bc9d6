"""Exam types of a lab: who comes for them, and how long they take."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from itertools import pairwise
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator

from echo_env.common.config_model import AS_WRITTEN, ConfigError, Positive, Probability, section
from echo_env.common.config_table import Table
from echo_env.lab.config.chance import Arrival, ArrivalModel, ExamLaw, Longest, Margin, Mean, Minutes, Offsets
from echo_env.lab.config.clock import ClockMinute
from echo_env.lab.config.plan import NEVER

A_DAY = 1440

Expected = Annotated[float, Field(strict=True, ge=0, le=100, allow_inf_nan=False), AS_WRITTEN]


@section("arrival")
class OwnArrival:
    """Who comes, and when: the fields that differ from the law that all types share, or that law itself.

    Without any, everybody comes exactly at the expected check-in.

    :param no_show_rate: probability that a patient does not come at all; 0 if nothing is said
    :param late_share: share of the others who come on the late side of the expected check-in
    :param late_mean_min: mean of their exponential delay, minutes
    :param early_mean_min: mean of the exponential lead of the rest before truncation, minutes
    :param early_max_min: the lead is truncated to at most this, minutes
    :param on_time_margin_min: up to this many minutes off the expected check-in counts as on time; 10 if nothing is
        said
    :param model: ``exponential``, the law of the numbers above, or ``empirical``
    :param offsets_min: for ``empirical``: arrivals minus expected check-ins that were seen, whole minutes, negative
        for early; each is equally likely
    """

    no_show_rate: Probability | None = None
    late_share: Probability | None = None
    late_mean_min: Minutes | None = None
    early_mean_min: Mean | None = None
    early_max_min: Minutes | None = None
    on_time_margin_min: Margin | None = None
    model: ArrivalModel | None = None
    offsets_min: Offsets | None = None

    def over(self, other: OwnArrival) -> Arrival:
        """The law with these fields laid over another's.

        :param other: what all types share
        :raises ConfigError: a field of the exponential law is missing
        """
        given = _given(other) | _given(self)
        needed = ("late_share", "late_mean_min", "early_mean_min", "early_max_min")
        missing = [name for name in needed if name not in given]
        if given.get("model") != "empirical" and missing and len(missing) < len(needed):
            raise ConfigError(f"{missing[0]} is missing; give all of {', '.join(needed)}, or none of them")
        punctual = {"no_show_rate": 0, "late_share": 1, "late_mean_min": 0, "early_mean_min": 1, "early_max_min": 0}
        return Arrival(**{**punctual, "on_time_margin_min": 10, **given})


@section("exam")
class OwnLaw:
    """A gamma distribution truncated to an interval: the fields that differ from the law that all types share.

    :param shape: its shape
    :param mean_min: its mean before truncation, minutes
    :param shortest_min: lower end of the interval, minutes
    :param longest_min: upper end of the interval, minutes
    """

    shape: Positive | None = None
    mean_min: Mean | None = None
    shortest_min: Minutes | None = None
    longest_min: Longest | None = None

    def over(self, other: OwnLaw) -> ExamLaw:
        """The law with these fields laid over another's.

        :param other: what all types share
        :raises ConfigError: a field is in neither
        """
        given = _given(other) | _given(self)
        missing = [field.name for field in fields(self) if field.name not in given]
        if missing:
            raise ConfigError(f"{missing[0]} is missing; give it there, or in exam for all types")
        return ExamLaw(**given)


@section("preparation")
class Preparation:
    """What comes between check-in and exam: always the same time, or a truncated gamma distribution.

    :param minutes: length, whole minutes; then nothing else is given
    :param shape: of the distribution
    :param mean_min: its mean before truncation, minutes
    :param shortest_min: lower end of the interval, minutes
    :param longest_min: upper end of the interval, minutes
    """

    minutes: Annotated[int, Field(strict=True, ge=0, le=A_DAY)] | None = None
    shape: Positive | None = None
    mean_min: Mean | None = None
    shortest_min: Minutes | None = None
    longest_min: Longest | None = None

    @model_validator(mode="after")
    def _check(self) -> Preparation:
        given = [name for name in _given(self) if name != "minutes"]
        if self.minutes is not None and given:
            raise ConfigError(f"{given[0]} is given beside minutes, but a preparation has a fixed length or a law")
        self.law()
        return self

    def law(self) -> ExamLaw | None:
        """The law of its length; None if it has none.

        :raises ConfigError: a field is missing
        """
        if self.minutes is not None:
            # Lengths are whole minutes, rounded up: this law has one of them only.
            return ExamLaw(1.0, self.minutes, self.minutes - 0.5, self.minutes) if self.minutes else None
        given = _given(self)
        missing = [name for name in ("shape", "mean_min", "shortest_min", "longest_min") if name not in given]
        if missing:
            either = "give minutes alone, or shape, mean_min, shortest_min and longest_min"
            raise ConfigError(f"{missing[0]} is missing; {either}")
        if given["longest_min"] <= given["shortest_min"]:
            raise ConfigError(
                f"longest_min is {given['longest_min']!r}, but must be above shortest_min, which is "
                f"{given['shortest_min']!r}"
            )
        return ExamLaw(**given)


def _given(section_: Any) -> dict[str, Any]:
    """The fields that have a value."""
    values = {field.name: getattr(section_, field.name) for field in fields(section_)}
    return {name: value for name, value in values.items() if value is not None}


def _one_at_a_time(hours: Table[int, float]) -> Table[int, float]:
    ordered = sorted(hours.items())
    for (early, _), (late, _) in pairwise(ordered):
        if late - early < 60:
            raise ConfigError(f"has hours that begin {late - early} minutes apart, but they must not overlap", ())
    return Table(ordered)


Hourly = Annotated[
    Table[ClockMinute, Expected],
    AfterValidator(_one_at_a_time),
    Field(json_schema_extra={"x-allowed": "hours with numbers, such as {'08:00': 1.5}"}),
]


def _a_number_absent(value: Any) -> int:
    """A whole number from 1, which a file may have written as text, as names of entries are."""
    if isinstance(value, str) and re.fullmatch("[1-9][0-9]*", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < NEVER:
        raise ConfigError("is no number of absent members of staff: it must be a whole number of at least 1", ())
    return value


Absent = Annotated[
    int, PlainValidator(_a_number_absent), WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]*$"})
]
Times = Annotated[tuple[ClockMinute, ...], Field(json_schema_extra={"x-allowed": "a list of times"})]
Rebooking = Annotated[
    Table[Absent, Times],
    AfterValidator(lambda table: Table(sorted(table.items()))),
    Field(json_schema_extra={"x-allowed": "numbers of absent members with times, such as {1: ['14:30']}"}),
]


@section("exam_types")
class ExamType:
    """An exam type: its patients and its exams.

    :param appointments: times; two at the same time are two entries, and null is a place that is left empty: the
        others keep their random numbers
    :param exam: how long exams take, where that differs from the law that all types share
    :param arrival: who comes and when, where that differs from the law that all types share
    :param weight: factor of the waiting points of its patients, a whole number: more than 1 makes them urgent
    :param check_in_lead_min: patients are asked to check in so many minutes before the appointment
    :param preparation: what comes between check-in and exam
    :param may_begin_early: whether an exam may begin before its appointment
    :param unscheduled: expected number of patients without an appointment, by the time at which an hour begins
    :param rebook_when_absent: patients who are rebooked to another day on mornings on which so many regular members of
        staff are absent at least: times of appointments, each entry one of them, besides those of smaller numbers
    """

    appointments: Annotated[
        tuple[ClockMinute | None, ...], Field(json_schema_extra={"x-allowed": "a list of times"})
    ] = ()
    exam: OwnLaw = OwnLaw()
    arrival: OwnArrival = OwnArrival()
    weight: Annotated[int, Field(strict=True, ge=1, le=100)] = 1
    check_in_lead_min: Annotated[int, Field(strict=True, ge=0, le=A_DAY)] = 0
    preparation: Preparation | None = None
    may_begin_early: Annotated[bool, Field(strict=True)] = True
    unscheduled: Hourly = Table()
    rebook_when_absent: Rebooking = Table()


class Unbooked(ValueError):
    """An entry of an absence plan for which there is no appointment.

    :param absent: its number of absent members
    :param entry: its place in the list of times
    :param minute: its time, since opening
    """

    def __init__(self, absent: int, entry: int, minute: int) -> None:
        super().__init__(f"no appointment is left at minute {minute}, to be rebooked when {absent} are absent")
        self.absent, self.entry, self.minute = absent, entry, minute


def rebooked_places(appointments: Sequence[int | None], rebooked: Mapping[int, Sequence[int]]) -> tuple[int, ...]:
    """How many must be absent for each appointment to be rebooked.

    Of several appointments at a time the first place that is not rebooked yet is, by ascending numbers of absent
    members: an entry says a time, and patients of a type with the same time are alike.

    :param appointments: minutes since opening, None in places that are left empty
    :param rebooked: number of absent members -> times
    :return: for each place, :data:`~echo_env.lab.config.plan.NEVER` if it is not rebooked
    :raises Unbooked: there are more entries with a time than appointments
    """
    places = [NEVER] * len(appointments)
    for absent in sorted(rebooked):
        for entry, minute in enumerate(rebooked[absent]):
            free = [k for k, own in enumerate(appointments) if own == minute and places[k] == NEVER]
            if not free:
                raise Unbooked(absent, entry, minute)
            places[free[0]] = absent
    return tuple(places)


def rebooked_times(appointments: Sequence[int | None], rebook_from: Sequence[int]) -> dict[int, list[int]]:
    """The times of an absence plan, such that :func:`rebooked_places` gives as many at each time.

    :param appointments: minutes since opening, None in places that are left empty
    :param rebook_from: how many must be absent for each place to be rebooked, for those behind it nothing is
    :return: number of absent members -> times, ascending
    """
    times: dict[int, list[int]] = {}
    for absent, minute in sorted(
        (absent, minute)
        for absent, minute in zip(rebook_from, appointments, strict=False)
        if absent < NEVER and minute is not None
    ):
        times.setdefault(absent, []).append(minute)
    return times

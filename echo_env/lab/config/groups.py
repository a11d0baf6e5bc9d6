"""Groups of rooms and of members of staff who are alike."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from echo_env.common.config_model import ConfigError, NotNegative, Probability, check_number, check_sum, section
from echo_env.lab.config.chance import in_order
from echo_env.lab.config.clock import ClockMinute, Stretch, check_length

Count = Annotated[int, Field(strict=True, ge=0, le=999)]
Length = Annotated[int, Field(strict=True, ge=1, le=1440)]
ExamTypes = Annotated[
    tuple[str, ...], Field(min_length=1, json_schema_extra={"x-allowed": "a list of at least one exam type"})
]


@section("room_groups")
class GroupOfRooms:
    """Rooms that are alike.

    :param count: how many
    :param exam_types: names of the exam types that can be done there; all if it is left out
    :param turnover_min: a room is cleaned for so many minutes after an exam
    :param closed: stretches in which no exam begins there; one under way is finished
    :param price_per_hour: what an hour costs in which one of them is open, in any currency; without prices there is no
        cost
    """

    count: Count
    exam_types: ExamTypes | None = None
    turnover_min: Annotated[int, Field(strict=True, ge=0, le=1440)] = 0
    closed: Annotated[tuple[Stretch, ...], Field(json_schema_extra={"x-allowed": "a list of stretches"})] = ()
    price_per_hour: NotNegative | None = None


@section("staff_groups.shift")
class Shift(Stretch):
    """When members of a group are here.

    :param starts_past_end: whether exams may begin that are expected to end after the shift
    :param hand_over: whether an exam under way at the end goes to a free colleague; else it is finished in overtime
    """

    starts_past_end: Annotated[bool, Field(strict=True)] = False
    hand_over: Annotated[bool, Field(strict=True)] = False


@section("staff_groups.lunch")
class Lunch:
    """Lunch: at the first free minute inside its window, and at the last one by force.

    :param from_min: begin of the window, since opening
    :param until_min: end of the window, since opening: lunch is over by then
    :param minutes: its length, minutes
    :param at_once: so many of the group are at lunch together at most, before force; no limit if it is left out
    :param put_off: whether lunch is put off, until the last minute, while a patient waits whom the member may examine
    """

    from_min: Annotated[ClockMinute, Field(alias="from")]
    until_min: Annotated[ClockMinute, Field(alias="until")]
    minutes: Length
    at_once: Annotated[int, Field(strict=True, ge=1, le=999)] | None = None
    put_off: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def _check(self, info: ValidationInfo) -> Lunch:
        check_length(self.from_min, self.until_min, info)
        window = self.until_min - self.from_min
        if self.minutes > window:
            raise ConfigError(f"minutes is {self.minutes}, but the window for lunch has {window} minutes")
        return self


@section("staff_groups.breaks")
class StaffBreaks:
    """Breaks of each member of a group: by chance after exams, or planned.

    :param minutes: length of one break, minutes
    :param number: breaks by chance that each has in a day: 0, 1 or 2
    :param both_probability: with two left, probability to take both at once
    :param one_probability: with two left, probability to take one
    :param last_probability: with one left, probability to take it
    :param planned: times of planned breaks, each taken at the first free minute from then on
    :param put_off_min: a planned break is put off for up to so many minutes while a patient waits whom the member may
        examine
    """

    minutes: Length
    number: Annotated[int, Field(strict=True, ge=0, le=2)] = 0
    both_probability: Probability = 0.0
    one_probability: Probability = 0.0
    last_probability: Probability = 0.0
    planned: Annotated[
        tuple[ClockMinute, ...], AfterValidator(in_order), Field(json_schema_extra={"x-allowed": "a list of times"})
    ] = ()
    put_off_min: Annotated[int, Field(strict=True, ge=0, le=1440)] = 0

    @model_validator(mode="after")
    def _check(self) -> StaffBreaks:
        check_sum("one_probability", self.one_probability, self.both_probability)
        return self


@section("staff_groups.on_call")
class OnCall:
    """Members who come only if regular ones are absent, one for each.

    :param count: how many
    :param from_min: when they come, since opening; at opening if it is left out
    """

    count: Annotated[int, Field(strict=True, ge=1, le=999)]
    from_min: Annotated[ClockMinute, Field(alias="from")] = 0


@section("staff_groups")
class GroupOfStaff:
    """Members of staff who are alike.

    :param count: how many regular members
    :param exam_types: names of the exam types that they can do; all if it is left out
    :param shift: when they are here; all day if it is left out
    :param lunch: lunch, if they have one
    :param breaks: breaks, if they have any
    :param absence_rate: probability that a regular member is absent for the whole day
    :param always_present: the first so many are never absent
    :param on_call: who comes if regular members are absent
    :param price_per_hour: what a paid hour of one of them costs, in any currency; without prices there is no cost
    :param overtime_factor: an hour of overtime costs so many times as much
    """

    count: Count
    exam_types: ExamTypes | None = None
    shift: Shift | None = None
    lunch: Lunch | None = None
    breaks: StaffBreaks | None = None
    absence_rate: Probability = 0.0
    always_present: Count = 0
    on_call: OnCall | None = None
    price_per_hour: NotNegative | None = None
    overtime_factor: NotNegative = 1.0

    @model_validator(mode="after")
    def _check(self) -> GroupOfStaff:
        check_number("always_present", self.always_present, 0, self.count, whole=True)
        if self.on_call is not None and not self.count:
            raise ConfigError("on_call is given, but count is 0: nobody can be absent whom they would stand in for")
        return self

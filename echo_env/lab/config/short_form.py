"""The paper's form of a lab: what there is of fetal and non-fetal exams, and the plan of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import Field, model_validator

from echo_env.common.config_model import ConfigError, Probability, check_number, check_sum, section
from echo_env.lab.config.plan import BreakPlan, LabPlan, RoomGroup, StaffGroup, TypePlan

if TYPE_CHECKING:
    from echo_env.lab.config.lab_config import LabConfig

ExamKind = Literal["fetal", "non_fetal"]
KINDS: tuple[ExamKind, ...] = get_args(ExamKind)
"""The two kinds of exam of the paper."""

FETAL, NON_FETAL = 0b01, 0b10
BOTH = FETAL | NON_FETAL

Count = Annotated[int, Field(strict=True, ge=0, le=999)]
Minute = Annotated[int, Field(strict=True, ge=0, le=1440)]
Book = Annotated[tuple[Minute | None, ...], Field(json_schema_extra={"x-allowed": "a list of times"})]


@section("appointments")
class Appointments:
    """The day's template (figure 1).

    The place in the list is the identity of the patient: random numbers stay with it when the time changes, and None
    is a place that is left empty, so that those after it keep theirs.

    :param fetal: appointment times of fetal patients, minutes since opening, in any order
    :param non_fetal: those of non-fetal patients, minutes since opening; two at the same time are two entries
    """

    fetal: Book
    non_fetal: Book

    @model_validator(mode="after")
    def _check(self) -> Appointments:
        if not len(self):
            raise ConfigError("has no entry, but must have at least one in fetal or non_fetal", ())
        return self

    def times(self, kind: ExamKind) -> tuple[int, ...]:
        """Appointments of a kind, ascending, without empty places.

        :param kind: ``fetal`` or ``non_fetal``
        """
        return tuple(sorted(time for time in getattr(self, kind) if time is not None))

    def __len__(self) -> int:
        """Appointments of both kinds; places that are left empty do not count."""
        return sum(time is not None for time in (*self.fetal, *self.non_fetal))


@section("rooms")
class Rooms:
    """How many rooms of each kind there are.

    :param fetal: rooms for both fetal and non-fetal exams (R_b in the paper)
    :param non_fetal: rooms for non-fetal exams only (R_n)
    """

    fetal: Count
    non_fetal: Count

    @property
    def total(self) -> int:
        """Rooms of both kinds; numbers below :attr:`fetal` are the fetal-capable ones."""
        return self.fetal + self.non_fetal


@section("sonographers")
class Sonographers:
    """Who works here (section 3.4).

    :param fetal: sonographers who do both fetal and non-fetal exams (S_b in the paper)
    :param non_fetal: those who do non-fetal exams only (S_n)
    :param always_present_fetal: the first so many of the fetal-capable ones are never absent
    :param always_present_non_fetal: the first so many of the others are never absent
    :param absence_rate: probability that any other one is absent for the whole day
    """

    fetal: Count
    non_fetal: Count
    always_present_fetal: Count
    always_present_non_fetal: Count
    absence_rate: Probability

    @model_validator(mode="after")
    def _check(self) -> Sonographers:
        check_number("always_present_fetal", self.always_present_fetal, 0, self.fetal, whole=True)
        check_number("always_present_non_fetal", self.always_present_non_fetal, 0, self.non_fetal, whole=True)
        return self

    @property
    def total(self) -> int:
        """Sonographers of both kinds; numbers below :attr:`fetal` are the fetal-capable ones."""
        return self.fetal + self.non_fetal

    @property
    def never_absent(self) -> tuple[int, ...]:
        """Numbers of those who are always there: the first of each kind."""
        others = range(self.fetal, self.fetal + self.always_present_non_fetal)
        return (*range(self.always_present_fetal), *others)


@section("breaks")
class Breaks:
    """Breaks, decided by chance after each exam (section 3.4).

    :param number: breaks each sonographer has in a day: 0, 1 or 2
    :param minutes: length of one break, minutes
    :param both_probability: with two left, probability to take both at once
    :param one_probability: with two left, probability to take one
    :param last_probability: with one left, probability to take it
    """

    number: Annotated[int, Field(strict=True, ge=0, le=2)]
    minutes: Annotated[int, Field(strict=True, ge=1, le=1440)]
    both_probability: Probability
    one_probability: Probability
    last_probability: Probability

    @model_validator(mode="after")
    def _check(self) -> Breaks:
        check_sum("one_probability", self.one_probability, self.both_probability)
        return self


def short_form_plan(config: LabConfig) -> LabPlan:
    """The plan of fetal and non-fetal exams: type 0 and type 1, and groups that can do both or non-fetal ones only.

    :param config: the lab
    """
    book, rooms, staff, hours = config.appointments, config.rooms, config.sonographers, config.hours
    law = config.breaks
    breaks = BreakPlan(law.number, law.minutes, law.both_probability, law.one_probability, law.last_probability)
    fetal, non_fetal = config.exam.law_of(fetal=True), config.exam.law_of(fetal=False)
    return LabPlan(
        opening_min=hours.opening_min,
        closing_min=hours.closing_min,
        end_min=hours.end_min,
        types=(
            TypePlan("fetal", book.fetal, fetal, config.arrival),
            TypePlan("non_fetal", book.non_fetal, non_fetal, config.arrival),
        ),
        # Both groups, also where there is nobody: columns of counts stay where they are.
        room_groups=(RoomGroup("fetal", rooms.fetal, BOTH), RoomGroup("non_fetal", rooms.non_fetal, NON_FETAL)),
        staff_groups=(
            StaffGroup("fetal", staff.fetal, BOTH, breaks, staff.absence_rate, staff.always_present_fetal),
            StaffGroup(
                "non_fetal", staff.non_fetal, NON_FETAL, breaks, staff.absence_rate, staff.always_present_non_fetal
            ),
        ),
    )

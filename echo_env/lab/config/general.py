"""The description of any lab: exam types, room groups, staff groups.

A file of this form is as short as the lab is simple: what a lab does not have is left out. Its sections are in
:mod:`~echo_env.lab.config.exam_types` and :mod:`~echo_env.lab.config.groups`;
:func:`~echo_env.lab.config.loading.load_lab` reads a file.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, TypeAdapter, model_validator

from echo_env.common.config_model import ConfigError, Name, replaced, section
from echo_env.common.config_table import Table
from echo_env.lab.config.exam_types import ExamType, OwnArrival, OwnLaw
from echo_env.lab.config.file import HOURS
from echo_env.lab.config.general_checks import check_lab
from echo_env.lab.config.general_plan import general_plan
from echo_env.lab.config.groups import GroupOfRooms, GroupOfStaff
from echo_env.lab.config.lab_config import Hours, IdleRule, Penalty, Points
from echo_env.lab.config.plan import LabPlan

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*")


def _a_name(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ConfigError("is no name: it must begin with a letter and have letters, digits, single _ and - only", ())
    return value


Named = Annotated[str, BeforeValidator(_a_name)]


def at_least_one(what: str) -> Any:
    """The constraint of a table that is not empty.

    :param what: an entry, for messages
    """
    return Field(min_length=1, json_schema_extra={"x-allowed": f"a section with at least one {what}"})


@section("penalty")
class GeneralPenalty(Penalty):
    """What a minute costs, in penalty points: the paper's weights for waiting, and nothing for idle resources."""

    on_time: Points = 4.0
    late: Points = 2.0
    overtime: Points = 10.0
    idle: Points = 0.0
    idle_rule: IdleRule = "none"


@section("")
class GeneralLabConfig:
    """One lab of any kind.

    >>> from echo_env.lab import load_lab
    >>> load_lab("mri_unit").room_groups["magnets"].count
    2

    :param name: what to call it
    :param exam_types: name -> exam type, 1 to 8
    :param room_groups: name -> rooms that are alike, at least one group
    :param staff_groups: name -> members of staff who are alike, at least one group
    :param arrival: who comes, and when, where an exam type does not say otherwise
    :param exam: how long exams take, where an exam type does not say otherwise
    """

    name: Name
    hours: Hours
    exam_types: Annotated[Table[Named, ExamType], at_least_one("exam type")]
    room_groups: Annotated[Table[Named, GroupOfRooms], at_least_one("room group")]
    staff_groups: Annotated[Table[Named, GroupOfStaff], at_least_one("staff group")]
    arrival: OwnArrival = OwnArrival()
    exam: OwnLaw = OwnLaw()
    penalty: GeneralPenalty = GeneralPenalty()

    @model_validator(mode="after")
    def _check(self) -> GeneralLabConfig:
        check_lab(self)
        return self

    @cached_property
    def plan(self) -> LabPlan:
        """Who can do what and when: what the engines read."""
        return general_plan(self)

    def as_file(self) -> dict[str, Any]:
        """The fields as a YAML file has them: clock times, and nothing that is as it would be if left out."""
        opening = self.hours.opening_min
        dump = TypeAdapter(GeneralLabConfig).dump_python
        data: dict[str, Any] = dump(
            self, mode="json", by_alias=True, exclude_defaults=True, context={"opening": opening}
        )
        times = (0, self.hours.closing_min, self.hours.end_min)
        return {**data, "hours": dict(zip(HOURS, map(self.hours.clock, times), strict=True))}

    def replace(self, **changes: Any) -> GeneralLabConfig:
        """A copy with fields changed by their path, a double underscore for the dot.

        >>> from echo_env.lab import load_lab
        >>> load_lab("mri_unit").replace(room_groups__magnets__count=3).room_groups["magnets"].count
        3

        :raises ConfigError: no such field, or a value that is not allowed
        """
        return replaced(self, "lab", changes)

"""The description of a lab: hours, appointments, staff, rooms, penalties.

Every number that a day depends on has a name here that carries its unit; the numbers themselves are in the presets.
The sections are frozen and check themselves; :meth:`LabConfig.load` reads a preset or a YAML file into them.

Times are minutes since opening: 0 is 08:00 in the paper's lab. Sections and equations are those of Sun et al.,
*Optimal patient allocation for echocardiographic assessments*.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, model_validator

from echo_env.common import config_file
from echo_env.common.config_model import (
    ConfigError,
    Name,
    NotNegative,
    build,
    check_number,
    replaced,
    section,
)
from echo_env.lab.config.chance import Arrival, Exam
from echo_env.lab.config.clock import clock_text
from echo_env.lab.config.file import LabFile, clock_times_to_minutes, read_lab_file
from echo_env.lab.config.plan import LabPlan
from echo_env.lab.config.short_form import Appointments, Breaks, Rooms, Sonographers, short_form_plan

IdleRule = Literal["every_pair", "while_waiting", "none"]
IDLE_RULES = get_args(IdleRule)
"""How idle resources are charged: see :func:`echo_env.lab.simulation.penalty.penalty_units`."""

Points = Annotated[NotNegative, AfterValidator(float)]


@section("hours")
class Hours:
    """When the lab is open (section 3.1).

    :param opening_min: opening, minutes after midnight
    :param closing_min: nobody is let in after this minute, minutes since opening
    :param end_min: the last exam may be decided one minute before this one, minutes since opening
    """

    opening_min: Annotated[int, Field(strict=True, ge=0, le=1439)]
    closing_min: Annotated[int, Field(strict=True, ge=1, le=1440)]
    end_min: Annotated[int, Field(strict=True, ge=1, le=1440)]

    @model_validator(mode="after")
    def _check(self) -> Hours:
        check_number("closing_min", self.closing_min, 1, 1440 - self.opening_min, whole=True)
        check_number("end_min", self.end_min, self.closing_min, 1440 - self.opening_min, whole=True)
        return self

    def clock(self, minute: int) -> str:
        """``15`` -> ``"08:15"`` in a lab that opens at 8.

        :param minute: since opening
        """
        return clock_text(self.opening_min + int(minute))


@section("penalty")
class Penalty:
    """What a minute costs, in penalty points (section 5.3).

    :param on_time: points per on-time patient waiting
    :param late: points per late patient waiting
    :param overtime: points per patient of any class waiting at or after closing, on top
    :param idle: points per idle unit, as ``idle_rule`` counts them
    :param idle_rule: ``every_pair`` (the paper's text), ``while_waiting`` (its published code) or ``none``
    :param turned_away: points per patient who comes after closing and is not let in
    :param left_waiting: points per patient who is not examined by the end of the day
    :param staff_overtime: points per minute that a member of staff works on an exam after the end of the shift, or
        after closing where there are no shifts
    """

    on_time: Points
    late: Points
    overtime: Points
    idle: Points
    idle_rule: IdleRule
    turned_away: Points = 0.0
    left_waiting: Points = 0.0
    staff_overtime: Points = 0.0


@section("")
class LabConfig:
    """One lab. Its numbers come from a preset or a file; the paper's are ``baseline``.

    >>> LabConfig.load("scarce").rooms
    Rooms(fetal=1, non_fetal=3)

    :param name: what to call it
    """

    appointments: Appointments
    name: Name
    hours: Hours
    arrival: Arrival
    exam: Exam
    rooms: Rooms
    sonographers: Sonographers
    breaks: Breaks
    penalty: Penalty

    @model_validator(mode="after")
    def _check(self) -> LabConfig:
        latest = max(self.appointments.times("fetal") + self.appointments.times("non_fetal"))
        if latest > self.hours.closing_min:
            raise ConfigError(
                f"appointments has one at {self.hours.clock(latest)}, but the lab closes at "
                f"{self.hours.clock(self.hours.closing_min)}"
            )
        if self.appointments.times("fetal") and not (self.rooms.fetal and self.sonographers.fetal):
            raise ConfigError(
                "appointments.fetal is not empty, but rooms.fetal or sonographers.fetal is 0: "
                "no fetal patient could ever be examined",
                ("sonographers" if self.rooms.fetal else "rooms", "fetal"),
            )
        if not (self.rooms.total and self.sonographers.total):
            raise ConfigError("rooms and sonographers are 0, but there must be at least one of each")
        return self

    @cached_property
    def plan(self) -> LabPlan:
        """Who can do what and when: what the engines read."""
        return short_form_plan(self)

    @classmethod
    def load(cls, source: LabConfig | str | Path) -> LabConfig:
        """Read a lab.

        :param source: a preset's name (``baseline``, ``scarce``, ``abundant``, ``authors_code``), the path
            of a YAML file, or a config, which is returned as it is
        :raises ConfigError: names the field, its value, what is allowed, and the line of the file; or the lab has
            exam types of its own, which :func:`~echo_env.lab.config.loading.load_lab` reads
        """
        if isinstance(source, LabConfig):
            return source
        read = read_lab_file(source)
        if read.general:
            raise ConfigError(
                f"config {str(source)!r} is a lab with exam types of its own, which load_lab reads; here it must be a "
                "lab with fetal and non-fetal exams",
                (),
            )
        return short_form_of(read)

    def replace(self, **changes: Any) -> LabConfig:
        """A copy with fields changed by their path, a double underscore for the dot.

        >>> LabConfig.load("scarce").replace(rooms__non_fetal=4).rooms.non_fetal
        4

        :raises ConfigError: no such field, or a value that is not allowed
        """
        return replaced(self, "lab", changes)


def short_form_of(read: LabFile) -> LabConfig:
    """A lab of the paper's form from its file.

    :param read: the file
    :raises ConfigError: names the field, its value, what is allowed, and the line of the file
    """
    with config_file.located(read.layers.lines):
        clock_times_to_minutes(read.layers.data)
        return build(LabConfig, read.layers.data)

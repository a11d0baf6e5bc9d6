"""What every config of a lab offers, whichever form it has, and the way from the short form to the general one."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any, Protocol, Self

from echo_env.common.config_table import Table
from echo_env.lab.config.chance import ExamLaw
from echo_env.lab.config.exam_types import ExamType, OwnArrival, OwnLaw
from echo_env.lab.config.general import GeneralLabConfig, GeneralPenalty
from echo_env.lab.config.groups import GroupOfRooms, GroupOfStaff, StaffBreaks
from echo_env.lab.config.lab_config import Hours, LabConfig, Penalty
from echo_env.lab.config.plan import LabPlan
from echo_env.lab.config.short_form import KINDS


class Lab(Protocol):
    """A lab: :class:`~echo_env.lab.config.lab_config.LabConfig`, the paper's form with two kinds of exam, or
    :class:`~echo_env.lab.config.general.GeneralLabConfig`, with exam types, room groups and staff groups.

    Engines read the plan and the sections that all labs have.
    """

    @property
    def name(self) -> str:
        """What to call it."""

    @property
    def hours(self) -> Hours:
        """When it is open."""

    @property
    def penalty(self) -> Penalty:
        """What a minute costs."""

    @property
    def plan(self) -> LabPlan:
        """Who can do what and when."""

    def replace(self, **changes: Any) -> Self:
        """A copy with fields changed by their path, a double underscore for the dot."""


def as_general(config: Lab) -> GeneralLabConfig:
    """A lab of either form as one of the general form.

    Its plan is equal to the plan that it has already, and so are its days, traces and metrics.

    >>> as_general(LabConfig.load("scarce")).staff_groups["fetal"].count
    2

    :param config: the lab; one of the general form is returned as it is
    :raises TypeError: a lab of neither form
    """
    if isinstance(config, GeneralLabConfig):
        return config
    if not isinstance(config, LabConfig):
        raise TypeError(f"the lab {config.name!r} is a {type(config).__name__}, but must be a config that was loaded")
    # Everybody can do non-fetal exams, and those of the first group fetal ones as well.
    only: dict[str, tuple[str, ...] | None] = {"fetal": None, "non_fetal": ("non_fetal",)}
    rooms: dict[str, GroupOfRooms] = {kind: GroupOfRooms(getattr(config.rooms, kind), only[kind]) for kind in KINDS}
    return GeneralLabConfig(
        name=config.name,
        hours=config.hours,
        exam_types=Table({kind: _exam_type(config, kind) for kind in KINDS}),
        room_groups=Table(rooms),
        staff_groups=Table({kind: _staff(config, kind, only[kind]) for kind in KINDS}),
        arrival=OwnArrival(**asdict(config.arrival)),
        exam=_law(config.exam),
        penalty=GeneralPenalty(**asdict(config.penalty)),
    )


def _exam_type(config: LabConfig, kind: str) -> ExamType:
    own = config.exam.fetal if kind == "fetal" else None
    return ExamType(appointments=getattr(config.appointments, kind), exam=OwnLaw() if own is None else _law(own))


def _law(law: ExamLaw) -> OwnLaw:
    return OwnLaw(**{field.name: getattr(law, field.name) for field in fields(OwnLaw)})


def _staff(config: LabConfig, kind: str, exam_types: tuple[str, ...] | None) -> GroupOfStaff:
    staff = config.sonographers
    return GroupOfStaff(
        count=getattr(staff, kind),
        exam_types=exam_types,
        breaks=StaffBreaks(**asdict(config.breaks)),
        absence_rate=staff.absence_rate,
        always_present=getattr(staff, f"always_present_{kind}"),
    )

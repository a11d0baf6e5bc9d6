"""What a fit takes of the base lab, whichever form that has, as sections of a lab file of the general form."""

from __future__ import annotations

import dataclasses
from typing import Any

from echo_env.lab.config.general import GeneralLabConfig
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.plan import RoomGroup, StaffGroup

Section = dict[str, Any]


def base_groups(base: Lab) -> tuple[dict[str, Section], dict[str, Section]]:
    """Room groups and staff groups of a lab, by name, as a file has them; those without members are left out.

    :param base: the lab
    """
    if isinstance(base, GeneralLabConfig):
        data = base.as_file()
        return data["room_groups"], data["staff_groups"]
    plan = base.plan
    names = tuple(kind.name for kind in plan.types)
    rooms = {group.name: {"count": group.count, **_can(group, names)} for group in plan.room_groups if group.count}
    staff = {group.name: _staff(group, names) for group in plan.staff_groups if group.count}
    return rooms, staff


def _can(group: RoomGroup | StaffGroup, names: tuple[str, ...]) -> Section:
    able = [name for bit, name in enumerate(names) if group.can >> bit & 1]
    return {} if len(able) == len(names) else {"exam_types": able}


def _staff(group: StaffGroup, names: tuple[str, ...]) -> Section:
    """A group of a lab of the paper's form: it has breaks by chance and absences, and nothing else."""
    section: Section = {"count": group.count, **_can(group, names)}
    law = {name: value for name, value in dataclasses.asdict(group.breaks).items() if name != "planned"}
    if group.breaks.number:
        section["breaks"] = law
    return section | {"absence_rate": group.absence_rate, "always_present": group.always_present}


def base_penalty(base: Lab) -> Section:
    """The penalty section of a lab.

    :param base: the lab
    """
    return dataclasses.asdict(base.penalty)

"""The plan of a lab in the paper's form: fetal and non-fetal exams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from echo_env.lab.config.plan import BreakPlan, LabPlan, RoomGroup, StaffGroup, TypePlan

if TYPE_CHECKING:
    from echo_env.lab.config.lab_config import LabConfig

FETAL, NON_FETAL = 0b01, 0b10
BOTH = FETAL | NON_FETAL


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

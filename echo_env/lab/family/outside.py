"""In which respects a lab lies outside of a family: what a generalist has not been trained for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from echo_env.lab.config.lab import Lab
from echo_env.lab.family.capacity import Capacity
from echo_env.lab.family.family import LabFamily
from echo_env.lab.family.resources import Group


def outside(config: Lab, family: LabFamily | None = None) -> list[str]:
    """What is outside, in words; empty for a lab within the family's ranges.

    :param config: the lab
    :param family: the family, by default the one that the shipped agent is trained on
    """
    family, plan = family or LabFamily(), config.plan
    booked = sum(time is not None for kind in plan.types for time in kind.scheduled)
    means = [kind.exam.mean_min for kind in plan.types]
    checks = [
        ("appointments", booked, family.patients),
        ("members of staff", sum(group.count for group in plan.staff_groups), family.staff),
        ("utilisation", round(_utilisation(config), 2), family.utilisation),
        ("minutes of opening", plan.closing_min, family.closing),
        ("minutes of the shortest mean exam", min(means), family.exam_mean),
        ("minutes of the longest mean exam", max(means), family.exam_mean),
    ]
    found = [
        f"{number:g} {name} (trained on {least:g} to {most:g})"
        for name, number, (least, most) in checks
        if not least <= number <= most
    ]
    return [*found, *_unknown(config)]


def _utilisation(config: Lab) -> float:
    """By the tightest set of exam types, see :class:`~echo_env.lab.family.family.LabFamily`."""
    plan, kinds = config.plan, len(config.plan.types)
    rooms = [Group(group.count, group.can) for group in plan.room_groups]
    staff = [Group(group.count, group.can) for group in plan.staff_groups]
    capacity = Capacity.of(kinds, rooms, staff, [group.absence_rate for group in plan.staff_groups])
    minutes = [
        kind.exam.mean_min
        * (
            sum(time is not None for time in kind.scheduled) * (1 - kind.arrival.no_show_rate)
            + sum(number for _, number in kind.unscheduled)
        )
        for kind in plan.types
    ]
    return capacity.utilisation(np.array(minutes), plan.closing_min)


def _unknown(config: Lab) -> Iterator[str]:
    """What no lab of the family has."""
    plan, penalty = config.plan, config.penalty
    if plan.rebooks:
        yield "an absence plan"
    if penalty.turned_away:
        yield "points for patients turned away"
    if max(penalty.on_time, penalty.late) <= 0:
        yield "no points for waiting"
    if max(kind.weight for kind in plan.types) > 5:
        yield f"a weight of {max(kind.weight for kind in plan.types)} (trained on 1 to 5)"

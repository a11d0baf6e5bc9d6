"""What metrics need of a lab's plan, read once."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import numpy as np

from echo_env.lab.config.plan import NEVER, LabPlan
from echo_env.lab.simulation.metrics.results import Bools, Floats, Ints

_KEPT: OrderedDict[int, Constants] = OrderedDict()
_MOST_KEPT = 64


class Constants(NamedTuple):
    """Numbers of a plan; nobody may write to them.

    :param plan: the plan
    :param kinds: (1 + K, 1, 1) int64, -1 for everybody, then the exam types
    :param open_min: (1 + room groups, 1) int64, minutes in which rooms are open, from opening to the end of the day
    :param closed_before: (room groups, minutes + 1) int64, minutes closed before each; None if no group closes
    :param members: (1 + staff groups, S) float64, 1 for all members of staff, and for those of each group
    :param duty: (S,) int64, minutes on duty up to the end of the day
    :param shift: (S,) bool, whose shift ends; who has no shift is on duty until the end of the day
    """

    plan: LabPlan
    kinds: Ints
    open_min: Ints
    closed_before: Ints | None
    members: Floats
    duty: Ints
    shift: Bools


def constants_of(plan: LabPlan) -> Constants:
    """The constants of a plan.

    :param plan: of the lab
    """
    # By identity, since hashing a plan takes longer than a metric; the plan is kept, so that no other one can have
    # its place.
    if id(plan) not in _KEPT:
        _KEPT[id(plan)] = _read(plan)
        if len(_KEPT) > _MOST_KEPT:
            _KEPT.popitem(last=False)
    return _KEPT[id(plan)]


def closed_minutes(plan: LabPlan) -> Bools:
    """(room groups, minutes of the day) bool, when rooms of each are closed.

    :param plan: of the lab
    """
    closed = np.zeros((len(plan.room_groups), plan.end_min), dtype=np.bool_)
    for group, own in zip(closed, plan.room_groups, strict=True):
        for begin, until in own.closed:
            group[begin:until] = True
    return closed


def with_total(numbers: Ints) -> Ints:
    """(1 + groups, n), the sum over all groups, and the (groups, n) numbers of each."""
    return np.concatenate([numbers.sum(axis=0, keepdims=True), numbers])


def _read(plan: LabPlan) -> Constants:
    closed, groups = closed_minutes(plan), np.arange(-1, len(plan.staff_groups))[:, None]
    rooms = np.array([group.count for group in plan.room_groups], dtype=np.int64)
    return Constants(
        plan=plan,
        kinds=np.arange(-1, len(plan.types))[:, None, None],
        open_min=with_total((rooms * (~closed).sum(axis=1))[:, None]),
        closed_before=np.pad(np.cumsum(closed, axis=1), ((0, 0), (1, 0))) if closed.any() else None,
        members=((groups < 0) | (plan.staff_group == groups)).astype(np.float64),
        duty=np.maximum(np.minimum(plan.duty_until, plan.end_min) - plan.duty_from, 0),
        shift=plan.duty_until < NEVER,
    )

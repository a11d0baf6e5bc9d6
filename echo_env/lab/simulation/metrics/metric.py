"""What a metric is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from echo_env.lab.config.plan import LabPlan
from echo_env.lab.simulation.metrics.day_numbers import DayNumbers


class Metric(NamedTuple):
    """A number of a day. Tables, files, infos, TensorBoard and axes take all they say about it from here.

    :param name: as in files
    :param unit: its unit
    :param meaning: what it is, for files and titles of figures
    :param label: what tables call it; ``{end}`` stands for the time at which the day ends
    :param section: metrics of the same section stand together in tables
    :param of: computes it, (n,), from n days
    :param told: whether environments tell it at the end of a day, as training watches it; files and tables have all
    """

    name: str
    unit: str
    meaning: str
    label: str
    section: str
    of: Callable[[DayNumbers], Any]
    told: bool = True


@dataclass(frozen=True)
class Row:
    """Computes a metric: a row of a property of :class:`~echo_env.lab.simulation.metrics.day_numbers.DayNumbers`
    that has several.

    :param of: name of the property
    :param row: 0 for everybody, then exam types or groups
    """

    of: str
    row: int = 0

    def __call__(self, day: DayNumbers) -> Any:
        """The number, (n,)."""
        return getattr(day, self.of)[self.row]


class LabParts(NamedTuple):
    """What it depends on which metrics a lab has.

    :param types: names of the exam types
    :param rooms: names of the room groups
    :param staff: names of the staff groups
    :param lunches: whether each staff group has lunch
    :param handovers: whether anybody hands exams over
    :param prices: whether anything has a price
    :param rebooks: whether there is an absence plan
    """

    types: tuple[str, ...]
    rooms: tuple[str, ...]
    staff: tuple[str, ...]
    lunches: tuple[bool, ...]
    handovers: bool
    prices: bool
    rebooks: bool


def lab_parts(plan: LabPlan) -> LabParts:
    """The parts of a lab that have metrics.

    :param plan: of the lab
    """
    rooms, staff = plan.room_groups, plan.staff_groups
    prices = [*(group.price_per_hour for group in rooms), *(group.price_per_hour for group in staff)]
    return LabParts(
        types=tuple([kind.name for kind in plan.types]),
        rooms=tuple([group.name for group in rooms]),
        staff=tuple([group.name for group in staff]),
        lunches=tuple([group.lunch is not None for group in staff]),
        handovers=any(group.hands_over for group in staff),
        prices=any(price is not None for price in prices),
        rebooks=plan.rebooks,
    )

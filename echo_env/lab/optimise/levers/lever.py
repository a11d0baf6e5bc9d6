"""What a search may change of a lab: whole numbers, each with the values that it may take."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, NamedTuple, Protocol

from echo_env.lab.config import Hours, Penalty
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.plan import LabPlan
from echo_env.lab.optimise.levers.workable import is_workable

Values = tuple[int, ...]
"""A value of each lever."""
Place = tuple[str, ...]
"""Names of sections and field in a lab file."""
NOTHING = -1
"""Value of a lever while there is nothing of the kind."""


@dataclass(frozen=True)
class PlannedLab:
    """A lab whose plan was changed without a config: as much of one as engines and policies read."""

    name: str
    hours: Hours
    penalty: Penalty
    plan: LabPlan

    def replace(self, **changes: Any) -> PlannedLab:
        """A copy with other fields."""
        return replace(self, **changes)


class Lever(NamedTuple):
    """A number that may change.

    :param today: its value, :data:`NOTHING` where there is nothing of the kind
    :param allowed: the values that it may take, ascending, at least one
    :param alike: levers for which this and the value are equal are interchangeable, so that one stands for all
    :param spread: whether a search may begin with the levers that are alike at even distances, as times of a day
    :param start: the value that a search begins with; by default the allowed one nearest to today's
    """

    today: int
    allowed: tuple[int, ...]
    alike: Hashable
    spread: bool = False
    start: int | None = None

    @property
    def first(self) -> int:
        """The value that a search begins with: today's, unless a window or a limit shuts it out."""
        if self.start is not None:
            return self.start
        return min(self.allowed, key=lambda value: abs(value - self.today))


class Change(NamedTuple):
    """Something that somebody has to do, once or several times.

    :param sentence: what
    :param number: how many changes that is
    """

    sentence: str
    number: int = 1


class Decision(Protocol):
    """A kind of decision: its levers, and what their values mean."""

    @property
    def name(self) -> str:
        """What ``--decide`` calls it."""

    @property
    def levers(self) -> tuple[Lever, ...]:
        """The levers; their :attr:`Lever.first` fit together."""

    def fits(self, values: Values) -> bool:
        """Whether these values are allowed together; each by itself is allowed. Others are never played."""

    def apply(self, plan: LabPlan, values: Values) -> LabPlan:
        """The plan with these values."""

    def changes(self, plan: LabPlan, values: Values) -> list[Change]:
        """What has to be done for these values, in a lab with the plan that the decisions before this one make."""

    def in_file(self, plan: LabPlan, values: Values) -> Mapping[Place, Any]:
        """Field of a lab file -> its value, for the fields that change; those of :meth:`Lab.as_file`."""


@dataclass(frozen=True)
class Choice:
    """Several decisions together.

    :param config: the lab as it is
    :param decisions: what may be decided
    """

    config: Lab
    decisions: tuple[Decision, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What each decision is called."""
        return tuple(decision.name for decision in self.decisions)

    @property
    def places(self) -> tuple[slice, ...]:
        """Which of the values are those of each decision."""
        ends = list(accumulate(len(decision.levers) for decision in self.decisions))
        return tuple(slice(begin, end) for begin, end in zip([0, *ends], ends, strict=False))

    @property
    def levers(self) -> tuple[Lever, ...]:
        """The levers of all decisions, one after the other."""
        return tuple(lever for decision in self.decisions for lever in decision.levers)

    @property
    def today(self) -> Values:
        """The lab as it is."""
        return tuple(lever.today for lever in self.levers)

    @property
    def first(self) -> Values:
        """The values that a search begins with, which fit together."""
        return tuple(lever.first for lever in self.levers)

    def fits(self, values: Values) -> bool:
        """Whether the values are allowed together: those of each decision, and all of them as a lab.

        :param values: of each lever, each allowed by itself
        """
        if not all(decision.fits(own) for decision, own in self._parts(values)):
            return False
        # One decision may move a shift away from what another one puts into it.
        return len(self.decisions) == 1 or is_workable(self.lab(values).plan)

    def lab(self, values: Values, other: Lab | None = None) -> PlannedLab:
        """The lab with these values.

        :param values: of each lever
        :param other: a lab of the same types and groups, in place of the lab itself
        """
        config = self.config if other is None else other
        plan = config.plan
        for decision, own in self._parts(values):
            plan = decision.apply(plan, own)
        return PlannedLab(config.name, config.hours, config.penalty, plan)

    def changes(self, values: Values) -> tuple[Change, ...]:
        """What has to be done for these values.

        :param values: of each lever
        """
        return tuple(change for decision, plan, own in self._steps(values) for change in decision.changes(plan, own))

    def in_file(self, values: Values) -> dict[Place, Any]:
        """Field of a lab file -> its value, for the fields that change.

        :param values: of each lever
        """
        places: dict[Place, Any] = {}
        for decision, plan, own in self._steps(values):
            places |= decision.in_file(plan, own)
        return places

    def _steps(self, values: Values) -> Iterator[tuple[Decision, LabPlan, Values]]:
        """Each decision with the plan that those before it make, and its values."""
        plan = self.config.plan
        for decision, own in self._parts(values):
            yield decision, plan, own
            plan = decision.apply(plan, own)

    def _parts(self, values: Values) -> list[tuple[Decision, Values]]:
        return [(own, values[place]) for own, place in zip(self.decisions, self.places, strict=True)]


def number_of(changes: Sequence[Change]) -> int:
    """How many changes these are in all.

    :param changes: the changes
    """
    return sum(change.number for change in changes)


def changed(values: Values, lever: int, value: int) -> Values:
    """Values with another one.

    :param values: of each lever
    :param lever: number of the lever
    :param value: its new value
    """
    return (*values[:lever], value, *values[lever + 1 :])

"""What every config of a lab offers, whichever form it has."""

from __future__ import annotations

from typing import Any, Protocol, Self

from echo_env.lab.config.lab_config import Hours, Penalty
from echo_env.lab.config.plan import LabPlan


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

"""The roster as a decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from echo_env.lab.config import GeneralLabConfig
from echo_env.lab.config.plan import LabPlan
from echo_env.lab.optimise.levers.lever import Change, Lever, Place, Values
from echo_env.lab.optimise.levers.roster.places import roster_in_file
from echo_env.lab.optimise.levers.roster.plans import NEW, Decided, Part, with_roster
from echo_env.lab.optimise.levers.roster.words import roster_changes
from echo_env.lab.optimise.levers.workable import is_workable


@dataclass(frozen=True)
class Roster:
    """Members of staff by group, their shifts, calls and training, and what rooms are equipped for.

    :param config: the lab
    :param parts: what each lever decides
    :param levers: as many
    """

    config: GeneralLabConfig
    parts: tuple[Part, ...]
    levers: tuple[Lever, ...]
    name: str = "roster"

    def fits(self, values: Values) -> bool:
        """Whether the lab is a valid one: each exam type can be done, and shifts hold lunch, breaks and calls."""
        return all(lever.today == value for lever, value in zip(self.levers, values, strict=True)) or is_workable(
            self.apply(self.config.plan, values)
        )

    def apply(self, plan: LabPlan, values: Values) -> LabPlan:
        """The plan with these values, which fit."""
        return with_roster(plan, self._decided(values))

    def changes(self, plan: LabPlan, values: Values) -> list[Change]:
        """What has to be done, group by group."""
        today, decided = self.config.plan, self._decided(values)
        terms = {part: value for part, value in decided.items() if part.what not in ("training", "rooms")}
        return roster_changes(today, with_roster(today, terms), decided, self.config.hours.clock)

    def in_file(self, plan: LabPlan, values: Values) -> Mapping[Place, Any]:
        """Fields of the groups that differ, and sections of new ones."""
        decided = self._decided(values)
        added = [part for part, number in decided.items() if part.target == NEW and part.name and number]
        return roster_in_file(self.config, with_roster(plan, decided), added)

    def _decided(self, values: Values) -> Decided:
        return dict(zip(self.parts, values, strict=True))

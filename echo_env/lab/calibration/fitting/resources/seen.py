"""Rooms and staff: as the notes state them, else as the visits show them, else as in the base lab."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from echo_env.lab.calibration.fitting.estimates import four_digits
from echo_env.lab.calibration.fitting.resources.base_lab import Section, base_groups
from echo_env.lab.calibration.fitting.resources.notes import Noted
from echo_env.lab.calibration.fitting.resources.people import (
    Shifts,
    WorkingDay,
    lunch_seen,
    names_in,
    two_shifts,
    working_days,
)
from echo_env.lab.calibration.fitting.resources.record import Absence, Resources
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config.clock import clock_text
from echo_env.lab.config.lab import Lab

if TYPE_CHECKING:
    import pandas as pd

Kind = tuple[frozenset[str], str]
"""Exam types that somebody, or a room, was seen with, and the shift; empty where there are none."""

PAPER_TYPES = {"fetal", "non_fetal"}
_SEEN = "seen"
LEAST_DAYS = 5
"""Days from which absence can be told."""


def resources_of(
    visits: Visits, types: tuple[str, ...], noted: Mapping[str, Noted], base: Lab, base_name: str
) -> Resources:
    """Rooms and staff of the lab.

    :param visits: the visits
    :param types: exam types of the lab
    :param noted: what the notes state
    :param base: supplies what neither notes nor visits determine
    :param base_name: how to call it
    """
    rooms, staff = base_groups(base)
    exams = visits.table[visits.table["begin"].notna() & (visits.table["type"] != "")]
    every = _Found(exams, types, {kind.name for kind in base.plan.types} >= set(types), base_name)
    own_rooms, rooms_source = every.groups("room", _rooms_noted(types, noted), rooms)
    own_staff, staff_source = every.groups("staff", _staff_noted(types, noted), staff)
    sources = {"room_groups": rooms_source, "staff_groups": staff_source}
    if own_staff == staff:
        return Resources(own_rooms, own_staff, sources, {}, None)
    seen = staff_source.startswith(_SEEN)
    absences = _absences(every.by_day("staff"), own_staff, types) if seen else {}
    if seen and every.shifts is not None:
        sources["shift"] = "seen: first and last exams of members of staff, who fall into two shifts"
    lunch = lunch_seen(every.worked) if "lunch.minutes" not in noted else None
    rates = "" if absences else f"; absences as in {base_name}"
    sources["staff_groups"] += f"{rates}; probabilities of breaks as in {base_name}"
    return Resources(own_rooms, _staff_sections(own_staff, staff, absences), sources, absences, lunch)


Stated = tuple[dict[str, Section], str] | None


def _rooms_noted(types: tuple[str, ...], noted: Mapping[str, Noted]) -> Stated:
    return _noted(types, noted, "rooms.fetal", "rooms.non_fetal", lambda own, other: (own, other))


def _staff_noted(types: tuple[str, ...], noted: Mapping[str, Noted]) -> Stated:
    return _noted(types, noted, "staff.fetal", "staff", lambda own, every: (own, every - own))


def _noted(
    types: tuple[str, ...],
    noted: Mapping[str, Noted],
    fetal: str,
    other: str,
    counts: Callable[[int, int], tuple[int, int]],
) -> Stated:
    """Groups that the notes state, for a lab with the paper's exam types."""
    if set(types) != PAPER_TYPES or not {fetal, other} <= set(noted):
        return None
    own, rest = counts(noted[fetal].value, noted[other].value)
    groups: dict[str, Section] = {"fetal": {"count": own}, "non_fetal": {"count": rest, "exam_types": ["non_fetal"]}}
    quoted = f"{noted[other].quoted}, {noted[fetal].quoted}"
    return {name: group for name, group in groups.items() if group["count"] > 0}, quoted


class _Found:
    """What exams show of rooms and staff.

    :param exams: rows of the table with a begin and a type
    :param types: exam types of the lab
    :param base_fits: whether the base lab has these exam types
    :param base_name: how to call it
    """

    def __init__(self, exams: pd.DataFrame, types: tuple[str, ...], base_fits: bool, base_name: str) -> None:
        self._exams, self._types, self._base_fits, self._base_name = exams, types, base_fits, base_name

    def groups(self, column: str, stated: Stated, base: dict[str, Section]) -> tuple[dict[str, Section], str]:
        """Groups, and where they come from.

        :param column: ``room`` or ``staff``
        :param stated: by the notes
        :param base: groups of the base lab
        """
        if stated is not None:
            return stated
        named = self._exams[self._exams[column] != ""]
        what = "rooms" if column == "room" else "initials"
        if 2 * len(named) >= len(self._exams) and len(named):
            counts = _most_a_day(self.by_day(column))
            able = frozenset().union(*(can for can, _ in counts))
            # An exam that took place could take place, also without a name.
            lacking = [(frozenset({kind}), "") for kind in self._types if kind not in able]
            groups = self._sections(column, counts + Counter(lacking))
            return groups, f"{_SEEN}: {what} by the exam types seen there, as many as on the day with most"
        if self._base_fits:
            return dict(base), f"{what} are not recorded; as in {self._base_name}"
        most = max(most_at_once(own) for _, own in self._exams.groupby("day")) if len(self._exams) else 1
        said = f"{what} are not recorded; as many as exams took place at once, {most}"
        return {column if column == "staff" else "rooms": {"count": most}}, said

    @cached_property
    def worked(self) -> list[WorkingDay]:
        """The working days of members of staff."""
        return working_days(self._exams)

    @cached_property
    def shifts(self) -> Shifts | None:
        """Two shifts, where the working days show them."""
        return two_shifts(self.worked)

    def _sections(self, column: str, counts: Counter[Kind]) -> dict[str, Section]:
        order = sorted(counts, key=lambda kind: (-len(kind[0]), [name not in kind[0] for name in self._types], kind[1]))
        sections: dict[str, Section] = {}
        for can, shift in order:
            able = [name for name in self._types if name in can]
            everything = len(able) == len(self._types)
            name = ("rooms" if column == "room" else "staff") if everything else "_and_".join(able)
            section: Section = {"count": counts[can, shift], **({} if everything else {"exam_types": able})}
            if shift and self.shifts is not None:
                begin, end = self.shifts.late if shift == "late" else self.shifts.early
                section["shift"] = {"from": clock_text(begin), "until": clock_text(end)}
            sections[f"{name}_{shift}" if shift else name] = section
        return sections

    def by_day(self, column: str) -> list[Counter[Kind]]:
        """What those seen on each day can do, the exam types with which the whole file shows them, and their shift.

        :param column: ``room`` or ``staff``
        """
        named = self._exams[self._exams[column] != ""]
        names = names_in(named[column])
        able: dict[str, set[str]] = {}
        for cell, kind in zip(named[column], named["type"], strict=True):
            for name in names[cell]:
                able.setdefault(name, set()).add(kind)
        shift: dict[tuple[str, str], str] = {}
        if column == "staff" and self.shifts is not None:
            shift = {(one.day, one.name): self.shifts.of(one) for one in self.worked}
        days = []
        for day, own in named.groupby("day", sort=False):
            there = {name for cell in own[column] for name in names[cell]}
            days.append(Counter((frozenset(able[name]), shift.get((day, name), "")) for name in there))
        return days


def _most_a_day(days: list[Counter[Kind]]) -> Counter[Kind]:
    """The largest number of each on a day."""
    most: Counter[Kind] = Counter()
    for own in days:
        most |= own
    return most


def most_at_once(exams: pd.DataFrame) -> int:
    """How many exams were under way together at most; those without an end count in their first minute.

    :param exams: with the columns ``begin`` and ``end``
    """
    begin = exams["begin"].to_numpy(dtype=np.int64)
    end = np.maximum(exams["end"].fillna(exams["begin"]).to_numpy(dtype=np.int64), begin + 1)
    return int(max((((begin <= minute) & (minute < end)).sum() for minute in begin), default=0))


def _absences(days: list[Counter[Kind]], groups: dict[str, Section], types: tuple[str, ...]) -> dict[str, Absence]:
    """Of each group, how often members other than one who is always there were missing."""
    if len(days) < LEAST_DAYS:
        return {}
    found = {}
    for name, group in groups.items():
        shift = name.rpartition("_")[2] if "shift" in group else ""
        kind = frozenset(group.get("exam_types", types)), shift
        chance = group["count"] - 1
        if chance > 0:
            missing = sum(group["count"] - own[kind] for own in days)
            found[name] = Absence(min(missing, chance * len(days)), chance * len(days))
    return found


def _staff_sections(
    groups: dict[str, Section], base: dict[str, Section], absences: Mapping[str, Absence]
) -> dict[str, Section]:
    """The groups with the breaks and absences of the base lab's group of the same name, or of its first one."""
    like = next(iter(base.values()))
    sections = {}
    for name, group in groups.items():
        model = base.get(name, like)
        rest: dict[str, Any] = {field: model[field] for field in ("breaks", "absence_rate") if field in model}
        present = int(model.get("always_present", 0))
        if name in absences:
            missing, of = absences[name]
            present, rest["absence_rate"] = 1, four_digits(missing / of)
        sections[name] = {**group, **rest, "always_present": min(present, group["count"])}
    return sections

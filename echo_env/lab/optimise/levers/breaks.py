"""Breaks and lunch as a decision: when they are, and whether they are put off while somebody waits.

Nobody loses or gains a break: a break by chance may become a planned one, and planned ones may move.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from echo_env.lab.config import GeneralLabConfig
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.plan import NEVER, BreakPlan, LabPlan, LunchPlan, StaffGroup
from echo_env.lab.optimise.levers.break_words import break_changes, breaks_in_file
from echo_env.lab.optimise.levers.lever import NOTHING, Change, Lever, Place, Values

BY_CHANCE = NOTHING
"""The value of a break that is taken by chance after an exam."""
PUT_OFF_MIN = (0, 15, 30, 60)
"""Minutes for which planned breaks may be put off."""


class Part(NamedTuple):
    """What a lever decides.

    :param what: a break, ``BY_CHANCE`` or its time; minutes for which planned breaks may be put off; first minute of
        the window for lunch; how many of the group may be at lunch together; 1 if lunch may be put off. Times are
        minutes since opening
    :param group: number of the staff group
    """

    what: Literal["break", "put_off_min", "lunch", "at_once", "lunch_put_off"]
    group: int


@dataclass(frozen=True)
class Breaks:
    """Breaks and lunch of each group of staff.

    :param config: the lab
    :param parts: what each lever decides
    :param levers: as many
    :param apart_min: minutes between two planned breaks at least
    """

    config: GeneralLabConfig
    parts: tuple[Part, ...]
    levers: tuple[Lever, ...]
    apart_min: int
    name: str = "breaks"

    def fits(self, values: Values) -> bool:
        """Whether planned breaks of a group are so far apart that they are not taken as one, where today's are not."""
        for group, own in enumerate(self.config.plan.staff_groups):
            times = sorted(value for value in self._of(group, "break", values) if value != BY_CHANCE)
            today = set(pairwise(own.breaks.planned))
            if any(b - a < self.apart_min and (a, b) not in today for a, b in pairwise(times)):
                return False
        return True

    def apply(self, plan: LabPlan, values: Values) -> LabPlan:
        """The plan with these breaks. A time that a shift of the plan does not hold moves to its nearest end."""
        groups = list(plan.staff_groups)
        for number in range(len(self.config.staff_groups)):
            groups[number] = self._decided(groups[number], number, values, plan.end_min)
        return replace(plan, staff_groups=tuple(groups))

    def changes(self, plan: LabPlan, values: Values) -> list[Change]:
        """What has to be done, group by group."""
        pairs = zip(plan.staff_groups, self.apply(plan, values).staff_groups, strict=True)
        return [change for old, new in pairs for change in break_changes(old, new, self.config.hours.clock)]

    def in_file(self, plan: LabPlan, values: Values) -> Mapping[Place, Any]:
        """Fields of breaks and lunch that differ."""
        places: dict[Place, Any] = {}
        for old, new in zip(plan.staff_groups, self.apply(plan, values).staff_groups, strict=True):
            for place, value in breaks_in_file(old, new, self.config.hours.clock).items():
                places["staff_groups", old.name, *place] = value
        return places

    def _of(self, group: int, what: str, values: Values) -> list[int]:
        return [value for part, value in zip(self.parts, values, strict=True) if part == (what, group)]

    def _decided(self, own: StaffGroup, group: int, values: Values, end_min: int) -> StaffGroup:
        begin, until = own.shift or (0, NEVER)
        shift = begin, min(until, end_min)
        breaks, lunch = own.breaks, own.lunch
        if times := self._of(group, "break", values):
            breaks = _with_times(breaks, times, self._of(group, "put_off_min", values)[0], shift)
        if lunch is not None and (begins := self._of(group, "lunch", values)):
            lunch = self._lunch(lunch, begins[0], group, values, shift)
        return replace(own, breaks=breaks, lunch=lunch)

    def _lunch(self, own: LunchPlan, begin: int, group: int, values: Values, shift: tuple[int, int]) -> LunchPlan:
        window = own.latest_min - own.begin_min
        begin = max(shift[0], min(begin, shift[1] - own.minutes - window))
        at_once = own.at_once
        for part, lever, value in zip(self.parts, self.levers, values, strict=True):
            # As many as there are may stand for any number.
            if part == ("at_once", group) and value != lever.today:
                at_once = value
        put_off = self._of(group, "lunch_put_off", values)[0] == 1
        return replace(own, begin_min=begin, latest_min=begin + window, at_once=at_once, put_off=put_off)


def _with_times(own: BreakPlan, times: Sequence[int], put_off_min: int, shift: tuple[int, int]) -> BreakPlan:
    begin, until = shift
    planned = sorted(max(begin, min(time, until - 1)) for time in times if time != BY_CHANCE)
    put_off = put_off_min if planned else own.put_off_min
    return replace(own, number=times.count(BY_CHANCE), planned=tuple(planned), put_off_min=put_off)


def breaks(
    config: Lab,
    grid_min: int = 15,
    clear_min: int = 60,
    apart_min: int = 120,
    lunch_within_min: int = 60,
    most_put_off_min: int = 60,
) -> Breaks:
    """Breaks and lunch of a lab, on a grid of times.

    :param config: the lab, of the general form: see :func:`~echo_env.lab.config.lab.as_general`
    :param grid_min: minutes between the times, from opening on, at least 1
    :param clear_min: no planned break and no window for lunch begins in so many minutes after the shift does, nor ends
        in so many before it is over: there it would be a shorter shift. Closing counts as the end for breaks
    :param apart_min: two planned breaks are so many minutes apart at least: those due together are taken as one
    :param lunch_within_min: the window for lunch, whose length is kept, moves by so many minutes at most
    :param most_put_off_min: planned breaks are put off for so many minutes at most while somebody waits; with 0 neither
        they nor lunch are, unless they are today
    :raises ValueError: a lab of the short form, one without breaks and lunch, or a number that is not allowed; one
        sentence
    """
    if not isinstance(config, GeneralLabConfig):
        raise ValueError(f"the lab {config.name!r} has no groups of staff, but breaks need them: use as_general")
    limits = (("clear_min", clear_min), ("apart_min", apart_min), ("lunch_within_min", lunch_within_min),
              ("most_put_off_min", most_put_off_min))  # fmt: skip
    for name, value, low in (("grid_min", grid_min, 1), *((name, value, 0) for name, value in limits)):
        if value < low:
            raise ValueError(f"{name} is {value!r}, but must be at least {low}")
    found: list[tuple[Part, Lever]] = []
    for number, own in enumerate(config.plan.staff_groups):
        if own.members:
            found += _breaks(config, number, own, grid_min, clear_min, most_put_off_min)
            found += _lunches(config, number, own, grid_min, clear_min, lunch_within_min, most_put_off_min > 0)
    if not found:
        raise ValueError(f"nobody in the lab {config.name!r} has breaks or lunch, so that nothing of them can change")
    return Breaks(config, tuple(part for part, _ in found), tuple(lever for _, lever in found), apart_min)


Found = Iterator[tuple[Part, Lever]]


def _breaks(
    config: GeneralLabConfig, group: int, own: StaffGroup, grid_min: int, clear_min: int, most_put_off_min: int
) -> Found:
    law = own.breaks
    if not law.number and not law.planned:
        return
    begin, until = own.shift or (0, NEVER)
    last = min(until, config.hours.closing_min) - clear_min - law.minutes
    times = {minute for minute in range(0, last + 1, grid_min) if minute >= begin + clear_min}
    for today in (*[BY_CHANCE] * law.number, *law.planned):
        alike = ("break", group, today == BY_CHANCE)
        yield Part("break", group), Lever(today, tuple(sorted({today, *times})), alike, spread=True)
    # With nothing planned it has no meaning yet, and planning is looked at with breaks that wait.
    offered = [minutes for minutes in PUT_OFF_MIN if minutes <= most_put_off_min]
    start = None if law.planned else max(offered)
    allowed = tuple(sorted({law.put_off_min, *offered}))
    yield Part("put_off_min", group), Lever(law.put_off_min, allowed, ("put_off_min", group), start=start)


def _lunches(
    config: GeneralLabConfig,
    group: int,
    own: StaffGroup,
    grid_min: int,
    clear_min: int,
    within_min: int,
    put_off: bool,
) -> Found:
    law = own.lunch
    if law is None:
        return
    begin, until = own.shift or (0, NEVER)
    last = min(until, config.hours.end_min) - clear_min - (law.latest_min + law.minutes - law.begin_min)
    low, high = max(begin + clear_min, law.begin_min - within_min), min(last, law.begin_min + within_min)
    times = {minute for minute in range(0, high + 1, grid_min) if minute >= low}
    yield Part("lunch", group), Lever(law.begin_min, tuple(sorted({law.begin_min, *times})), ("lunch", group))
    if own.members > 1:
        allowed = tuple(range(1, own.members + 1))
        yield Part("at_once", group), Lever(min(law.at_once, own.members), allowed, ("at_once", group))
    offered = (0, 1) if put_off else (int(law.put_off),)
    yield Part("lunch_put_off", group), Lever(int(law.put_off), offered, ("lunch_put_off", group))

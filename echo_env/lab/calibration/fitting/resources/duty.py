"""What members of staff do besides exams: breaks, lunch and shifts, of the notes and of what was recorded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from echo_env.lab.calibration.fitting.resources.base_lab import Section
from echo_env.lab.calibration.fitting.resources.notes import Noted
from echo_env.lab.calibration.fitting.resources.people import Lunch
from echo_env.lab.config.clock import clock_text, read_clock

_LUNCH = 11 * 60, 13 * 60 + 30
"""Window of a lunch whose length alone is known, minutes after midnight."""
_MOST_BREAKS = 2


class Duty(NamedTuple):
    """Staff groups with breaks, lunch and shifts inside the day.

    :param staff: name -> staff group
    :param sources: field -> where it comes from, in words
    """

    staff: dict[str, Section]
    sources: dict[str, str]


def with_duty(
    staff: Mapping[str, Section], seen: Lunch | None, noted: Mapping[str, Noted], hours: tuple[int, int, int]
) -> Duty:
    """Staff groups with the breaks that are noted, and the lunch that is noted or seen.

    :param staff: name -> staff group
    :param seen: a lunch that gaps between exams show
    :param noted: what the notes state
    :param hours: opening, closing and end, minutes after midnight
    """
    groups: dict[str, dict[str, Any]] = {name: dict(group) for name, group in staff.items()}
    sources: dict[str, str] = {}
    number = noted.get("breaks.number")
    if number is not None and number.value <= _MOST_BREAKS:
        sources["breaks"] = number.quoted
        for group in groups.values():
            law = {"both_probability": 0.0, "one_probability": 0.0, "last_probability": 0.0, **group.get("breaks", {})}
            group["breaks"] = {**law, "number": number.value, "minutes": noted["breaks.minutes"].value}
    lunch = noted.get("lunch.minutes")
    if lunch is not None:
        window = f"{clock_text(_LUNCH[0])} to {clock_text(_LUNCH[1])}"
        sources["lunch"] = f"{lunch.quoted}; between {window}, which is assumed"
        _give_lunch(groups, Lunch(lunch.value, _LUNCH, 0), hours)
    elif seen is not None:
        sources["lunch"] = f"seen: on {seen.rows} working days nobody who worked across midday was without such a gap"
        _give_lunch(groups, seen, hours)
    return Duty(groups, sources)


def _give_lunch(groups: Mapping[str, dict[str, Any]], lunch: Lunch, hours: tuple[int, int, int]) -> None:
    """Put lunch into the groups whose shift has room for it, in place."""
    for group in groups.values():
        shift = group.get("shift", {})
        first = read_clock(shift["from"]) if "from" in shift else hours[0]
        last = read_clock(shift["until"]) if "until" in shift else hours[2]
        begin, end = max(lunch.window[0], first), min(lunch.window[1], last)
        turns = (end - begin) // lunch.minutes
        if turns > 0:
            group["lunch"] = {
                "from": clock_text(begin), "until": clock_text(end), "minutes": lunch.minutes,
                "at_once": max(math.ceil(group["count"] / turns), 1),
            }  # fmt: skip

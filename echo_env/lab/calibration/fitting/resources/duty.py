"""What members of staff do besides exams: breaks, lunch and shifts, of the notes and of what was recorded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from echo_env.lab.calibration.fitting.estimates import Estimate
from echo_env.lab.calibration.fitting.resources.base_lab import Section
from echo_env.lab.calibration.fitting.resources.notes import Noted
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config.clock import clock_text

_LUNCH = 11 * 60, 13 * 60 + 30
"""Window of a lunch whose length alone is known, minutes after midnight."""
_MOST_BREAKS = 2


class Duty(NamedTuple):
    """Staff groups with breaks, lunch and shifts.

    :param staff: name -> staff group
    :param sources: field -> where it comes from, in words
    :param estimates: the numbers among them
    """

    staff: dict[str, Section]
    sources: dict[str, str]
    estimates: tuple[Estimate, ...]


def with_duty(
    staff: Mapping[str, Section], visits: Visits, noted: Mapping[str, Noted], hours: tuple[int, int, int]
) -> Duty:
    """Staff groups with the breaks and the lunch that are noted.

    :param staff: name -> staff group
    :param visits: the visits
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
    begin, end = max(_LUNCH[0], hours[0]), min(_LUNCH[1], hours[2])
    if lunch is not None and begin + lunch.value <= end:
        window = f"{clock_text(begin)} to {clock_text(end)}"
        sources["lunch"] = f"{lunch.quoted}; between {window}, which is assumed"
        for group in groups.values():
            turns = (end - begin) // lunch.value
            group["lunch"] = {
                "from": clock_text(begin), "until": clock_text(end), "minutes": lunch.value,
                "at_once": max(math.ceil(group["count"] / turns), 1),
            }  # fmt: skip
    return Duty(groups, sources, ())

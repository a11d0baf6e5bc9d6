"""Other breaks and another lunch of a group: as sentences, and as fields of a lab file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from echo_env.lab.config.plan import NEVER, LunchPlan, StaffGroup
from echo_env.lab.optimise.levers.lever import Change, Place

Clock = Callable[[int], str]


def break_changes(old: StaffGroup, new: StaffGroup, clock: Clock) -> list[Change]:
    """What has to be done for other breaks and another lunch of a group.

    :param old: the group as it is
    :param new: with other breaks and another lunch
    :param clock: minute since opening -> clock time
    """
    said = [*_of_breaks(old, new, clock)]
    if old.lunch is not None and new.lunch is not None:
        said += _of_lunch(old.name, old.lunch, new.lunch, clock)
    return [Change(sentence) for sentence in said]


def _of_breaks(old: StaffGroup, new: StaffGroup, clock: Clock) -> list[str]:
    """Planned breaks are alike to whoever writes the roster: a time that both have is no change; of the rest, the
    earliest goes to the earliest."""
    name, before, after = old.name, Counter(old.breaks.planned), Counter(new.breaks.planned)
    gone, come = sorted((before - after).elements()), sorted((after - before).elements())
    said = [f"Move the {clock(was)} break of {name} to {clock(now)}." for was, now in zip(gone, come, strict=False)]
    minutes = new.breaks.put_off_min
    put_off = f", put off for up to {minutes} minutes while somebody waits," if minutes else ""
    for now in come[len(gone) :]:
        said.append(f"Plan a break of {name} at {clock(now)}{put_off} in place of one by chance.")
    if before and minutes != old.breaks.put_off_min:
        how = f"for up to {minutes} minutes while somebody waits" if minutes else "no longer"
        said.append(f"Put planned breaks of {name} off {how}.")
    return said


def _of_lunch(name: str, old: LunchPlan, new: LunchPlan, clock: Clock) -> list[str]:
    said = []
    if new.begin_min != old.begin_min:
        said.append(f"Begin lunch of {name} from {clock(new.begin_min)} on in place of {clock(old.begin_min)}.")
    if new.at_once != old.at_once:
        before = "any number" if old.at_once == NEVER else str(old.at_once)
        said.append(f"Let at most {new.at_once} of {name} be at lunch at the same time in place of {before}.")
    if new.put_off != old.put_off:
        how = "while somebody waits, as long as it fits into its window" if new.put_off else "no longer"
        said.append(f"Put lunch of {name} off {how}.")
    return said


def breaks_in_file(old: StaffGroup, new: StaffGroup, clock: Clock) -> dict[Place, Any]:
    """Fields of a group whose values differ.

    :param old: the group as it is
    :param new: with other breaks and another lunch
    :param clock: minute since opening -> clock time
    :return: section and field -> value
    """
    fields: dict[Place, Any] = {
        ("breaks", field): getattr(new.breaks, field)
        for field in ("number", "put_off_min")
        if getattr(new.breaks, field) != getattr(old.breaks, field)
    }
    if new.breaks.planned != old.breaks.planned:
        fields["breaks", "planned"] = [clock(minute) for minute in new.breaks.planned]
    before, after = old.lunch, new.lunch
    if before is not None and after is not None:
        if after.begin_min != before.begin_min:
            fields["lunch", "from"] = clock(after.begin_min)
            fields["lunch", "until"] = clock(after.latest_min + after.minutes)
        for field in ("at_once", "put_off"):
            if getattr(after, field) != getattr(before, field):
                fields["lunch", field] = getattr(after, field)
    return fields

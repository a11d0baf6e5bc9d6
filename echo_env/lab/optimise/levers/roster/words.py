"""What has to be done for another roster, in sentences."""

from __future__ import annotations

from collections.abc import Callable

from echo_env.common.words import in_words
from echo_env.lab.config.plan import NEVER, LabPlan, StaffGroup
from echo_env.lab.optimise.levers.lever import Change
from echo_env.lab.optimise.levers.roster.plans import NEW, Decided, Part

Clock = Callable[[int], str]


def roster_changes(today: LabPlan, plan: LabPlan, decided: Decided, clock: Clock) -> list[Change]:
    """The changes, group by group: those of numbers, shifts and calls, then training and rooms.

    :param today: the lab as it is
    :param plan: with the values but those of training and rooms
    :param decided: values of all levers
    :param clock: minute since opening -> clock time
    """
    said = []
    for old, new in zip(today.staff_groups, plan.staff_groups, strict=True):
        said += [*_count(old, new), *_shift(old, new, clock), *_on_call(old, new, clock)]
    for part, number in decided.items():
        if number and part.what in ("training", "rooms"):
            said.append(Change(_capability(today, part, number), number))
    return said


def _count(old: StaffGroup, new: StaffGroup) -> list[Change]:
    number = abs(new.count - old.count)
    if not number:
        return []
    members = f"{in_words(number)} member{'s' if number > 1 else ''}"
    if new.count > old.count:
        return [Change(f"Add {members} of the group {old.name}.", number)]
    return [Change(f"Take {members} out of the group {old.name}.", number)]


def _shift(old: StaffGroup, new: StaffGroup, clock: Clock) -> list[Change]:
    before, after = old.shift or (0, NEVER), new.shift or (0, NEVER)
    begins, ends = before[0] != after[0], before[1] != after[1]
    if begins and ends:
        now, was = (f"{clock(own[0])} to {clock(own[1])}" for own in (after, before))
        return [Change(f"Move the shift of {old.name} to {now} in place of {was}.")]
    if begins:
        return [Change(f"Begin the shift of {old.name} at {clock(after[0])} in place of {clock(before[0])}.")]
    if ends:
        return [Change(f"End the shift of {old.name} at {clock(after[1])} in place of {clock(before[1])}.")]
    return []


def _on_call(old: StaffGroup, new: StaffGroup, clock: Clock) -> list[Change]:
    if (old.on_call, old.on_call_min) == (new.on_call, new.on_call_min):
        return []
    number = max(abs(new.on_call - old.on_call), 1)
    if not new.on_call:
        return [Change(f"Have nobody of {old.name} on call.", number)]
    instead = f" in place of {in_words(old.on_call)} from {clock(old.on_call_min)}" if old.on_call else ""
    return [
        Change(f"Have {in_words(new.on_call)} of {old.name} on call from {clock(new.on_call_min)}{instead}.", number)
    ]


def _capability(today: LabPlan, part: Part, number: int) -> str:
    many, plural = in_words(number), "s" if number > 1 else ""
    if part.what == "training":
        name = today.staff_groups[part.group].name
        what = "all exams" if part.target == NEW else f"all that {part.name} does"
        return f"Train {many} member{plural} of {name} for {what}."
    name = today.room_groups[part.group].name
    what = "all exams" if part.target == NEW else f"all that {part.name} is fit for"
    return f"Make {many} room{plural} of {name} fit for {what}."

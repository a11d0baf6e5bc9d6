"""Two policies along the same states: what the second would do where the first goes (section 6.0.5).

One policy plays the day. At each of its decisions the other is asked too, about the same whiteboard, and what
it would have begun is set beside what was begun, with what that minute costs either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from echo_env.lab.config import LabConfig
from echo_env.lab.day import Day
from echo_env.lab.simulation.patient import PatientClass, Start, as_starts
from echo_env.lab.simulation.penalty import idle_rule_index, penalty_points, penalty_units
from echo_env.lab.simulation.policy import Policy
from echo_env.lab.simulation.simulator import Simulator
from echo_env.lab.simulation.whiteboard import LabView

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "minute",
    "time",
    "waiting",
    "free",
    "followed",
    "other",
    "followed_begins",
    "other_begins",
    "followed_penalty",
    "other_penalty",
)
"""Columns of :func:`state_by_state`."""

Use = tuple[int, bool, bool]
"""A start as far as it matters to the lab: patient, and whether room and sonographer are fetal-capable."""


def state_by_state(config: LabConfig, day: Day, followed: Policy, other: Policy) -> pd.DataFrame:
    """The minutes of a day in which two policies, shown the same state, would act differently (needs pandas).

    Two decisions are the same if they begin the same patients in rooms and with sonographers of the same kind.

    :param config: the lab
    :param day: its luck; neither policy sees it
    :param followed: decides what happens
    :param other: is asked, and not obeyed
    :return: a row for each such minute, :data:`COLUMNS`: ``minute`` since opening and clock ``time``; who is
        ``waiting`` and what is ``free``, in words; the names of both policies; whom each begins, in words; and the
        penalty of this minute after each one's decision, points
    """
    import pandas as pd

    lab = Simulator(config, day)
    followed.begin_day(lab.view, day.policy_seed)
    other.begin_day(lab.view, day.policy_seed)
    rows = []
    while not lab.over:
        if lab.board.can_start():
            starts, others = as_starts(followed.decide(lab.view)), as_starts(other.decide(lab.view))
            if _uses(config, starts) != _uses(config, others):
                rows.append(_row(lab.view, followed.name, other.name, starts, others))
            lab.start(starts)
        lab.advance()
    return pd.DataFrame(rows, columns=list(COLUMNS))


def penalty_after(view: LabView, starts: Sequence[Start]) -> float:
    """What this minute costs once exams have begun, points; nothing is begun.

    :param view: the lab before the decision
    :param starts: the decision
    """
    config, waiting, free = view.config, list(view.waiting_counts), list(view.free_counts)
    kinds = {entry.patient: entry.patient_class for entry in view.waiting()}
    for patient, fetal_room, fetal_staff in _uses(config, starts):
        waiting[kinds[patient]] -= 1
        free[fetal_room] -= 1
        free[2 + fetal_staff] -= 1
    after_closing = view.minute >= config.hours.closing_min
    units = penalty_units(idle_rule_index(config), after_closing, tuple(waiting), tuple(free))
    return penalty_points(config, units).total


def _uses(config: LabConfig, starts: Sequence[Start]) -> set[Use]:
    rooms, staff = config.rooms.fetal, config.sonographers.fetal
    return {(start.patient, start.room < rooms, start.sonographer < staff) for start in starts}


def _row(
    view: LabView, followed: str, other: str, starts: Sequence[Start], others: Sequence[Start]
) -> tuple[object, ...]:
    same_patients = {start.patient for start in starts} == {start.patient for start in others}
    return (
        view.minute,
        view.config.hours.clock(view.minute),
        _waiting_in_words(view),
        _free_in_words(view),
        followed,
        other,
        _starts_in_words(view, starts, same_patients),
        _starts_in_words(view, others, same_patients),
        penalty_after(view, starts),
        penalty_after(view, others),
    )


def _starts_in_words(view: LabView, starts: Sequence[Start], with_resources: bool) -> str:
    """Whom a decision begins, by number; with which kind of resources, where only these differ."""
    kinds = {entry.patient: entry.patient_class for entry in view.waiting()}
    words = []
    for patient, fetal_room, fetal_staff in sorted(_uses(view.config, starts)):
        where = ""
        if with_resources:
            room, staff = (("fetal" if fetal else "non-fetal") for fetal in (fetal_room, fetal_staff))
            where = f" ({room} room, {staff} sonographer)"
        words.append(f"{kinds[patient].label} #{patient}{where}")
    return "; ".join(words) or "nobody"


def _waiting_in_words(view: LabView) -> str:
    """Who waits: ``2 fetal on time, 1 non-fetal late``."""
    counts = zip(view.waiting_counts, PatientClass, strict=True)
    return ", ".join(f"{count} {kind.label}" for count, kind in counts if count)


def _free_in_words(view: LabView) -> str:
    """What is free: ``rooms: 1 fetal, 2 non-fetal; sonographers: 0 fetal, 1 non-fetal``."""
    rooms_n, rooms_b, staff_n, staff_b = view.free_counts
    return f"rooms: {rooms_b} fetal, {rooms_n} non-fetal; sonographers: {staff_b} fetal, {staff_n} non-fetal"

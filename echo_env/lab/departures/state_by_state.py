"""Two policies along the same states of one day (section 6.0.5).

One policy plays the day. In each of its states the other policy decides too, without effect, and the two decisions
are set side by side with the penalty of the minute after each. Any two policies can be compared, on the SimPy engine;
:mod:`~echo_env.lab.departures.counterfactual` does many days, and finds what a decision costs by the end of the day.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from echo_env.lab.config import LabConfig
from echo_env.lab.day import Day
from echo_env.lab.departures.words import free_in_words, waiting_in_words
from echo_env.lab.simulation.patient import Start, as_starts
from echo_env.lab.simulation.penalty import idle_rule_index, penalty_points, penalty_units
from echo_env.lab.simulation.policy import Policy
from echo_env.lab.simulation.simulator import Simulator
from echo_env.lab.simulation.view import LabView

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
"""What distinguishes starts: the patient, and whether room and sonographer are fetal-capable."""


def state_by_state(config: LabConfig, day: Day, followed: Policy, other: Policy) -> pd.DataFrame:
    """The minutes of a day in which two policies decide differently in the same state (needs pandas).

    Two decisions are the same if they begin the same patients in rooms and with sonographers of the same kind.

    :param config: the lab
    :param day: its random draws, hidden from both policies
    :param followed: plays the day
    :param other: its decisions have no effect
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
    """Penalty of this minute after a decision, points; the lab stays as it is.

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
        waiting_in_words(view.waiting_counts),
        free_in_words(view.free_counts),
        followed,
        other,
        _starts_in_words(view, starts, same_patients),
        _starts_in_words(view, others, same_patients),
        penalty_after(view, starts),
        penalty_after(view, others),
    )


def _starts_in_words(view: LabView, starts: Sequence[Start], with_resources: bool) -> str:
    """Patients that a decision begins, by number; with the kinds of resources where only these differ."""
    kinds = {entry.patient: entry.patient_class for entry in view.waiting()}
    words = []
    for patient, fetal_room, fetal_staff in sorted(_uses(view.config, starts)):
        where = ""
        if with_resources:
            room, staff = (("fetal" if fetal else "non-fetal") for fetal in (fetal_room, fetal_staff))
            where = f" ({room} room, {staff} sonographer)"
        words.append(f"{kinds[patient].label} #{patient}{where}")
    return "; ".join(words) or "nobody"

"""Two policies along the same states of one day (section 6.0.5).

One policy plays the day. In each of its states the other policy decides too, without effect, and the two decisions
are set side by side with the penalty of the minute after each, and with what the other decision would have led to: a
copy of the lab takes it once, and is played to the end of the same day under the first policy. Any two policies can be
compared, on the SimPy engine;
:mod:`~echo_env.lab.departures.counterfactual` does many days.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Day
from echo_env.lab.departures.words import class_in_words, free_in_words, place_in_words, waiting_in_words
from echo_env.lab.simulation.allocation import named
from echo_env.lab.simulation.patient import Start, as_starts
from echo_env.lab.simulation.penalty import idle_rule_index, penalty_points, penalty_units
from echo_env.lab.simulation.policy import Keep, Policy, SequentialPolicy, is_memoryless, reservations_of
from echo_env.lab.simulation.simulator import Simulator, play_on
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
    "by_the_end",
)
"""Columns of :func:`state_by_state`."""

Use = tuple[int, int, int]
"""What distinguishes starts: the patient, and the groups of the room and of who does the exam."""


def state_by_state(config: Lab, day: Day, followed: Policy, other: Policy) -> pd.DataFrame:
    """The minutes of a day in which two policies decide differently in the same state (needs pandas).

    Two decisions are the same if they begin the same patients in rooms and with members of staff of the same groups.

    :param config: the lab
    :param day: its random draws, hidden from both policies
    :param followed: plays the day
    :param other: its decisions have no effect
    :return: a row for each such minute, :data:`COLUMNS`: ``minute`` since opening and clock ``time``; who is
        ``waiting`` and what is ``free``, in words; the names of both policies; whom each begins, in words; the
        penalty of this minute after each one's decision, points; and how many points more the whole day would have
        cost with the other's decision in this minute alone, ``by_the_end``
    """
    import pandas as pd

    lab = Simulator(config, day)
    followed.begin_day(lab.view, day.policy_seed)
    other.begin_day(lab.view, day.policy_seed)
    rows, tried = [], []
    while not lab.over:
        if lab.board.can_start():
            starts, others = minute_starts(lab, followed), minute_starts(lab, other)
            if _uses(config, starts) != _uses(config, others):
                rows.append(_row(lab.view, followed.name, other.name, starts, others))
                tried.append(_penalty_by_the_end(lab, followed, others))
            lab.start(starts)
        lab.advance()
    paid = lab.trace().penalty.total
    every = [(*row, penalty - paid) for row, penalty in zip(rows, tried, strict=True)]
    return pd.DataFrame(every, columns=list(COLUMNS))


def _penalty_by_the_end(lab: Simulator, followed: Policy, starts: Sequence[Start]) -> float:
    """Points of the whole day if these starts are made now, and the policy goes on; the lab stays as it is."""
    if is_memoryless(followed):
        copied = copy.deepcopy(lab)
    else:
        # Together, as a policy may keep hold of the lab that it plays.
        copied, followed = copy.deepcopy((lab, followed))
    copied.start(starts)
    copied.advance()
    return float(play_on(copied, followed).penalty.total)


def minute_starts(lab: Simulator, policy: Policy) -> list[Start]:
    """All starts that a policy decides on in this minute; the lab stays as it is.

    :param lab: the day being played
    :param policy: decides
    :raises ValueError: it has reservations: what it decides now depends on what it reserved
    """
    if reservations_of(policy):
        raise ValueError(f"policy {policy.name!r} cannot be compared minute by minute, because it has reservations")
    if not isinstance(policy, SequentialPolicy):
        return as_starts(policy.decide(lab.view))
    board = lab.board
    # What never changes need not be copied.
    tried = copy.deepcopy(board, {id(fixed): fixed for fixed in (board.config, board.plan, board.appointments)})
    view, starts = LabView(tried), []
    while tried.can_start() and (kind := policy.next_class(view)) is not None:
        assert not isinstance(kind, Keep)
        entry = tried.queues[kind][0]
        if tried.plan.nested:
            starts += named(view, [entry])
            tried.begin_exam(starts[-1])
        else:
            tried.commit(entry.patient)
    return starts + named(view, tried.pending)


def penalty_after(view: LabView, starts: Sequence[Start]) -> float:
    """Penalty of this minute after a decision, points; the lab stays as it is.

    :param view: the lab before the decision
    :param starts: the decision
    """
    config, plan, waiting = view.config, view.config.plan, list(view.waiting_counts)
    kinds = {entry.patient: entry.patient_class for entry in view.waiting()}
    rooms, staff = set(view.idle_rooms), set(view.idle_staff)
    for patient, room, member in starts:
        waiting[kinds[patient]] -= 1
        rooms.remove(room)
        staff.remove(member)
    startable = _every(map(view.room_types, rooms)) & _every(map(view.staff_types, staff))
    at_work = [exam.sonographer for exam in view.running_exams] + [start.sonographer for start in starts]
    units = penalty_units(
        idle_rule_index(config),
        view.minute >= config.hours.closing_min,
        waiting,
        [kind.weight for kind in plan.types],
        min(len(rooms), len(staff)),
        startable,
    )
    overtime = sum(view.minute >= int(plan.overtime_from[member]) for member in at_work)
    return penalty_points(config, (*units, 0, 0, overtime)).total


def _every(sets: Iterable[int]) -> int:
    return reduce(or_, sets, 0)


def _uses(config: Lab, starts: Sequence[Start]) -> set[Use]:
    rooms, staff = config.plan.room_group, config.plan.staff_group
    return {(start.patient, int(rooms[start.room]), int(staff[start.sonographer])) for start in starts}


def _row(
    view: LabView, followed: str, other: str, starts: Sequence[Start], others: Sequence[Start]
) -> tuple[object, ...]:
    same_patients = {start.patient for start in starts} == {start.patient for start in others}
    return (
        view.minute,
        view.config.hours.clock(view.minute),
        waiting_in_words(view.config, view.waiting_counts),
        free_in_words(view.config, view.free_counts),
        followed,
        other,
        _starts_in_words(view, starts, same_patients),
        _starts_in_words(view, others, same_patients),
        penalty_after(view, starts),
        penalty_after(view, others),
    )


def _starts_in_words(view: LabView, starts: Sequence[Start], with_resources: bool) -> str:
    """Patients that a decision begins, by number; with the groups of resources where only these differ."""
    kinds = {entry.patient: entry.patient_class for entry in view.waiting()}
    words = []
    for patient, room_group, staff_group in sorted(_uses(view.config, starts)):
        where = f" ({place_in_words(view.config, room_group, staff_group)})" if with_resources else ""
        words.append(f"{class_in_words(view.config, kinds[patient])} #{patient}{where}")
    return "; ".join(words) or "nobody"

"""Who gains and who loses by a proposal: waits by exam type and time of day, patient by patient on the same days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.stats import Estimate, estimate
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import sample_days
from echo_env.lab.day.book import appointment_book
from echo_env.lab.evaluation.engines import play_days
from echo_env.lab.optimise.levers import Choice, Values
from echo_env.lab.policies.base import make_policy
from echo_env.lab.simulation.metrics import DayNumbers

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Identity = tuple[int, int, int]
"""Exam type, begin of the hour of a patient without an appointment (-1 for one with), place; stays when times move."""

HOUR = 60
MOVED = {True: ", other time", False: ", same time", None: ", no appointment"}
"""What follows the name of an exam type, by :attr:`Gain.moved`."""


class Gain(NamedTuple):
    """What becomes of the wait of some patients.

    :param who: an exam type, or an hour of today's appointments
    :param moved: whether they get another time; None for an hour, or for patients without an appointment
    :param patients: mean number of them a day who come as the lab is
    :param today: their mean wait as the lab is, minutes
    :param change: mean change of the wait for one of them, minutes, 95 % each by itself
    """

    who: str
    moved: bool | None
    patients: float
    today: float
    change: Estimate


@dataclass(frozen=True)
class Waits:
    """Waits by the hour of the arrival, minutes since opening.

    :param begins: (H,) first minute of each hour
    :param patients: (H,) mean number of patients a day who come in it
    :param wait: their mean wait, minutes; nan where nobody comes
    """

    begins: tuple[int, ...]
    patients: tuple[float, ...]
    wait: tuple[Estimate, ...]


@dataclass(frozen=True)
class Gains:
    """Waits with and without a proposal.

    :param by_type: of each exam type, those who move and those who stay
    :param by_hour: of patients with an appointment, by the hour in which it is today
    :param before: by hour of arrival, as the lab is
    :param after: the same under the proposal
    """

    by_type: tuple[Gain, ...]
    by_hour: tuple[Gain, ...]
    before: Waits
    after: Waits


class _Played(NamedTuple):
    """Days of a lab, patient by patient.

    :param who: identity of each patient, (P,)
    :param scheduled: (P,) appointment
    :param arrival: (n, P) int64, minute, or negative
    :param wait: (n, P) minutes waited by those who came, 0 for the others
    """

    who: list[Identity]
    scheduled: NDArray[np.int64]
    arrival: NDArray[np.int64]
    wait: NDArray[np.int64]


def gains_of(choice: Choice, values: Values, rule: str, seed: int, first: int, count: int) -> Gains:
    """Play days with and without a proposal, and compare patient by patient.

    :param choice: what could change
    :param values: the proposal
    :param rule: name of the policy that is played
    :param seed: of the days
    :param first: number of the first day
    :param count: number of days, at least 2
    """
    today, then = (_play(choice.lab(own), rule, seed, first, count) for own in (choice.today, values))
    place = {who: column for column, who in enumerate(then.who)}
    # Only who is in both books can gain or lose.
    mine = [column for column, who in enumerate(today.who) if who in place]
    there = [place[today.who[column]] for column in mine]
    both = (today.arrival[:, mine] >= 0) & (then.arrival[:, there] >= 0)
    change = np.where(both, then.wait[:, there] - today.wait[:, mine], 0).astype(np.float64)
    old, new = today.scheduled[mine], then.scheduled[there]
    kind = np.array([today.who[column][0] for column in mine])
    booked = np.array([today.who[column][1] < 0 for column in mine])
    waits, came = today.wait[:, mine], today.arrival[:, mine] >= 0

    def gain(who: str, moved: bool | None, some: Bools) -> Gain:
        here = came[:, some]
        number = float(here.sum(axis=1).mean())
        mean = float(waits[:, some].sum() / max(here.sum(), 1))
        return Gain(who, moved, number, mean, estimate(change[:, some].sum(axis=1) / max(number, 1e-9)))

    by_type = []
    for k, own in enumerate(choice.config.plan.types):
        groups = ((True, booked & (old != new)), (False, booked & (old == new)), (None, ~booked))
        by_type += [gain(own.name, moved, some & (kind == k)) for moved, some in groups if (some & (kind == k)).any()]
    clock = choice.config.hours.clock
    begins = sorted({int(minute) // HOUR * HOUR for minute in old[booked]})
    by_hour = [gain(clock(begin), None, booked & (old // HOUR * HOUR == begin)) for begin in begins]
    return Gains(tuple(by_type), tuple(by_hour), _by_arrival(choice.config, today), _by_arrival(choice.config, then))


def _play(lab: Lab, rule: str, seed: int, first: int, count: int) -> _Played:
    days = sample_days(lab, count, seed, first)
    results = play_days(lab, make_policy(rule, lab), days)
    book = appointment_book(lab.plan)
    begin = np.full(len(book), -1)
    for hour in book.hours:
        begin[hour.first : hour.first + hour.most] = hour.begin
    who = list(zip(book.exam_type.tolist(), begin.tolist(), book.place.tolist(), strict=True))
    return _Played(who, book.scheduled, results.arrival, DayNumbers(lab, results).overall_wait)


def _by_arrival(config: Lab, played: _Played) -> Waits:
    begins = tuple(range(0, config.hours.closing_min, HOUR))
    # Who arrives in the minute of closing belongs to the last hour.
    hour = np.where(played.arrival >= 0, np.minimum(played.arrival // HOUR, len(begins) - 1), -1)
    numbers, waits = [], []
    for place in range(len(begins)):
        some = hour == place
        number = some.sum(axis=1)
        numbers.append(float(number.mean()))
        total = np.where(some, played.wait, 0).sum(axis=1)
        mean = float(total.sum() / number.sum()) if number.sum() else float("nan")
        # A ratio of sums: its spread over days is that of its residuals.
        spread = estimate((total - mean * number) / max(numbers[-1], 1e-9))
        half = spread.half_width
        waits.append(Estimate(mean, mean - half, mean + half, len(number)))
    return Waits(begins, tuple(numbers), tuple(waits))

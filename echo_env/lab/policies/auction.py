"""An auction of regrets: patients bid the expected further cost of waiting for rooms and sonographers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np

from echo_env.lab.config import LabConfig
from echo_env.lab.day import sample_days
from echo_env.lab.policies.base import register_policy
from echo_env.lab.policies.service_hazards import (
    CELL_MIN,
    PRIOR,
    Floats,
    Ints,
    Pooling,
    cells_of,
    first_in_line,
    near_min,
    service_hazards,
    waiting_minutes,
)
from echo_env.lab.simulation.allocation import assign
from echo_env.lab.simulation.patient import PatientClass, Punctuality, Start, punctuality
from echo_env.lab.simulation.simulator import simulate
from echo_env.lab.simulation.trace import Trace
from echo_env.lab.simulation.view import LabView

STEP = 0.5
"""Step from the old hazards towards those observed, as a share."""

Exposed = Literal["first_in_line", "everybody"]


class Bids:
    """Bids: the penalty that a patient still expects after losing now, points.

    A patient who loses in minute m pays for that minute and is served in the next with its hazard h, so the bid is
    V(m) = cost(m) + (1 - h(m + 1)) V(m + 1), and 0 at the end of the day. The cost of a minute is that of
    :func:`~echo_env.lab.simulation.penalty.penalty_units` for one patient. An early patient costs nothing and has the
    hazard of the early class, until the minute in which the class becomes on time.

    A patient who wins pays nothing more, so the bid is the expected regret of Hosseini, Hoey and Cohen, "Multi-agent
    patient scheduling through auctioned decentralized MDPs" (section 3.1): the value with the resource minus the
    value without it.

    :param config: the lab
    :param hazards: (6, half hours) float64, probability of being served in a minute, by class: see
        :func:`~echo_env.lab.policies.service_hazards.service_hazards`
    :raises ValueError: a hazard outside [0, 1)
    """

    def __init__(self, config: LabConfig, hazards: Floats) -> None:
        if not ((hazards >= 0) & (hazards < 1)).all():
            raise ValueError(f"hazards go from {hazards.min()} to {hazards.max()}, but must be at least 0 and below 1")
        weight, end = config.penalty, config.hours.end_min
        cost = np.tile([[weight.on_time], [weight.late], [0.0]], (2, end))
        cost[:, config.hours.closing_min :] += weight.overtime
        stays = np.ones((len(PatientClass), end + 1))
        stays[:, :end] -= np.repeat(hazards, CELL_MIN, axis=1)[:, :end]
        self._lost = np.zeros((len(PatientClass), end + 1))
        for minute in reversed(range(end)):
            after = minute + 1
            self._lost[:, minute] = cost[:, minute] + stays[:, after] * self._lost[:, after]
        self._at_auction = stays * self._lost
        self._log_stays = np.cumsum(np.log(stays), axis=1)

    def of(self, patient_class: Ints, minute: Ints, near: Ints) -> Floats:
        """Bids of patients.

        :param patient_class: (n,) int64
        :param minute: (n,) int64, now
        :param near: (n,) int64, the minute in which an early patient becomes on time; ignored for others
        :return: (n,) float64, points
        """
        # An early patient is not served before the change, and still there at the auction of that minute.
        change = np.maximum(near, minute + 1)
        waits_on = np.exp(self._log_stays[patient_class, change - 1] - self._log_stays[patient_class, minute])
        when = punctuality(patient_class)
        early = waits_on * self._at_auction[patient_class - when, change]
        return np.where(when == Punctuality.EARLY, early, self._lost[patient_class, minute])


def hold_auction(view: LabView, bids: Bids) -> list[Start]:
    """Sealed-bid rounds, the highest bid wins, until no bidder or no usable pair is left.

    Pairs of a room and a sonographer are auctioned. A non-fetal patient takes non-fetal resources first. Bids do not
    depend on what others win, so the rounds go down the list of bids. Ties go to the longest wait, then to the lowest
    number.

    :param view: the lab
    :param bids: the bids
    """
    waiting = view.waiting()
    kind, scheduled = np.array([(entry.patient_class, entry.scheduled_min) for entry in waiting]).T
    near = near_min(scheduled, view.config.plan.types[0].arrival.on_time_margin_min)
    bid = bids.of(kind, np.full(len(waiting), view.minute), near)
    # Stable sort: waiting() lists the longest waits first.
    return assign(view, [waiting[k] for k in np.argsort(-bid, kind="stable")])


class _Auction:
    """The auction with given bids."""

    name = "auction"

    def __init__(self, bids: Bids) -> None:
        self._bids = bids

    def begin_day(self, view: LabView, seed: int) -> None:
        """Nothing to prepare."""

    def decide(self, view: LabView) -> list[Start]:
        return hold_auction(view, self._bids)


class LearningRound(NamedTuple):
    """A round of learning: days played with the same hazards.

    :param hazards: (6, half hours) float64, hazards behind the bids
    :param seen: (6, half hours) float64, hazards observed on these days
    :param penalty: mean penalty of these days, points
    """

    hazards: Floats
    seen: Floats
    penalty: float

    @property
    def gap(self) -> float:
        """Mean absolute difference of observed and assumed hazards; 0 at a fixed point."""
        return float(np.abs(self.seen - self.hazards).mean())


@lru_cache(maxsize=64)
def learn_hazards(
    config: LabConfig, days: int, rounds: int, seed: int, exposed: Exposed, by: Pooling
) -> tuple[LearningRound, ...]:
    """Iterate towards a fixed point: hazards that arise when patients bid by them.

    All hazards begin at the mean of :data:`~echo_env.lab.policies.service_hazards.PRIOR`. Each round plays the same
    days and moves the hazards half the way to those observed. The first round, whose bids are not learned, is left
    out.

    :param config: the lab
    :param days: days in a round
    :param rounds: rounds with learned hazards
    :param seed: seed of these days
    :param exposed: whose waiting counts, see :class:`AuctionPolicy`
    :param by: see :func:`~echo_env.lab.policies.service_hazards.service_hazards`
    """
    played: list[LearningRound] = []
    hazards = np.full((len(PatientClass), cells_of(config)), PRIOR[0] / sum(PRIOR))
    learning_days = sample_days(config, days, seed)
    for _ in range(rounds + 1):
        bids = Bids(config, hazards)
        traces = [simulate(config, day, _Auction(bids)) for day in learning_days]
        played.append(LearningRound(hazards, _seen(config, traces, bids, exposed, by), _mean_penalty(traces)))
        hazards = hazards + STEP * (played[-1].seen - hazards)
    return tuple(played[1:])


def _seen(config: LabConfig, traces: Sequence[Trace], bids: Bids, exposed: Exposed, by: Pooling) -> Floats:
    rows = waiting_minutes(config, traces)
    if exposed == "first_in_line":
        rows = first_in_line(rows, bids.of)
    return service_hazards(config, rows, by)


def _mean_penalty(traces: Sequence[Trace]) -> float:
    return float(np.mean([trace.penalty.total for trace in traces]))


@register_policy("auction", two_kinds=True)
class AuctionPolicy:
    """Patients bid the penalty they expect from losing; hazards are learned under this same policy.

    Hazards are learned when the first day begins, from days that :func:`~echo_env.lab.day.day.sample_days` draws from
    ``seed``: the same lab and arguments give the same hazards, and a process learns them once. See
    :func:`learn_hazards`. Under congestion the iteration has no fixed point: the hazard of a class that has to wait
    falls, so it bids more and is served first, its hazard rises, and it bids less. Of the second half of the rounds,
    in which the initial guess has faded, the one with the cheapest days is used.

    By default a minute counts only for the highest bidder of each kind: patients further down the list, who wait
    longest, do not affect who wins. With ``everybody`` they count too, classes that are mostly served last bid high,
    and in the scarce lab that costs more than it saves.

    :param config: the lab
    :param days: days played in each round, at least 1
    :param rounds: rounds of learning, at least 1
    :param seed: seed of these days, at least 0; use another one for days of an evaluation
    :param exposed: whose waiting minutes count: of the ``first_in_line`` of each kind, or of ``everybody``
    :param by: hazards by ``class``, or by ``kind`` whatever the punctuality
    :raises ValueError: an argument out of range
    """

    name = "auction"

    def __init__(
        self,
        config: LabConfig,
        days: int = 400,
        rounds: int = 10,
        seed: int = 1_000_003,
        exposed: Exposed = "first_in_line",
        by: Pooling = "class",
    ) -> None:
        for which, value, least in (("days", days, 1), ("rounds", rounds, 1), ("seed", seed, 0)):
            if value < least:
                raise ValueError(f"policy 'auction' has {which}={value}, but {which} must be at least {least}")
        self._config = config
        self._learning = (days, rounds, seed, exposed, by)
        self._bids: Bids | None = None

    @property
    def learned(self) -> tuple[LearningRound, ...]:
        """The rounds of learning."""
        return learn_hazards(self._config, *self._learning)

    @property
    def chosen(self) -> LearningRound:
        """The round whose hazards are used."""
        settled = self.learned[len(self.learned) // 2 :]
        return min(settled, key=lambda played: played.penalty)

    @property
    def bids(self) -> Bids:
        """Bids by the hazards that are used."""
        if self._bids is None:
            self._bids = Bids(self._config, self.chosen.hazards)
        return self._bids

    def begin_day(self, view: LabView, seed: int) -> None:
        """Learn the hazards, if not yet done."""
        _ = self.bids

    def decide(self, view: LabView) -> list[Start]:
        """The winners with their rooms and sonographers."""
        return hold_auction(view, self.bids)

    def __getstate__(self) -> dict[str, Any]:
        # Learn before pickling: otherwise each process would learn the same again.
        _ = self.bids
        return self.__dict__

"""The next day of each of many labs, drawn and begun ahead: beginning many days at once is cheaper than a few."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium.utils.seeding import np_random
from numpy.typing import NDArray

from echo_env.lab.compiled import batch
from echo_env.lab.compiled import steps as batch_steps
from echo_env.lab.compiled.layout import Labs, Rules
from echo_env.lab.compiled.observations import BatchObservation
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Day, Days, draw_days
from echo_env.lab.envs.base_rule import BaseRule


class Rows(NamedTuple):
    """What an environment knows of each of B labs, a row for each.

    :param lab: (B, cells) int32, see :class:`~echo_env.lab.compiled.layout.Labs`
    :param break_draw: (B, S, n) float64, likewise
    :param mask: (B, actions) bool, action masks
    :param size: (B,) int64, how many actions are feasible
    :param first: (B,) int64, the lowest of them
    :param observation: (B, ...) float32
    :param absence_rate: (B,) float64, of the day
    :param base: (B, minutes + 1) float64, points that the rule which rewards compare with pays before each minute;
        (B, 0) for a reward that compares with none
    """

    lab: NDArray[np.int32]
    break_draw: NDArray[np.float64]
    mask: NDArray[np.bool_]
    size: NDArray[np.int64]
    first: NDArray[np.int64]
    observation: NDArray[np.float32]
    absence_rate: NDArray[np.float64]
    base: NDArray[np.float64]

    @property
    def labs(self) -> Labs:
        """The same arrays as compiled functions take them."""
        return Labs(self.lab, self.break_draw)


class Mode(NamedTuple):
    """How labs are stepped, in the order in which compiled steps take it.

    :param joint: whether actions are joint ones; else single starts, with the reservations of the rules
    :param idling: whether masks include idling
    :param event_clock: whether the clock jumps to the next choice
    """

    joint: bool
    idling: bool
    event_clock: bool


def make_rows(config: Lab, count: int, actions: int, observation: tuple[int, ...], base: bool) -> Rows:
    """Rows without a day.

    :param config: the lab
    :param count: how many labs
    :param actions: size of the action space
    :param observation: shape of one lab's observation
    :param base: whether the reward compares with a rule
    """
    size, first = np.zeros((2, count), dtype=np.int64)
    return Rows(
        *batch.make_labs(config, count),
        mask=np.zeros((count, actions), dtype=np.bool_),
        size=size,
        first=first,
        observation=np.zeros((count, *observation), dtype=np.float32),
        absence_rate=np.zeros(count),
        base=np.zeros((count, (config.hours.end_min + 1) * base)),
    )


class DaysAhead:
    """Holds the next day of every lab, at its first choice. It is what a single environment would play next.

    Whenever a lab has no day ahead when it needs one, the days of all labs that have none are drawn together.

    :param config: the lab
    :param rows: for the days ahead
    :param mode: how labs are stepped
    :param observed: makes observations
    :param base: the rule that the reward compares with
    :param rules: the rules of the lab, if they have reservations
    """

    def __init__(
        self,
        config: Lab,
        rows: Rows,
        mode: Mode,
        observed: BatchObservation,
        base: BaseRule | None = None,
        rules: Rules | None = None,
    ) -> None:
        self._config, self._rows, self._mode = config, rows, mode
        self._rules = batch.rules_of(config) if rules is None else rules
        self._observed, self._base = observed, base
        self._rngs: list[np.random.Generator] = []
        self._absence_rate: float | None = None
        # Drawn days, as those drawn together and a place among them: a change of the absence rate begins them anew.
        self._drawn: list[tuple[Days, int] | None] = [None] * len(rows.lab)
        self._begun = np.zeros(len(rows.lab), dtype=np.bool_)

    @property
    def seeded(self) -> bool:
        """Whether there are generators."""
        return bool(self._rngs)

    def seed(self, seeds: Sequence[int | None]) -> None:
        """Seed the labs' generators; days that they have drawn ahead are forgotten.

        :param seeds: of each lab; None leaves its generator as it is, if it has one
        """
        for i, own in enumerate(seeds):
            if len(self._rngs) <= i:
                self._rngs.append(np_random(own)[0])
            elif own is not None:
                self._rngs[i] = np_random(own)[0]
                self._drawn[i], self._begun[i] = None, False

    def set_absence_rate(self, rate: float) -> None:
        """Use another absence rate for all days that have not been taken.

        :param rate: 0 to 1
        """
        if rate != self._absence_rate:
            self._absence_rate = rate
            self._begun[:] = False

    def drawn(self) -> list[Day]:
        """The next day of every lab, begun or not."""
        self._draw_missing()
        days = [drawn[k] for drawn, k in filter(None, self._drawn)]
        return days if self._absence_rate is None else [day.with_absence_rate(self._absence_rate) for day in days]

    def replace(self, days: Sequence[Day]) -> None:
        """Play other days next.

        :param days: one for each lab
        """
        self._begin(np.arange(len(days)), days)

    def take(self, which: NDArray[np.int64], rows: Rows) -> None:
        """Hand over the next days of some labs.

        :param which: (n,) the labs
        :param rows: filled where these labs are
        """
        if not self._begun[which].all():
            self._begin_missing()
        begun: tuple[NDArray[Any], ...] = tuple(self._rows)
        filled: tuple[NDArray[Any], ...] = tuple(rows)
        for own, ahead in zip(filled, begun, strict=True):
            own[which] = ahead[which]
        self._begun[which] = False
        for i in which.tolist():
            self._drawn[i] = None

    def _draw_missing(self) -> tuple[NDArray[np.int64], Days] | None:
        """Draw days for labs that have none; gives which labs these are, and their days."""
        missing = [i for i, drawn in enumerate(self._drawn) if drawn is None]
        if not missing:
            return None
        days = draw_days(self._config, [self._rngs[i] for i in missing])
        for k, i in enumerate(missing):
            self._drawn[i] = days, k
        return np.array(missing), days

    def _begin_missing(self) -> None:
        """Begin new days, and those that were begun at another absence rate."""
        new = self._draw_missing()
        if new is not None:
            which, days = new
            self._begin(which, days if self._absence_rate is None else days.with_absence_rate(self._absence_rate))
        again = np.flatnonzero(~self._begun)
        if len(again):
            every = self.drawn()
            self._begin(again, [every[i] for i in again])

    def _begin(self, which: NDArray[np.int64], days: Days | Sequence[Day]) -> None:
        """Go to the first choice of some labs' next days."""
        rows, rules = self._rows, self._rules
        rows.absence_rate[which] = _highest_rates(days)
        batch.begin_days(self._config, rows.labs, which, days)
        batch_steps.begin_labs(which, rows.labs, rules, *self._mode, rows.mask, rows.size, rows.first)
        rows.observation[which] = self._observed(Labs(rows.lab[which], rows.break_draw[which]))
        if self._base is not None:
            rows.base[which] = self._base.paid(days)
        self._begun[which] = True


def _highest_rates(days: Days | Sequence[Day]) -> float | list[float]:
    """The highest absence rate of a group, one for all days or that of each."""
    if isinstance(days, Days):
        return float(np.max(days.absence_rate, initial=0.0))
    return [float(np.max(day.absence_rate, initial=0.0)) for day in days]

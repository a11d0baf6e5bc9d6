"""How far recorded days, played again, agree with what was seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from echo_env.common.stats import Estimate
from echo_env.lab.calibration.validation.day_lab import A_DAY
from echo_env.lab.calibration.validation.exams import Sums
from echo_env.lab.calibration.validation.replay import NOTHING, Missing, Replayer

if TYPE_CHECKING:
    import pandas as pd

RULES = ("policy_2", "policy_1", "scarce_first", "urgent_first")
"""The rules that days are played under; of rules that fit alike the first is the best."""
LONGEST_MIN = 45
"""No more minutes than these are looked for between being ready and the exam."""
_COARSE = 5


class Agreement(NamedTuple):
    """Begins simulated against begins seen.

    :param n: number of exams
    :param seen_wait: mean minutes from check-in, or expected check-in if that is later, to the exam
    :param simulated_wait: of the same exams, played again
    :param difference: simulated minus seen begin, with its interval over days
    :param error: mean absolute difference of begins, minutes
    :param correlation: of the waits; nan if all are equal
    :param queue: minutes simulated from being ready to the begin: waiting for a room, somebody free, or others' turn
    """

    n: int
    seen_wait: float
    simulated_wait: float
    difference: Estimate
    error: float
    correlation: float
    queue: float


@dataclass(frozen=True)
class RuleFit:
    """The recorded days under a rule.

    :param rule: its name
    :param every: of all exams
    :param by_type: exam type -> of its exams
    """

    rule: str
    every: Agreement
    by_type: dict[str, Agreement]


class Unexplained(NamedTuple):
    """What the lab lacks between check-in and exam, and the record shows.

    :param missing: what explains the record best; :data:`~echo_env.lab.calibration.validation.replay.NOTHING` if
        nothing is missing
    :param error: mean absolute difference of begins without it, minutes
    :param error_with: the same with it
    """

    missing: Missing
    error: float
    error_with: float

    @property
    def minutes(self) -> int:
        """Minutes of preparation or delay."""
        return self.missing.preparation_min + self.missing.delay_min


def agreement(rows: pd.DataFrame) -> Agreement:
    """Compare the begins of a replay; an exam that was not begun by midnight began then.

    :param rows: of :meth:`~echo_env.lab.calibration.validation.replay.Replayer.play`, one at least
    """
    seen, since, ready = (rows[name].to_numpy(dtype=np.float64) for name in ("seen_begin", "waits_from", "ready"))
    simulated = rows["simulated_begin"].to_numpy(dtype=np.float64, na_value=A_DAY)
    difference = simulated - seen
    days = np.unique(rows["day"].to_numpy(), return_inverse=True)[1]
    sums = Sums(np.bincount(days, difference), np.bincount(days).astype(np.float64))
    return Agreement(
        n=len(rows),
        seen_wait=float((seen - since).mean()),
        simulated_wait=float((simulated - since).mean()),
        difference=sums.mean(),
        error=float(np.abs(difference).mean()),
        correlation=correlation(seen - since, simulated - since),
        queue=float((simulated - ready).mean()),
    )


def fit_of(rule: str, rows: pd.DataFrame) -> RuleFit:
    """The agreement of all exams and by type.

    :param rule: under which the days were played
    :param rows: see :func:`agreement`
    """
    by_type = {str(name): agreement(own) for name, own in rows.groupby("type", sort=False)}
    return RuleFit(rule, agreement(rows), by_type)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's; nan where one of the two does not vary."""
    if len(one) < 2 or not one.std() or not other.std():
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def rule_fits(replayer: Replayer, after_vitals_min: int, rules: tuple[str, ...] = RULES) -> list[RuleFit]:
    """The recorded days under each rule, the rule that fits best first.

    :param replayer: plays them
    :param after_vitals_min: minutes from the recorded end of the preparation to being ready
    :param rules: names of policies that work in any lab
    """
    fits = []
    for rule in rules:
        fits.append(fit_of(rule, replayer.play(rule, after_vitals_min=after_vitals_min)))
    return sorted(fits, key=lambda fit: fit.every.error)


def best_after_vitals(replayer: Replayer, rule: str = "policy_2") -> int:
    """The minutes from the recorded end of the preparation to being ready with which the record agrees best (least
    squares): no lab file has them, since it has the preparation as a whole.

    :param replayer: plays the days
    :param rule: under this rule
    """
    if not replayer.uses_vitals:
        return 0
    return _least(lambda minutes: float((replayer.differences(rule, minutes) ** 2).mean()))[0]


def unexplained(replayer: Replayer, rule: str, after_vitals_min: int) -> Unexplained:
    """The preparation, or the delay, that the lab lacks, and whether exams wait for their appointment.

    :param replayer: plays the days
    :param rule: under this rule
    :param after_vitals_min: minutes from the recorded end of the preparation to being ready
    """

    def best(kind: Callable[[int], Missing]) -> tuple[float, Missing]:
        minutes, left = _least(lambda minutes: error(kind(minutes)))
        return left, kind(minutes)

    def error(missing: Missing) -> float:
        return float(np.abs(replayer.differences(rule, after_vitals_min, missing)).mean())

    left, missing = min(map(best, _KINDS), key=lambda one: one[0])
    return Unexplained(missing, error(NOTHING), left)


_KINDS: tuple[Callable[[int], Missing], ...] = (
    lambda minutes: Missing(preparation_min=minutes),
    lambda minutes: Missing(delay_min=minutes),
    lambda minutes: Missing(preparation_min=minutes, appointment=True),
    lambda minutes: Missing(delay_min=minutes, appointment=True),
)


def _least(of: Callable[[int], float]) -> tuple[int, float]:
    """The whole minutes, from 0 to the most, with the least value: every fifth first, then those around the best."""
    values = {minutes: of(minutes) for minutes in range(0, LONGEST_MIN + 1, _COARSE)}
    around = min(values, key=lambda minutes: (values[minutes], minutes))
    for minutes in range(max(around - _COARSE + 1, 0), min(around + _COARSE, LONGEST_MIN + 1)):
        values.setdefault(minutes, of(minutes))
    best = min(values, key=lambda minutes: (values[minutes], minutes))
    return best, values[best]

"""The break rule (section 3.4): after an exam a sonographer takes none, one or two of the breaks left, by chance.

The law stands once, in :func:`break_probabilities`. Both engines and the bounds decide by :func:`breaks_taken`, which
the compiled engine compiles; planners and conditional draws use the probabilities themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config import Breaks
from echo_env.lab.config.plan import BreakPlan

MOST_AT_ONCE = 2
"""Breaks that a sonographer takes together at most."""


class BreakProbabilities(NamedTuple):
    """Probability of how many breaks a sonographer takes after an exam.

    :param none: goes on working
    :param one: one break
    :param both: two breaks, one after the other
    """

    none: float
    one: float
    both: float


def break_probabilities(law: Breaks | BreakPlan, left: int) -> BreakProbabilities:
    """The law of the breaks taken after an exam.

    :param law: the config's section
    :param left: breaks the sonographer has left
    """
    if left >= 2:
        # At least 0: the two others may sum to 1 and a rounding error.
        none = max(1 - law.both_probability - law.one_probability, 0.0)
        return BreakProbabilities(none, law.one_probability, law.both_probability)
    if left == 1:
        return BreakProbabilities(1 - law.last_probability, law.last_probability, 0.0)
    return BreakProbabilities(1.0, 0.0, 0.0)


def break_thresholds(law: Breaks | BreakPlan) -> NDArray[np.float64]:
    """The law as thresholds for a uniform draw, as :func:`breaks_taken` takes them.

    :return: (breaks in a day + 1, 2) float64, by breaks left: probability of at least one break and of two
    """
    odds = [break_probabilities(law, left) for left in range(law.number + 1)]
    return np.array([(own.both + own.one, own.both) for own in odds])


def breaks_taken(left: int, draw: float, thresholds: NDArray[np.float64] | Sequence[Any]) -> int:
    """How many breaks a sonographer takes after the exam that has just ended.

    :param left: breaks the sonographer has left
    :param draw: uniform number in [0, 1) of this sonographer and number of exams done
    :param thresholds: see :func:`break_thresholds`; an array, or the same as nested sequences
    """
    taken = 0
    for k in range(MOST_AT_ONCE):
        if draw < thresholds[left][k]:
            taken = k + 1
    return taken


def expected_break(law: Breaks | BreakPlan, left: int) -> float:
    """Mean minutes of break after an exam.

    :param law: of breaks
    :param left: breaks the sonographer has left
    """
    odds = break_probabilities(law, left)
    return law.minutes * (2 * odds.both + odds.one)


def double_break_odds(law: Breaks | BreakPlan, exams: int) -> NDArray[np.float64]:
    """Odds that a break which has left none is both at once, by the number of exams done before it.

    :param law: of breaks
    :param exams: most exams that a sonographer can have done
    :return: (exams + 1,) float64; 1 where no such break is possible
    """
    first, second = break_probabilities(law, 2), break_probabilities(law, 1)
    odds = np.ones(exams + 1)
    # Probabilities, after n - 1 exams, that no break and that one has been taken.
    none, one = 1.0, 0.0
    for n in range(1, len(odds)):
        both, later = none * first.both, one * second.one
        if both + later:
            odds[n] = both / (both + later)
        one = one * second.none + none * first.one
        none *= first.none
    return odds

"""The hospital's rules stand once: the same function decides in Python, in arrays and compiled."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from echo_env.common.jit import njit
from echo_env.lab.config import Breaks, LabConfig
from echo_env.lab.simulation.breaks import (
    break_probabilities,
    break_thresholds,
    breaks_taken,
    double_break_odds,
    expected_break,
)
from echo_env.lab.simulation.patient import (
    Punctuality,
    class_of,
    on_time_from,
    punctuality,
    ready_minute,
    waits_since,
)

BASELINE = LabConfig.load("baseline")
LAWS = [
    BASELINE.breaks,
    BASELINE.replace(breaks__both_probability=0.0, breaks__one_probability=1.0).breaks,
    BASELINE.replace(breaks__number=1, breaks__last_probability=0.7).breaks,
]

PATIENTS = [
    (kind, scheduled, arrival, minute, margin)
    for kind, scheduled, arrival, margin in product((0, 1), (20, 33), range(0, 50, 3), (0, 10))
    for minute in range(arrival, arrival + 40)
]
"""Exam type, appointment, arrival, now and margin of patients who have arrived."""


def draws_around(thresholds: np.ndarray) -> list[float]:
    """Each threshold, its neighbours, and some numbers in between."""
    inside = [x for t in thresholds.ravel() for x in (np.nextafter(t, 0), t, np.nextafter(t, 1))]
    return [float(x) for x in (*inside, *np.linspace(0, 0.999, 50)) if 0 <= x < 1]


@pytest.mark.parametrize("law", LAWS)
def test_compiled_break_rule_equals_the_plain_one(law: Breaks) -> None:
    """For every draw and number of breaks left, arrays and nested lists, compiled and not, give the same breaks."""
    thresholds = break_thresholds(law)
    compiled: Callable[..., int] = njit(breaks_taken)
    for left, draw in product(range(law.number + 1), draws_around(thresholds)):
        taken = breaks_taken(left, draw, thresholds.tolist())
        assert taken == compiled(left, draw, thresholds) <= left


@pytest.mark.parametrize("law", LAWS)
def test_breaks_follow_their_probabilities(law: Breaks) -> None:
    """Lengths of the intervals of draws that lead to 0, 1 and 2 breaks are the law's probabilities, mean included."""
    draws = (np.arange(20_000) + 0.5) / 20_000
    for left in range(law.number + 1):
        taken = [breaks_taken(left, draw, break_thresholds(law).tolist()) for draw in draws]
        shares = np.bincount(taken, minlength=3) / len(draws)
        assert shares == pytest.approx(break_probabilities(law, left), abs=1e-4)
        assert np.mean(taken) * law.minutes == pytest.approx(expected_break(law, left), abs=0.01)


def test_double_breaks_are_less_likely_the_more_exams_were_done() -> None:
    """The odds equal those counted on sonographers whose exams are followed by breaks of the same law."""
    law, rng = BASELINE.breaks, np.random.default_rng(0)
    thresholds, counts = break_thresholds(law).tolist(), np.zeros((2, 6))
    for _ in range(20_000):
        left = law.number
        for n in range(1, 6):
            taken = breaks_taken(left, rng.random(), thresholds)
            left -= taken
            if taken and not left:
                counts[taken - 1, n] += 1
    share = counts[1, 1:] / counts[:, 1:].sum(axis=0)
    assert share == pytest.approx(double_break_odds(law, 5)[1:], abs=0.03)


@pytest.mark.parametrize("rule", [class_of, ready_minute, waits_since, on_time_from, punctuality])
def test_rules_give_the_same_in_arrays_and_compiled(rule: Callable[..., Any]) -> None:
    """A rule of the waiting room gives equal whole numbers for scalars, for arrays and compiled."""
    columns = [np.array(column) for column in zip(*PATIENTS, strict=True)]
    kind, scheduled, arrival, minute, margin = columns
    arguments = {
        class_of: (kind, scheduled, arrival, minute, margin),
        ready_minute: (arrival, minute - arrival, scheduled, kind),
        waits_since: (scheduled, arrival),
        on_time_from: (scheduled, margin),
        punctuality: (np.arange(len(kind)) % 6,),
    }[rule]
    compiled = njit(rule)
    each = list(zip(*(column.tolist() for column in arguments), strict=True))
    assert rule(*arguments).tolist() == [rule(*row) for row in each] == [compiled(*row) for row in each]


def test_early_patients_become_on_time_in_the_minute_that_is_said() -> None:
    """A class is early exactly before ``on_time_from``, and late exactly if the arrival was past the margin."""
    for kind, scheduled, arrival, minute, margin in PATIENTS:
        when = Punctuality(punctuality(class_of(kind, scheduled, arrival, minute, margin)))
        assert (when == Punctuality.EARLY) == (minute < on_time_from(scheduled, margin))
        assert (when == Punctuality.LATE) == (arrival > scheduled + margin)
        assert waits_since(scheduled, arrival) == max(scheduled, arrival)

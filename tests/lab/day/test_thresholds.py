"""Whole minutes by thresholds are those of the inverse distribution function, rounded up."""

from __future__ import annotations

import numpy as np
import pytest

from echo_env.lab.config import ExamLaw
from echo_env.lab.day import whole_minutes
from echo_env.lab.day.laws import duration_probability, exam_minutes
from echo_env.lab.day.thresholds import MinuteTable, minute_table

CLOSE = 1e-12
"""Draws so near to a threshold may go either way: the two functions round differently."""

LAWS = [
    ExamLaw(12.0, 45.0, 20.0, 150.0),
    ExamLaw(6.0, 60.0, 30.0, 120.0),
    ExamLaw(12.0, 45.0, 20.5, 99.25),
    ExamLaw(0.3, 45.0, 0.0, 150.0),
    ExamLaw(1.0, 3.0, 0.2, 1440.0),
    ExamLaw(12.0, 3.0, 20.0, 150.0),
    ExamLaw(12.0, 0.1, 20.0, 150.0),
    ExamLaw(12.0, 2000.0, 20.0, 150.0),
    ExamLaw(300.0, 14_000.0, 20.0, 150.0),
    ExamLaw(1e6, 45.0, 20.0, 150.0),
    ExamLaw(12.0, 45.0, 0.0, 1.0),
]


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_minutes_are_those_of_the_inverse_rounded_up(law: ExamLaw) -> None:
    """Draws give the same minutes by thresholds as by the inverse, but where they lie on a threshold: a million draws
    of the paper's law, which come fast, and a tenth of that of the others."""
    draws = np.random.default_rng(1).random(1_000_000 if law is LAWS[0] else 100_000)
    differ = minute_table(law, 1)(draws) != whole_minutes(exam_minutes(law, draws))
    at_most = duration_probability(law, np.arange(np.ceil(law.longest_min) + 1))
    nearest = np.abs(draws[differ, None] - at_most).min(axis=1)
    assert (nearest <= CLOSE).all()


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_the_smallest_and_the_largest_draw_lie_inside_the_law(law: ExamLaw) -> None:
    """Draws of 0 and just below 1 give minutes of the law's interval."""
    first, last = minute_table(law, 1)(np.array([0.0, 1 - 2.0**-53]))
    assert first == max(np.ceil(law.shortest_min), 1)
    assert last <= np.ceil(law.longest_min)


def test_preparations_may_take_no_time() -> None:
    """Without a least number of minutes a draw of 0 gives a length of 0, where the law begins there."""
    law = ExamLaw(2.0, 5.0, 0.0, 30.0)
    assert minute_table(law)(np.zeros(1)).tolist() == [0]
    assert minute_table(law, 1)(np.zeros(1)).tolist() == [1]


def test_a_table_by_hand() -> None:
    """Values of the distribution function of 0.25, 0.25 and 1 at 0, 1 and 2 minutes give 0 or 2 minutes."""
    table = MinuteTable(np.array([0.25, 0.25, 1.0]))
    assert table(np.array([[0.0, 0.25], [0.2500001, 0.999]])).tolist() == [[0, 0], [2, 2]]


def test_equal_laws_share_a_table() -> None:
    """A table is computed once for equal laws."""
    assert minute_table(ExamLaw(12.0, 45.0, 20.0, 150.0)) is minute_table(ExamLaw(12.0, 45.0, 20.0, 150.0))

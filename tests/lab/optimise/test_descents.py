"""Descents: on few days and on many, and over levers with few values."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")


from echo_env.lab.optimise.levers import NOTHING, Lever, Values
from echo_env.lab.optimise.search import descend


def bench_of(costs: dict[int, float], asked: list[int] | None = None) -> Any:
    """A bench with one lever, whose values cost what is said."""

    def cost(values: Values) -> float:
        if asked is not None:
            asked.append(values[0])
        return costs[values[0]]

    lever = Lever(min(costs), tuple(sorted(costs)), "number")
    return SimpleNamespace(levers=(lever,), choice=SimpleNamespace(fits=lambda values: True), cost=cost)


def test_steps_have_to_help_on_many_days_too() -> None:
    """Of the values that are good on few days, the best one that is good on many is taken, and none if none is."""
    few = {0: 5.0, 1: 1.0, 2: 2.0, 3: 3.0, 4: 9.0}
    rng = np.random.default_rng(0)
    assert descend(bench_of(few), (0,), rng) == (1,)
    asked: list[int] = []
    assert descend(bench_of(few), (0,), rng, close=bench_of({0: 5.0, 1: 8.0, 2: 4.0, 3: 1.0, 4: 0.0}, asked)) == (2,)
    # What few days say to be worse is not played on many.
    assert 4 not in asked
    assert descend(bench_of(few), (0,), rng, close=bench_of({0: 5.0, 1: 8.0, 2: 6.0, 3: 5.0, 4: 0.0})) == (0,)


@pytest.mark.parametrize("best", range(8))
def test_few_values_are_looked_at_in_all_of_them(best: int) -> None:
    """The best of eight values is found from each of them, though its neighbours are worse than the start."""
    costs = {value: 0.0 if value == best else 5.0 + value % 3 for value in range(8)}
    for begun in range(8):
        assert descend(bench_of(costs), (begun,), np.random.default_rng(0)) == (best,)


@pytest.mark.parametrize("begun", range(0, 200, 10))
def test_nothing_is_always_looked_at(begun: int) -> None:
    """What need not be there is tried without, wherever it is, however many places there are for it."""
    costs = {NOTHING: 0.0, **{minute: 5.0 + minute / 100 for minute in range(0, 200, 10)}}
    assert descend(bench_of(costs), (begun,), np.random.default_rng(0)) == (NOTHING,)

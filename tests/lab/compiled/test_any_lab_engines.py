"""The compiled engine equals the SimPy engine to the bit in labs of any kind."""

from __future__ import annotations

import numpy as np
import pytest
from general_days import violations
from random_labs import random_lab

from echo_env.lab import Lab, Trace, make_policy, sample_days, simulate
from echo_env.lab.day import Days
from echo_env.lab.simulation.penalty import UNITS
from echo_env.lab.simulation.policy import TieredPolicy

pytest.importorskip("numba")

from echo_env.lab.compiled import batch
from echo_env.lab.evaluation.engines import play_days

RULES = ("policy_1", "policy_2", "scarce_first")
RECORDS = ("exams", "breaks", "lunches", "handovers", "rows", "units")


def compiled_traces(config: Lab, days: Days, rule: TieredPolicy) -> tuple[list[Trace], np.ndarray]:
    """The traces of the compiled engine, and the units paid before each minute."""
    count = len(days)
    labs = batch.make_labs(config, count, keep_rows=True)
    batch.begin_days(config, labs, np.arange(count), days)
    paid = np.zeros((count, config.hours.end_min + 1, UNITS), dtype=np.int64)
    batch.run_days(labs, batch.rules_of(config), batch.tiers_of(rule.tiers, len(config.plan.types)), paid)
    return [batch.trace_of(config, labs, number, day) for number, day in enumerate(days)], paid


def assert_engines_agree(seed: int) -> None:
    """Play two days of a random lab on both engines."""
    config = random_lab(np.random.default_rng(seed))
    rule = make_policy(RULES[seed % 3], config)
    assert isinstance(rule, TieredPolicy)
    days = sample_days(config, 2, seed)
    traces, paid = compiled_traces(config, days, rule)
    for number, (day, trace) in enumerate(zip(days, traces, strict=True)):
        expected = simulate(config, day, rule)
        assert violations(expected) == [], seed
        for name in RECORDS:
            same = [tuple(row) if name != "units" else row for row in getattr(expected, name)]
            assert [tuple(row) if name != "units" else row for row in getattr(trace, name)] == same, (seed, name)
        assert np.array_equal(np.cumsum(expected.minute_units, axis=0), paid[number, 1:]), seed


@pytest.mark.parametrize("first", range(0, 120, 40))
def test_traces_agree_in_any_lab(first: int) -> None:
    """Exams, breaks, lunches, handovers, counts of every minute and penalty units are the same."""
    for seed in range(first, first + 40):
        assert_engines_agree(seed)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 6000, 500))
def test_traces_agree_in_5000_labs(first: int) -> None:
    """As above."""
    for seed in range(first, first + 500):
        assert_engines_agree(seed)


def test_random_starts_agree_in_any_lab() -> None:
    """A policy that decides on single starts begins the same exams on both engines, also where commits are pending."""
    for seed in range(40):
        config = random_lab(np.random.default_rng(seed))
        policy = make_policy("random", config)
        days = sample_days(config, 3, seed)
        results = play_days(config, policy, days)
        for number, day in enumerate(days):
            trace = simulate(config, day, policy)
            begun = np.full(len(day.arrival), -1)
            begun[[exam.patient for exam in trace.exams]] = [exam.start_min for exam in trace.exams]
            assert np.array_equal(results.start[number], begun), seed
            assert tuple(results.units[number]) == trace.units, seed

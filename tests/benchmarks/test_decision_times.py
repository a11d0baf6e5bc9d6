"""Decision times: what is on the clock, and what is not."""

from __future__ import annotations

import time

import pytest

from benchmarks.decision_times import measure_decisions
from echo_env.lab import LabConfig, LabView, Start, make_policy


class SlowPolicy:
    """Takes at least two milliseconds, then serves whom a rule serves."""

    def __init__(self, config: LabConfig) -> None:
        self.name = "slow"
        self._rule = make_policy("policy_2", config)

    def begin_day(self, view: LabView, seed: int) -> None:
        """Sleeps, off the clock."""
        time.sleep(0.02)

    def decide(self, view: LabView) -> list[Start]:
        """Sleeps, on the clock."""
        time.sleep(0.002)
        return list(self._rule.decide(view))


def test_decisions_are_timed_and_nothing_else() -> None:
    """Only ``decide`` is on the clock: neither ``begin_day`` nor the simulation counts."""
    config = LabConfig.load("scarce")
    times = measure_decisions(config, [SlowPolicy(config), make_policy("policy_2", config)], 2, 7)
    assert times["slow"].decisions == times["policy_2"].decisions > 20
    assert 2 <= times["slow"].mean_ms < 20
    assert 2 <= times["slow"].p95_ms
    assert times["policy_2"].mean_ms < times["slow"].mean_ms
    with pytest.raises(ValueError, match="days is 0, but must be at least 1"):
        measure_decisions(config, [], 0, 7)

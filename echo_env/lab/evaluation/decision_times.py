"""How long policies take to decide.

Times are of this machine at this moment, so they are measured apart and are no metrics: those are the same to the
bit wherever days are played.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from echo_env.lab.config import LabConfig
from echo_env.lab.day import sample_days
from echo_env.lab.simulation.policy import Policy
from echo_env.lab.simulation.simulator import simulate
from echo_env.lab.simulation.whiteboard import LabView


class DecisionTime(NamedTuple):
    """What it took a policy to decide.

    :param decisions: mean number of decisions a day
    :param mean_ms: mean time of one, milliseconds
    :param p95_ms: so long or less took 95 % of them, milliseconds
    """

    decisions: float
    mean_ms: float
    p95_ms: float


@dataclass
class TimedPolicy:
    """A policy with a stopwatch.

    :param policy: decides
    :param seconds: grows by a number for each decision
    """

    policy: Policy
    seconds: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        """That of the policy."""
        return self.policy.name

    @name.setter
    def name(self, name: str) -> None:
        self.policy.name = name

    def begin_day(self, view: LabView, seed: int) -> None:
        """Passed on; its time does not count."""
        self.policy.begin_day(view, seed)

    def decide(self, view: LabView) -> Sequence[tuple[int, int, int]]:
        """What the policy decides."""
        begun = time.perf_counter()
        starts = self.policy.decide(view)
        self.seconds.append(time.perf_counter() - begun)
        return starts


def measure_decisions(
    config: LabConfig,
    policies: Mapping[str, Policy],
    days: int,
    seed: int,
    progress: Callable[[int], None] | None = None,
) -> dict[str, DecisionTime]:
    """Time every decision of the first days of a seed, on the SimPy engine, where policies decide one by one.

    The first day is played once more before, not timed, so that nothing is compiled or loaded on the clock.

    :param config: the lab
    :param policies: by name
    :param days: how many, at least 1
    :param seed: which days
    :param progress: called with 1 after each day of a policy
    :raises ValueError: no day
    """
    if days < 1:
        raise ValueError(f"days of decision times is {days}, but must be at least 1")
    drawn, times = sample_days(config, days, seed), {}
    for name, policy in policies.items():
        simulate(config, drawn[0], policy)
        timed = TimedPolicy(policy)
        for day in drawn:
            simulate(config, day, timed)
            if progress:
                progress(1)
        spent = 1000 * np.array(timed.seconds or [0.0])
        times[name] = DecisionTime(len(timed.seconds) / days, float(spent.mean()), float(np.percentile(spent, 95)))
    return times

"""How long policies take to decide, on the SimPy engine, where they decide one state at a time.

python benchmarks/decision_times.py --lab scarce --policies policy_2 auction "rollout(samples=16)" rolling_horizon

Times are of this machine at this moment, so they are no metrics of a comparison: those are the same to the bit
wherever days are played.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from echo_env.lab import LabConfig, LabView, Policy, Start, make_policy, sample_days, simulate


class DecisionTimes(NamedTuple):
    """Decision times of a policy.

    :param decisions: mean number of decisions a day
    :param mean_ms: mean, milliseconds
    :param p95_ms: 95th percentile, milliseconds
    """

    decisions: float
    mean_ms: float
    p95_ms: float


@dataclass
class TimedPolicy:
    """A policy with a stopwatch on ``decide``; ``begin_day`` is not timed.

    :param policy: decides
    :param seconds: one entry for each decision
    """

    policy: Policy
    seconds: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Name of the policy."""
        return self.policy.name

    @name.setter
    def name(self, name: str) -> None:
        self.policy.name = name

    def begin_day(self, view: LabView, seed: int) -> None:
        """Passed on."""
        self.policy.begin_day(view, seed)

    def decide(self, view: LabView) -> Sequence[Start]:
        """The policy's decision."""
        begun = time.perf_counter()
        starts = self.policy.decide(view)
        self.seconds.append(time.perf_counter() - begun)
        return starts


def measure_decisions(config: LabConfig, policies: Sequence[Policy], days: int, seed: int) -> dict[str, DecisionTimes]:
    """Time every decision on the first days of a seed.

    The first day is played once before, not timed, so that no compilation or import is on the clock.

    :param config: the lab
    :param policies: names must differ
    :param days: number of days, at least 1
    :param seed: seed of the days
    :return: policy -> its times
    :raises ValueError: no day
    """
    if days < 1:
        raise ValueError(f"days is {days}, but must be at least 1")
    drawn, times = sample_days(config, days, seed), {}
    for policy in policies:
        simulate(config, drawn[0], policy)
        timed = TimedPolicy(policy)
        for day in drawn:
            simulate(config, day, timed)
        spent = 1000 * np.array(timed.seconds or [0.0])
        times[policy.name] = DecisionTimes(
            len(timed.seconds) / days, float(spent.mean()), float(np.percentile(spent, 95))
        )
    return times


def main() -> None:
    """Measure, print, and add a row to decision_times.csv for each policy."""
    from record import append_row

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lab", default="scarce", help="preset or YAML file")
    parser.add_argument(
        "--policies", nargs="+", default=["policy_2", "auction", "rollout(samples=16)", "rolling_horizon"]
    )
    parser.add_argument("--days", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    config = LabConfig.load(arguments.lab)
    policies = [make_policy(name, config) for name in arguments.policies]
    for name, times in measure_decisions(config, policies, arguments.days, arguments.seed).items():
        print(
            f"{name:<30} {times.decisions:6.1f} decisions a day, mean {times.mean_ms:8.3f} ms, "
            f"95th percentile {times.p95_ms:8.3f} ms"
        )
        append_row("decision_times", {"lab": arguments.lab, "policy": name, **times._asdict()})


if __name__ == "__main__":
    main()

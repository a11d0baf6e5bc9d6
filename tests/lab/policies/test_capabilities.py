"""Capabilities are found by structure: a user's own policy gains the compiled engine by what it offers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from echo_env.lab import LabConfig, evaluate, make_policy, policy_names, register_policy, sample_days
from echo_env.lab.day import Days
from echo_env.lab.decisions.actions import decode_starts, feasible
from echo_env.lab.policies.base import _REGISTRY
from echo_env.lab.simulation.allocation import assign
from echo_env.lab.simulation.patient import EARLY, LATE, ON_TIME, Start
from echo_env.lab.simulation.policy import BatchChooser, is_compiled, is_memoryless
from echo_env.lab.simulation.view import LabView

pytest.importorskip("numba")

from echo_env.lab.compiled.layout import Labs
from echo_env.lab.departures.counterfactual import follow

SCARCE = LabConfig.load("scarce")


class LateFirst:
    """A rule that serves by class, written without any class of the package."""

    name = "late_first"
    tiers = (LATE, ON_TIME, EARLY)

    def __init__(self, config: LabConfig) -> None:
        self.config = config

    def begin_day(self, view: LabView, seed: int) -> None:
        """Nothing to prepare."""

    def decide(self, view: LabView) -> list[Start]:
        """Late patients first."""
        return assign(view, [entry for tier in self.tiers for entry in view.waiting(*tier)])


class HighestAction:
    """Always the highest feasible joint action, offered as a batch chooser."""

    name = "highest"
    actions = "joint"
    idling = False
    memoryless = True

    def __init__(self, config: LabConfig) -> None:
        self.config = config

    def begin_day(self, view: LabView, seed: int) -> None:
        """Nothing to prepare."""

    def decide(self, view: LabView) -> list[Start]:
        """The highest feasible action."""
        mask = feasible(view.waiting_counts, view.free_counts, self.idling).mask
        return decode_starts(int(np.flatnonzero(mask)[-1]), view)

    def chooser(self, config: LabConfig, days: Days) -> BatchChooser:
        """The highest feasible action of each lab."""

        def choose(labs: Labs, which: NDArray[np.int64], masks: NDArray[np.bool_]) -> NDArray[np.int64]:
            return masks.shape[1] - 1 - masks[:, ::-1].argmax(axis=1)

        return choose


@pytest.fixture
def own_policies() -> Iterator[list[str]]:
    """Both classes, registered as a user would, for the time of a test."""
    names = [register_policy(policy.name)(policy).name for policy in (LateFirst, HighestAction)]
    yield names
    for name in names:
        del _REGISTRY[name]


def test_a_users_own_policies_run_on_the_compiled_engine(own_policies: list[str]) -> None:
    """A registered policy with ``tiers`` or ``chooser`` gives the same metrics on both engines, to the bit."""
    slow, fast = (evaluate(SCARCE, own_policies, days=20, seed=4, engine=engine) for engine in ("simpy", "auto"))
    assert set(fast.engines.values()) == {"compiled"}
    for name in own_policies:
        for metric in slow.metrics:
            assert np.array_equal(slow.values[name][metric], fast.values[name][metric], equal_nan=True), (name, metric)


def test_a_users_own_policies_are_compared_decision_by_decision(own_policies: list[str]) -> None:
    """Memoryless policies can be followed, whoever wrote them, and pay what a comparison says they pay."""
    late, highest = (make_policy(name, SCARCE) for name in own_policies)
    drawn = drawn_days()
    got = follow(SCARCE, highest, late, drawn)
    assert (got.followed != got.other).any()
    paid = evaluate(SCARCE, [highest], days=len(drawn), seed=4, engine="simpy").values["highest"]["penalty"]
    assert np.array_equal(got.penalty, paid)


def drawn_days() -> Days:
    """The days of the comparison."""
    return sample_days(SCARCE, 10, seed=4)


def test_capabilities_of_the_policies_that_come_with_the_package() -> None:
    """Rules that serve by class and the random policy are compiled; of these only the rules are memoryless."""
    names = [name for name in policy_names() if "(" not in name and ".." not in name]
    policies = {name: make_policy(name, SCARCE) for name in names}
    compiled = {name for name, policy in policies.items() if is_compiled(policy)}
    assert compiled == {"policy_1", "policy_2", "fetal_first", "scarce_first", "urgent_first", "random"}
    assert {name for name, policy in policies.items() if is_memoryless(policy)} == compiled - {"random"}


def test_a_randomised_policy_is_not_followed() -> None:
    """A policy that is not memoryless is refused by name."""
    rule, random = make_policy("policy_2", SCARCE), make_policy("random", SCARCE)
    with pytest.raises(ValueError, match="policy 'random' cannot be compared decision by decision"):
        follow(SCARCE, rule, random, drawn_days())

"""Patients' decision processes against full decision trees and simulated episodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_hospitals import make_condition, make_instance

from echo_env.pathways import Condition, Instance, PathwaysConfig, sample_draw, trial_luck
from echo_env.pathways.compiled.kernel import REGRET
from echo_env.pathways.compiled.mdp import never_treated, solve, worth
from echo_env.pathways.config.pathway import resource_states
from echo_env.pathways.evaluation.engines import play_trials
from echo_env.pathways.policies import BiddingPolicy


class Tree:
    """Values by walking through every decision, win and move of health, without tables."""

    def __init__(self, instance: Instance, condition: Condition, chances: Any) -> None:
        self.config, self.condition, self.chances = instance.config, condition, chances
        self.top = self.config.health_levels - 1
        self.all = frozenset(range(len(condition.resources)))

    def value(self, t: int, had: frozenset[int], held: int | None, left: int, h: int) -> float:
        """Value from step t on, the reward of this step included."""
        if self.config.lethal and h == 0:
            return 0.0
        worth_now, success = self.now(t, had, held, left, h), self.config.reward == "success"
        if t == self.config.horizon:
            return worth_now if success else 0.0
        after = (had, held, left - 1) if left > 1 else (had | {held} if held is not None else had, None, 0)
        wait = self.expected(t, had, held, h, after)
        options = [wait]
        if left <= 1:
            for need in self.all - after[0]:
                if set(self.condition.order[need]) <= after[0]:
                    then = (after[0], need, self.condition.durations[need])
                    q = self.chances[self.condition.resources[need], t]
                    options.append(q * self.expected(t, had, held, h, then) + (1 - q) * wait)
        return worth_now + self.config.gamma * max(options)

    def now(self, t: int, had: frozenset[int], held: int | None, left: int, h: int) -> float:
        """Reward of a step."""
        if self.config.reward == "success":
            return h / self.top
        finishing = held is not None and left == 1 and had | {held} == self.all
        return 1 - h / self.top if finishing else 0.0

    def expected(self, t: int, had: frozenset[int], held: int | None, h: int, then: Any) -> float:
        """Mean over the moves of health."""
        if then[0] == self.all:
            return self.value(t + 1, *then, self.top)
        row = self.condition.waiting[h] if held is None else self.condition.holding[held][h]
        healths = max(h - 1, 0), h, min(h + 1, self.top)
        return sum(p * self.value(t + 1, *then, there) for p, there in zip(row, healths, strict=True) if p)


CASES: list[dict[str, Any]] = [
    {},
    {"reward": "completion"},
    {"lethal": True},
    {"gamma": 0.8},
    {"pathway": "unordered"},
    {"durations": (1, 2), "pathway": "partial", "reward": "completion", "lethal": True, "gamma": 0.9},
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(map(str, case.values())) or "paper")
def test_values_are_those_of_the_whole_tree(case: dict[str, Any]) -> None:
    """Solved values equal those of the full decision tree."""
    config = PathwaysConfig.load("baseline").replace(
        patients=2, needs=2, resources=3, horizon=3, health_levels=3, initial_health=(0, 2)
    )
    instance = sample_draw(config.replace(**case), 5, 0)
    chances = np.random.default_rng(1).random((3, 3))
    values = solve(instance.model, chances, 3)
    for number, condition in enumerate(instance.conditions):
        tree = Tree(instance, condition, chances)
        pathway = resource_states(condition.predecessors, condition.durations)
        for s, state in enumerate(pathway.states):
            had = frozenset(need for need in range(2) if state.had >> need & 1)
            held = state.held if state.left else None
            for t in range(4):
                for h in range(3):
                    expected = tree.value(t, had, held, state.left, h)
                    assert values[t, number, s, h] == pytest.approx(expected, abs=1e-12)


def test_never_treated_is_waiting_for_ever() -> None:
    """Values without treatment are those of waiting to the end."""
    instance = make_instance([make_condition()], [(0, 2)], horizon=2)
    never = never_treated(instance.model, 2)
    # Health 2 of 0..2, down with 0.5: 1 + (0.5 * 1 + 0.5 * 0.5) + (0.25 * 1 + 0.5 * 0.5 + 0.25 * 0).
    assert never[0, 0, 0, 2] == pytest.approx(1 + 0.75 + 0.5)


def test_regret_value_and_gain_by_hand() -> None:
    """Regret, value and gain equal a hand calculation."""
    # One need of one step; health 1 of 0..2 stays while waiting or held. Two steps: winning now means holding in
    # step 1, and so full health after it.
    condition = make_condition((0,), ((),), waiting=(0.5, 0.5, 0), holding=(0, 1, 0))
    instance = make_instance([condition], [(0, 1)], horizon=2)
    chances = np.full((2, 2), 1.0)
    values, never = solve(instance.model, chances, 2), never_treated(instance.model, 2)
    now = np.array([0]), np.array([0]), np.array([1]), np.array([[0]])
    regret, value, gain = worth(instance.model, *now, values[1], never[1])
    # After step 0 health is 0 or 1, evenly. If held: that health's success, then full: (0 + 0.5) / 2 + 1. If not,
    # winning in step 1 is too late: health 0 stays, health 1 falls with 0.5: 0.25 + (0 + 0.25) / 2.
    assert value[0, 0] == pytest.approx(0.25 + 1)
    assert regret[0, 0] == pytest.approx(1.25 - 0.375)
    assert gain[0, 0] == pytest.approx(1.25 - 0.375)


def test_values_come_true_for_who_is_alone() -> None:
    """A single patient's mean simulated utility equals its solved value."""
    config = PathwaysConfig.load("baseline").replace(patients=1, horizon=12, learning__rounds=0)
    instance = sample_draw(config, 3, 0)
    policy = BiddingPolicy(REGRET)
    traces = play_trials(instance, [trial_luck(instance, trial) for trial in range(4000)], policy)
    totals = np.array([trace.success.sum() for trace in traces])
    h = instance.initial_health[0]
    # Alone, one wins whatever one bids for; the worth of the health at arrival comes on top.
    assert (policy.prospects.chances == 1).all()
    promised = policy.prospects.values[0, instance.condition[0], 0, h] - h / 4
    assert abs(totals.mean() - promised) < 3 * totals.std() / np.sqrt(len(totals))

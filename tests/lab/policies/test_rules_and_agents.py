"""Policies 1 and 2, the random policy, and agents as policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from echo_env.lab import (
    Day,
    LabConfig,
    Simulator,
    evaluate,
    make_policy,
    sample_days,
    simulate,
)
from echo_env.lab.decisions.actions import feasible
from echo_env.lab.decisions.observation import make_observation
from echo_env.lab.policies.agent import AgentPolicy

Lab = Callable[..., LabConfig]
Days = Callable[..., Day]


def order_of_service(config: LabConfig, day: Day, rule: str) -> list[int]:
    """Patients in the order in which their exams began."""
    return [exam.patient for exam in simulate(config, day, make_policy(rule, config)).exams]


def test_order_of_service_by_hand(tiny_lab: Lab, tiny_day: Days) -> None:
    """Each rule serves classes in the paper's order."""
    # One fetal-capable room and sonographer, taken by patient 0 from 0 to 80. Then wait: 1 (non-fetal 08:20,
    # here at 60, late), 2 (fetal 08:50, here at 55, on time, waiting 25 at 80), 3 (non-fetal 08:45, here
    # at 45, on time, waiting 35), 4 (non-fetal 11:00, here at 70, early).
    config = tiny_lab(fetal=(50,), non_fetal=(0, 20, 45, 180), rooms__non_fetal=0, sonographers__fetal=1,
                      sonographers__non_fetal=0)  # fmt: skip
    day = tiny_day(config, (0, 60, 45, 55, 70), (80, 10, 10, 10, 10))
    # Numbers by appointment: 0 = 08:00, 1 = 08:20, 2 = 08:45, 3 = fetal 08:50, 4 = 11:00.
    # Policy 1 leaves the early one until 170, ten minutes before the appointment.
    assert order_of_service(config, day, "policy_1") == [0, 2, 3, 1, 4]
    assert order_of_service(config, day, "policy_2") == [0, 2, 3, 1, 4]
    assert order_of_service(config, day, "fetal_first") == [0, 3, 2, 1, 4]
    last = [simulate(config, day, make_policy(rule, config)).exams[-1] for rule in ("policy_1", "policy_2")]
    assert [exam.start_min for exam in last] == [170, 110]


def test_skips_to_the_next_patient_when_the_first_cannot_be_served(tiny_lab: Lab, tiny_day: Days) -> None:
    """A patient who cannot be served yet does not block those behind."""
    config = tiny_lab(fetal=(0, 5), non_fetal=(10,), rooms__non_fetal=1)
    day = tiny_day(config, (0, 5, 10), (100, 30, 30))
    exams = {exam.patient: exam.start_min for exam in simulate(config, day, make_policy("policy_2", config)).exams}
    assert exams == {0: 0, 1: 100, 2: 10}


def test_rules_leave_nobody_waiting_who_could_be_served() -> None:
    """Rules leave nobody waiting who could be served; policy 1 only early patients."""
    config = LabConfig.load("scarce")
    for rule in ("policy_1", "policy_2", "fetal_first"):
        policy = make_policy(rule, config)
        for day in sample_days(config, 20, seed=1):
            lab = Simulator(config, day)
            while not lab.over:
                if lab.board.can_start():
                    lab.start(policy.decide(lab.view))
                counts = list(lab.view.waiting_counts)
                if rule == "policy_1":
                    counts[2] = counts[5] = 0
                assert feasible(counts, lab.view.free_counts, idling=True).size == 1
                lab.advance()


def test_random_goes_the_same_way_on_the_same_day() -> None:
    """The random policy depends on the day's seed alone."""
    config = LabConfig.load("scarce")
    days = sample_days(config, 3, seed=2)
    one, other = make_policy("random", config), make_policy("random", config)
    forth = [simulate(config, day, one).exams for day in days]
    back = [simulate(config, day, other).exams for day in reversed(days)][::-1]
    assert forth == back
    assert forth[0] != forth[1]


class Highest:
    """A masked agent that takes the highest feasible action and records its observations."""

    observation_space = gym.spaces.Box(0, 10, (13,))
    action_space = gym.spaces.Discrete(729)

    def __init__(self) -> None:
        self.shown: list[tuple[np.ndarray, np.ndarray]] = []

    def predict(self, observation: np.ndarray, deterministic: bool = False, action_masks: Any = None) -> Any:
        """The highest feasible action of each state."""
        assert deterministic
        self.shown += zip(observation, action_masks, strict=True)
        return np.array([np.flatnonzero(mask)[-1] for mask in action_masks]), None


@pytest.mark.parametrize("idling", [True, False])
def test_an_agent_decides_as_it_does_in_its_env(idling: bool) -> None:
    """As a policy, an agent gets the observations and masks of its environment, in the same minutes."""
    config = LabConfig.load("scarce")
    env = gym.make("EchoLabScarce-v0", clock="event", idling=idling).unwrapped
    for day in sample_days(config, 10, seed=3):
        agent = Highest()
        policy = AgentPolicy("agent", agent, config, idling=idling)
        trace = simulate(config, day, policy)
        observation, info = env.reset(options={"day": day})
        shown, over = [], False
        while not over:
            if info["action_mask"].sum() > 1:
                shown.append((observation, info["action_mask"]))
            observation, _, over, _, info = env.step(np.flatnonzero(info["action_mask"])[-1])
        assert env.trace.exams == trace.exams
        assert env.trace.units == trace.units
        assert len(shown) == len(agent.shown)
        for (seen, mask), (expected, allowed) in zip(agent.shown, shown, strict=True):
            assert np.array_equal(seen, expected)
            assert np.array_equal(mask, allowed)


@pytest.mark.parametrize("observation", ["paper", "rich"])
@pytest.mark.parametrize("idling", [True, False])
def test_an_agent_does_the_same_on_both_engines(idling: bool, observation: str) -> None:
    """An agent gives the same days on both engines."""
    pytest.importorskip("numba")
    config = LabConfig.load("scarce")

    class Hashed(Highest):
        """Decides by a hash of the whole observation."""

        def predict(self, observation: np.ndarray, deterministic: bool = False, action_masks: Any = None) -> Any:
            """A feasible action picked by the hash."""
            picks = (observation.astype(np.float64).sum(axis=1) * 1e4).astype(int)
            return np.array([np.flatnonzero(m)[k % m.sum()] for k, m in zip(picks, action_masks, strict=True)]), None

    model = Hashed()
    model.observation_space = make_observation(observation, config)[0]
    agent = AgentPolicy("agent", model, config, observation=observation, idling=idling)
    slow, fast = (evaluate(config, [agent], 20, 3, engine=engine) for engine in ("simpy", "compiled"))
    for metric, values in slow.values["agent"].items():
        assert np.array_equal(values, fast.values["agent"][metric], equal_nan=True), metric


def test_an_agent_without_masks_is_bent_to_the_nearest_feasible() -> None:
    """The action of an agent without masks becomes the nearest feasible one."""

    class Everybody:
        observation_space = gym.spaces.Box(0, 10, (13,))
        action_space = gym.spaces.Discrete(729)

        def predict(self, observation: np.ndarray, deterministic: bool = False) -> Any:
            return np.full(len(observation), 728), None

    config = LabConfig.load("scarce")
    day = sample_days(config, 1, seed=4)[0]
    trace = simulate(config, day, AgentPolicy("eager", Everybody(), config))
    assert len(trace.exams) > 25


def test_an_agent_that_does_not_fit_is_refused_with_both_shapes() -> None:
    """An agent with other observation or action spaces is refused; the message gives both shapes."""
    config = LabConfig.load("scarce")
    agent = Highest()
    agent.observation_space = gym.spaces.Box(0, 1, (4,))
    with pytest.raises(ValueError, match=r"shape \(4,\).*shape \(13,\)"):
        AgentPolicy("agent", agent, config)
    agent = Highest()
    agent.action_space = gym.spaces.Discrete(2)
    with pytest.raises(ValueError, match=r"Discrete\(2\).*Discrete\(729\)"):
        AgentPolicy("agent", agent, config)

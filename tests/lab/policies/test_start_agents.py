"""Agents of single starts as policies: in any lab, as in their environment, on both engines."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from echo_env.lab import evaluate, load_lab, sample_days, simulate
from echo_env.lab.config.lab import Lab
from echo_env.lab.decisions.action_sets import make_actions
from echo_env.lab.decisions.observation import default_observation, make_observation
from echo_env.lab.envs.env import EchoLabEnv
from echo_env.lab.policies.agent import AgentPolicy, StartAgentPolicy, agent_policy

LABS = ("scarce", "echo_week", "mri_unit", "walk_in_clinic")


class Hashed:
    """A masked agent that picks a feasible action by a hash of the whole observation.

    :param config: the lab
    :param observation: what it observes
    :param actions: its action space
    """

    def __init__(self, config: Lab, observation: str, actions: str = "start") -> None:
        self.observation_space = make_observation(observation, config)[0]
        self.action_space = gym.spaces.Discrete(make_actions(actions, config).size)

    def predict(self, observation: np.ndarray, deterministic: bool = False, action_masks: Any = None) -> Any:
        """(n, ...) observations and (n, actions) masks to (n,) actions."""
        assert deterministic
        totals = observation.reshape(len(observation), -1).astype(np.float64).sum(axis=1)
        picks = (totals * 1e4).astype(int)
        return np.array([np.flatnonzero(m)[k % m.sum()] for k, m in zip(picks, action_masks, strict=True)]), None


def agent_of(config: Lab, observation: str, idling: bool) -> tuple[Hashed, AgentPolicy]:
    """A hashed agent, and the same as a policy."""
    model = Hashed(config, observation)
    return model, agent_policy("agent", model, config, observation, idling)


@pytest.mark.parametrize("idling", [True, False])
@pytest.mark.parametrize("preset", LABS)
def test_a_start_agent_decides_as_it_does_in_its_env(preset: str, idling: bool) -> None:
    """As a policy, an agent of single starts begins the same exams as when it steps its environment."""
    config = load_lab(preset)
    model, policy = agent_of(config, default_observation(config), idling)
    env = EchoLabEnv(config, clock="event", idling=idling, actions="start")
    for day in sample_days(config, 5, seed=3):
        shown, info = env.reset(options={"day": day})
        over = False
        while not over:
            action, _ = model.predict(shown[None], deterministic=True, action_masks=info["action_mask"][None])
            shown, _, over, _, info = env.step(action[0])
        trace = simulate(config, day, policy)
        assert env.trace.exams == trace.exams
        assert env.trace.units == trace.units


@pytest.mark.parametrize("idling", [True, False])
@pytest.mark.parametrize(("preset", "observation"), [*((lab, "rows") for lab in LABS), ("scarce", "rich")])
def test_a_start_agent_does_the_same_on_both_engines(preset: str, observation: str, idling: bool) -> None:
    """An agent of single starts gives the same days on both engines, to the bit."""
    pytest.importorskip("numba")
    config = load_lab(preset)
    _, agent = agent_of(config, observation, idling)
    slow, fast = (evaluate(config, [agent], 8, 3, engine=engine) for engine in ("simpy", "compiled"))
    for metric, values in slow.values["agent"].items():
        assert np.array_equal(values, fast.values["agent"][metric], equal_nan=True), metric


def test_a_start_agent_pays_nothing_where_nobody_needs_to_wait() -> None:
    """Any number of a class may begin in one minute: who does not idle pays exactly 0 in the abundant lab."""
    pytest.importorskip("numba")
    config = load_lab("abundant")
    _, agent = agent_of(config, "paper", idling=False)
    assert not evaluate(config, [agent], 1000, 2027).values["agent"]["penalty"].any()


def test_the_action_space_of_an_agent_says_what_it_decides_on() -> None:
    """An agent of 729 actions decides on joint actions, any other on single starts, which must be those of the lab."""
    scarce, unit = load_lab("scarce"), load_lab("mri_unit")
    assert type(agent_policy("a", Hashed(scarce, "paper", "joint"), scarce)) is AgentPolicy
    assert type(agent_policy("a", Hashed(scarce, "paper"), scarce)) is StartAgentPolicy
    for actions, message in (("start", r"Discrete\(7\), but the lab has Discrete\(10\)"), ("joint", "two exam types")):
        stranger = Hashed(scarce, "paper", actions)
        stranger.observation_space = make_observation("rows", unit)[0]
        with pytest.raises(ValueError, match=message):
            agent_policy("a", stranger, unit, "rows")

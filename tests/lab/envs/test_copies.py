"""Environments and simulators copied and pickled in the middle of a day: the copy goes on equally."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from echo_env.lab import LabConfig, Simulator, make_policy, sample_days, simulate
from echo_env.lab.envs.env import EchoLabEnv

Copier = Callable[[Any], Any]
COPIERS: dict[str, Copier] = {"deepcopy": copy.deepcopy, "pickle": lambda own: pickle.loads(pickle.dumps(own))}


@pytest.fixture(params=sorted(COPIERS))
def copied(request: pytest.FixtureRequest) -> Copier:
    """Copies an object."""
    return COPIERS[request.param]


def some_action(mask: np.ndarray, rng: np.random.Generator) -> int:
    """A feasible action, mostly one with many starts, so that days are busy and differ."""
    allowed = np.flatnonzero(mask)
    return int(allowed[-1] if rng.random() < 0.7 else rng.choice(allowed))


def play_on(env: Any, mask: np.ndarray, seed: int, days: int = 1) -> list[Any]:
    """What an environment says to the end of the day, and on later days, to actions that its masks allow."""
    rng, told = np.random.default_rng(seed), []
    while True:
        action = some_action(mask, rng)
        observation, reward, over, _, info = env.step(action)
        mask = info["action_mask"]
        parts = tuple(info["penalty_parts"].values()) if "penalty_parts" in info else ()
        told.append((action, observation.tobytes(), reward, over, mask.tobytes(), parts, info.get("metrics")))
        assert np.array_equal(env.action_masks(), mask)
        if over:
            if not days:
                return told
            days -= 1
            observation, info = env.reset()
            mask = info["action_mask"]
            told.append((observation.tobytes(), mask.tobytes()))


def moment_of(env: Any, seed: int, steps: int) -> np.ndarray:
    """Play an environment's first day for so many steps, or to its last one; the mask then."""
    _, info = env.reset(seed=seed)
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        kept = info["action_mask"]
        *_, over, _, info = env.step(some_action(kept, rng))
        if over:
            break
    mask: np.ndarray = info["action_mask"]
    return mask


@pytest.mark.parametrize("steps", [0, 1, 40, 61, 333, 655])
@pytest.mark.parametrize("reward", ["penalty", "paired"])
@pytest.mark.parametrize(("clock", "idling"), [("minute", True), ("event", True), ("event", False)])
def test_a_copied_day_goes_on_equally(clock: str, idling: bool, reward: str, steps: int, copied: Copier) -> None:
    """Observations, rewards, masks and metrics of a copy are those of the original, to the end and on later days."""
    env = EchoLabEnv("scarce", clock=clock, idling=idling, reward=reward, observation="rich")
    # On the event clock a day has some 20 to 30 steps.
    mask = moment_of(env, seed=3, steps=steps if clock == "minute" else steps // 45)
    twin = copied(env)
    assert twin.trace == env.trace
    assert np.array_equal(twin.trace.minutes, env.trace.minutes) if env.trace.rows else not twin.trace.rows
    assert play_on(twin, mask, seed=5) == play_on(env, mask, seed=5)


def test_copies_are_independent(copied: Copier) -> None:
    """Playing a copy on leaves the original where it is."""
    env = EchoLabEnv("baseline")
    mask = moment_of(env, seed=1, steps=200)
    before = env.trace.minutes
    ahead = play_on(copied(env), mask, seed=2)
    assert np.array_equal(env.trace.minutes, before)
    assert play_on(env, mask, seed=2) == ahead


def test_a_copy_before_the_first_day_and_after_a_day(copied: Copier) -> None:
    """An environment that has not been reset, or whose day is over, plays the same next day as its copy."""
    env = EchoLabEnv("scarce", clock="event")
    twin = copied(env)
    masks = [own.reset(seed=9)[1]["action_mask"] for own in (env, twin)]
    assert play_on(env, masks[0], seed=1, days=0) == play_on(twin, masks[1], seed=1, days=0)
    again = copied(env)
    assert env.action_masks().sum() == again.action_masks().sum() == 1
    assert again.trace.penalty == env.trace.penalty
    assert np.array_equal(env.reset()[0], again.reset()[0])


def test_a_copy_samples_the_same_feasible_actions(copied: Copier) -> None:
    """The action space of a copy goes on with the same generator, among the actions feasible now."""
    env = EchoLabEnv("scarce")
    env.action_space.seed(4)
    moment_of(env, seed=3, steps=150)
    twin = copied(env)
    drawn = [int(env.action_space.sample()) for _ in range(50)]
    assert [int(twin.action_space.sample()) for _ in range(50)] == drawn
    assert env.action_masks()[drawn].all()
    # A space on its own is still a plain one, so saved models need no package of ours.
    assert type(copied(env.action_space)) is gym.spaces.Discrete


def test_wrapped_environments_and_pictures(copied: Copier) -> None:
    """What gymnasium.make gives can be copied too, and draws the same picture."""
    env = gym.make("EchoLabScarce-v0", clock="event", render_mode="rgb_array")
    mask = moment_of(env, seed=6, steps=20)
    picture = env.render()
    twin = copied(env)
    assert np.array_equal(twin.render(), picture)
    got, expected = (play_on(own.unwrapped, mask, seed=7) for own in (twin, env))
    assert got == expected


@pytest.mark.parametrize("minute", [0, 7, 100, 539, 541, 659, 660])
def test_a_copied_simulator_gives_the_same_trace(minute: int, copied: Copier) -> None:
    """A simulator copied at any minute, before or after its decision, ends with the trace of the original."""
    config = LabConfig.load("scarce")
    for day in sample_days(config, 3, seed=12):
        rule = make_policy("fetal_first", config)
        lab = Simulator(config, day)
        while lab.board.minute < minute:
            lab.start(rule.decide(lab.view))
            lab.advance(minute)
        for decided in (False, True):
            if decided and not lab.over:
                lab.start(rule.decide(lab.view))
            twin = copied(lab)
            assert (twin.board.minute, twin.over, twin.units) == (lab.board.minute, lab.over, lab.units)
            while not twin.over:
                if twin.board.can_start():
                    twin.start(rule.decide(twin.view))
                twin.advance()
            assert twin.trace() == simulate(config, day, rule)


def numbers(told: Any) -> Any:
    """What a vector environment said, with arrays as bytes and dicts as lists."""
    if isinstance(told, dict):
        return [(name, numbers(value)) for name, value in told.items()]
    if isinstance(told, np.ndarray):
        return [numbers(entry) for entry in told] if told.dtype == object else told.tobytes()
    return [numbers(entry) for entry in told] if isinstance(told, (list, tuple)) else told


@pytest.mark.parametrize("kwargs", [{"clock": "event", "reward": "paired"}, {"clock": "minute", "observation": "rich"}])
def test_a_copied_vector_environment_goes_on_equally(kwargs: dict[str, Any], copied: Copier) -> None:
    """A batch of labs and its copy say the same, over the ends of days."""
    pytest.importorskip("numba")
    env = gym.make_vec("EchoLabScarce-v0", num_envs=3, **kwargs)
    _, info = env.reset(seed=8)
    rng = np.random.default_rng(1)
    for _ in range(30):
        *_, info = env.step(np.array([some_action(mask, rng) for mask in info["action_mask"]]))
    twin = copied(env)
    said = []
    for own in (env, twin):
        rng, mask, told = np.random.default_rng(2), info["action_mask"], []
        for _ in range(700):
            told.append(own.step(np.array([some_action(row, rng) for row in mask])))
            mask = told[-1][-1]["action_mask"]
        said.append(numbers(told))
    assert said[0] == said[1]

"""Environments of labs of any kind: the vector environment equals single ones, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from random_labs import random_lab

from echo_env.lab import load_lab
from echo_env.lab.envs.env import EchoLabEnv

pytest.importorskip("numba")

from echo_env.lab.envs.vector_env import EchoLabVectorEnv


def arguments(seed: int) -> dict[str, Any]:
    """Arguments of environments of a random lab; consecutive seeds take all combinations in turn."""
    config = random_lab(np.random.default_rng(seed))
    joint = config.plan.nested_pair and seed // 8 % 2 == 1
    return {
        "config": config,
        "clock": ("event", "minute")[seed % 2],
        "idling": bool(seed // 2 % 2),
        "reward": ("penalty", "paired")[seed // 4 % 2],
        "paired_with": "scarce_first",
        "actions": "joint" if joint else "start",
        "observation": ("paper", "rich")[seed // 16 % 2] if joint else ("rows", "rows_wide")[seed // 16 % 2],
    }


def assert_equal_to_single_ones(seed: int, steps: int) -> None:
    """Step two labs at once and one by one, under random feasible actions."""
    given, rng = arguments(seed), np.random.default_rng(seed)
    single, vector = [EchoLabEnv(**given) for _ in range(2)], EchoLabVectorEnv(2, **given)
    observations, infos = vector.reset(seed=seed)
    masks = []
    for number, env in enumerate(single):
        observation, info = env.reset(seed=seed + number)
        assert np.array_equal(observation, observations[number]), seed
        assert env.observation_space.contains(observation), seed
        masks.append(info["action_mask"])
    for _ in range(steps):
        actions = [int(rng.choice(np.flatnonzero(mask))) for mask in masks]
        observations, rewards, over, _, infos = vector.step(np.array(actions))
        for number, env in enumerate(single):
            observation, reward, done, _, info = env.step(actions[number])
            seen = infos["final_obs"][number] if done else observations[number]
            assert np.array_equal(observation, seen), seed
            assert (reward, done) == (rewards[number], over[number]), seed
            masks[number] = env.reset()[1]["action_mask"] if done else info["action_mask"]
            assert np.array_equal(masks[number], infos["action_mask"][number]), seed


@pytest.mark.parametrize("first", range(0, 32, 8))
def test_the_vector_environment_equals_single_ones(first: int) -> None:
    """Observations, rewards, masks and ends of days, on both clocks and in both action spaces."""
    for seed in range(first, first + 8):
        assert_equal_to_single_ones(seed, 40)


@pytest.mark.slow
def test_the_vector_environment_equals_single_ones_in_500_labs() -> None:
    """As above."""
    for seed in range(100, 600):
        assert_equal_to_single_ones(seed, 80)


def test_what_a_lab_does_not_have_is_refused() -> None:
    """Joint actions and the paper's observation are for labs of two nested exam types; the message says what is not."""
    with pytest.raises(ValueError, match=r"actions 'joint' is for labs of two exam types .* use actions 'start'"):
        EchoLabEnv("walk_in_clinic", actions="joint")
    with pytest.raises(ValueError, match=r"observation 'rich' is for labs of two exam types .* use observation 'rows'"):
        EchoLabEnv("walk_in_clinic", observation="rich")
    with pytest.raises(ValueError, match="actions is 'both', but must be one of joint, start"):
        EchoLabEnv(actions="both")
    with pytest.raises(ValueError, match=r"policy 'policy_5' is for labs of fetal and non-fetal exams .* policy_1"):
        EchoLabEnv("walk_in_clinic", reward="paired", paired_with="policy_5(alpha=1, beta=1)")


def test_defaults_fit_the_lab() -> None:
    """The paper's labs have its actions and observation; all others single starts and rows."""
    paper, clinic = EchoLabEnv(), EchoLabEnv("walk_in_clinic")
    assert (paper.action_space.n, paper.observation_space.shape) == (729, (13,))
    classes = 3 * len(load_lab("walk_in_clinic").plan.types)
    assert clinic.action_space.n == classes + 1
    assert clinic.observation_space.shape is not None
    assert clinic.observation_space.shape[0] == classes + 1


def test_starts_follow_each_other_in_a_minute() -> None:
    """A start takes no time; stop does; without idling, stop is feasible only where nothing can start."""
    env = EchoLabEnv("scarce", actions="start", idling=False, clock="event", observation="paper")
    stop, several = env.action_space.n - 1, 0
    for seed in range(20):
        _, info = env.reset(seed=seed)
        over, first = False, True
        while not over:
            mask = info["action_mask"]
            # A question is asked only where there are several answers; stop is none where somebody could begin.
            assert mask.sum() > 1
            assert not mask[stop]
            minute = info["minute"]
            _, reward, over, _, info = env.step(int(np.flatnonzero(mask)[0]))
            if info["minute"] == minute:
                several += 1
                assert info["elapsed_min"] == 0
                # The minutes before the first step of a day are paid with it.
                assert first or reward == 0
            first = False
    assert several

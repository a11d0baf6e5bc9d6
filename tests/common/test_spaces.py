"""Batches of environments: one action and one seed for each, or nothing is done."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import InvalidAction

from echo_env.common.spaces import one_action_each, one_seed_each

BATCHES = ["EchoLabScarce-v0", "PatientPathways-v0"]


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ([0], r"actions have shape \(1,\), but must have \(3,\)"),
        ([0, 0], r"actions have shape \(2,\)"),
        ([0, 0, 0, 0], r"actions have shape \(4,\)"),
        (0, r"actions have shape \(\), but must have \(3,\)"),
        ([[0], [0], [0]], r"actions have shape \(3, 1\)"),
        ([], r"actions have shape \(0,\)"),
        ([0, 0, 0.5], "but must be whole numbers"),
        ([0, 0, float("nan")], "but must be"),
        ([0, [0], 0], "but must be 3 whole numbers"),
        (["a", "b", "c"], "but must be 3 whole numbers"),
        (None, "but must be 3 whole numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
@pytest.mark.parametrize("env_id", BATCHES)
def test_a_batch_refuses_another_number_of_actions(env_id: str, actions: Any, message: str) -> None:
    """Actions that are not one for each environment are refused in one sentence, and nothing is done."""
    pytest.importorskip("numba")
    env, twin = (gym.make_vec(env_id, num_envs=3) for _ in range(2))
    infos = [own.reset(seed=1)[1] for own in (env, twin)]
    with pytest.raises(InvalidAction, match=message) as caught:
        env.step(actions)
    assert "\n" not in str(caught.value)
    allowed = infos[0]["action_mask"].argmax(axis=1)
    one, other = env.step(allowed), twin.step(allowed)
    assert all(np.array_equal(a, b) for a, b in zip(one[:4], other[:4], strict=True))


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        ([1], "seed has 1 entries, but must have 3: one for each environment"),
        ([1, 2, 3, 4], "seed has 4 entries"),
        ([], "seed has 0 entries"),
        (1.5, "seed is 1.5, but must be a whole number"),
        ("123", "seed is '123', but must be a whole number"),
        ([1, 2, "3"], "but must be a whole number, or one for each environment"),
    ],
)
@pytest.mark.parametrize("env_id", BATCHES)
def test_a_batch_refuses_another_number_of_seeds(env_id: str, seed: Any, message: str) -> None:
    """Seeds that are not one for each environment are refused in one sentence, and the generators stay."""
    pytest.importorskip("numba")
    env, twin = (gym.make_vec(env_id, num_envs=3) for _ in range(2))
    for own in (env, twin):
        own.reset(seed=1)
    with pytest.raises(ValueError, match=message):
        env.reset(seed=seed)
    assert np.array_equal(env.reset()[0], twin.reset()[0])


def test_seeds_of_a_batch() -> None:
    """A number makes successive seeds; entries may be None; numbers of numpy count as numbers."""
    assert one_seed_each(None, 2) == [None, None]
    assert one_seed_each(5, 3) == one_seed_each(np.int64(5), 3) == [5, 6, 7]
    assert one_seed_each([4, None], 2) == one_seed_each((4, None), 2) == [4, None]
    assert one_seed_each(np.array([4, 9]), 2) == [4, 9]


def test_actions_of_a_batch_are_copied() -> None:
    """Whole numbers of any type are taken; what comes back is an array of its own."""
    given = np.array([1, 2, 3], dtype=np.int64)
    taken = one_action_each(given, 3)
    given[0] = 9
    assert taken.tolist() == [1, 2, 3]
    for actions in ([1, 2, 3], (1, 2, 3), np.array([1.0, 2.0, 3.0]), np.array([1, 2, 3], np.int32)):
        assert one_action_each(actions, 3).tolist() == [1, 2, 3]
        assert one_action_each(actions, 3).dtype == np.int64

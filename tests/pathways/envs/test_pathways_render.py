"""Pictures of the hospital in the middle of an episode."""

from __future__ import annotations

import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from echo_env import PATHWAYS_ID

pytest.importorskip("matplotlib")
SMALL = {"patients": 5, "resources": 4, "max_patients": 6}
ORANGE = np.array([213, 94, 0])


def played(env: Any, steps: int, seed: int = 1) -> dict[str, Any]:
    """The info after some decisions in favour of the first patient who asks."""
    _, info = env.reset(seed=seed)
    for _ in range(steps):
        _, _, _, _, info = env.step(np.flatnonzero(info["action_mask"])[0])
    return info


def test_pictures_change_with_the_episode_and_keep_their_size() -> None:
    """Pictures have one size in all episodes, whole even numbers of pixels; what is drawn is the episode so far."""
    env = gym.make(PATHWAYS_ID, render_mode="rgb_array", **SMALL)
    played(env, 0)
    first = env.render()
    assert isinstance(first, np.ndarray)
    assert (first.dtype, first.ndim, first.shape[2]) == (np.uint8, 3, 3)
    assert first.shape[0] % 2 == first.shape[1] % 2 == 0
    played(env, 6)
    later = env.render()
    assert isinstance(later, np.ndarray)
    assert later.shape == first.shape
    assert (later != first).any(axis=2).mean() > 0.02
    played(env, 0)
    np.testing.assert_array_equal(env.render(), first)
    copy = pickle.loads(pickle.dumps(env.unwrapped))
    np.testing.assert_array_equal(copy.render(), first)


def test_a_picture_of_an_episode_that_is_over_is_drawn() -> None:
    """The last picture is of the whole episode."""
    env = gym.make(PATHWAYS_ID, render_mode="rgb_array", **SMALL)
    info = played(env, 0)
    over = False
    while not over:
        _, _, over, _, info = env.step(np.flatnonzero(info["action_mask"])[0])
    assert np.asarray(env.render()).std() > 10


def test_a_window_shows_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """With render_mode human the reset and each step are shown, and close() closes the window."""
    shown: list[np.ndarray] = []
    closed: list[bool] = []

    class Screen:
        def __init__(self, title: str, height: int, width: int) -> None:
            self.size = (height, width, 3)

        def show(self, pixels: np.ndarray) -> None:
            assert pixels.shape == self.size
            shown.append(pixels)

        def close(self) -> None:
            closed.append(True)

    monkeypatch.setattr("echo_env.common.figures.Window", Screen)
    env = gym.make(PATHWAYS_ID, render_mode="human", **SMALL)
    played(env, 3)
    assert len(shown) == 4
    assert env.render() is None
    env.close()
    assert closed == [True]

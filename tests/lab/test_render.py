"""Pictures and text of the whiteboard."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

import echo_env  # noqa: F401


def test_ansi_names_who_waits_and_who_works() -> None:
    """The text would not show the state."""
    env = gym.make("EchoLabScarce-v0", render_mode="ansi").unwrapped
    env.reset(seed=4)
    for _ in range(300):
        env.step(0)
    text = env.render()
    assert text.startswith("scarce  13:00")
    assert f"non-fetal on time {env._lab.view.waiting_counts[3]:>3}" in text
    assert "2 non-fetal   0 exams  free" in text


def test_rgb_array_changes_as_the_day_goes_on() -> None:
    """A video would be blank or frozen."""
    pytest.importorskip("matplotlib")
    env = gym.make("EchoLab-v0", render_mode="rgb_array", clock="event", idling=True)
    _, info = env.reset(seed=1)
    before = env.render()
    for _ in range(30):
        _, _, _, _, info = env.step(np.flatnonzero(info["action_mask"])[-1])
    after = env.render()
    assert before.shape == after.shape == (600, 900, 3)
    assert before.dtype == np.uint8
    assert (before != after).any(axis=2).mean() > 0.02

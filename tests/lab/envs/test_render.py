"""Pictures, videos and text of the whiteboard."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import echo_env  # noqa: F401
from echo_env.lab import Day, LabConfig, Simulator, make_policy, sample_days
from echo_env.lab.envs import render


def played(config: LabConfig, day: Day, minute: int) -> Simulator:
    """A day under policy 2 up to a minute."""
    lab, policy = Simulator(config, day), make_policy("policy_2", config)
    while lab.board.minute < minute:
        if lab.board.can_start():
            lab.start(policy.decide(lab.view))
        lab.advance(minute)
    return lab


def test_ansi_names_who_waits_and_who_works() -> None:
    """The text shows the clock, who waits, free rooms and every sonographer."""
    env = gym.make("EchoLabScarce-v0", render_mode="ansi").unwrapped
    env.reset(seed=4)
    for _ in range(300):
        env.step(0)
    text = env.render()
    assert text.startswith("scarce  13:00")
    assert f"non-fetal on time {env._lab.view.waiting_counts[3]:>3}" in text
    assert "2 non-fetal   0 exams  free" in text


def test_ansi_tells_exams_breaks_and_absences() -> None:
    """The text tells exams, breaks and absences apart."""
    config = LabConfig.load("scarce")
    day = sample_days(config, 1, seed=1)[0]
    # Sonographer 1 is absent; sonographer 0 takes both breaks after the first exam.
    day = replace(day, absence_draw=np.array([1.0, 0.0, 1.0]), break_draw=np.zeros_like(day.break_draw))
    lab = played(config, day, 60)
    exam = next(exam for exam in lab.trace().exams if exam.sonographer == 0)
    text = render.whiteboard_text(played(config, day, exam.start_min + 1).view).splitlines()
    clock = config.hours.clock
    assert (
        f"   0 fetal       1 exams  patient #{exam.patient} in room {exam.room} since {clock(exam.start_min)}" in text
    )
    assert "   1 fetal       0 exams  absent" in text
    text = render.whiteboard_text(played(config, day, exam.end_min).view).splitlines()
    assert f"   0 fetal       1 exams  on break since {clock(exam.end_min)}" in text


def test_rgb_array_changes_as_the_day_goes_on() -> None:
    """Frames are 600 x 900 pixels and change in the course of the day."""
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


def test_a_picture_keeps_nothing_of_what_it_showed_before() -> None:
    """A picture drawn after another day equals one drawn afresh."""
    pytest.importorskip("matplotlib")
    config = LabConfig.load("scarce")
    yesterday, today = sample_days(config, 2, seed=2)
    used = render.WhiteboardPicture(config)
    first = used.draw(played(config, yesterday, 500))
    artists = len(used.ax.get_children())
    np.testing.assert_array_equal(
        used.draw(played(config, today, 200)), render.WhiteboardPicture(config).draw(played(config, today, 200))
    )
    np.testing.assert_array_equal(used.draw(played(config, yesterday, 500)), first)
    assert len(used.ax.get_children()) == artists


def test_a_picture_shows_nothing_of_the_future() -> None:
    """A picture depends on what has happened alone: days that differ later look the same."""
    pytest.importorskip("matplotlib")
    config = LabConfig.load("scarce")
    day = sample_days(config, 1, seed=2)[0]
    now = 200
    lab = played(config, day, now)
    running = [exam.patient for exam in lab.view.running_exams]
    assert running
    exam_min, arrival = day.exam_min.copy(), day.arrival.copy()
    exam_min[running] += 60
    later = np.flatnonzero(arrival > now)
    arrival[later[::2]], arrival[later[1::2]] = -1, arrival[later[1::2]] + 7
    other = replace(day, exam_min=exam_min, arrival=arrival)
    picture = render.WhiteboardPicture(config)
    np.testing.assert_array_equal(picture.draw(lab), picture.draw(played(config, other, now)))


def test_record_video_writes_a_day(tmp_path: Path) -> None:
    """Gymnasium's ``RecordVideo`` writes a day."""
    pytest.importorskip("matplotlib")
    moviepy = pytest.importorskip("moviepy")
    env = gym.make("EchoLabScarce-v0", render_mode="rgb_array", clock="event", idling=False)
    env = gym.wrappers.RecordVideo(
        env, str(tmp_path / "new"), episode_trigger=lambda episode: True, disable_logger=True
    )
    _, info = env.reset(seed=1)
    steps, over = 0, False
    while not over:
        _, _, over, _, info = env.step(np.flatnonzero(info["action_mask"])[0])
        steps += 1
    env.close()
    (video,) = tmp_path.glob("new/*.mp4")
    with moviepy.VideoFileClip(str(video)) as clip:
        assert clip.size == [900, 600]
        # One frame after the reset and one after each step.
        assert clip.n_frames == steps + 1


class Screen:
    """Stands for a window; keeps what it is shown."""

    def __init__(self) -> None:
        self.shown: list[Any] = []
        self.closed = False

    def show(self, pixels: np.ndarray) -> None:
        """Keep it."""
        self.shown.append(pixels)

    def close(self) -> None:
        """Note it."""
        self.closed = True


def test_human_shows_the_board_after_reset_and_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """``human`` shows one window and updates it after reset and every step."""
    pytest.importorskip("matplotlib")
    screens: list[Screen] = []
    monkeypatch.setattr("echo_env.common.figures.Window", lambda *_: screens.append(Screen()) or screens[-1])
    env = gym.make("EchoLabScarce-v0", render_mode="human", clock="event", idling=False)
    _, info = env.reset(seed=1)
    for _ in range(3):
        _, _, _, _, info = env.step(np.flatnonzero(info["action_mask"])[0])
    assert env.render() is None
    (screen,) = screens
    assert len(screen.shown) == 5
    assert (screen.shown[0] != screen.shown[3]).any()
    np.testing.assert_array_equal(screen.shown[3], screen.shown[4])
    env.close()
    assert screen.closed


def test_a_window_without_a_screen_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a screen ``human`` warns and goes on."""
    plt = pytest.importorskip("matplotlib.pyplot")
    from echo_env.common import figures

    plt.switch_backend("agg")
    with pytest.warns(UserWarning, match="needs a screen"):
        window = figures.Window("Echo lab", 600, 900)
    window.show(np.zeros((600, 900, 3), dtype=np.uint8))
    assert (window._image.get_array() == 0).all()
    window.close()
    assert plt.get_fignums() == []

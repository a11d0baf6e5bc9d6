"""The whiteboard of labs with any exam types, as text and as a picture."""

from __future__ import annotations

import numpy as np
import pytest
from general_days import day_of, general_lab

from echo_env.lab import GeneralLabConfig, Simulator, load_lab, make_policy, sample_days
from echo_env.lab.envs import render


def played(lab: Simulator, minute: int) -> Simulator:
    """The day under policy 2 up to a minute, its decision included."""
    policy = make_policy("policy_2", lab.config)
    while True:
        if lab.board.can_start():
            lab.start(policy.decide(lab.view))
        if lab.board.minute >= minute:
            return lab
        lab.advance(minute)


@pytest.fixture(scope="module")
def config() -> GeneralLabConfig:
    """Three types, rooms that are cleaned or closed, and staff with a shift, lunch and somebody on call."""
    kinds = {"ct": {"appointments": [10, 60]}, "mri": {"appointments": [70]}, "x_ray": {"appointments": [100]}}
    rooms = {
        "large": {"count": 2, "turnover_min": 15},
        "small": {"count": 1, "closed": [{"from_min": 60, "until_min": 120}]},
    }
    staff = {
        "day": {"count": 1, "shift": {"from_min": 0, "until_min": 90}, "on_call": {"count": 1}},
        "long_day": {"count": 2, "lunch": {"from_min": 80, "until_min": 120, "minutes": 30, "at_once": 1}},
    }
    return general_lab(kinds, rooms, staff)


def test_text_tells_everything_that_a_lab_can_have(config: GeneralLabConfig) -> None:
    """The text tells who waits, who is not ready, which rooms are cleaned or closed, and what each member does."""
    # Patient 0 is examined from 10 to 92 in room 0 by the day's member, beyond whose shift the exam goes; patient 1
    # from 60 to 80 in room 1, which is cleaned until 95; patient 2 comes at 75 and is not ready until 130; patient 3
    # comes at 82, is early until 90, and begins nowhere: the rooms are in use, cleaned or closed.
    day = day_of(config, [10, 60, 75, 82], [82, 20, 10, 10], prep_min=np.array([0, 0, 55, 0]))
    text = render.whiteboard_text(played(Simulator(config, day), 85).view).splitlines()
    assert text[:6] == [
        "by hand  09:25",
        "",
        "waiting",
        "  x-ray early         1  #3 (-15 min)",
        "not ready yet: #2 (since 09:15)",
        "",
    ]
    assert text[6:9] == ["free rooms: -", "cleaned rooms: large [1]", "closed rooms: small [2]"]
    assert text[9:] == [
        "",
        "staff",
        "   0 day         1 exams  patient #0 in room 0 since 08:10",
        "   1 day         0 exams  not called",
        "   2 long day    1 exams  at lunch since 09:20",
        "   3 long day    0 exams  free",
    ]
    later = render.whiteboard_text(played(Simulator(config, day), 100).view).splitlines()
    assert "   0 day         1 exams  off duty" in later


@pytest.mark.parametrize("name", ["mri_unit", "walk_in_clinic", "echo_week"])
def test_pictures_of_any_lab_show_the_present_alone(name: str) -> None:
    """A picture drawn after another day equals one drawn afresh, and an exam under way does not show its end."""
    pytest.importorskip("matplotlib")
    config = load_lab(name)
    yesterday, today = sample_days(config, 2, seed=2)
    used = render.WhiteboardPicture(config)
    first = used.draw(played(Simulator(config, yesterday), 400))
    assert first.shape == (600, 900, 3)
    lab = played(Simulator(config, today), 200)
    fresh = render.WhiteboardPicture(config).draw(lab)
    np.testing.assert_array_equal(used.draw(lab), fresh)
    assert lab.view.running_exams
    exam_min = today.exam_min.copy()
    exam_min[[exam.patient for exam in lab.view.running_exams]] += 60
    longer = type(today)(**{**today.__dict__, "exam_min": exam_min})
    np.testing.assert_array_equal(used.draw(played(Simulator(config, longer), 200)), fresh)

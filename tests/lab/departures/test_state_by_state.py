"""Two policies along the same states, on days worked out by hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from echo_env.lab import Day, LabConfig, Simulator, make_policy, sample_days, simulate
from echo_env.lab.departures.state_by_state import COLUMNS, penalty_after, state_by_state
from echo_env.lab.simulation.patient import Start
from echo_env.lab.simulation.penalty import penalty_points
from echo_env.lab.simulation.view import LabView

pytest.importorskip("pandas")

Lab = Callable[..., LabConfig]
DayMaker = Callable[..., Day]

ONE_PAIR = {"rooms__non_fetal": 0, "sonographers__fetal": 1, "sonographers__non_fetal": 0}


class Scripted:
    """Begins the scripted starts of a minute; in other minutes decides as ``policy_2``.

    :param config: the lab
    :param script: minute -> starts
    """

    name = "scripted"

    def __init__(self, config: LabConfig, script: dict[int, Sequence[Start]]) -> None:
        self._base, self._script = make_policy("policy_2", config), script

    def begin_day(self, view: LabView, seed: int) -> None:
        """Nothing to prepare."""

    def decide(self, view: LabView) -> Sequence[Start]:
        """The script, or policy 2."""
        return self._script.get(view.minute, self._base.decide(view))


def test_rows_of_a_hand_made_day(tiny_lab: Lab, tiny_day: DayMaker) -> None:
    """Minutes, patients and penalties of a difference worked out by hand."""
    # One fetal-capable room and sonographer. Patient 0 (non-fetal, 08:00) is in it from 0 to 30. Patient 1
    # (non-fetal, 08:03) and patient 2 (fetal, 08:05) come on the dot. At 08:30 policy 2 takes who has waited longer,
    # patient 1; fetal_first patient 2. Either way one on-time patient goes on waiting: 4 points. At 08:50 only
    # patient 2 is left, and they agree.
    config = tiny_lab(fetal=(5,), non_fetal=(0, 3), **ONE_PAIR)
    day = tiny_day(config, (0, 3, 5), (30, 20, 20))
    rows = state_by_state(config, day, make_policy("policy_2", config), make_policy("fetal_first", config))
    assert tuple(rows.columns) == COLUMNS
    assert [tuple(row) for row in rows.to_numpy()] == [
        (
            30,
            "08:30",
            "1 fetal on time, 1 non-fetal on time",
            "1 fetal room, 1 fetal sonographer",
            "policy_2",
            "fetal_first",
            "non-fetal on time #1",
            "fetal on time #2",
            4.0,
            4.0,
            0.0,
        )
    ]


def test_doing_nothing_is_an_action_and_costs_what_it_leaves_idle(tiny_lab: Lab, tiny_day: DayMaker) -> None:
    """Idling differs from serving, and costs what it leaves idle."""
    # The patient of 09:00 comes at 08:30. Policy 2 begins at once: no pair is idle, 0 points. Policy 1, asked in
    # that state, would begin nobody: an early patient costs nothing, the idle pair 1 point.
    config = tiny_lab(non_fetal=(60,), rooms__fetal=0, rooms__non_fetal=1, sonographers__fetal=0,
                      sonographers__non_fetal=1)  # fmt: skip
    day = tiny_day(config, (30,), (20,))
    rows = state_by_state(config, day, make_policy("policy_2", config), make_policy("policy_1", config))
    assert rows[["minute", "followed_begins", "other_begins"]].to_numpy().tolist() == [
        [30, "non-fetal early #0", "nobody"]
    ]
    assert rows[["followed_penalty", "other_penalty"]].to_numpy().tolist() == [[0.0, 1.0]]
    # Followed the other way round, they differ in every minute from 08:30 to 08:49; at 08:50 the patient is on time.
    rows = state_by_state(config, day, make_policy("policy_1", config), make_policy("policy_2", config))
    assert rows["minute"].tolist() == list(range(30, 50))


def test_where_only_resources_differ_they_are_named(tiny_lab: Lab, tiny_day: DayMaker) -> None:
    """Decisions with the same patients on other kinds of resources differ, and the kinds are named."""
    config = tiny_lab(non_fetal=(0,), rooms__non_fetal=2, sonographers__fetal=2, sonographers__non_fetal=1)
    day = tiny_day(config, (0,), (30,))
    # Rooms 1 and 2 are of the same kind: to take one or the other is the same decision.
    followed = make_policy("policy_2", config)
    assert state_by_state(config, day, followed, Scripted(config, {0: [Start(0, 2, 2)]})).empty
    rows = state_by_state(config, day, followed, Scripted(config, {0: [Start(0, 0, 2)]}))
    assert rows[["followed_begins", "other_begins"]].to_numpy().tolist() == [
        [
            "non-fetal on time #0 (non-fetal room, non-fetal sonographer)",
            "non-fetal on time #0 (fetal room, non-fetal sonographer)",
        ]
    ]


def test_a_policy_never_differs_from_itself() -> None:
    """A policy has no differences from itself, randomised or not."""
    config = LabConfig.load("scarce")
    for name in ("policy_2", "random"):
        for day in sample_days(config, 3, seed=5):
            rows = state_by_state(config, day, make_policy(name, config), make_policy(name, config))
            assert rows.empty
            assert tuple(rows.columns) == COLUMNS


def test_the_asked_policy_changes_nothing() -> None:
    """The states are those of the followed policy's own day."""
    config = LabConfig.load("scarce")
    day = sample_days(config, 1, seed=3)[0]
    trace = simulate(config, day, make_policy("policy_2", config))
    rows = state_by_state(config, day, make_policy("policy_2", config), make_policy("random", config))
    minutes = rows["minute"].to_numpy()
    assert len(minutes) > 5
    begun = [{exam.patient for exam in trace.exams if exam.start_min == minute} for minute in minutes]
    named = [{int(number) for number in re.findall(r"#(\d+)", words)} for words in rows["followed_begins"]]
    assert begun == named
    points = penalty_points(config, trace.minute_units.T).total
    np.testing.assert_array_equal(rows["followed_penalty"], points[minutes])


@pytest.mark.parametrize(("minute", "points"), [(539, 4 + 2), (540, 2 * 4 + 2 + 3 * 10)])
def test_penalty_after_counts_every_part(tiny_lab: Lab, tiny_day: DayMaker, minute: int, points: int) -> None:
    """The penalty after a decision has every part that the day is charged."""
    # Patient 0 has the one room from 500 to 600. At 539 there wait patient 1 (due 505, came at 506: late), patient 2
    # (on time) and patient 3 (due 540, came at 535: early, which costs nothing). At 540 the lab closes, and patient 3
    # is on time.
    config = tiny_lab(non_fetal=(500, 505, 530, 540), arrival__on_time_margin_min=0, **ONE_PAIR)
    lab = Simulator(config, tiny_day(config, (500, 506, 530, 535), (100, 9, 9, 9)))
    while lab.board.minute < 500:
        lab.advance()
    assert penalty_after(lab.view, []) == 4 + 1
    assert penalty_after(lab.view, [Start(0, 0, 0)]) == 0
    lab.start([Start(0, 0, 0)])
    while lab.board.minute < minute:
        lab.advance(minute)
    assert penalty_after(lab.view, []) == points

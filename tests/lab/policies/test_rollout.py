"""The rollout policy: one step of lookahead by simulation."""

from __future__ import annotations

import importlib.util
import pickle
from collections.abc import Callable

import numpy as np
import pytest

from echo_env.lab import Day, LabConfig, Simulator, evaluate, make_policy, sample_days, simulate
from echo_env.lab.day import NO_SHOW
from echo_env.lab.decisions.actions import encode
from echo_env.lab.policies.rollout import RolloutPolicy

pytest.importorskip("numba")

Lab = Callable[..., LabConfig]
Days = Callable[..., Day]


@pytest.fixture
def early_lab(tiny_lab: Lab) -> LabConfig:
    """One room, one sonographer, two patients due at 60, no no-shows, exams of 31 whole minutes."""
    return tiny_lab(
        non_fetal=(60, 60), rooms__fetal=0, rooms__non_fetal=1, sonographers__fetal=0, sonographers__non_fetal=1,
        arrival__no_show_rate=0.0, exam__shortest_min=30.0, exam__longest_min=31.0, breaks__number=0,
    )  # fmt: skip


def test_looks_ahead_and_leaves_ties_to_the_rule(early_lab: LabConfig, tiny_day: Days) -> None:
    """It departs from its base rule where that saves points, and only there."""
    # Policy 1 serves nobody early. Both patients are on time from 50 on: one exam from 50 to 81 and one from 81, so
    # the second waits for 31 minutes at 4 points. Whoever looks ahead at 0 serves patient 0 then, so that the room is
    # free for patient 1 at 50. That one could begin at 31, but nothing is gained by it, so the rule has its way.
    day = tiny_day(early_lab, (0, 5), (30.5, 30.5))
    rule, ahead = (
        simulate(early_lab, day, make_policy(name, early_lab)) for name in ("policy_1", "rollout(base=policy_1)")
    )
    assert [(exam.patient, exam.start_min) for exam in rule.exams] == [(0, 50), (1, 81)]
    assert [(exam.patient, exam.start_min) for exam in ahead.exams] == [(0, 0), (1, 50)]
    assert rule.penalty.waiting == 124
    assert ahead.penalty.waiting == 0


def test_it_reserves_where_that_saves_points(tiny_lab: Lab, tiny_day: Days) -> None:
    """With reservations it keeps the only room for a fetal patient who is about to come, and without it does not."""
    # One fetal-capable pair. A late non-fetal patient waits from 20 on at 2 points a minute; a fetal one, due at 23, is
    # punctual and costs 4. Served as they come, the fetal one waits from 23 to 51: 112 points. If the pair is kept, the
    # other one waits for 3 + 31 minutes: 68 points.
    lab = tiny_lab(
        fetal=(23,), non_fetal=(0,), rooms__fetal=1, rooms__non_fetal=0, sonographers__fetal=1,
        sonographers__non_fetal=0, arrival__no_show_rate=0.0, arrival__late_share=1.0, arrival__late_mean_min=0.0,
        exam__shortest_min=30.0, exam__longest_min=31.0, breaks__number=0,
    )  # fmt: skip
    day = tiny_day(lab, (20, 23), (30.5, 30.5))
    plain, reserving = (simulate(lab, day, make_policy(name, lab)) for name in ("rollout", "rollout(reserve_min=5)"))
    assert [(exam.patient, exam.start_min) for exam in plain.exams] == [(0, 20), (1, 51)]
    assert [(exam.patient, exam.start_min) for exam in reserving.exams] == [(1, 23), (0, 54)]
    assert (plain.penalty.waiting, reserving.penalty.waiting) == (112, 68)


@pytest.mark.parametrize("base", ["fetal_first", "policy_1"])
def test_with_an_endless_margin_it_is_its_rule(base: str) -> None:
    """With an infinite margin it is its base rule, to the bit."""
    config = LabConfig.load("scarce")
    careful, rule = RolloutPolicy(config, base, samples=2, margin=np.inf), make_policy(base, config)
    for day in sample_days(config, 4, seed=41):
        assert simulate(config, day, careful).exams == simulate(config, day, rule).exams


def test_actions_are_tried_on_the_same_draws(tiny_lab: Lab, tiny_day: Days) -> None:
    """All actions are simulated on common random numbers."""
    # A fetal and a non-fetal patient, one pair for both. Fetal first begins with the fetal one: the same as that
    # action, in every draw. The other action gains the rule's waiting, and loses its own: exam of the second instead
    # of that of the first, at 4 points a minute, and nothing else differs (no breaks, nobody else to come).
    config = tiny_lab(fetal=(0,), non_fetal=(0,), rooms__non_fetal=0, sonographers__fetal=1, sonographers__non_fetal=0,
                      breaks__number=0)  # fmt: skip
    view = Simulator(config, tiny_day(config, (0, 0), (30, 50))).view
    policy = RolloutPolicy(config, samples=50)
    gains = policy._gains(view, np.array([encode((1, 0, 0, 0, 0, 0)), encode((0, 0, 0, 1, 0, 0))]))
    assert gains.shape == (2, 50)
    assert not gains[0].any()
    assert gains[1].any()
    assert not (gains[1] % 4).any()
    assert policy._other_actions(view, list(policy._base.decide(view))).tolist() == [9]


def test_decides_by_what_is_visible(early_lab: LabConfig, tiny_day: Days) -> None:
    """Decisions do not depend on anything that the staff cannot see yet."""
    views = [Simulator(early_lab, day).view for day in (
        tiny_day(early_lab, (0, 5), (30, 30)), tiny_day(early_lab, (0, NO_SHOW), (90, 20)),
    )]  # fmt: skip
    gains = [
        RolloutPolicy(early_lab, "policy_1")._gains(view, np.array([encode((0, 0, 0, 0, 0, 1))])) for view in views
    ]
    assert np.array_equal(*gains)


def test_the_same_day_goes_the_same_way() -> None:
    """A day goes the same way whatever was played before, and in another process."""
    config = LabConfig.load("scarce")
    days = list(sample_days(config, 4, seed=42))
    one, other = RolloutPolicy(config, samples=4), pickle.loads(pickle.dumps(RolloutPolicy(config, samples=4)))
    forth = [simulate(config, day, one).exams for day in days]
    back = [simulate(config, day, other).exams for day in reversed(days)][::-1]
    assert forth == back
    rule = make_policy("fetal_first", config)
    assert forth != [simulate(config, day, rule).exams for day in days]


def test_asked_for_by_name_and_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments are read from the name; mistakes are refused in one sentence."""
    config = LabConfig.load("scarce")
    assert make_policy("rollout(samples=4, base=policy_2)", config).name == "rollout(base=policy_2, samples=4)"
    for name, message in (
        ("rollout(samples=1)", "samples=1, but samples must be at least 2"),
        ("rollout(margin=-1)", "margin=-1.0, but margin must be at least 0"),
        ("rollout(base=random)", "base is 'random', but must be a rule that serves by class"),
        ("rollout(reserve_min=-5)", "reserve_min=-5, but reserve_min must be at least 0"),
        ("rollout(base=rollout)", "base is 'rollout', but must be a rule"),
    ):
        with pytest.raises(ValueError, match=message):
            make_policy(name, config)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="numba is missing: pip install"):
        make_policy("rollout", config)


@pytest.mark.slow
def test_improves_on_its_rule() -> None:
    """Rollout costs less than its base rule."""
    config = LabConfig.load("scarce")
    values = evaluate(config, ["policy_2", "rollout(base=policy_2)"], days=300, seed=43)
    assert values.paired("rollout(base=policy_2)", "penalty").high < 0

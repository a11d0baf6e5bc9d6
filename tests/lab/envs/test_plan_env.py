"""The environment of mornings: its contract, its decisions worked out by hand, one and many labs alike."""

from __future__ import annotations

import copy
import pickle
import warnings
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from general_days import general_lab
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.utils.env_checker import check_env as gymnasium_check
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from nested_infos import assert_same
from stable_baselines3.common.env_checker import check_env as sb3_check

import echo_env
from echo_env.lab import ConfigError, GeneralLabConfig, load_lab, make_policy, sample_days, simulate
from echo_env.lab.envs.mornings import Mornings, lab_of_mornings
from echo_env.lab.envs.plan_env import EchoLabPlanEnv

LABS = 3


def small_lab() -> GeneralLabConfig:
    """Two exam types; two groups of staff, each with members on call; walk-ins, and an absence plan of its own."""
    kinds = {
        "scan": {"appointments": [0, 30, 60, 75, 75, 200], "rebook_when_absent": {1: [30]}},
        "other": {"appointments": [20, 80], "unscheduled": {60: 1.5}},
    }
    staff = {
        "able": {"count": 2, "absence_rate": 0.5, "on_call": {"count": 1, "from_min": 30}},
        "scanners": {"count": 2, "exam_types": ["scan"], "absence_rate": 0.5, "on_call": {"count": 2}},
    }
    return general_lab(kinds, {"rooms": {"count": 3}}, staff)


def make(**changes: Any) -> EchoLabPlanEnv:
    """An environment of the small lab."""
    return EchoLabPlanEnv(**{"config": small_lab(), **changes})


@pytest.mark.parametrize("reward", ["penalty", "paired"])
@pytest.mark.parametrize("config", ["scarce", small_lab()])
def test_checkers_pass_without_a_warning(config: Any, reward: str) -> None:
    """The env checkers of Gymnasium and SB3 pass without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make(echo_env.PLAN_ID, config=config, reward=reward)
        gymnasium_check(env.unwrapped, skip_render_check=True)
        sb3_check(env)


def test_the_most_crowded_hour_is_thinned() -> None:
    """Of each type the appointment with most patients in the hour from it on goes first, the latest of several."""
    mornings = Mornings(lab_of_mornings(small_lab()), 1, "scarce_first", 8)
    mornings.begin([0], list(sample_days(mornings.config, 1, 0)))
    # Booked are scans at 0, 30, 60, 75, 75 and 200, and others at 20 and 80. In the hour from 0 on there are 3, from 20
    # on 5, from 30 on 5, from 60 on 4, from 75 on 3, from 80 and 200 on 1.
    order = []
    for action in (0, 1, 0, 0, 0):
        before = mornings.decided.rebooked[0].copy()
        mornings.decide(0, action)
        order.append(int(np.flatnonzero(mornings.decided.rebooked[0] & ~before)[0]))
    # 30 is the later of both with 5; the other type's is 20, now with 4; of scans 60 with 4, then the first at 75, with
    # 3, and the second, with 2.
    assert order == [2, 1, 3, 4, 5]


def test_rewards_and_infos_of_a_morning() -> None:
    """Each decision costs its points, and opening the waiting part of the day that was decided on."""
    env = make(rebook_points=10.0, call_points=30.0)
    config = env.unwrapped.config
    day = sample_days(config, 1, 3)[0].with_absence_rate(1.0)
    _, info = env.reset(options={"day": day})
    assert info["action_mask"].tolist() == [True, True, True, True]
    assert [env.step(action)[1] for action in (0, 2, 1)] == [-10.0, -30.0, -10.0]
    _, reward, over, truncated, info = env.step(3)
    assert over
    assert not truncated
    assert (info["rebooked"], info["called"]) == (2, 1)
    assert info["metrics"]["rebooked"] == 2
    assert info["action_mask"].tolist() == [False, False, False, True]
    assert (
        -reward
        == info["metrics"]["waiting_penalty"]
        == sum(info["penalty_parts"][name] for name in ("on_time", "late", "overtime"))
    )
    assert info["metrics"]["absence_rate"] == 1.0


def test_nothing_decided_is_the_day_of_the_lab() -> None:
    """Without members on call, a day that just opens is that of the lab under the rule; the paired reward is 0."""
    config = lab_of_mornings(load_lab("scarce"))
    env = EchoLabPlanEnv(config, reward="paired")
    for day in sample_days(config, 5, 1):
        env.reset(options={"day": day})
        _, reward, _, _, info = env.step(env.action_space.n - 1)
        trace = simulate(config, day, make_policy("scarce_first", config))
        assert (reward, info["penalty"]) == (0, trace.penalty.total)


def test_the_simpy_engine_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where numba is missing days are played by the other engine, with the same rewards and metrics."""
    outcomes = []
    for compiled in (True, False):
        env = make(reward="paired")
        env._morning.compiled = compiled
        env.reset(seed=4)
        env.step(0)
        env.step(1)
        outcomes.append(env.step(3)[1:])
    assert outcomes[0][0] == outcomes[1][0]
    assert outcomes[0][3]["metrics"] == outcomes[1][3]["metrics"]


def test_who_is_called_is_of_the_group_with_most_missing() -> None:
    """Called is one of the group in which most absent members are not replaced, as long as it has any."""
    mornings = Mornings(lab_of_mornings(small_lab()), 1, "scarce_first", 8)
    mornings.begin([0], [sample_days(mornings.config, 1, 0)[0].with_absence_rate(1.0)])
    called = []
    for _ in range(3):
        before = mornings.decided.there[0].copy()
        mornings.decide(0, 2)
        called.append(int(np.flatnonzero(mornings.decided.there[0] & ~before)[0]))
    # Members 0, 1 are able, 2 on call; 3, 4 are scanners, 5 and 6 on call.
    assert called == [2, 5, 6]
    assert not mornings.masks()[0, 2]


def test_no_more_than_allowed_are_rebooked() -> None:
    """At the limit only calling in and opening are left; an infeasible action does nothing."""
    env = make(most_rebooked=2)
    with pytest.raises(ResetNeeded):
        env.step(0)
    env.reset(seed=0)
    env.step(0)
    _, _, _, _, info = env.step(1)
    assert info["action_mask"][:2].tolist() == [False, False]
    with pytest.raises(InvalidAction, match=r"action 0 is not feasible: it must be one of .*3"):
        env.step(0)
    assert env.action_masks().tolist() == info["action_mask"].tolist()


def test_copies_go_on_equally() -> None:
    """In the middle of a morning, by copying and by pickling."""
    env = make()
    env.reset(seed=2)
    env.step(0)
    copies = [copy.deepcopy(env), pickle.loads(pickle.dumps(env))]
    expected = env.step(3)
    for other in copies:
        outcome = other.step(3)
        assert np.array_equal(outcome[0], expected[0])
        assert outcome[1] == expected[1]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reward": "x"}, "reward is 'x', but must be one of penalty, paired"),
        ({"rebook_points": -1}, "rebook_points is -1, but must be a number of at least 0"),
        ({"most_rebooked": 0}, "most_rebooked is 0, but must be at least 1"),
        ({"render_mode": "human"}, "render_mode is 'human', but a morning is not drawn: it must be None"),
        ({"policy": "random"}, "policy is 'random', but must be a rule that serves by class"),
    ],
)
def test_wrong_arguments(changes: dict[str, Any], said: str) -> None:
    """One sentence names the argument, its value and what is allowed."""
    with pytest.raises(ValueError, match=said):
        make(**changes)


@pytest.mark.parametrize("reward", ["penalty", "paired"])
def test_many_mornings_equal_single_ones(reward: str) -> None:
    """Observations, rewards, masks and infos are equal to the bit, across days, resets and absence rates."""
    pytest.importorskip("numba")
    kwargs = {"config": small_lab(), "reward": reward}
    fast = gym.make_vec(echo_env.PLAN_ID, num_envs=LABS, **kwargs)
    slow = SyncVectorEnv([partial(EchoLabPlanEnv, **kwargs)] * LABS, autoreset_mode=AutoresetMode.SAME_STEP)
    rng, ended = np.random.default_rng(0), 0
    for seed in (7, None):
        outcome, expected = fast.reset(seed=seed), slow.reset(seed=seed)
        assert np.array_equal(outcome[0], expected[0])
        assert_same(outcome[1], expected[1])
        for step in range(60):
            actions = np.array([rng.choice(np.flatnonzero(row)) for row in fast.unwrapped.action_masks()])
            outcome, expected = fast.step(actions), slow.step(actions)
            for name, a, b in zip(("observation", "reward", "over", "truncated"), outcome, expected, strict=False):
                assert a.dtype == b.dtype, name
                assert np.array_equal(a, b), (name, step)
            assert_same(outcome[4], expected[4])
            ended += int(outcome[2].sum())
            if step == 30:
                fast.unwrapped.set_absence_rate(0.9)
                slow.call("set_absence_rate", 0.9)
    assert ended > 30


def test_days_given_to_many_mornings() -> None:
    """They are those of the reset alone, and must be as many as there are labs."""
    pytest.importorskip("numba")
    fast = gym.make_vec(echo_env.PLAN_ID, num_envs=LABS, config=small_lab())
    days = list(sample_days(fast.unwrapped.config, LABS, 5))
    fast.reset(seed=0, options={"days": days})
    _, rewards, over, _, _ = fast.step(np.full(LABS, 3))
    assert over.all()
    single = make()
    for day, reward in zip(days, rewards, strict=True):
        single.reset(options={"day": day})
        assert single.step(3)[1] == reward
    with pytest.raises(ConfigError, match="must be 3 days"):
        fast.reset(options={"days": days[:2]})

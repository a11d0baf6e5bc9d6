"""The vector env beside as many single ones: equal to the bit, days, masks, infos and all."""

from __future__ import annotations

from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from nested_infos import assert_same

import echo_env
from echo_env.lab import ConfigError, Day, LabConfig, make_policy, sample_days, simulate
from echo_env.lab.decisions.actions import DIGITS
from echo_env.lab.decisions.observation import OBSERVATIONS
from echo_env.lab.envs.env import EchoLabEnv
from echo_env.lab.simulation.metrics import metrics_of, told_metrics
from sb3_ext.common.vec_env import GymnasiumVecEnv

pytest.importorskip("numba")

from echo_env.lab.envs.vector_env import EchoLabVectorEnv

LABS = 3


def random_actions(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A feasible action for each lab."""
    return np.array([rng.choice(np.flatnonzero(row)) for row in mask])


def compare(env_id: str, steps: int, seed: int, **kwargs: Any) -> int:
    """Step both engines with the same actions; gives the number of days that ended."""
    fast = gym.make_vec(env_id, num_envs=LABS, **kwargs)
    make = partial(EchoLabEnv, config=echo_env.ENV_IDS[env_id], **kwargs)
    slow = SyncVectorEnv([make] * LABS, autoreset_mode=AutoresetMode.SAME_STEP)
    rng = np.random.default_rng(seed)
    outcome, expected = fast.reset(seed=seed), slow.reset(seed=seed)
    assert np.array_equal(outcome[0], expected[0])
    assert_same(outcome[1], expected[1])
    ended = 0
    for step in range(steps):
        actions = random_actions(fast.unwrapped.action_masks(), rng)
        outcome, expected = fast.step(actions), slow.step(actions)
        for name, a, b in zip(("observation", "reward", "over", "truncated"), outcome, expected, strict=False):
            assert a.dtype == b.dtype, name
            assert np.array_equal(a, b), (name, step)
        assert_same(outcome[4], expected[4])
        ended += int(outcome[2].sum())
        if step == steps // 2:
            fast.unwrapped.set_absence_rate(0.7)
            slow.call("set_absence_rate", 0.7)
    return ended


@pytest.mark.parametrize("env_id", list(echo_env.ENV_IDS))
@pytest.mark.parametrize("observation", OBSERVATIONS)
@pytest.mark.parametrize("reward", ["penalty", "paired"])
@pytest.mark.parametrize("idling", [True, False])
def test_event_clock_equals_single_envs(env_id: str, observation: str, reward: str, idling: bool) -> None:
    """On the event clock the vector env equals single envs to the bit."""
    kwargs = {"observation": observation, "reward": reward, "idling": idling, "clock": "event"}
    steps = 150 if idling else 40
    assert compare(env_id, steps, seed=5, **kwargs) >= LABS


@pytest.mark.parametrize("env_id", list(echo_env.ENV_IDS))
@pytest.mark.parametrize("reward", ["penalty", "paired"])
@pytest.mark.parametrize("idling", [True, False])
def test_minute_clock_equals_single_envs(env_id: str, reward: str, idling: bool) -> None:
    """On the minute clock too, across the end of a day."""
    assert compare(env_id, 700, seed=6, observation="rich", reward=reward, idling=idling, clock="minute") == LABS


@pytest.mark.parametrize("kwargs", [{"idling": False}, {"idling": True}, {"idling": False, "actions": "start"}])
def test_advantages_equal_those_of_single_envs(kwargs: dict[str, Any]) -> None:
    """What an action changed against the rule, joint or single start, is that of single envs to the bit."""
    given = {"clock": "event", "reward": "advantage", "paired_with": "scarce_first", **kwargs}
    assert compare("EchoLabScarce-v0", 150 if kwargs["idling"] else 70, seed=5, **given) >= LABS


def test_make_vec_uses_it_and_declares_its_autoreset() -> None:
    """``make_vec`` gives the vector env, which declares same-step autoreset."""
    env = gym.make_vec("EchoLab-v0", num_envs=4)
    assert type(env.unwrapped).__name__ == "EchoLabVectorEnv"
    assert env.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    assert env.observation_space.shape == (4, 13)
    assert env.action_space.nvec.tolist() == [729] * 4


def test_given_days_and_rates_are_played_once() -> None:
    """Days and rates given to reset are played once, in order."""
    config = LabConfig.load("scarce")
    days = list(sample_days(config, LABS, seed=9))
    days[1] = days[1].with_absence_rate(0.9)
    fast = gym.make_vec("EchoLabScarce-v0", num_envs=LABS, clock="event", idling=False)
    fast.reset(seed=1, options={"days": days})
    ended: dict[int, float] = {}
    while len(ended) < LABS:
        mask = fast.unwrapped.action_masks()
        actions = np.array([np.flatnonzero(m)[DIGITS[m].sum(axis=1).argmax()] for m in mask])
        *_, over, _, info = fast.step(actions)
        for i in np.flatnonzero(over):
            ended.setdefault(int(i), info["final_info"]["metrics"]["penalty"][i])
    for i, day in enumerate(days):
        single = EchoLabEnv("scarce", clock="event", idling=False)
        _, info = single.reset(options={"day": day})
        over = False
        while not over:
            allowed = np.flatnonzero(info["action_mask"])
            _, _, over, _, info = single.step(allowed[DIGITS[allowed].sum(axis=1).argmax()])
        assert info["metrics"]["penalty"] == ended[i]
    with pytest.raises(ConfigError, match="must be 3 days"):
        fast.reset(options={"days": days[:2]})
    with pytest.raises(ConfigError, match="'day' is unknown"):
        fast.reset(options={"day": days[0]})


def test_an_infeasible_action_is_named_with_its_lab() -> None:
    """An infeasible action raises with its lab, and nothing has been done."""
    fast = gym.make_vec("EchoLab-v0", num_envs=2)
    with pytest.raises(ResetNeeded):
        fast.step(np.zeros(2, dtype=int))
    fast.reset(seed=0)
    with pytest.raises(InvalidAction, match=r"action 728 = \(2, 2, 2, 2, 2, 2\) of lab 1 is not feasible"):
        fast.step(np.array([0, 728]))
    with pytest.raises(InvalidAction, match="action 729 of lab 0"):
        fast.step(np.array([729, 0]))


def test_only_compiled_rules_can_be_paired_with() -> None:
    """``paired_with`` accepts rules with tiers only, also where a single env needs them, and says so."""
    with pytest.raises(ValueError, match="paired_with is 'random'"):
        gym.make_vec("EchoLab-v0", num_envs=2, reward="paired", paired_with="random")
    with pytest.raises(ValueError, match="paired_with is 'policy_3'"):
        gym.make("EchoLab-v0", reward="advantage", paired_with="policy_3")
    with pytest.raises(ValueError, match="draws nothing"):
        gym.make_vec("EchoLab-v0", num_envs=2, render_mode="rgb_array")


def choose_by_sum(observations: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Some feasible action, chosen by every number of an observation."""
    picks = (observations.astype(np.float64).sum(axis=1) * 1e4).astype(int)
    return np.array([np.flatnonzero(mask)[k % mask.sum()] for k, mask in zip(picks, masks, strict=True)])


def rewards_from_now(
    days: list[Day], history: list[np.ndarray], which: np.ndarray, actions: np.ndarray, kwargs: dict[str, Any]
) -> np.ndarray:
    """What labs pay to the end of their day, stepped in an env of their own: lab k plays what lab ``which[k]`` has
    played so far, then ``actions[k]``, then goes on as :func:`choose_by_sum` says.
    """
    env = EchoLabVectorEnv(len(which), **kwargs)
    env.reset(options={"days": [days[b] for b in which]})
    for past in history:
        env.step(past[which])
    total, playing = np.zeros(len(which)), np.ones(len(which), dtype=bool)
    while playing.any():
        seen, rewards, over, _, info = env.step(actions)
        total[playing] += rewards[playing]
        playing &= ~over
        actions = choose_by_sum(seen, info["action_mask"])
    return total


@pytest.mark.parametrize("reward", ["penalty", "paired", "advantage"])
@pytest.mark.parametrize(
    ("config", "observation", "idling", "clock", "every"),
    [
        ("scarce", "paper", False, "event", 2),
        ("scarce", "rich", True, "event", 5),
        ("baseline", "rich", True, "event", 3),
        ("scarce", "rich", True, "minute", 20),
    ],
)
def test_action_returns_are_what_playing_on_pays(
    config: str, observation: str, idling: bool, clock: str, every: int, reward: str
) -> None:
    """An action's return is what a single env is paid by taking it and playing on."""
    kwargs = {"config": config, "observation": observation, "idling": idling, "clock": clock, "reward": reward}
    days = list(sample_days(LabConfig.load(config), LABS, seed=1))
    env = EchoLabVectorEnv(LABS, **kwargs)
    seen, info = env.reset(options={"days": days})
    history: list[np.ndarray] = []
    compared, choices = 0, 0
    while choices <= 3 * every:
        mask = info["action_mask"]
        offered = mask & (mask.sum(axis=1) > 1)[:, None]
        if offered.any() and choices % every == 0:
            returns = env.action_returns(choose_by_sum)
            which, actions = np.nonzero(offered)
            assert np.array_equal(~np.isnan(returns), offered)
            assert np.array_equal(returns[which, actions], rewards_from_now(days, history, which, actions, kwargs))
            compared += len(which)
        choices += offered.any()
        history.append(choose_by_sum(seen, mask))
        seen, _, over, _, info = env.step(history[-1])
        assert not over.any()
    assert compared >= 10


def test_action_returns_under_a_rule_end_the_day_as_the_rule_does() -> None:
    """Under a rule, returns are the rest of the day as the rule plays it."""
    # Fetal first serves everybody it can, so where it can serve two at the most, one of the feasible joint actions
    # is its own, and its return is what the rule itself would pay: minus the penalty of its whole day.
    config = LabConfig.load("scarce")
    days = list(sample_days(config, 40, seed=1))
    env = EchoLabVectorEnv(40, "scarce", clock="event", idling=False)
    env.reset(options={"days": days})
    returns = env.action_returns(rule="fetal_first")
    for day, row in zip(days, returns, strict=True):
        assert -simulate(config, day, make_policy("fetal_first", config)).penalty.total in row
    assert not np.array_equal(returns, env.action_returns(rule="policy_1"), equal_nan=True)


def test_action_returns_reach_sb3_through_env_method() -> None:
    """``env_method("action_returns", ...)`` gives a row for each lab."""
    vec_env = GymnasiumVecEnv(gym.make_vec("EchoLabScarce-v0", num_envs=LABS, clock="event", idling=False))
    assert vec_env.has_attr("action_returns")
    vec_env.seed(4)
    vec_env.reset()
    env = vec_env.vector_env.unwrapped
    for choose in (None, choose_by_sum):
        rows = vec_env.env_method("action_returns", choose, "policy_2")
        assert np.array_equal(np.stack(rows), env.action_returns(choose, "policy_2"), equal_nan=True)
        assert np.stack(rows).shape == (LABS, 729)


def test_action_returns_refuse_what_cannot_be() -> None:
    """Unknown rules and infeasible choices raise."""
    env = EchoLabVectorEnv(2, "scarce", clock="event")
    with pytest.raises(ResetNeeded):
        env.action_returns()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="rule is 'random', but must be a rule that serves by class"):
        env.action_returns(rule="random")


def play_both(fast: EchoLabVectorEnv, slow: list[EchoLabEnv], days: int, rng: np.random.Generator) -> None:
    """Play both until so many days have ended, which are the same ones."""
    while days > 0:
        actions = random_actions(fast.action_masks(), rng)
        seen, rewards, over, _, info = fast.step(actions)
        days -= int(over.sum())
        for i, env in enumerate(slow):
            observation, reward, done, _, told = env.step(int(actions[i]))
            assert (reward, done) == (rewards[i], over[i])
            if done:
                final = info["final_info"]["metrics"]
                known = [name for name in told_metrics(env.config) if name in final and final[f"_{name}"][i]]
                assert told["metrics"] == {name: final[name][i] for name in known}
                observation, told = env.reset()
            assert np.array_equal(observation, seen[i])
            assert np.array_equal(told["action_mask"], info["action_mask"][i])
            assert told["minute"] == info["minute"][i]


@pytest.mark.parametrize("reward", ["penalty", "paired"])
def test_days_ahead_are_those_of_single_envs(reward: str) -> None:
    """Days begun ahead are what single envs play next, after resets of any kind and changes of the absence rate."""
    kwargs: dict[str, Any] = {"clock": "event", "idling": False, "reward": reward}
    fast, slow = EchoLabVectorEnv(LABS, "scarce", **kwargs), [EchoLabEnv("scarce", **kwargs) for _ in range(LABS)]
    rng = np.random.default_rng(7)
    day = sample_days(fast.config, 1, seed=3)[0]
    resets: list[tuple[Any, list[int | None], dict[str, Any]]] = [
        (5, [5, 6, 7], {}),
        (None, [None] * LABS, {}),
        ([8, None, 9], [8, None, 9], {}),
        (None, [None] * LABS, {"absence_rate": 0.8}),
        (None, [None] * LABS, {"day": day}),
        ([None, 2, None], [None, 2, None], {"day": day, "absence_rate": 0.3}),
    ]
    for number, (seed, seeds, options) in enumerate(resets):
        given = {name: of for name, of in options.items() if name != "day"}
        if "day" in options:
            given["days"] = [day] * LABS
        seen, info = fast.reset(seed=seed, options=given or None)
        for i, env in enumerate(slow):
            observation, told = env.reset(seed=seeds[i], options=options)
            assert np.array_equal(observation, seen[i])
            assert np.array_equal(told["action_mask"], info["action_mask"][i])
        play_both(fast, slow, 2 * LABS, rng)
        if number % 2:
            for env in (fast, *slow):
                env.set_absence_rate(0.1 * number)
        play_both(fast, slow, 2 * LABS, rng)


def test_infos_tell_what_training_watches() -> None:
    """A day's last info has the metrics of the whole lab and the wait of each exam type; files have more."""
    config = LabConfig.load("scarce")
    told = told_metrics(config)
    assert set(told) < set(metrics_of(config))
    assert {"penalty", "wait_min", "wait_fetal_min", "served", "room_utilisation", "absent"} <= set(told)
    assert not {"p90_wait_min", "within_15_min_fetal", "paid_fetal_h", "room_utilisation_fetal"} & set(told)

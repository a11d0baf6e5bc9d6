"""Continuations beside the engines that play whole days: the same days, to the bit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from gymnasium.error import InvalidAction

from echo_env.lab import Day, LabConfig, Simulator, make_policy
from echo_env.lab.decisions.actions import decode_starts, encode, feasible
from echo_env.lab.policies import Policy
from echo_env.lab.policies.rule_action import compiled_rule

pytest.importorskip("numba")

from numba.types import unliteral

from echo_env.lab.compiled import batch, continuation, layout, observations
from echo_env.lab.compiled import steps as batch_steps
from echo_env.lab.envs.vector_env import EchoLabVectorEnv

Lab = Callable[..., LabConfig]
Days = Callable[..., Day]

LABS = 6


def replayed(config: LabConfig, day: Day, actions: list[int], idling: bool) -> Simulator:
    """A SimPy lab in which these choices have been made, standing at the next one."""
    lab, script = Simulator(config, day), list(actions)
    while not lab.over:
        offered = feasible(lab.view.waiting_counts, lab.view.free_counts, idling)
        if offered.size > 1 and not script:
            break
        lab.start(decode_starts(script.pop(0) if offered.size > 1 else offered.first, lab.view))
        lab.advance()
    return lab


def units_under_rule(lab: Simulator, action: int, rule: Policy) -> tuple[int, ...]:
    """The day's units if this action is taken and the rule goes on; the SimPy engine."""
    if action != continuation.THE_RULE:
        lab.start(decode_starts(action, lab.view))
        lab.advance()
    while not lab.over:
        if lab.board.can_start():
            lab.start(rule.decide(lab.view))
        lab.advance()
    return lab.units


def wandered(preset: str, idling: bool, steps: int, seed: int) -> tuple[EchoLabVectorEnv, list[Day], list[list[int]]]:
    """A vector env after random choices, its days, and the choices made in each."""
    env = EchoLabVectorEnv(LABS, preset, clock="event", idling=idling)
    rng = np.random.default_rng(seed)
    env.reset(seed=seed)
    days = days_of(env)
    actions: list[list[int]] = [[] for _ in days]
    for _ in range(steps):
        chosen = [int(rng.choice(np.flatnonzero(mask))) for mask in env.action_masks()]
        *_, over, _, _ = env.step(np.array(chosen))
        assert not over.any()
        for own, action in zip(actions, chosen, strict=True):
            own.append(action)
    return env, days, actions


def days_of(env: EchoLabVectorEnv) -> list[Day]:
    """The days that have just begun in a vector env, as its arrays hold them."""
    parts = layout.parts_of(env._now.labs.lab, env._rules)
    patients, present = parts.patients.astype(np.int64), parts.staff[..., layout.STATUS] != layout.ABSENT
    return [
        Day(
            own[:, layout.SCHEDULED],
            own[:, layout.TYPE],
            own[:, layout.ARRIVAL],
            own[:, layout.EXAM_MIN],
            np.zeros(len(own), dtype=np.int64),
            np.zeros(len(own), dtype=np.bool_),
            there.astype(np.float64),
            draw.copy(),
            0.5,
            env.config.plan.on_call,
            env.config.plan.staff_group,
        )
        for own, there, draw in zip(patients, present, env._now.labs.break_draw, strict=True)
    ]


@pytest.mark.parametrize(
    ("preset", "idling", "rule"),
    [("scarce", False, "fetal_first"), ("scarce", True, "policy_1"), ("baseline", True, "policy_2")],
)
def test_under_a_rule_as_the_simpy_engine_goes_on(preset: str, idling: bool, rule: str) -> None:
    """A continuation under a rule pays the units that the SimPy engine pays, for every first action."""
    config = LabConfig.load(preset)
    rules, tiers = batch.rules_of(config), compiled_rule(config, rule, "rule")
    compared = 0
    for steps in (0, 3, 9):
        env, days, made = wandered(preset, idling, steps, seed=steps)
        which, actions = np.nonzero(env.action_masks())
        which, actions = np.append(which, range(LABS)), np.append(actions, [continuation.THE_RULE] * LABS)
        units = continuation.continue_under_rule(env._now.labs, which, actions, rules, True, tiers)
        for b, action, got in zip(which, actions, units, strict=True):
            lab = replayed(config, days[b], made[b], idling)
            assert lab.board.minute == env._now.labs.lab[b, layout.MINUTE]
            assert units_under_rule(lab, int(action), make_policy(rule, config)) == tuple(got)
        compared += len(which)
    assert compared > 50


def test_the_rule_from_the_first_minute_is_the_whole_day() -> None:
    """A rule continued from opening pays what its whole day costs."""
    config = LabConfig.load("scarce")
    env, days, _ = wandered("scarce", idling=False, steps=0, seed=3)
    tiers = compiled_rule(config, "fetal_first", "rule")
    rule = np.full(LABS, continuation.THE_RULE)
    units = continuation.continue_under_rule(env._now.labs, np.arange(LABS), rule, batch.rules_of(config), True, tiers)
    # Up to the first choice there was none, so the rule did the same.
    expected = [units_under_rule(Simulator(config, day), -1, make_policy("fetal_first", config)) for day in days]
    assert units.tolist() == [list(own) for own in expected]


def choose_by_sum(observations: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Some feasible action, chosen by every number of an observation."""
    picks = (observations.astype(np.float64).sum(axis=1) * 1e4).astype(int)
    return np.array([np.flatnonzero(mask)[k % mask.sum()] for k, mask in zip(picks, masks, strict=True)])


def test_only_copies_are_played() -> None:
    """Continuations leave the labs as they are."""
    env, _, _ = wandered("scarce", idling=False, steps=4, seed=4)
    before = [array.copy() for array in env._now.labs]
    env.action_returns()
    env.action_returns(choose_by_sum)
    assert all(np.array_equal(array, old) for array, old in zip(env._now.labs, before, strict=True))


def test_asked_only_where_there_is_a_choice_and_no_more_after_the_day() -> None:
    """The chooser is called for labs with a choice only, and no more once their day is over."""
    env, _, _ = wandered("scarce", idling=False, steps=4, seed=5)
    asked = []

    def choose(observations: np.ndarray, masks: np.ndarray) -> np.ndarray:
        assert len(observations) == len(masks)
        assert observations.dtype == np.float32
        assert (masks.sum(axis=1) > 1).all()
        asked.append(len(masks))
        return masks.argmax(axis=1)

    env.action_returns(choose)
    assert asked == sorted(asked, reverse=True)
    assert asked[0] <= env.action_masks().sum()
    assert asked[-1] < asked[0]


@pytest.mark.parametrize("wrong", [-1, 728, 729])
def test_a_choice_that_is_not_on_offer_is_named(wrong: int) -> None:
    """A chooser's infeasible action raises, by its number."""
    env, _, _ = wandered("scarce", idling=False, steps=2, seed=6)
    with pytest.raises(InvalidAction, match=f"gave action {wrong}, which is not feasible"):
        env.action_returns(lambda observations, masks: np.full(len(masks), wrong))


def test_two_actions_by_hand(tiny_lab: Lab, tiny_day: Days) -> None:
    """Units of two continuations equal those worked out by hand."""
    # One room and one sonographer, a fetal and a non-fetal patient, both here at 0 and on time, exams of 30 and
    # 50 minutes: together 80, so the pair is idle for 660 - 80 = 580 minutes whatever is done. Who begins second
    # waits for the other's exam: 30 minutes if fetal goes first, else 50.
    config = tiny_lab(fetal=(0,), non_fetal=(0,), rooms__non_fetal=0, sonographers__fetal=1, sonographers__non_fetal=0)
    env = EchoLabVectorEnv(1, config, clock="event", idling=False)
    env.reset(options={"days": [tiny_day(config, (0, 0), (30, 50))]})
    fetal, other = encode((1, 0, 0, 0, 0, 0)), encode((0, 0, 0, 1, 0, 0))
    which, actions = np.zeros(2, dtype=np.int64), np.array([fetal, other])
    tiers = compiled_rule(config, "policy_1", "rule")
    units = continuation.continue_under_rule(env._now.labs, which, actions, env._rules, True, tiers)
    assert units.tolist() == [[30, 0, 0, 580, 0, 0, 0], [50, 0, 0, 580, 0, 0, 0]]


def test_one_lab_many_times_and_none_at_all() -> None:
    """Copies of one lab do not affect each other, and no copies give no rows."""
    env, _, _ = wandered("baseline", idling=True, steps=5, seed=7)
    tiers = compiled_rule(env.config, "policy_2", "rule")
    actions = np.flatnonzero(env.action_masks()[2])
    order = np.random.default_rng(0).integers(len(actions), size=40)
    units = continuation.continue_under_rule(env._now.labs, np.full(40, 2), actions[order], env._rules, True, tiers)
    once = continuation.continue_under_rule(env._now.labs, np.full(len(actions), 2), actions, env._rules, True, tiers)
    assert np.array_equal(units, once[order])
    nobody = np.zeros(0, dtype=np.int64)
    assert continuation.continue_under_rule(env._now.labs, nobody, nobody, env._rules, True, tiers).shape == (0, 7)


def test_only_compiled_rules_go_on() -> None:
    """A rule without tiers is refused by name."""
    config = LabConfig.load("scarce")
    for name in ("random", "policy_3"):
        with pytest.raises(ValueError, match=f"base is '{name}', but must be a rule that serves by class"):
            compiled_rule(config, name, "base")
    with pytest.raises(ValueError, match="did you mean fetal_first"):
        compiled_rule(config, "fetal_frist", "base")


def test_continuations_are_compiled_once() -> None:
    """Every compiled entry point has one signature, so that nothing compiles in the middle of a training."""
    for preset, idling in (("scarce", False), ("baseline", True)):
        env, _, _ = wandered(preset, idling, steps=2, seed=8)
        env.action_returns()
        env.action_returns(choose_by_sum)
    entries = (continuation._continue_under_tiers, batch_steps.step_labs, observations.observe_paper)
    # Another compiled function that calls one with a constant has it compiled for that constant.
    signatures = [{tuple(map(unliteral, own)) for own in entry.signatures} for entry in entries]
    assert [len(own) for own in signatures] == [1] * len(entries)
    # None at all if no other test has played a day, and it came out of the cache.
    assert len(batch.run_days.signatures) <= 1

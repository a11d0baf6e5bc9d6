"""One environment of many labs: the vector form equals single ones, to the bit, and labs stay apart."""

from __future__ import annotations

import pickle
from copy import deepcopy
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded

pytest.importorskip("numba")

from echo_env.lab.decisions.padding import Padding
from echo_env.lab.envs.any_lab import EchoLabAnyEnv
from echo_env.lab.envs.any_lab_vector import EchoLabAnyVectorEnv
from echo_env.lab.family import LabFamily, Stream

KINDS = [("paired", True, ()), ("penalty", False, ()), ("advantage", True, ()), ("advantage", False, (5, 20))]


def padded(action: int, env: EchoLabAnyEnv) -> int:
    """An action of the env's lab as the env names it."""
    return int(env._given.padding.places(len(env.lab.config.plan.types))[action])


@pytest.mark.parametrize(("reward", "competitors", "reservations"), KINDS)
def test_the_vector_environment_equals_single_ones(
    reward: str, competitors: bool, reservations: tuple[int, ...]
) -> None:
    """Observations, rewards, masks, infos and ends of days, over several labs in each place."""
    given: dict[str, Any] = {"labs": 6, "days": 2, "reward": reward, "competitors": competitors}
    given["reservations"] = reservations
    single = [EchoLabAnyEnv(**given) for _ in range(3)]
    vector, rng = EchoLabAnyVectorEnv(3, **given), np.random.default_rng(1)
    observations, infos = vector.reset(seed=5)
    masks, ends = [], 0
    for number, env in enumerate(single):
        observation, info = env.reset(seed=5 + number)
        assert np.array_equal(observation, observations[number])
        assert env.observation_space.contains(observation)
        masks.append(info["action_mask"])
    while ends < 12:
        actions = [int(rng.choice(np.flatnonzero(mask))) for mask in masks]
        observations, rewards, over, _, infos = vector.step(np.array(actions))
        for number, env in enumerate(single):
            observation, reward, done, _, info = env.step(actions[number])
            told = infos["final_info"] if done else infos
            assert np.array_equal(observation, infos["final_obs"][number] if done else observations[number])
            assert (reward, done) == (rewards[number], over[number])
            for name in ("minute", "elapsed_min", "penalty"):
                assert info[name] == told[name][number]
            if done:
                ends += 1
                assert info["metrics"] == {name: own[number] for name, own in told["metrics"].items() if name[0] != "_"}
                observation, info = env.reset()
                assert np.array_equal(observation, observations[number])
            masks[number] = info["action_mask"]
            assert np.array_equal(masks[number], infos["action_mask"][number])


def test_a_pickled_vector_environment_goes_on_equally() -> None:
    """A copy made in the middle of a visit gives the same days, labs and rewards; it is small."""
    env = EchoLabAnyVectorEnv(2, labs=5, days=2)
    env.reset(seed=3)
    rng = np.random.default_rng(2)

    def choose(own: EchoLabAnyVectorEnv) -> np.ndarray:
        return (own.action_masks() * rng.random(25)).argmax(axis=1)

    for _ in range(30):
        env.step(choose(env))
    again = pickle.loads(pickle.dumps(env))
    for _ in range(150):
        actions = choose(env)
        for own, other in zip(env.step(actions)[:3], again.step(actions)[:3], strict=True):
            assert np.array_equal(own, other)
    assert len(pickle.dumps(again)) < 4_000_000


def test_held_out_labs_are_never_training_labs() -> None:
    """Labs of the two streams differ whatever their numbers; a lab is the same whenever it is asked for."""
    family = LabFamily()
    training = [family.lab(number) for number in range(20)]
    held_out = [family.lab(number, Stream.HELD_OUT) for number in range(20)]
    assert not any(own.replace(name="x") == other.replace(name="x") for own in training for other in held_out)
    assert training[7] == LabFamily().lab(7)
    kinds = {len(lab.plan.types) for lab in training + held_out}
    assert len(kinds) > 3
    assert {lab.plan.nested for lab in training} == {True, False}


def test_it_is_registered() -> None:
    """``make`` and ``make_vec`` give both forms; one lab can take the family's place."""
    env = gymnasium.make("EchoLabAny-v0", config="scarce")
    env.reset(seed=1)
    assert env.unwrapped.lab.config.name == "scarce"  # type: ignore[attr-defined]
    vector = gymnasium.make_vec("EchoLabAny-v0", num_envs=2, labs=2)
    assert vector.reset(seed=1)[0].shape == (2, 25, vector.single_observation_space.shape[1])
    with pytest.raises(ValueError, match="stream is 'all', but must be one of training, validation, held_out"):
        EchoLabAnyEnv("all")


def wandered(steps: int, **given: Any) -> tuple[list[EchoLabAnyEnv], EchoLabAnyVectorEnv]:
    """Three places after random choices, as single environments and as one."""
    single, vector = [EchoLabAnyEnv(**given) for _ in range(3)], EchoLabAnyVectorEnv(3, **given)
    rng = np.random.default_rng(steps)
    vector.reset(seed=steps)
    masks = [env.reset(seed=steps + number)[1]["action_mask"] for number, env in enumerate(single)]
    for _ in range(steps):
        actions = [int(rng.choice(np.flatnonzero(mask))) for mask in masks]
        vector.step(np.array(actions))
        for number, env in enumerate(single):
            over, info = env.step(actions[number])[2::2]
            masks[number] = (env.reset()[1] if over else info)["action_mask"]
    return single, vector


def lowest(observations: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """The first feasible action, if the observation is one."""
    shapes = [Padding(reservations).space().shape for reservations in ((), (5, 20))]
    assert observations.shape[1:] in shapes
    return np.asarray(masks.argmax(axis=1))


@pytest.mark.parametrize(("reward", "competitors", "reservations"), KINDS)
@pytest.mark.parametrize("with_rule", [True, False])
def test_returns_of_actions_are_those_of_single_environments(
    reward: str, competitors: bool, reservations: tuple[int, ...], with_rule: bool
) -> None:
    """Of each feasible action, what a copied environment pays to the end of the day; the environment stays as it is."""
    for steps in (5, 60, 130):
        given: dict[str, Any] = {"reward": reward, "competitors": competitors, "reservations": reservations}
        single, vector = wandered(steps, labs=6, days=1, **given)
        nothing = np.ones(vector.single_action_space.n, dtype=np.bool_)
        before = pickle.dumps(vector)
        found = vector.action_returns(None if with_rule else lowest)
        assert pickle.dumps(vector) == before
        for number, env in enumerate(single):
            mask, rule = env.action_masks(), env.lab.rule
            assert np.array_equal(np.isnan(found[number]), ~mask if mask.sum() > 1 else nothing)
            for action in np.flatnonzero(~np.isnan(found[number])):
                copied, chosen, over, total = deepcopy(env), int(action), False, 0.0
                while not over:
                    _, paid, over, _, info = copied.step(chosen)
                    total += paid
                    if with_rule and not over:
                        own = copied._env
                        assert own is not None
                        chosen = own.rule_actions(rule)
                        chosen = padded(chosen, copied)
                    else:
                        chosen = int(info["action_mask"].argmax())
                assert found[number, action] == pytest.approx(total, abs=1e-9)


def test_only_the_better_rule_continues() -> None:
    """Other rules are refused, as is a state that is not there yet."""
    env = EchoLabAnyVectorEnv(1, labs=2)
    with pytest.raises(ResetNeeded, match="call reset"):
        env.action_returns()
    env.reset(seed=1)
    with pytest.raises(ValueError, match="rule is 'policy_2', but must be better_rule"):
        env.action_returns(rule="policy_2")


def test_advantages_add_up_to_the_paired_reward_and_the_rule_has_none() -> None:
    """Over a day their sum is that of the paired reward; an action of the better rule changes nothing, exactly."""
    given: dict[str, Any] = {"labs": 6, "days": 1}
    paired, advantage = (EchoLabAnyVectorEnv(4, **given, reward=reward) for reward in ("paired", "advantage"))
    rng, sums, ends = np.random.default_rng(4), np.zeros((2, 4)), 0
    for env in (paired, advantage):
        env.reset(seed=9)
    while ends < 12:
        actions = np.array([rng.choice(np.flatnonzero(mask)) for mask in paired.action_masks()])
        (_, one, over, _, _), (_, other, _, _, _) = paired.step(actions), advantage.step(actions)
        sums += [one, other]
        assert sums[1, over] == pytest.approx(sums[0, over], abs=1e-9)
        sums[:, over] = 0
        ends += over.sum()
    single = EchoLabAnyEnv(**given, reward="advantage")
    for seed in (1, 2):
        over, steps = False, 0
        single.reset(seed=seed)
        while not over:
            own = single._env
            assert own is not None
            action = own.rule_actions(single.lab.rule)
            _, reward, over, _, _ = single.step(padded(action, single))
            assert reward == 0
            steps += 1
        assert steps > 5

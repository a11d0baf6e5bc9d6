"""One environment of many labs: the vector form equals single ones, to the bit, and labs stay apart."""

from __future__ import annotations

import pickle

import gymnasium
import numpy as np
import pytest

pytest.importorskip("numba")

from echo_env.lab.envs.any_lab import EchoLabAnyEnv
from echo_env.lab.envs.any_lab_vector import EchoLabAnyVectorEnv
from echo_env.lab.family import LabFamily, Stream


@pytest.mark.parametrize(("reward", "competitors"), [("paired", True), ("penalty", False)])
def test_the_vector_environment_equals_single_ones(reward: str, competitors: bool) -> None:
    """Observations, rewards, masks, infos and ends of days, over several labs in each place."""
    given = {"labs": 6, "days": 2, "reward": reward, "competitors": competitors}
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

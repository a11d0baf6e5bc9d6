"""The Gymnasium environment: its contract, and its agreement with evaluations."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.utils.env_checker import check_env as gymnasium_check
from gymnasium.utils.seeding import np_random
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from nested_infos import assert_same
from small_hospitals import make_condition, make_instance, make_luck
from stable_baselines3.common.env_checker import check_env as sb3_check

import echo_env
from echo_env.common.config_file import ConfigError
from echo_env.pathways import PathwaysConfig, sample_draw, sample_instance, sample_luck, simulate, trial_luck
from echo_env.pathways.envs.env import PatientPathwaysEnv
from echo_env.pathways.envs.wrappers import NobodyInstead
from echo_env.pathways.policies.agent import AgentPolicy

HOSPITALS = {
    "paper": {},
    "two units, partial order": {"pathway": "partial", "resources": 6, "units": 2, "needs": 3},
    "everything": {
        "pathway": "unordered",
        "resources": 4,
        "units": (1, 2, 1, 1),
        "lethal": True,
        "durations": (1, 3),
        "last_arrival": 6,
        "changes__appear_rate": 0.4,
        "changes__disappear_rate": 0.4,
    },
}


def hospital(kind: str, **more: Any) -> PathwaysConfig:
    """One of :data:`HOSPITALS`, with 7 patients in observations for 9."""
    return PathwaysConfig.load("baseline").replace(patients=7, max_patients=9, **HOSPITALS[kind], **more)


class Scripted:
    """A model that picks a feasible row by a sum over its columns."""

    def __init__(self, env: Any) -> None:
        self.observation_space, self.action_space = env.observation_space, env.action_space
        self.asked = 0

    def predict(self, observation: Any, deterministic: bool, action_masks: Any) -> tuple[Any, None]:
        """A feasible row, determined by the digits of the observation."""
        self.asked += 1
        digits = int(observation.sum(dtype=np.float64) * 1e4)
        offered = [np.flatnonzero(mask) for mask in action_masks]
        return np.array([own[digits % len(own)] for own in offered]), None


def play(env: Any, model: Scripted, **reset: Any) -> list[float]:
    """The rewards of an episode."""
    observation, info = env.reset(**reset)
    rewards, over = [], False
    while not over:
        action = model.predict(observation[None], True, info["action_mask"][None])[0][0]
        observation, reward, over, _, info = env.step(action)
        rewards.append(reward)
    return rewards


@pytest.mark.parametrize("kind", HOSPITALS)
def test_checkers_pass(kind: str) -> None:
    """The environment passes the checkers of Gymnasium and Stable-Baselines3."""
    env = gym.make(echo_env.PATHWAYS_ID, config=hospital(kind), render_mode="ansi").unwrapped
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Gymnasium's checker takes an action drawn in one state into another, so it needs the wrapper.
        warnings.filterwarnings("ignore", message=".*different from the unwrapped version")
        warnings.filterwarnings("ignore", message=".*unconventional shape")
        gymnasium_check(NobodyInstead(env), skip_render_check=True)
        sb3_check(env)


@pytest.mark.parametrize("kind", HOSPITALS)
def test_episodes_are_those_of_evaluations_and_returns_their_utility(kind: str) -> None:
    """Episodes equal those of evaluations, and their return is the utility."""
    config = hospital(kind)
    env = PatientPathwaysEnv(config)
    for draw in range(4):
        instance = sample_draw(config, 3, draw)
        luck = trial_luck(instance, 1)
        model = Scripted(env)
        rewards = play(env, model, options={"instance": instance, "luck": luck})
        asked, model.asked = model.asked, 0
        trace = simulate(instance, luck, AgentPolicy("scripted", model, config))
        assert model.asked == asked > 5
        for name in ("condition", "state", "health"):
            assert np.array_equal(getattr(env.trace, name), getattr(trace, name)), name
        assert sum(rewards) == pytest.approx(trace.utility, abs=1e-12)


def test_a_seed_stands_for_an_instance_and_its_luck() -> None:
    """A seed gives the instance and random draws of the core's generator, whatever happened before."""
    config = hospital("everything")
    env, rng = PatientPathwaysEnv(config), np_random(5)[0]
    for seed in (5, None, None):
        instance = sample_instance(config, rng)
        luck = sample_luck(instance, rng)
        rewards = play(env, Scripted(env), seed=seed)
        same = play(PatientPathwaysEnv(config), Scripted(env), options={"instance": instance, "luck": luck})
        assert rewards == same


def test_by_hand() -> None:
    """Decisions, rewards and steps equal a hand calculation."""
    # One need in a line after another, draws of 0.5: health stays while waiting, rises while holding.
    instance = make_instance([make_condition()], [(0, 0), (0, 1)], max_patients=3)
    env = PatientPathwaysEnv(instance.config)
    _, info = env.reset(options={"instance": instance, "luck": make_luck(instance)})
    # Both ask for resource 0. Patient 1 gets it; patient 0 gets it in step 1 and both resources are free after.
    assert (info["step"], info["resource"], info["action_mask"].tolist()) == (0, 0, [True, True, False, True])
    _, reward, over, _, info = env.step(1)
    # No other choice: healths after the 5 steps are 0 1, 0 2, 1 2, 2 2, 2 2, of 2 each.
    assert over
    assert reward == pytest.approx((0 + 1 + 0 + 2 + 1 + 2 + 2 + 2 + 2 + 2) / 2 / 10)
    assert info["metrics"]["utility"] == pytest.approx(reward)
    assert info["action_mask"].tolist() == [False, False, False, True]
    # Nobody gets it in the first step, and the choice is there again.
    env.reset(options={"instance": instance, "luck": make_luck(instance)})
    _, reward, over, _, info = env.step(3)
    assert (info["step"], info["resource"], over) == (1, 0, False)
    assert reward == pytest.approx(1 / 2 / 10)


def test_an_episode_without_a_choice_is_one_step() -> None:
    """An episode without decisions takes one step and pays its whole utility."""
    env = PatientPathwaysEnv(hospital("paper").replace(patients=1))
    _, info = env.reset(seed=1)
    assert info["action_mask"].tolist() == [False] * 9 + [True]
    _, reward, over, _, info = env.step(9)
    assert over
    assert reward == pytest.approx(info["metrics"]["utility"])


def test_what_is_shown() -> None:
    """Every column holds what its name says."""
    waiting, holding = (0.3, 0.6, 0.1), (0.05, 0.55, 0.4)
    condition = make_condition((1, 0), durations=(2, 1), waiting=waiting, holding=holding)
    instance = make_instance([condition], [(0, 0), (0, 2)], max_patients=4, needs=2)
    env = PatientPathwaysEnv(instance.config, max_resources=3)
    shown, _ = env.reset(options={"instance": instance, "luck": make_luck(instance)})
    rows = [dict(zip(env.layout.patient_columns(), row.tolist(), strict=False)) for row in shown]
    approximately = partial(pytest.approx, abs=1e-6)
    own = rows[1]
    assert [own[name] for name in ("here", "asks_for_this", "has_won", "finished", "holds")] == [1, 1, 0, 0, 0]
    assert [own[f"health_is_{h}"] for h in range(3)] == [0, 0, 1]
    assert [own["down_now"], own["up_now"], own["waiting_up_at_0"]] == approximately([0.3, 0, 0.1])
    assert [own[f"resource_{r}_due"] for r in range(3)] == approximately([1 / 2, 1, 0])
    first = [own[f"need_0_{name}"] for name in ("left", "can_ask", "is_this", "duration", "asked_for", "still_needed")]
    assert first == approximately([1, 1, 1, 2 / 5, 2 / 4, 2 / 4])
    second = [own[f"need_1_{name}"] for name in ("left", "can_ask", "is_this", "duration", "asked_for", "down_at_1")]
    assert second == approximately([1, 0, 0, 1 / 5, 0, 0.05])
    assert not shown[2:4].any()
    whole = dict(zip(env.layout.hospital_columns(), shown[4].tolist(), strict=False))
    assert [whole[name] for name in ("time_left", "ask_for_this", "units_of_this", "here")] == [1, 0.5, 0.25, 0.5]
    assert [whole[f"resource_{r}_is_this"] for r in range(3)] == [0, 1, 0]
    assert [whole[f"resource_0_{name}"] for name in ("asked_for", "still_needed", "free")] == [0, 0.5, 0.25]


def test_a_patient_elsewhere_is_the_same_row_elsewhere() -> None:
    """A patient's row does not depend on its number."""
    conditions = [make_condition(), make_condition((1, 0), waiting=(0.2, 0.7, 0.1))]
    shown = []
    for patients in ([(0, 0), (1, 2), (0, 1)], [(0, 1), (1, 2), (0, 0)]):
        instance = make_instance(conditions, patients, max_patients=3)
        env = PatientPathwaysEnv(instance.config)
        shown.append(env.reset(options={"instance": instance, "luck": make_luck(instance)})[0])
    assert np.array_equal(shown[0], shown[1][[2, 1, 0, 3]])


def test_what_cannot_be_done_is_refused_and_changes_nothing() -> None:
    """Infeasible actions raise an error and leave the episode unchanged."""
    env = PatientPathwaysEnv(hospital("paper"))
    with pytest.raises(ResetNeeded, match="call reset"):
        env.step(0)
    _, info = env.reset(seed=0)
    wrong = int(np.flatnonzero(~info["action_mask"])[0])
    for action in (wrong, 10, -1):
        with pytest.raises(
            InvalidAction, match=rf"action {action} is infeasible: the unit of resource 1 can go to 3, 4, 5, 9"
        ):
            env.step(action)
    assert env.trace.health.shape[0] == 1
    assert NobodyInstead(env).action(wrong) == 9
    assert all(info["action_mask"][env.action_space.sample()] for _ in range(20))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"patients": 21}, "patients is 21, but must be at most 20, which is max_patients"),
        ({"patients": 0}, "patients is 0"),
        ({"resources": 11}, "resources is 11, but must be at most 10, which is max_resources"),
        ({"max_resources": 0}, "max_resources is 0"),
        ({"config": "nowhere"}, "nowhere"),
        ({"render_mode": "gif"}, "render_mode is 'gif', but must be one of None, human, rgb_array, ansi"),
    ],
)
def test_impossible_arguments(arguments: dict[str, Any], message: str) -> None:
    """Invalid arguments are refused at construction, naming field and value."""
    with pytest.raises(ValueError, match=message):
        PatientPathwaysEnv(**arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"day": 1}, "reset option 'day' is unknown, allowed are 'instance' and 'luck'"),
        ({"instance": 1}, "reset options have only 'instance', but must have both"),
        (
            {"instance": sample_draw(PathwaysConfig.load("baseline").replace(patients=6), 1, 1), "luck": None},
            "reset option 'instance' has patients 6, but the env has 20",
        ),
    ],
)
def test_impossible_options(options: dict[str, Any], message: str) -> None:
    """Invalid options of a reset are refused."""
    with pytest.raises(ConfigError, match=message):
        PatientPathwaysEnv().reset(options=options)


def test_the_vector_env_is_many_single_ones() -> None:
    """The vector environment equals single environments to the bit."""
    config = hospital("everything")
    fast = gym.make_vec(echo_env.PATHWAYS_ID, 3, "vector_entry_point", config=config)
    slow = SyncVectorEnv([partial(PatientPathwaysEnv, config)] * 3, autoreset_mode=AutoresetMode.SAME_STEP)
    rng = np.random.default_rng(0)
    outcome, expected = fast.reset(seed=4), slow.reset(seed=4)
    assert np.array_equal(outcome[0], expected[0])
    assert_same(outcome[1], expected[1])
    ended = 0
    for _ in range(60):
        masks = fast.unwrapped.action_masks()
        actions = np.array([rng.choice(np.flatnonzero(mask)) for mask in masks])
        outcome, expected = fast.step(actions), slow.step(actions)
        for a, b in zip(outcome[:4], expected[:4], strict=True):
            assert np.array_equal(a, b)
        assert_same(outcome[4], expected[4])
        ended += int(outcome[2].sum())
    assert ended > 2


def test_an_agent_works_where_it_fits() -> None:
    """An agent works in every hospital within its observations and is refused elsewhere."""
    env = PatientPathwaysEnv(hospital("paper"))
    policy = AgentPolicy("dqn", Scripted(env), hospital("paper"))
    for changes in ({"patients": 3}, {"patients": 9}, {"resources": 10}):
        instance = sample_draw(hospital("paper").replace(**changes), 1, 0)
        assert simulate(instance, trial_luck(instance, 0), policy).utility > 0.5
    for changes, message in (
        ({"patients": 10, "max_patients": 20}, "patients is 10, but must be at most 9, which dqn was trained for"),
        ({"needs": 3}, r"dqn was trained on observations of shape \(10, 101\), but in a hospital with 3 needs"),
        ({"resources": 11}, "resources is 11, but must be at most 10, which is max_resources"),
    ):
        with pytest.raises(ValueError, match=message):
            policy.begin_instance(sample_draw(hospital("paper").replace(**changes), 1, 0))

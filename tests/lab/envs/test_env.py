"""The Gymnasium environment: its contract, its two clocks, its rewards."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.utils.env_checker import check_env as gymnasium_check
from stable_baselines3.common.env_checker import check_env as sb3_check

import echo_env
from echo_env.lab import ConfigError, LabConfig, make_policy, sample_days, simulate
from echo_env.lab.decisions.actions import DIGITS, encode, nearest_feasible
from echo_env.lab.envs.env import EchoLabEnv
from echo_env.lab.envs.wrappers import NearestFeasibleAction


def play(env: Any, choose: Any, seed: int | None = None, **options: Any) -> tuple[list[float], list[dict[str, Any]]]:
    """One episode; rewards and infos, the reset's first."""
    _, info = env.reset(seed=seed, options=options or None)
    infos, rewards, over = [info], [], False
    while not over:
        _, reward, over, truncated, info = env.step(choose(info))
        assert not truncated
        infos.append(info)
        rewards.append(reward)
    return rewards, infos


def busiest(info: dict[str, Any]) -> int:
    """The feasible action with the most starts: a choice that depends on the state only."""
    allowed = np.flatnonzero(info["action_mask"])
    return int(allowed[DIGITS[allowed].sum(axis=1).argmax()])


@pytest.mark.parametrize("env_id", list(echo_env.ENV_IDS))
@pytest.mark.parametrize("clock", ["minute", "event"])
@pytest.mark.parametrize("reward", ["penalty", "paired"])
@pytest.mark.parametrize("idling", [True, False])
def test_checkers_pass_without_a_warning(env_id: str, clock: str, reward: str, idling: bool) -> None:
    """The env checkers of Gymnasium and SB3 pass without a warning."""
    kwargs = {"clock": clock, "reward": reward, "idling": idling}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Gymnasium's checker takes an action drawn in one state into another, so it needs the wrapper, of
        # which it then warns.
        warnings.filterwarnings("ignore", message=".*different from the unwrapped version")
        wrapped = NearestFeasibleAction(gym.make(env_id, render_mode="rgb_array", **kwargs).unwrapped)
        gymnasium_check(wrapped, skip_render_check=True)
        sb3_check(wrapped)
        sb3_check(gym.make(env_id, **kwargs))


@pytest.mark.parametrize("env_id", list(echo_env.ENV_IDS))
def test_checkers_pass_on_the_bare_default_env(env_id: str) -> None:
    """``gymnasium.make(id)`` passes the checkers of Gymnasium and Stable-Baselines3."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gymnasium_check(gym.make(env_id, render_mode="ansi").unwrapped, skip_render_check=True)


def test_ids_are_registered_by_import_alone() -> None:
    """rl-zoo's --gym-packages, or gymnasium's "module:id", would not find the envs; or torch be loaded for them."""
    code = (
        "import gymnasium, sys; env = gymnasium.make('echo_env:EchoLab-v0'); "
        "assert 'torch' not in sys.modules and 'stable_baselines3' not in sys.modules; print(env.spec.id)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "EchoLab-v0"


@pytest.mark.parametrize("idling", [True, False])
@pytest.mark.parametrize("env_id", list(echo_env.ENV_IDS))
def test_both_clocks_pay_the_same_for_the_same_decisions(env_id: str, idling: bool) -> None:
    """Both clocks pay the same total for the same decisions."""
    by_minute, by_event = (gym.make(env_id, clock=clock, idling=idling).unwrapped for clock in ("minute", "event"))
    for seed in range(12):
        plain, steps = play(by_minute, busiest, seed)
        jumping, leaps = play(by_event, busiest, seed)
        assert len(plain) == 660
        assert sum(plain) == sum(jumping)
        assert sum(info["elapsed_min"] for info in leaps) == sum(info["elapsed_min"] for info in steps) == 660
        assert steps[-1]["metrics"] == pytest.approx(leaps[-1]["metrics"], abs=0, nan_ok=True)
        assert by_minute.trace.exams == by_event.trace.exams
        assert by_minute.trace.rows == by_event.trace.rows
        # Only where there is a choice does the event clock stop; a day without any has one step.
        assert all(info["action_mask"].sum() > 1 for info in leaps[:-1]) or len(jumping) == 1
        choices = sum(info["action_mask"].sum() > 1 for info in steps)
        assert len(jumping) == max(choices, 1)


@pytest.mark.parametrize("clock", ["minute", "event"])
def test_rewards_are_minus_the_penalty_and_parts_sum_to_it(clock: str) -> None:
    """A reward is minus the step's penalty, whose parts and steps sum to the day's."""
    env = gym.make("EchoLabScarce-v0", clock=clock).unwrapped
    rewards, infos = play(env, busiest, 3)
    for reward, info in zip(rewards, infos[1:], strict=True):
        assert -reward == info["penalty"] == sum(info["penalty_parts"].values())
    assert -sum(rewards) == infos[-1]["metrics"]["penalty"] == env.trace.penalty.total


def test_paired_reward_is_the_difference_to_the_rule_on_the_same_day() -> None:
    """The paired reward sums to the rule's penalty minus the day's; infos report the true penalty."""
    for clock in ("minute", "event"):
        env = gym.make("EchoLabScarce-v0", clock=clock, reward="paired", paired_with="fetal_first").unwrapped
        rule = make_policy("fetal_first", env.config)
        for seed in range(5):
            rewards, infos = play(env, busiest, seed)
            paid = infos[-1]["metrics"]["penalty"]
            assert sum(info["penalty"] for info in infos[1:]) == paid
            base = simulate(env.config, env.trace.day, rule).penalty.total
            assert sum(rewards) == pytest.approx(base - paid, abs=1e-9)


@pytest.mark.parametrize("clock", ["minute", "event"])
def test_advantages_sum_to_the_paired_reward_and_the_rule_has_none(clock: str) -> None:
    """Advantages sum to the rule's penalty minus the day's; each action of the rule has exactly 0."""
    kwargs = {"clock": clock, "actions": "start", "reward": "advantage", "paired_with": "scarce_first"}
    env = gym.make("EchoLabScarce-v0", **kwargs).unwrapped
    rule = make_policy("scarce_first", env.config)
    rewards, infos = play(env, busiest, 1)
    base = simulate(env.config, env.trace.day, rule).penalty.total
    assert sum(rewards) == pytest.approx(base - infos[-1]["metrics"]["penalty"], abs=1e-9)
    assert len(np.unique(rewards)) > 5
    rewards, _ = play(env, lambda info: env.rule_actions("scarce_first"), 2)
    assert len(rewards) > 10
    assert not np.any(rewards)


def test_seeds_and_days() -> None:
    """A seed gives the same days again, whatever was done on them."""
    env = gym.make("EchoLab-v0", clock="event").unwrapped
    rng = np.random.default_rng(0)

    def days(choose: Any) -> list[Any]:
        play(env, choose, 5)
        first = env.trace
        play(env, choose)
        return [first, env.trace]

    one = days(busiest)
    again = days(busiest)
    other = days(lambda info: int(rng.choice(np.flatnonzero(info["action_mask"]))))
    assert [trace.exams for trace in one] == [trace.exams for trace in again]
    assert [trace.day for trace in one] == [trace.day for trace in other]
    assert one[0].day != one[1].day


def test_options_last_for_one_episode() -> None:
    """A day or absence rate given to reset holds for that episode alone and shifts no later day."""
    env = gym.make("EchoLab-v0", clock="event").unwrapped
    given = sample_days(env.config, 1, seed=1)[0]
    env.reset(seed=9)
    env.reset()
    second = env.trace.day
    env.reset(seed=9, options={"day": given, "absence_rate": 0.9})
    assert env.trace.day == given.with_absence_rate(0.9)
    env.reset()
    assert env.trace.day == second
    with pytest.raises(ConfigError, match="reset option 'dya' is unknown"):
        env.reset(options={"dya": given})
    with pytest.raises(ConfigError, match="must be a Day"):
        env.reset(options={"day": 3})


def test_absence_rate_changes_at_the_next_reset() -> None:
    """``set_absence_rate`` takes effect at the next reset, not within the day."""
    env = gym.make("EchoLab-v0").unwrapped
    env.reset(seed=0)
    before = env.trace.day
    env.set_absence_rate(1.0)
    assert env.trace.day is before
    env.reset(seed=0)
    assert env.trace.day == before.with_absence_rate(1.0)
    assert env.trace.day.present.sum() == 2
    with pytest.raises(ConfigError, match=r"absence_rate is 1\.2"):
        env.set_absence_rate(1.2)


def test_an_infeasible_action_is_named_and_does_nothing() -> None:
    """An infeasible action raises by its digits and leaves the state unchanged."""
    env = gym.make("EchoLab-v0").unwrapped
    _, info = env.reset(seed=0)
    state = env.trace.rows, env.trace.exams
    for action in (728, -1, 729):
        with pytest.raises(InvalidAction, match=f"action {action}"):
            env.step(action)
    assert (env.trace.rows, env.trace.exams) == state
    assert np.array_equal(env.action_masks(), info["action_mask"])


def test_stepping_without_a_day_is_an_error() -> None:
    """Stepping before reset or after the last step raises ``ResetNeeded``."""
    env = EchoLabEnv(clock="event")
    with pytest.raises(ResetNeeded):
        env.step(0)
    play(env, busiest, 1)
    assert np.flatnonzero(env.action_masks()).tolist() == [0]
    with pytest.raises(ResetNeeded):
        env.step(0)


def test_observation_is_the_papers_vector() -> None:
    """The 13 numbers stand in the order and scale of section 5.1."""
    env = gym.make("EchoLabScarce-v0").unwrapped
    observation, _ = env.reset(seed=4)
    for _ in range(400):
        observation, *_ = env.step(0)
    w = env._lab.view.waiting_counts
    expected = [w[2] / 5, w[0] / 5, w[1] / 5, w[5] / 5, w[3] / 5, w[4] / 5]
    r_n, r_b, s_n, s_b = env._lab.view.free_counts
    expected += [r_n / 3, r_b / 1, s_n / 1, s_b / 2, 0, 0, 400 / 660]
    assert observation.dtype == np.float32
    assert observation == pytest.approx(np.array(expected, dtype=np.float32), abs=0)
    assert observation in env.observation_space
    assert w[3] > 5


def test_action_space_samples_what_is_feasible_and_pickles_plain() -> None:
    """``action_space.sample()`` is feasible, and saved spaces load without this package."""
    env = gym.make("EchoLabScarce-v0", clock="event")
    env.action_space.seed(0)
    play(env, lambda info: env.action_space.sample(), 2)
    copy = pickle.loads(pickle.dumps(env.action_space))
    assert type(copy) is gym.spaces.Discrete
    assert copy == env.action_space


def test_nearest_feasible_action() -> None:
    """The wrapper replaces an infeasible action by the feasible one with the fewest different starts."""
    mask = np.zeros(729, dtype=bool)
    feasible_ones = [encode(d) for d in [(0,) * 6, (0, 0, 0, 1, 0, 0), (0, 0, 0, 1, 1, 0), (1, 0, 0, 0, 0, 0)]]
    mask[feasible_ones] = True
    assert nearest_feasible(encode((0, 0, 0, 2, 1, 0)), mask) == encode((0, 0, 0, 1, 1, 0))
    assert nearest_feasible(encode((0, 0, 0, 1, 1, 0)), mask) == encode((0, 0, 0, 1, 1, 0))
    # One start away from doing nothing, from (0,0,0,1,0,0)+... : ties go to the lowest number.
    assert nearest_feasible(encode((1, 0, 0, 1, 0, 0)), mask) == encode((0, 0, 0, 1, 0, 0))
    env = NearestFeasibleAction(gym.make("EchoLab-v0"))
    env.action_space.seed(1)
    rng = np.random.default_rng(1)
    play(env, lambda info: int(rng.integers(729)), 0)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"clock": "hour"}, "clock is 'hour', but must be one of minute, event"),
        ({"reward": "profit"}, "reward is 'profit'"),
        ({"idling": "no"}, "idling is 'no', but must be one of True, False"),
        ({"observation": "all"}, "observation is 'all', but must be one of paper, rich"),
        ({"config": "scarse"}, "did you mean scarce"),
        ({"render_mode": "x"}, "render_mode is 'x'"),
        ({"reward": "paired", "paired_with": "policy2"}, "did you mean policy_2"),
    ],
)
def test_bad_arguments_are_named(kwargs: dict[str, Any], message: str) -> None:
    """A bad argument raises with its name, value and what is allowed."""
    with pytest.raises(ValueError, match=message):
        EchoLabEnv(**kwargs)


def test_own_config_object(tmp_path: Any) -> None:
    """The env accepts a config object."""
    env = gym.make("EchoLab-v0", config=LabConfig.load("scarce").replace(rooms__non_fetal=5))
    observation, _ = env.reset(seed=0)
    assert observation in env.observation_space
    path = tmp_path / "lab.yaml"
    path.write_text("base: scarce\nname: mine\nrooms: {non_fetal: 2}\n")
    assert gym.make("EchoLab-v0", config=str(path)).unwrapped.config.rooms.non_fetal == 2

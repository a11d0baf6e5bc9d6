"""Evaluations beside a reference, and what a run is judged by in the end."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import optuna
import pytest
import torch as th
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.logger import Logger, configure
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

from sb3_ext.common.wrappers import SeededEpisodes
from sb3_ext.maskable_dqn import MaskableDQN
from sb3_ext.zoo.evaluation import (
    EVALUATION_SEED,
    HELD_OUT_SEED,
    EpisodeRewards,
    Reference,
    ZooEvalCallback,
    differences,
)
from sb3_ext.zoo.outcome import flat, kept_agent, record_outcome, writes_tensorboard
from sb3_ext.zoo.search.trials import ZooTrialEvalCallback

BONUS = 7.0


class Wages(gym.Env[np.ndarray, np.int64]):
    """Pays a drawn wage at the end of one to four steps, and a bonus whatever is done."""

    observation_space = gym.spaces.Box(0.0, 1.0, (1,))
    action_space = gym.spaces.Discrete(2)

    def action_masks(self) -> np.ndarray:
        """(2,) bool."""
        return np.ones(2, dtype=bool)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """Draw how long the episode is and what it pays."""
        super().reset(seed=seed)
        self.left, self.wage = draw(self.np_random)
        return np.zeros(1, np.float32), {}

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict]:
        """Pay in the end."""
        self.left -= 1
        over = self.left == 0
        return np.zeros(1, np.float32), (self.wage + BONUS) * over, over, False, {}


def draw(rng: np.random.Generator) -> tuple[int, float]:
    """(steps, wage) of an episode."""
    return int(rng.integers(1, 5)), float(rng.integers(1000))


def wages(seeds: Sequence[int], episodes: Sequence[int]) -> np.ndarray:
    """The wages without the bonus: what the reference earns."""
    rngs = [np.random.default_rng(seed) for seed in seeds]
    return np.array([draw(rng)[1] for rng, count in zip(rngs, episodes, strict=True) for _ in range(count)])


REFERENCE = Reference("wages", wages)
BY_COST = Reference("wages", wages, cost="toil")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    th.set_num_threads(1)


def evaluation(n_envs: int, n_episodes: int, **kwargs: Any) -> ZooEvalCallback:
    """A callback that evaluates at every fourth step."""
    env = make_vec_env(Wages, n_envs=n_envs, seed=0)
    return ZooEvalCallback(env, eval_freq=4, n_eval_episodes=n_episodes, verbose=0, **kwargs)


def learn(callback: ZooEvalCallback, steps: int = 8) -> MaskableDQN:
    """Train, keeping the log."""
    model = MaskableDQN("MlpPolicy", make_vec_env(Wages, seed=0), device="cpu", seed=0)
    model.set_logger(Logger(None, []))
    return model.learn(steps, callback=callback, log_interval=10**6)


def test_differences_by_hand() -> None:
    """The interval is Student's interval of the paired differences."""
    # 2 and 4: mean 3, standard deviation sqrt(2), so half the interval is t(0.975; 1) = 12.7062.
    found = dict(differences(BY_COST, np.array([3.0, 105.0]), np.array([1.0, 101.0])))
    name = "toil_minus_wages"
    assert found == pytest.approx({name: -3.0, f"{name}_low": -15.706205, f"{name}_high": 9.706205})
    assert differences(REFERENCE, np.array([3.0]), np.array([1.0])) == [("wages_minus_own", -2.0)]
    with pytest.raises(ValueError, match="wages must have 2 rewards to be compared with, not 1"):
        differences(BY_COST, np.zeros(2), np.zeros(1))


@pytest.mark.parametrize("reference", [REFERENCE, BY_COST], ids=["reward", "cost"])
def test_lower_differences_are_better_whether_rewards_or_costs_are_named(reference: Reference) -> None:
    """Whoever earns more than the reference is below 0 in the log, whatever the difference is called."""
    better, worse = (dict(differences(reference, np.array([wage]), np.array([2.0]))) for wage in (3.0, 1.0))
    assert better[reference.difference] < 0 < worse[reference.difference]


@pytest.mark.parametrize(("n_envs", "n_episodes"), [(1, 5), (2, 5), (3, 7), (4, 4), (5, 3)])
def test_episodes_are_paired_with_the_same_ones_of_the_reference(
    n_envs: int, n_episodes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Each episode is compared with the reference's same episode, in whatever order episodes end. The difference
    is then the bonus in every one, and the interval has no width.
    """
    dumped: list[dict[str, float]] = []
    dump = Logger.dump

    def keep(self: Logger, step: int = 0) -> None:
        dumped.append(dict(self.name_to_value))
        dump(self, step)

    monkeypatch.setattr(Logger, "dump", keep)
    learn(evaluation(n_envs, n_episodes, reference=REFERENCE))
    values = [row for row in dumped if "eval/mean_reward" in row]
    # Two evaluations, each with all its numbers in one row of the log.
    assert len(values) == 2
    for row in values:
        assert [row[f"eval/wages_minus_own{end}"] for end in ("", "_low", "_high")] == [-BONUS] * 3


@pytest.mark.parametrize("n_envs", [1, 2, 3, 6])
def test_seeded_episodes_are_the_same_with_any_number_of_environments(n_envs: int) -> None:
    """With a seed for each episode, those of an evaluation do not depend on the number of environments."""
    wrapped = {"wrapper_class": SeededEpisodes, "wrapper_kwargs": {"step": n_envs}}
    env = make_vec_env(Wages, n_envs=n_envs, seed=0, **wrapped)
    callback = ZooEvalCallback(env, eval_freq=4, n_eval_episodes=6, verbose=0, reference=REFERENCE)
    learn(callback)
    seeds, counts = callback.episodes()
    assert sorted(seeds) == list(range(EVALUATION_SEED, EVALUATION_SEED + 6))
    assert counts == [1] * 6
    assert callback.last_difference == -BONUS
    assert callback.last_mean_reward == pytest.approx(wages(seeds, counts).mean() + BONUS)


@pytest.mark.parametrize(("lowest", "pruned"), [(BONUS - 1, False), (BONUS + 1, True)])
def test_trials_are_pruned_on_their_difference_to_the_reference(lowest: float, pruned: bool) -> None:
    """What the pruner is told is the difference to the reference, which here is far below any reward."""
    trial = optuna.create_study(direction="maximize", pruner=optuna.pruners.ThresholdPruner(lower=lowest)).ask()
    env = make_vec_env(Wages, n_envs=2, seed=0)
    callback = ZooTrialEvalCallback(env, trial, eval_freq=4, n_eval_episodes=6)
    callback.reference = REFERENCE
    learn(callback)
    assert callback.is_pruned == pruned
    assert trial.user_attrs["wages_minus_own"] == -BONUS
    assert trial.user_attrs["mean_reward"] > 10 * BONUS


def test_what_the_first_evaluation_begins_is_begun_once() -> None:
    """``after_first`` is called once, after the first evaluation."""
    callback, called = evaluation(1, 1), []
    callback.after_first = lambda: called.append(callback.num_timesteps)
    learn(callback)
    assert called == [4]


def test_without_a_reference_nothing_is_compared() -> None:
    """Without a reference an evaluation logs no comparison."""
    callback = evaluation(2, 3)
    learn(callback)
    assert set(callback.held_out(callback.model, 3)) == {"mean_reward"}


def test_a_reference_needs_the_same_episodes_each_time() -> None:
    """A reference without an evaluation seed raises an error."""
    with pytest.raises(ValueError, match="evaluation_seed must be a number"):
        learn(evaluation(1, 1, reference=REFERENCE, evaluation_seed=None))


@pytest.mark.parametrize("n_envs", [1, 2, 3, 8])
def test_held_out_episodes_are_the_same_with_any_number_of_environments(n_envs: int) -> None:
    """Held-out episodes do not depend on the number of environments."""
    callback = evaluation(n_envs, 2, reference=REFERENCE)
    learn(callback)
    expected = wages(range(HELD_OUT_SEED, HELD_OUT_SEED + 7), [1] * 7).mean() + BONUS
    found = callback.held_out(callback.model, 7)
    assert found == pytest.approx(
        {"mean_reward": expected, **{f"wages_minus_own{end}": -BONUS for end in ("", "_low", "_high")}}
    )


def test_held_out_episodes_are_no_evaluation_episodes() -> None:
    """Held-out episodes differ from those of the evaluations during training."""
    assert abs(HELD_OUT_SEED - EVALUATION_SEED) > 10**6


def test_rewards_without_a_monitor_are_taken_too() -> None:
    """Rewards are collected from environments without a Monitor too."""
    rewards = EpisodeRewards(2)
    step = {"info": {}, "is_monitor_wrapped": False, "current_rewards": np.array([4.0, 5.0])}
    for i, done in ((1, True), (0, False), (0, True)):
        rewards.take({"i": i, "done": done, **step}, {})
    # A life lost is no end of an episode to Monitor.
    rewards.take({"i": 0, "done": True, "info": {}, "is_monitor_wrapped": True}, {})
    assert rewards.by_env().tolist() == [4.0, 5.0]


def test_settings_are_flat_numbers_and_text() -> None:
    """Settings become flat numbers and texts, each of its own type."""
    settings = {"a": 1, "b": {"c": True, "d": {"e": [8, 8]}}, "f": np.float32(0.5), "g": None, "h": "lin_0.1"}
    assert flat(settings) == {"a": 1, "b.c": True, "b.d.e": "[8, 8]", "f": 0.5, "h": "lin_0.1"}


def test_an_outcome_stands_in_the_tab_hparams(tmp_path: Path) -> None:
    """Settings and held-out results stand in one row of the tab HPARAMS."""
    model = learn(evaluation(1, 1))
    assert not writes_tensorboard(model)
    model.set_logger(configure(str(tmp_path), ["tensorboard"]))
    assert writes_tensorboard(model)
    record_outcome(model, {"gamma": 1.0, "env_kwargs": {"clock": "event"}}, {"wages_minus_own": 7.0})
    found = EventAccumulator(str(tmp_path / "held_out"))
    found.Reload()
    assert found.Tags()["scalars"] == ["held_out/wages_minus_own"]
    assert [(event.step, event.value) for event in found.Scalars("held_out/wages_minus_own")] == [(8, 7.0)]
    content = found.PluginTagToContent("hparams")
    start = metadata.parse_session_start_info_plugin_data(content[metadata.SESSION_START_INFO_TAG])
    assert start.hparams["gamma"].number_value == 1.0
    assert start.hparams["env_kwargs.clock"].string_value == "event"


def test_the_best_model_is_what_a_run_is_judged_by(tmp_path: Path) -> None:
    """The held-out evaluation is that of the best model, where there is one."""
    model = learn(evaluation(1, 1))
    assert kept_agent(model, tmp_path) is model
    model.save(tmp_path / "best_model")
    model.learn(4, reset_num_timesteps=False)
    best = kept_agent(model, tmp_path)
    assert (best.num_timesteps, model.num_timesteps) == (8, 12)

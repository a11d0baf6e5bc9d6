"""The training callbacks, in trainings of a few dozen two-step days."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch as th
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import OrderEnforcing
from sb3_contrib import QRDQN
from sb3_contrib.common.wrappers import ActionMasker
from stable_baselines3 import A2C, DQN
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecNormalize

from sb3_ext import MaskableDQN, MaskableQRDQN
from sb3_ext.callbacks import (
    AbsenceRateCurriculum,
    EpisodeMetrics,
    EpsilonReset,
    LearningRateOnPlateau,
    ParameterCurriculum,
)
from sb3_ext.common.vec_env import GymnasiumVecEnv

STEPS_PER_DAY = 2
OWN_RATE = 0.5


class RatedDays(gym.Env[np.ndarray, np.int64]):
    """Days of two steps with a rate that holds from the next reset on, and a number to report at the end."""

    observation_space = gym.spaces.Box(-1.0, 1.0, (1,))
    action_space = gym.spaces.Discrete(2)

    def __init__(self) -> None:
        self.rate = OWN_RATE
        self.speed = self.calls = 0
        self.days: list[float] = []

    def set_absence_rate(self, rate: float) -> None:
        """Use the rate from the next reset on."""
        self.rate = rate
        self.calls += 1

    def set_speed(self, speed: int) -> None:
        """Remember the speed."""
        self.speed = speed

    def rates_of_days(self) -> list[float]:
        """Rate of each day so far."""
        return self.days

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """Begin a day."""
        super().reset(seed=seed)
        self.days.append(self.rate)
        self.minute = 0
        return np.zeros(1, np.float32), {}

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict]:
        """Report day number k as k, and as nan under another name."""
        self.minute += 1
        done = self.minute == STEPS_PER_DAY
        info = {"metrics": {"day": float(len(self.days)), "wait": float("nan")}} if done else {}
        return np.zeros(1, np.float32), 0.0, done, False, info


class WithoutMethod(gym.Env[np.ndarray, np.int64]):
    """An environment that knows no rate."""

    observation_space = gym.spaces.Box(-1.0, 1.0, (1,))
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """Begin."""
        return np.zeros(1, np.float32), {}

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict]:
        """End at once."""
        return np.zeros(1, np.float32), 0.0, True, False, {}


class LossyDQN(DQN):
    """A DQN that reports the losses it is given instead of learning, and counts its exploration restarts."""

    losses: tuple[float, ...] = ()
    restarts = 0
    last_losses = np.zeros(0)

    def restart_exploration(self) -> None:
        """Count."""
        self.restarts += 1

    def train(self, gradient_steps: int, batch_size: int = 100) -> None:
        """Take the next loss; the last one stays."""
        self._update_learning_rate(self.policy.optimizer)
        self.last_losses = np.array([self.losses[min(self._n_updates, len(self.losses) - 1)]])
        self._n_updates += 1


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    th.set_num_threads(1)


def dqn(env: Any, **kwargs: Any) -> LossyDQN:
    """A model that learns nothing and costs nothing."""
    kwargs = {
        "learning_starts": 10**6,
        "train_freq": 1,
        "buffer_size": 100,
        "policy_kwargs": {"net_arch": [4]},
        **kwargs,
    }
    return LossyDQN("MlpPolicy", env, seed=0, device="cpu", **kwargs)


def monitored(vec_env_cls: type = DummyVecEnv, n_envs: int = 1) -> Any:
    """Days behind OrderEnforcing, Monitor and VecNormalize."""
    venv = make_vec_env(lambda: OrderEnforcing(RatedDays()), n_envs=n_envs, vec_env_cls=vec_env_cls, seed=0)
    return VecNormalize(venv)


def test_the_rate_holds_falls_linearly_and_holds() -> None:
    """The value is constant, then linear, then constant, over exactly the episodes given."""
    curriculum = AbsenceRateCurriculum(start=0.8, end=0.1, hold=10_000, anneal=10_000)
    days = [0, 9_999, 10_000, 15_000, 19_999, 20_000, 10**9]
    expected = [0.8, 0.8, 0.8, 0.45, 0.8 - 0.7 * 0.9999, 0.1, 0.1]
    assert [curriculum.value(day) for day in days] == pytest.approx(expected)


def test_a_curriculum_may_have_no_hold_and_no_slope() -> None:
    """With hold and anneal 0 the curriculum is at its end from the first episode."""
    curriculum = AbsenceRateCurriculum(start=0.8, end=0.1, hold=0, anneal=0)
    assert curriculum.value(0) == 0.1


def test_every_day_runs_at_its_own_rate_through_wrappers() -> None:
    """Each episode runs at its own value of the curriculum, although a VecEnv resets before callbacks run."""
    env = monitored()
    curriculum = AbsenceRateCurriculum(hold=4, anneal=5)
    dqn(env).learn(14 * STEPS_PER_DAY, callback=curriculum)
    rates = env.env_method("rates_of_days")[0]
    assert rates[0] == OWN_RATE  # SB3's own reset, of which nothing is played
    assert rates[1:] == pytest.approx([curriculum.value(day) for day in range(len(rates) - 1)])
    assert {0.8, 0.1} < set(rates)
    # 0.8 for the first day and the next, five values down to 0.1, and never again the same.
    assert env.get_attr("calls")[0] == 7


class PlayedRates(BaseCallback):
    """Notes the rate of the day of which each step was, by environment."""

    def __init__(self) -> None:
        super().__init__()
        self.rates: list[list[float]] = []

    def _on_step(self) -> bool:
        days = self.training_env.env_method("rates_of_days")
        self.rates.append([own[-1 - done] for own, done in zip(days, self.locals["dones"].tolist(), strict=True)])
        return True


ALGORITHMS: dict[Any, dict[str, Any]] = {
    DQN: {"learning_starts": 0, "buffer_size": 50},
    MaskableDQN: {"learning_starts": 0, "buffer_size": 50},
    A2C: {"n_steps": 3},
}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("kind", ["dummy", "subproc", "native"])
def test_the_first_day_of_each_environment_runs_at_the_first_value(algorithm: Any, kind: str) -> None:
    """With every algorithm and kind of VecEnv, first days run at the start value; a training that goes on goes on."""

    def make() -> gym.Env[Any, Any]:
        return ActionMasker(OrderEnforcing(RatedDays()), everything_feasible)

    mode = {"autoreset_mode": AutoresetMode.SAME_STEP}
    venv: Any
    if kind == "native":
        venv = GymnasiumVecEnv(SyncVectorEnv([make] * 3, **mode))  # type: ignore[arg-type]
    else:
        venv = make_vec_env(make, n_envs=3, vec_env_cls=SubprocVecEnv if kind == "subproc" else DummyVecEnv)
    model = algorithm("MlpPolicy", venv, policy_kwargs={"net_arch": [4]}, device="cpu", **ALGORITHMS[algorithm])
    played, curriculum = PlayedRates(), AbsenceRateCurriculum(hold=6, anneal=6)
    model.learn(3 * 3 * STEPS_PER_DAY // 2, callback=[curriculum, played])
    begun = len(venv.env_method("rates_of_days")[0])
    assert played.rates[:STEPS_PER_DAY] == [[0.8] * 3] * STEPS_PER_DAY
    if isinstance(model, MaskableDQN):
        # The reset in between is no disturbance, after which all would be reset a third time.
        assert begun == 2 + (len(played.rates) // STEPS_PER_DAY)
    model.learn(3 * STEPS_PER_DAY, callback=[curriculum, played], reset_num_timesteps=False)
    days = 1 + len(played.rates) // STEPS_PER_DAY
    assert len(venv.env_method("rates_of_days")[0]) == 1 + days
    assert model.callback_states["AbsenceRateCurriculum"]["episodes"] == 3 * (days - 1)
    venv.close()


def test_days_of_all_environments_count_in_subprocesses() -> None:
    """Episodes of all environments are counted together, also in subprocesses."""
    env = monitored(SubprocVecEnv, n_envs=2)
    curriculum = AbsenceRateCurriculum(hold=4, anneal=4)
    model = dqn(env)
    model.learn(12 * STEPS_PER_DAY, callback=curriculum)
    rates = env.env_method("rates_of_days")
    env.close()
    assert rates[0] == rates[1]
    assert rates[0][1:] == pytest.approx([curriculum.value(2 * day) for day in range(len(rates[0]) - 1)])
    assert model.callback_states["AbsenceRateCurriculum"] == {"episodes": 12}


@pytest.mark.parametrize("algorithm", [DQN, A2C])
def test_a_continued_training_goes_on_with_the_curriculum(algorithm: type, tmp_path: Any) -> None:
    """A saved and continued training continues the curriculum."""
    kwargs = {"learning_starts": 10**6, "buffer_size": 100} if algorithm is DQN else {"n_steps": 2}
    model = algorithm("MlpPolicy", monitored(), device="cpu", **kwargs)
    model.learn(6 * STEPS_PER_DAY, callback=AbsenceRateCurriculum(hold=4, anneal=4))
    model.save(tmp_path / "model")
    env = monitored()
    loaded = algorithm.load(tmp_path / "model", env=env, device="cpu")
    curriculum = AbsenceRateCurriculum(hold=4, anneal=4)
    loaded.learn(2 * STEPS_PER_DAY, callback=curriculum)
    expected = [curriculum.value(day) for day in (6, 7, 8)]
    assert env.env_method("rates_of_days")[0][1:] == pytest.approx(expected)
    assert loaded.callback_states["AbsenceRateCurriculum"]["episodes"] == 8


def test_a_curriculum_tells_new_environments() -> None:
    """A callback used for a second training sets the value in its environments again."""
    curriculum = AbsenceRateCurriculum(hold=100)
    for _ in range(2):
        env = monitored()
        dqn(env).learn(2 * STEPS_PER_DAY, callback=curriculum)
        assert env.get_attr("rate")[0] == 0.8


def test_the_rate_is_logged() -> None:
    """The value of the curriculum is in the log."""
    model = dqn(monitored())
    model.set_logger(Logger(None, []))
    model.learn(3 * STEPS_PER_DAY, callback=AbsenceRateCurriculum(hold=10), log_interval=1000)
    assert model.logger.name_to_value["curriculum/absence_rate"] == 0.8


@pytest.mark.parametrize("vec_env_cls", [DummyVecEnv, SubprocVecEnv])
def test_an_environment_without_the_method_is_named(vec_env_cls: type) -> None:
    """An environment without the method raises a TypeError that names it, also in subprocesses."""
    env = make_vec_env(WithoutMethod, vec_env_cls=vec_env_cls)
    with pytest.raises(TypeError, match=r"needs an environment with a method set_absence_rate\(value\)"):
        dqn(env).learn(2, callback=AbsenceRateCurriculum())
    env.close()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"start": 1.2}, "start must be in"),
        ({"end": -0.1}, "end must be in"),
        ({"hold": -1}, "hold must be at least 0"),
        ({"anneal": -1}, "anneal must be at least 0"),
    ],
)
def test_a_curriculum_refuses(wrong: dict[str, Any], message: str) -> None:
    """Values out of range raise an error in the constructor."""
    with pytest.raises(ValueError, match=message):
        AbsenceRateCurriculum(**wrong)


def test_curricula_of_several_parameters() -> None:
    """Any parameter can follow a curriculum, several can at once, and each is logged under its own name."""
    model = dqn(monitored())
    model.set_logger(Logger(None, []))
    curricula = [
        ParameterCurriculum("set_speed", start=10, end=30, hold=1, anneal=2),
        ParameterCurriculum("set_absence_rate", start=0.4, end=0.2, hold=0, anneal=4),
    ]
    model.learn(2 * STEPS_PER_DAY, callback=curricula, log_interval=1000)
    assert model.env is not None
    assert model.env.get_attr("speed")[0] == 30
    assert model.env.get_attr("rate")[0] == pytest.approx(0.25)
    assert model.logger.name_to_value["curriculum/speed"] == 20
    assert list(model.callback_states.values()) == [{"episodes": 2}, {"episodes": 2}]


def test_a_curriculum_counts_on_from_models_saved_before() -> None:
    """The count of episodes is found in models of earlier versions, which have it under another name."""
    model = dqn(monitored())
    model.callback_states = {"AbsenceRateCurriculum": {"days": 6}}
    model.learn(2 * STEPS_PER_DAY, callback=AbsenceRateCurriculum(hold=4, anneal=4))
    assert model.callback_states == {"AbsenceRateCurriculum": {"episodes": 8}}


def test_exploration_restarts_once_over_all_environments_and_continuations(tmp_path: Any) -> None:
    """Epsilon is reset exactly once, counting the episodes of all environments and earlier trainings."""
    model = dqn(monitored(n_envs=2))
    model.learn(4 * STEPS_PER_DAY, callback=EpsilonReset(episode=5))
    assert model.restarts == 0
    model.learn(4 * STEPS_PER_DAY, callback=EpsilonReset(episode=5))
    assert model.restarts == 1
    model.save(tmp_path / "model")
    loaded = LossyDQN.load(tmp_path / "model", env=monitored(), device="cpu")
    loaded.learn(8 * STEPS_PER_DAY, callback=EpsilonReset(episode=5))
    assert loaded.restarts == 1


def everything_feasible(env: gym.Env[Any, Any]) -> np.ndarray:
    """A mask of two actions."""
    return np.ones(2, dtype=bool)


@pytest.mark.parametrize("algorithm", [DQN, QRDQN, MaskableDQN, MaskableQRDQN])
def test_curriculum_and_reset_in_one_training(algorithm: Any) -> None:
    """Whichever algorithm explores by epsilon: episodes run at the curriculum's values, and epsilon restarts once."""
    venv = make_vec_env(lambda: ActionMasker(OrderEnforcing(RatedDays()), everything_feasible), seed=0)
    rates: list[float] = []

    class Rates(BaseCallback):
        def _on_step(self) -> bool:
            rates.append(float(self.model.exploration_rate))  # type: ignore[attr-defined]
            return True

    model = algorithm(
        "MlpPolicy",
        venv,
        learning_starts=0,
        buffer_size=50,
        train_freq=4,
        exploration_fraction=0.5,
        exploration_final_eps=0.0,
        policy_kwargs={"net_arch": [4], **({"n_quantiles": 3} if "QR" in algorithm.__name__ else {})},
        device="cpu",
    )
    curriculum = ParameterCurriculum("set_absence_rate", start=0.8, end=0.2, hold=2, anneal=2)
    model.learn(10 * STEPS_PER_DAY, callback=[curriculum, EpsilonReset(episode=6), Rates()])
    # After SB3's own reset.
    assert venv.env_method("rates_of_days")[0][1:] == pytest.approx([0.8, 0.8, 0.8, 0.5, *[0.2] * 7])
    reset = 6 * STEPS_PER_DAY
    assert rates[reset - 2] == pytest.approx(0.0)
    # The last half of what remains is without exploration again.
    assert max(rates[reset - 1 : reset + 2]) > 0.5
    assert rates[-1] == pytest.approx(0.0)
    assert model.callback_states["EpsilonReset"]["resets"] == 1


@pytest.mark.parametrize("algorithm", [DQN, QRDQN])
def test_exploration_of_other_algorithms_restarts(algorithm: Any, tmp_path: Any) -> None:
    """
    Epsilon of SB3's DQN and sb3-contrib's QRDQN falls again from its initial value over the rest of the training, also
    in a training that a saved model continues, and is SB3's own again in a new training.
    """

    class Rates(BaseCallback):
        def _on_step(self) -> bool:
            rates.append(float(self.model.exploration_rate))  # type: ignore[attr-defined]
            return True

    rates: list[float] = []
    options: dict[str, Any] = {
        "exploration_initial_eps": 1.0,
        "exploration_final_eps": 0.0,
        "exploration_fraction": 1.0,
    }
    model = algorithm("MlpPolicy", monitored(), learning_starts=10**6, buffer_size=50, device="cpu", **options)
    steps, reset = 10 * STEPS_PER_DAY, 4 * STEPS_PER_DAY
    model.learn(steps, callback=[EpsilonReset(episode=4), Rates()])
    expected = [1.0 - step / (steps if step < reset else steps - reset) for step in range(steps)]
    expected[reset:] = [1.0 - step / (steps - reset) for step in range(steps - reset)]
    # At the first step of a training SB3 has not computed it yet.
    assert rates[1:] == pytest.approx(expected[1:])
    model.save(tmp_path / "model")
    loaded = algorithm.load(tmp_path / "model", env=monitored(), device="cpu")
    for trained in (model, loaded):
        rates.clear()
        trained.learn(steps, callback=[EpsilonReset(episode=4), Rates()], reset_num_timesteps=False)
        assert rates[2] == pytest.approx((0.5 - 1 / steps) / (1.0 - reset / steps))
        rates.clear()
        trained.learn(steps, callback=[EpsilonReset(episode=4), Rates()])
        assert rates[2] == pytest.approx(1.0 - 2 / steps)


def test_a_model_without_exploration_is_named() -> None:
    """A model that cannot restart exploration raises a TypeError that names it."""
    model = A2C("MlpPolicy", monitored(), device="cpu")
    with pytest.raises(TypeError, match=r"A2C has neither restart_exploration\(\) nor an exploration_schedule"):
        model.learn(2, callback=EpsilonReset())


def test_metrics_of_episodes_are_averaged() -> None:
    """Metrics are averaged over the episodes of all environments, and nan is left out."""
    model = dqn(monitored(n_envs=2))
    model.set_logger(Logger(None, []))
    model.learn(6 * STEPS_PER_DAY, callback=EpisodeMetrics(), log_interval=1000)
    assert model.logger.name_to_value["metrics/day"] == 2.0  # days 1, 2, 3 of both
    assert "metrics/wait" not in model.logger.name_to_value


def learn_with_losses(model: LossyDQN, losses: list[float], **kwargs: Any) -> LearningRateOnPlateau:
    """Train as many times as there are losses; the callback reads each before the next rollout."""
    model.losses = tuple(losses)
    callback = LearningRateOnPlateau(**kwargs)
    model.learn(len(losses) + 1, callback=callback)
    return callback


def test_the_rate_falls_when_the_loss_does_not() -> None:
    """The learning rate falls after more than ``patience`` updates without a new lowest loss, and only then."""
    model = dqn(monitored(), learning_rate=1.0, learning_starts=0)
    falling = [10.0 - k for k in range(6)]
    learn_with_losses(model, falling, factor=0.5, patience=2, minimum=0.1)
    assert model.lr_schedule(0.5) == 1.0
    model = dqn(monitored(), learning_rate=1.0, learning_starts=0)
    learn_with_losses(model, [1.0] + [2.0] * 3, factor=0.5, patience=2, minimum=0.1)
    assert model.lr_schedule(0.5) == 0.5
    assert model.policy.optimizer.param_groups[0]["lr"] == 0.5


def test_the_rate_stops_at_the_minimum() -> None:
    """The learning rate never falls below its minimum."""
    model = dqn(monitored(), learning_rate=1.0, learning_starts=0)
    learn_with_losses(model, [1.0] + [2.0] * 20, factor=0.5, patience=1, minimum=0.2)
    assert model.lr_schedule(0.5) == 0.2


def test_the_rate_reached_survives_saving(tmp_path: Any) -> None:
    """A continued training resumes at the learning rate reached, with the count of bad updates."""
    model = dqn(monitored(), learning_rate=1.0, learning_starts=0)
    learn_with_losses(model, [1.0] + [2.0] * 4, factor=0.5, patience=2, minimum=0.1)
    model.save(tmp_path / "model")
    loaded = LossyDQN.load(tmp_path / "model", env=monitored(), device="cpu")
    assert loaded.lr_schedule(0.5) == 1.0
    loaded.losses = (2.0,)
    loaded.learn(2, callback=LearningRateOnPlateau(factor=0.5, patience=2, minimum=0.1))
    assert loaded.lr_schedule(0.5) == 0.5
    # One bad update was counted before saving; this one is the second, so the third brings the next fall.
    loaded.learn(2, callback=LearningRateOnPlateau(factor=0.5, patience=2, minimum=0.1))
    assert loaded.lr_schedule(0.5) == 0.25


def test_a_model_without_losses_is_named() -> None:
    """A model without last_losses raises a TypeError that names the attribute."""
    with pytest.raises(TypeError, match="last_losses"):
        A2C("MlpPolicy", monitored(), device="cpu").learn(2, callback=LearningRateOnPlateau())


@pytest.mark.parametrize(("wrong", "message"), [({"factor": 1.0}, "factor"), ({"patience": -1}, "patience")])
def test_a_plateau_refuses(wrong: dict[str, Any], message: str) -> None:
    """Settings out of range raise an error in the constructor."""
    with pytest.raises(ValueError, match=message):
        LearningRateOnPlateau(**wrong)


def test_callbacks_may_end_twice() -> None:
    """Ending a callback twice, as rl_zoo3 does, changes nothing."""
    callbacks = [
        AbsenceRateCurriculum(hold=2, anneal=2),
        EpsilonReset(episode=2),
        EpisodeMetrics(),
        LearningRateOnPlateau(patience=1),
    ]
    model = dqn(monitored(), learning_starts=0)
    model.losses = (1.0,)
    model.learn(8, callback=callbacks)
    states = str(model.callback_states)
    for callback in callbacks:
        callback.on_training_end()
        callback.on_training_end()
    assert str(model.callback_states) == states
    assert model.restarts == 1

"""train.py --paper-protocol: every number of the paper's appendix A.4, read back from what is built."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch as th
from stable_baselines3.common.monitor import load_results
from test_train_resuming import assert_same, learned_in
from torch import nn

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import train  # noqa: E402
from sb3_ext import MaskableDQN  # noqa: E402
from sb3_ext.callbacks import AbsenceRateCurriculum, EpsilonReset, LearningRateOnPlateau  # noqa: E402
from sb3_ext.common.schedules import MultiplicativeExploration  # noqa: E402
from sb3_ext.maskable_dqn.layers import SeededDropout  # noqa: E402
from sb3_ext.replay import PrioritizedReplayBuffer  # noqa: E402
from sb3_ext.zoo import load_agent  # noqa: E402

SMALL = ["--verbose", "0", "--num-threads", "1", "--seed", "1", "--eval-freq", "-1"]
ENV_IDS = ["EchoLab-v0", "EchoLabScarce-v0", "EchoLabAbundant-v0"]
DAY, DAYS = 660, 30_000


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    th.set_num_threads(1)


class Built:
    """What train.py has built when the training would begin."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
        def learn(model: MaskableDQN, total_timesteps: int, callback: Any = None, **_: Any) -> MaskableDQN:
            self.model, self.n_timesteps = model, total_timesteps
            _, made = model._setup_learn(total_timesteps, callback)
            made.on_training_start({}, {})
            self.callbacks = list(callback)
            return model

        with monkeypatch.context() as patched:
            patched.setattr(MaskableDQN, "learn", learn)
            assert train.main(["--paper-protocol", *arguments, *SMALL]) == 0

    def callback(self, kind: type[Any]) -> Any:
        """The one callback of a class."""
        (found,) = (callback for callback in self.callbacks if type(callback) is kind)
        return found


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_every_number_of_the_appendix(env_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The built model, its replay buffer, networks, optimizer and callbacks have the numbers of A.4."""
    built = Built(monkeypatch, "--env", env_id)
    model: Any = built.model
    assert built.n_timesteps == DAYS * DAY
    assert model.env_spec["kwargs"] == {
        "observation": "paper",
        "clock": "minute",
        "idling": True,
        "reward": "penalty",
    }
    assert model.n_envs == 1
    assert model.double_q
    check_curriculum(built)
    check_learning_rate(built, patience=800)
    check_replay(model.replay_buffer)
    assert model.batch_size == 32
    assert model.learning_starts == 10 * DAY
    assert (model.train_freq.frequency, model.train_freq.unit.value, model.gradient_steps) == (4, "step", 1)
    assert (model.target_update_interval, model.tau) == ("episode", 1.0)
    check_exploration(built)
    assert model.max_grad_norm == 1.0
    kinds = [type(module) for module in model.q_net.q_net]
    assert kinds == [nn.Linear, nn.ReLU, SeededDropout, nn.Linear, nn.ReLU, SeededDropout, nn.Linear]
    check_network(model, uniform=True)


def check_curriculum(built: Built) -> None:
    """A.4.1: absence 0.8 for 10,000 days, then linearly to 0.1 over 10,000 days, then 10,000 days."""
    curriculum = built.callback(AbsenceRateCurriculum)
    days = {0: 0.8, 9_999: 0.8, 10_000: 0.8, 10_001: 0.8 - 0.7 / 10_000, 15_000: 0.45, 19_999: 0.10007, 20_000: 0.1}
    for day, rate in (days | {DAYS - 1: 0.1}).items():
        assert curriculum.value(day) == pytest.approx(rate)
    assert curriculum.method == "set_absence_rate"
    # The day that has begun is the first one.
    assert built.model.env.unwrapped.vector_env._now.absence_rate == pytest.approx([0.8])
    assert curriculum.state == {"episodes": 0}


def check_learning_rate(built: Built, patience: int) -> None:
    """A.4.2: 0.03, times 0.95 at a plateau, at least 0.00003; Adam."""
    assert built.model.lr_schedule(1.0) == 0.03
    optimizer = built.model.policy.optimizer
    assert type(optimizer) is th.optim.Adam
    assert optimizer.param_groups[0]["lr"] == 0.03
    scheduler = built.callback(LearningRateOnPlateau)._scheduler
    assert (scheduler.factor, scheduler.patience, scheduler.mode) == (0.95, patience, "min")
    assert (scheduler.min_lrs, scheduler.threshold, scheduler.cooldown) == ([3e-5], 0.0, 0)
    assert scheduler.optimizer.param_groups[0]["lr"] == 0.03


def check_replay(buffer: Any) -> None:
    """A.4.3: the memory of 100,000 and equations (2) and (3), on a buffer filled with known priorities."""
    assert type(buffer) is PrioritizedReplayBuffer
    assert (buffer.buffer_size, buffer.n_envs, buffer.n_steps) == (100_000, 1, 1)
    assert (buffer.alpha, buffer.epsilon, buffer.beta) == (0.6, 1e-6, 0.4)
    assert (buffer.beta_increment, buffer.min_priority, buffer.max_priority) == (1e-4, 0.01, 10.0)
    assert not buffer.normalize_weights
    observation = np.zeros((1, *buffer.observation_space.shape))
    masks = np.ones((1, buffer.n_actions), dtype=bool)
    for _ in range(3):
        no = np.zeros(1, dtype=bool)
        buffer.add_step(observation, observation, np.zeros(1, dtype=int), np.zeros(1), no, no, masks)
    buffer.update_priorities(np.arange(3), np.array([0.001, -0.5, 40.0]))
    powers = (np.array([0.01, 0.5, 10.0]) + 1e-6) ** 0.6
    batch = buffer.draw(50)
    expected = (3 * powers / powers.sum()) ** -0.4
    assert batch.weights == pytest.approx(expected[batch.rows], rel=1e-6)
    assert buffer.beta == pytest.approx(0.4001)
    assert buffer.draw(1) is not None
    buffer.beta = 0.99995
    assert buffer.draw(1) is not None
    assert buffer.beta == 1.0


def check_exploration(built: Built) -> None:
    """A.4.4: 1, times 0.99999 every 4 steps, at least 0.1; 1 again at day 20,000."""
    clock = built.model.exploration
    assert clock.schedule == MultiplicativeExploration(initial=1.0, final=0.1, factor=0.99999, every=4)
    assert [clock.rate(step) for step in (0, 3, 4, 8)] == pytest.approx([1.0, 1.0, 0.99999, 0.99999**2])
    assert clock.rate(4 * 230_257) > clock.rate(4 * 230_258) == 0.1
    assert built.callback(EpsilonReset).episode == 20_000
    assert built.callback(EpsilonReset).state == {"episodes": 0, "resets": 0}


def check_network(model: Any, uniform: bool) -> None:
    """A.4.2 and A.4.6: 13-96-96-729, He's variance, dropout of 0.1 only while training; both networks alike."""
    linears = [module for module in model.q_net.modules() if isinstance(module, nn.Linear)]
    assert [(linear.in_features, linear.out_features) for linear in linears] == [(13, 96), (96, 96), (96, 729)]
    for linear, gain in zip(linears, (2.0, 2.0, 1.0), strict=True):
        weights, bound = linear.weight.detach(), (3.0 * gain / linear.in_features) ** 0.5
        assert float(weights.var()) * linear.in_features == pytest.approx(gain, rel=0.1)
        assert bool((weights.abs() <= bound).all()) is uniform
        assert not linear.bias.any()
    dropouts = [module.p for module in model.q_net.modules() if isinstance(module, SeededDropout)]
    assert dropouts == [0.1, 0.1]
    assert str(model.q_net) == str(model.q_net_target)
    observations = np.random.default_rng(0).random((50, 13), dtype=np.float32)
    values = th.from_numpy(observations)
    for module in model.q_net.q_net.eval():
        values = values if isinstance(module, SeededDropout) else module(values)
    model.q_net.train()
    chosen = model._chooser.greedy(observations, np.ones((50, 729), dtype=bool))
    assert chosen.tolist() == values.argmax(dim=1).tolist()


def test_the_authors_code_is_a_variant(monkeypatch: pytest.MonkeyPatch) -> None:
    """--paper-protocol authors_code differs by batch normalization, normal weights and a patience of 100 only."""
    built = Built(monkeypatch, "authors_code")
    block = [nn.Linear, nn.BatchNorm1d, nn.ReLU, SeededDropout]
    assert [type(module) for module in built.model.q_net.q_net] == [*block, *block, nn.Linear]
    check_network(built.model, uniform=False)
    check_learning_rate(built, patience=100)
    check_curriculum(built)
    check_exploration(built)
    check_replay(built.model.replay_buffer)


def test_a_variant_is_named_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of a variant may follow --paper-protocol after a blank or a sign of equality, among other flags."""
    for arguments in (["short", "--env", "EchoLabScarce-v0"], ["--seed", "3", "--paper-protocol=short"]):
        assert Built(monkeypatch, *arguments).n_timesteps == DAYS * DAY // 30


@pytest.mark.parametrize("variant", [[], ["authors_code"]])
def test_the_paper_protocol_trains(variant: list[str]) -> None:
    """A training by --paper-protocol runs, and its schedules move as they should."""
    settings = ["-params", "learning_starts:66", "buffer_size:1000"]
    assert train.main(["--paper-protocol", *variant, *SMALL, "-n", "1400", *settings]) == 0
    model: Any = load_agent("maskable_dqn", Path("logs/maskable_dqn/EchoLab-v0_1"), trust=True)
    # From the first step that is a multiple of 4 above 66.
    assert model._n_updates == (1400 - 68) // 4 + 1
    assert model.exploration_rate == pytest.approx(0.99999 ** (1400 // 4))
    states = model.callback_states
    assert states["AbsenceRateCurriculum"] == {"episodes": 2}
    assert states["EpsilonReset"] == {"episodes": 2, "resets": 0}
    assert 0.0 < states["LearningRateOnPlateau"]["learning_rate"] <= 0.03
    assert np.isfinite(states["LearningRateOnPlateau"]["lowest_loss"])


def test_epsilon_is_one_from_the_first_minute_after_the_last_day_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """EpsilonReset acts with the end of its day: the first action of the next day is chosen with epsilon 1."""
    epsilons: list[float] = []
    original = MaskableDQN._sample_action

    def noting(model: MaskableDQN, *args: Any, **kwargs: Any) -> Any:
        epsilons.append(model.exploration_rate)
        return original(model, *args, **kwargs)

    monkeypatch.setattr(MaskableDQN, "_sample_action", noting)
    settings = ["-params", "learning_starts:100000", "exploration_decay:0.9"]
    reset = "callback:[{'sb3_ext.callbacks.EpsilonReset': {'episode': 2}}]"
    assert train.main(["--paper-protocol", *SMALL, "-n", str(3 * DAY), *settings, reset]) == 0
    assert epsilons[2 * DAY - 1] == 0.1
    assert epsilons[2 * DAY : 2 * DAY + 5] == pytest.approx([1.0, 1.0, 1.0, 1.0, 0.9])
    assert epsilons[3 * DAY - 1] == 0.1


@pytest.mark.parametrize("variant", [[], ["authors_code"]], ids=["text", "code"])
def test_the_paper_protocol_is_resumed_to_the_bit(variant: list[str]) -> None:
    """
    A run of the protocol, all numbers of days small, that is resumed twice ends as an unbroken one: weights, running
    statistics, optimizer, curriculum, exploration, learning rate, and the rows of the monitor file.
    """
    callbacks = (
        "callback:[{'sb3_ext.callbacks.AbsenceRateCurriculum': {'hold': 1, 'anneal': 1}}, "
        "{'sb3_ext.callbacks.EpsilonReset': {'episode': 2}}, "
        "{'sb3_ext.callbacks.LearningRateOnPlateau': {'patience': 9}}]"
    )
    settings = ["-params", "learning_starts:66", "buffer_size:900", "exploration_decay:0.99", callbacks]
    command = ["--paper-protocol", *variant, *SMALL, "-n", str(3 * DAY), *settings]
    assert train.main(command) == 0
    assert train.main([*command, "--save-freq", "700", "--save-replay-buffer"]) == 0
    assert train.main(["--resume", str(folder_of_run(2) / "rl_model_700_steps.zip")]) == 0
    assert train.main(["--resume", str(folder_of_run(3) / "rl_model_1400_steps.zip")]) == 0
    unbroken = learned_in("maskable_dqn", folder_of_run(1), ENV_IDS[0])
    assert_same(unbroken, learned_in("maskable_dqn", folder_of_run(4), ENV_IDS[0]))
    assert unbroken["callbacks"]["AbsenceRateCurriculum"] == {"episodes": 3}
    assert unbroken["callbacks"]["EpsilonReset"]["resets"] == 1
    assert unbroken["callbacks"]["LearningRateOnPlateau"]["learning_rate"] < 0.03
    whole, resumed = (load_results(str(folder_of_run(number)))[["r", "l"]] for number in (1, 4))
    assert len(whole) == 3
    assert whole.equals(resumed)


def folder_of_run(number: int) -> Path:
    """The folder of a run in the paper's lab."""
    return Path("logs/maskable_dqn") / f"EchoLab-v0_{number}"

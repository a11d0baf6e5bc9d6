"""MaskableDQN in trainings of a few dozen steps; what it learns is in test_learning.py."""

import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch as th
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from masked_envs import N_ACTIONS, AllOffered, CountingEnv
from sb3_contrib.common.maskable.callbacks import MaskableEvalCallback
from sb3_contrib.common.maskable.evaluation import evaluate_policy
from stable_baselines3 import HerReplayBuffer
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import configure
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.utils import ConstantSchedule
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize
from stable_baselines3.dqn.policies import DQNPolicy

from sb3_ext import MaskableDQN, MaskableReplayBuffer, PrioritizedReplayBuffer
from sb3_ext.common.vec_env import GymnasiumVecEnv
from sb3_ext.replay import ReplayBatch


def make(env: Any = None, **kwargs: Any) -> MaskableDQN:
    """A small model that learns from its fifth step on."""
    settings: dict[str, Any] = {
        "learning_starts": 5,
        "buffer_size": 500,
        "batch_size": 8,
        "train_freq": 1,
        "target_update_interval": 10,
        "policy_kwargs": {"net_arch": [8]},
        "seed": 0,
        "device": "cpu",
    }
    return MaskableDQN("MlpPolicy", CountingEnv() if env is None else env, **(settings | kwargs))


def parameters(model: MaskableDQN) -> np.ndarray:
    """All parameters of the online and the target network."""
    return np.concatenate(
        [p.detach().numpy().ravel() for p in model.policy.state_dict().values() if p.dtype == th.float32]
    )


# CountingEnv raises an error for an infeasible action; three of five are.


def test_warm_up_is_masked() -> None:
    """Actions before learning starts are feasible."""
    make(learning_starts=1000).learn(200)


def test_exploration_is_masked() -> None:
    """Epsilon's random actions are feasible."""
    model = make(learning_starts=0, exploration_fraction=0.0, exploration_final_eps=1.0)
    model.learn(200)
    assert model.exploration_rate == 1.0


@pytest.mark.parametrize("policy_kwargs", [{"net_arch": [8]}, {"net_arch": [8], "dueling": True}])
def test_greedy_choice_is_masked(policy_kwargs: dict[str, Any]) -> None:
    """Greedy actions are feasible."""
    model = make(learning_starts=0, exploration_fraction=0.0, exploration_final_eps=0.0, policy_kwargs=policy_kwargs)
    model.learn(200)
    assert model.exploration_rate == 0.0


@pytest.mark.parametrize("n_envs", [1, 3])
@pytest.mark.parametrize("truncates", [False, True])
@pytest.mark.parametrize("n_steps", [1, 3])
def test_target_is_masked_by_the_true_next_state(n_envs: int, truncates: bool, n_steps: int) -> None:
    """
    The mask in the target is that of the true next state, also after an automatic reset. Observations identify
    their state; here they are the last of each n-step return.
    """
    env = DummyVecEnv([lambda: CountingEnv(truncates=truncates, mask_in_info=True)] * n_envs)
    model, batches = make(env, n_steps=n_steps), list[ReplayBatch]()
    update = model._updater.update
    model._updater.update = lambda batch, settings: batches.append(batch) or update(batch, settings)  # type: ignore
    model.learn(42 * n_envs)
    n_last, ends = 0, set[float]()
    for batch in batches:
        ends.update(batch.terminals.tolist())
        for i, (t, episode) in enumerate(np.rint(batch.next_observations * 7).astype(int)):
            n_last += t == 7
            expected = np.ones(N_ACTIONS) if batch.terminals[i] else CountingEnv().mask_of(t, episode)
            assert np.array_equal(batch.next_action_masks[i], expected)
    assert n_last > 20
    assert ends == ({0.0} if truncates else {0.0, 1.0})


@pytest.mark.parametrize("truncates", [False, True])
def test_training_on_a_vector_env_is_that_on_single_ones(truncates: bool) -> None:
    """Replay buffer and parameters equal those of a training on a DummyVecEnv, to the bit."""

    def make_one() -> CountingEnv:
        return CountingEnv(truncates=truncates, mask_in_info=True)

    vector = SyncVectorEnv([make_one] * 3, autoreset_mode=AutoresetMode.SAME_STEP)
    models = [make(env, elapsed_key="elapsed_min") for env in (GymnasiumVecEnv(vector), DummyVecEnv([make_one] * 3))]
    for model in models:
        model.learn(90)
    ours, theirs = (model.replay_buffer for model in models)
    assert ours is not None
    assert theirs is not None
    assert ours.records.tobytes() == theirs.records.tobytes()
    assert np.array_equal(parameters(models[0]), parameters(models[1]))


def test_elapsed_time_must_be_there_in_a_vector_env() -> None:
    """A missing elapsed_key in info raises an error."""
    vector = SyncVectorEnv([CountingEnv] * 2, autoreset_mode=AutoresetMode.SAME_STEP)
    with pytest.raises(ValueError, match=r"info\['minutes'\] must be"):
        make(GymnasiumVecEnv(vector), elapsed_key="minutes").learn(4)


def test_elapsed_time_reaches_the_buffer() -> None:
    """A step is discounted by gamma to the power of its elapsed time."""
    model = make(elapsed_key="elapsed_min", gamma=0.9)
    model.learn(7)
    assert model.replay_buffer is not None
    assert model.replay_buffer.discounts[:7, 0] == pytest.approx(0.9 ** np.arange(2, 9))


def test_rewards_are_scaled_in_targets_only() -> None:
    """Logs and the replay buffer keep the environment's unit under a reward_scale."""
    model = make(reward_scale=1e-3)
    model.learn(14)
    assert model.replay_buffer is not None
    assert set(model.replay_buffer.rewards[:14, 0]) <= {-1.0, 1.0}
    assert model.ep_info_buffer is not None
    assert abs(model.ep_info_buffer[0]["r"]) >= 1.0


class Recorder(MaskableDQN):
    """Notes after each step whether the target network equals the online network, and epsilon."""

    def _on_step(self) -> None:
        super()._on_step()
        pairs = zip(self.q_net.parameters(), self.q_net_target.parameters(), strict=True)
        self.__dict__.setdefault("copied", []).append(all(th.equal(a, b) for a, b in pairs))
        self.__dict__.setdefault("epsilons", []).append(self.exploration_rate)


@pytest.mark.parametrize(("interval", "every"), [("episode", 7), (5, 5)])
@pytest.mark.parametrize("n_envs", [1, 2])
def test_when_the_target_is_copied(interval: int | str, every: int, n_envs: int) -> None:
    """The target network is copied at the end of each episode, or every so many steps of all environments together."""
    env = DummyVecEnv([CountingEnv] * n_envs)
    model = Recorder(
        "MlpPolicy", env, learning_starts=0, train_freq=1, batch_size=4, target_update_interval=interval, seed=0
    )
    model.learn(28 * n_envs)
    if n_envs == 2 and isinstance(interval, int):
        every = interval // 2
    copied = model.__dict__["copied"]
    assert [i + 1 for i, same in enumerate(copied) if same and i > 0] == [i for i in range(2, 29) if i % every == 0]


def test_multiplicative_exploration_and_its_floor() -> None:
    """With exploration_decay epsilon falls by that factor, down to its floor."""
    model = Recorder(
        "MlpPolicy",
        CountingEnv(),
        exploration_decay=0.5,
        exploration_decay_every=10,
        exploration_final_eps=0.2,
        seed=0,
    )
    model.learn(40)
    epsilons = model.__dict__["epsilons"]
    assert [epsilons[i] for i in (8, 9, 18, 19, 39)] == [1.0, 0.5, 0.5, 0.25, 0.2]


def test_restarted_exploration() -> None:
    """A restarted epsilon falls from its initial to its final value over the same fraction of what remains."""

    class RestartAt(BaseCallback):
        def _on_step(self) -> bool:
            if self.num_timesteps == 60:
                self.model.restart_exploration()  # type: ignore[attr-defined]
            return True

    model = Recorder(
        "MlpPolicy", CountingEnv(), exploration_fraction=0.5, exploration_final_eps=0.0, learning_starts=1000
    )
    model.learn(100, callback=RestartAt())
    epsilons = model.__dict__["epsilons"]
    assert [epsilons[i - 1] for i in (25, 50, 59, 60, 70, 80, 100)] == pytest.approx([0.5, 0, 0, 1, 0.5, 0, 0])


def test_epsilon_goes_on_after_loading(tmp_path: Any) -> None:
    """A loaded training continues with epsilon where it was."""
    settings = {"exploration_fraction": 1.0, "exploration_final_eps": 0.0, "learning_starts": 1000}

    class StopAt(BaseCallback):
        def _on_step(self) -> bool:
            return self.num_timesteps < 40

    model = make(**settings)
    model.learn(100, callback=StopAt())
    model.save(tmp_path / "model")
    model = MaskableDQN.load(tmp_path / "model", env=CountingEnv())
    model.learn(20, reset_num_timesteps=False)
    assert model.exploration_rate == pytest.approx(0.4)
    model.learn(20)
    assert model.exploration_rate == pytest.approx(0.0)


CONTINUED: list[dict[str, Any]] = [
    {},
    {"policy_kwargs": {"net_arch": [8], "dropout": 0.3}},
    {"n_steps": 3, "prioritized_replay": False, "target_update_interval": "episode"},
    {"exploration_decay": 0.9, "policy_kwargs": {"dueling": True}, "double_q": False, "tau": 0.5},
]


@pytest.mark.parametrize("settings", CONTINUED)
def test_continuing_is_exact(settings: dict[str, Any], tmp_path: Any) -> None:
    """A loaded training gives the same parameters and transitions, to the bit, as one that was never stopped."""
    model = make(**settings)
    model.learn(60)
    model.save(tmp_path / "model")
    model.save_replay_buffer(tmp_path / "buffer")
    results = []
    for _ in range(2):
        loaded = MaskableDQN.load(tmp_path / "model", env=CountingEnv())
        loaded.load_replay_buffer(tmp_path / "buffer")
        th.rand(3)  # Nothing may depend on global generators.
        np.random.default_rng().random()
        loaded.learn(40, reset_num_timesteps=False)
        results.append(loaded)
    model.set_env(CountingEnv())
    model.learn(40, reset_num_timesteps=False)
    for loaded in results:
        assert loaded.num_timesteps == model.num_timesteps == 100
        assert np.array_equal(parameters(loaded), parameters(model))
        assert loaded.exploration_rate == model.exploration_rate
        assert loaded.replay_buffer is not None
        assert model.replay_buffer is not None
        assert np.array_equal(loaded.replay_buffer.actions, model.replay_buffer.actions)


@pytest.mark.parametrize("settings", CONTINUED)
def test_same_seed_same_training(settings: dict[str, Any]) -> None:
    """The same seed gives the same parameters, another seed gives others."""
    first, second, other = make(**settings), make(**settings), make(**(settings | {"seed": 1}))
    for model in (first, second, other):
        model.learn(50)
    assert np.array_equal(parameters(first), parameters(second))
    assert not np.array_equal(parameters(first), parameters(other))


def test_loading_with_another_seed(tmp_path: Any) -> None:
    """A seed given when loading is used."""
    make().save(tmp_path / "model")
    same, other = (MaskableDQN.load(tmp_path / "model", seed=seed) for seed in (0, 1))
    assert same._rng is not None
    assert other._rng is not None
    assert same._rng.random() == make()._rng.random()  # type: ignore[union-attr]
    assert other._rng.random() == make(seed=1)._rng.random()  # type: ignore[union-attr]


def test_episode_cut_by_a_reset_is_not_joined() -> None:
    """N-step returns do not cross a reset between two trainings."""
    model = make(n_steps=3)
    model.learn(3)
    model.set_env(CountingEnv())
    model.learn(3, reset_num_timesteps=False)
    assert model.replay_buffer is not None
    assert model.replay_buffer.ends[:6, 0].tolist() == [False, False, True, False, False, False]


def test_prediction_without_masks_warns_once() -> None:
    """predict() without masks warns the first time."""
    model, obs = make(), np.zeros(2, dtype=np.float32)
    with pytest.warns(UserWarning, match="without action_masks"):
        model.predict(obs)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(obs)
        make().predict(obs, action_masks=np.ones(N_ACTIONS))


def test_deterministic_prediction_ignores_epsilon() -> None:
    """Deterministic predictions are greedy whatever epsilon is."""
    model, obs = make(), np.zeros(2, dtype=np.float32)
    model.exploration_rate = 1.0
    masks = np.ones(N_ACTIONS)
    assert len({int(model.predict(obs, deterministic=True, action_masks=masks)[0]) for _ in range(30)}) == 1
    assert len({int(model.predict(obs, action_masks=masks)[0]) for _ in range(30)}) == N_ACTIONS


def test_contribs_evaluation_and_callback(tmp_path: Any) -> None:
    """sb3-contrib's masked evaluation and callback accept the model, and the best model loads."""
    callback = MaskableEvalCallback(
        Monitor(CountingEnv()), eval_freq=20, n_eval_episodes=2, best_model_save_path=str(tmp_path), verbose=0
    )
    model = make()
    model.learn(40, callback=callback)
    assert callback.best_mean_reward > -np.inf
    best = MaskableDQN.load(tmp_path / "best_model")
    mean, _ = evaluate_policy(best, Monitor(CountingEnv()), n_eval_episodes=2)  # type: ignore[arg-type]
    assert -7.0 <= float(mean) <= 7.0  # type: ignore[arg-type]


def test_evaluation_does_not_change_the_training() -> None:
    """Evaluations during a training leave its parameters unchanged."""
    plain, evaluated = make(), make()
    plain.learn(60)
    evaluated.learn(60, callback=MaskableEvalCallback(Monitor(CountingEnv()), eval_freq=10, verbose=0))
    assert np.array_equal(parameters(plain), parameters(evaluated))


@pytest.mark.parametrize("prioritized", [True, False])
@pytest.mark.parametrize("n_steps", [1, 3])
def test_several_environments_and_normalization(prioritized: bool, n_steps: int) -> None:
    """Several environments, VecNormalize, n-step returns and priorities work together."""
    env = VecNormalize(DummyVecEnv([lambda: CountingEnv(truncates=True, mask_in_info=True)] * 3))
    model = make(env, prioritized_replay=prioritized, n_steps=n_steps, train_freq=2, gradient_steps=2)
    model.learn(120)
    assert model._n_updates > 10
    assert np.isfinite(parameters(model)).all()
    assert model.replay_buffer is not None
    # Stored as the environment gave them, normalized when drawn.
    assert set(np.unique(model.replay_buffer.rewards)) <= {-1.0, 0.0, 1.0}


def test_log_names_and_last_losses() -> None:
    """Curves have SB3's names, and last_losses holds the losses of the latest train()."""
    model = make(gradient_steps=3)
    assert model.last_losses.shape == (0,)
    model.set_logger(configure(None, []))
    model.learn(20, log_interval=1000)
    names = set(model.logger.name_to_value)
    assert {"train/loss", "train/learning_rate", "train/n_updates", "rollout/exploration_rate"} <= names
    assert {"train/td_error", "train/q_mean", "train/beta", "train/priority_max"} <= names
    assert model.last_losses.shape == (3,)
    assert model.logger.name_to_value["train/loss"] == pytest.approx(model.last_losses.mean())


def test_replaced_learning_rate_schedule() -> None:
    """A schedule set on the model reaches the optimizer."""
    model = make()
    model.learn(10)
    model.lr_schedule = ConstantSchedule(1e-7)
    model.learn(10, reset_num_timesteps=False)
    assert model.policy.optimizer.param_groups[0]["lr"] == 1e-7


def test_choice_of_the_replay_buffer() -> None:
    """prioritized_replay chooses the buffer, and settings reach a buffer of either kind."""
    assert type(make(prioritized_replay=False).replay_buffer) is MaskableReplayBuffer
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # SB3 would say that n_steps is ignored.
        model = make(replay_buffer_class=PrioritizedReplayBuffer, replay_buffer_kwargs={"alpha": 0.3}, n_steps=4)
    assert isinstance(model.replay_buffer, PrioritizedReplayBuffer)
    assert (model.replay_buffer.alpha, model.replay_buffer.n_steps, model.n_steps) == (0.3, 4, 4)


def test_loaded_replay_buffer_must_know_masks(tmp_path: Any) -> None:
    """A buffer saved by SB3's DQN raises an error when it is loaded."""
    model = make()
    model.replay_buffer = ReplayBuffer(10, model.observation_space, model.action_space)  # type: ignore[assignment]
    model.save_replay_buffer(tmp_path / "buffer")
    with pytest.raises(ValueError, match="must be a MaskableReplayBuffer, not ReplayBuffer"):
        make().load_replay_buffer(tmp_path / "buffer")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target_update_interval": "day"}, 'target_update_interval must be a number of steps or "episode"'),
        ({"replay_buffer_class": ReplayBuffer}, "replay_buffer_class must be a MaskableReplayBuffer, not ReplayBuffer"),
        ({"replay_buffer_class": HerReplayBuffer}, "HerReplayBuffer, which stores no masks and replaces goals"),
        ({"optimize_memory_usage": True}, "optimize_memory_usage must be False"),
        ({"policy_kwargs": {"dropout": 1.0}}, "dropout must be in"),
        ({"gamma": 1.1}, "gamma must be in"),
    ],
)
def test_refused_settings(arguments: dict[str, Any], message: str) -> None:
    """Invalid settings raise an error in the constructor."""
    with pytest.raises(ValueError, match=message):
        make(**arguments)


def test_other_policies_and_action_spaces_are_refused() -> None:
    """Policies without masks and continuous actions raise an error."""
    with pytest.raises(ValueError, match="policy must be a MaskableDQNPolicy, not DQNPolicy"):
        MaskableDQN(DQNPolicy, CountingEnv())  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="action spaces"):
        MaskableDQN("MlpPolicy", AllOffered(gym.make("Pendulum-v1")))

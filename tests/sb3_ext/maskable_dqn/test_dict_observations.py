"""MaskableDQN on ``Dict`` observations and on images."""

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch as th
from dict_envs import difference_after_one_update, make_dict_env
from gymnasium import spaces
from masked_envs import AllOffered, CountingEnv
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.envs import FakeImageEnv
from stable_baselines3.common.utils import ConstantSchedule
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecNormalize

from sb3_ext import ActionMaskInfo, GymnasiumVecEnv, MaskableDQN, PrioritizedReplayBuffer
from sb3_ext.maskable_dqn.acting import EpsilonGreedy
from sb3_ext.maskable_dqn.fast.fast_path import FastActor, FastUpdater
from sb3_ext.maskable_dqn.policies import MultiInputPolicy
from sb3_ext.maskable_dqn.updates import AutogradUpdater, UpdateSettings
from sb3_ext.replay import MaskableReplayBuffer, ReplayBatch

SETTINGS: dict[str, Any] = {"learning_starts": 10, "batch_size": 8, "train_freq": 1, "buffer_size": 60}
MASKS = np.eye(5, dtype=bool)


def make(env: VecEnv | gym.Env[Any, Any] | None = None, **settings: Any) -> MaskableDQN:
    """A model on two environments with observations by key."""
    env = make_vec_env(make_dict_env, n_envs=2, env_kwargs={"truncates": True}) if env is None else env
    options = {"seed": 0, "device": "cpu", **SETTINGS, **settings}
    return MaskableDQN("MultiInputPolicy", env, **options)


def weights(model: MaskableDQN) -> np.ndarray:
    """All parameters of the online network."""
    return th.nn.utils.parameters_to_vector(model.q_net.parameters()).detach().numpy()


@pytest.mark.parametrize("settings", [{}, {"n_steps": 3}, {"prioritized_replay": False, "n_steps": 2}])
def test_stored_parts_belong_together(settings: dict[str, Any]) -> None:
    """All keys of a drawn transition are of the same state, and the next ones of the state that it led to."""
    env = make_vec_env(lambda: ActionMaskInfo(make_dict_env(truncates=True)), n_envs=2)
    model = make(env, **settings).learn(50)
    batch = model.replay_buffer.draw(200)  # type: ignore[union-attr]
    for parts in (batch.observations, batch.next_observations):
        assert isinstance(parts, dict)
        np.testing.assert_allclose(parts["numbers"][:, 0] * 7, parts["step"][:, 0], atol=1e-6)
    now, then = batch.observations, batch.next_observations
    assert isinstance(now, dict)
    assert isinstance(then, dict)
    assert (then["numbers"][:, 1] == now["numbers"][:, 1]).all()
    steps = then["step"][:, 0] - now["step"][:, 0]
    assert steps.min() >= 1
    assert steps.max() == settings.get("n_steps", 1)
    # The mask is that of the state after the last step, also of the one in which the episode was cut off.
    episodes = np.round(7 * then["numbers"][:, 1]).astype(int)
    env_of = CountingEnv()
    expected = [env_of.mask_of(int(t), int(k)) for t, k in zip(then["step"][:, 0], episodes, strict=True)]
    assert np.array_equal(batch.next_action_masks, expected)
    assert (then["step"] == 7).any()


def test_native_vector_environments() -> None:
    """Dict observations of a Gymnasium VectorEnv are stored as those of a DummyVecEnv are."""

    def one() -> gym.Env[Any, Any]:
        return ActionMaskInfo(make_dict_env(truncates=True))

    native = make(GymnasiumVecEnv(gym.vector.SyncVectorEnv([one] * 2))).learn(50)
    assert np.array_equal(weights(native), weights(make(make_vec_env(one, n_envs=2)).learn(50)))


@pytest.mark.parametrize("picture", [True, False])
def test_one_update_is_sb3s(picture: bool) -> None:
    """One update with MultiInputPolicy, of numbers, a Discrete and maybe a picture, is that of SB3's DQN."""
    assert difference_after_one_update("MultiInputPolicy", AllOffered(make_dict_env(picture=picture))) < 1e-7


def make_policy() -> MultiInputPolicy:
    """A policy on every kind of part but pictures."""
    parts: dict[str, spaces.Space[Any]] = {
        "table": spaces.Box(-1.0, 1.0, (2, 3), np.float32),
        "counts": spaces.Box(0, 9, (2,), np.int64),
        "kind": spaces.Discrete(4),
        "choices": spaces.MultiDiscrete([2, 3]),
        "flags": spaces.MultiBinary(3),
    }
    th.manual_seed(0)
    return MultiInputPolicy(spaces.Dict(parts), spaces.Discrete(5), ConstantSchedule(1e-3), [8])


def several(policy: MultiInputPolicy, n: int, seed: int) -> dict[str, np.ndarray]:
    """Observations as vectorized environments give them."""
    policy.observation_space.seed(seed)
    samples = [policy.observation_space.sample() for _ in range(n)]
    return {key: np.stack([sample[key] for sample in samples]) for key in samples[0]}


def test_parts_without_pictures_need_no_autograd() -> None:
    """The hand-written passes choose and learn from all kinds of parts what PyTorch does, until the network changes."""
    policy, other = make_policy(), make_policy()
    actor, updater = FastActor(policy), FastUpdater(policy)
    rng = np.random.default_rng(0)
    masks = rng.random((16, 5)) < 0.5
    masks[:, 0] = True
    for turn in range(4):
        observations = several(policy, 16, turn)
        stored = {key: part.reshape(16, -1) if part.ndim == 1 else part for key, part in observations.items()}
        batch = ReplayBatch(
            stored,
            rng.integers(5, size=16),
            {key: part[::-1].copy() for key, part in stored.items()},
            *(rng.random((3, 16)) < 0.5).astype(np.float32),
            masks,
            np.arange(16),
        )
        ours = updater.update(batch, UpdateSettings())
        theirs = AutogradUpdater(other).update(batch, UpdateSettings())
        np.testing.assert_allclose(ours.td_errors, theirs.td_errors, atol=1e-6)
        expected, _ = other.predict(observations, action_masks=masks)
        assert np.array_equal(actor.choose(observations, masks), expected)
        assert (actor._fast.get() is None) == (turn > 1)
        if turn == 1:
            for changed in (policy, other):
                changed.q_net.features_extractor.extractors["table"] = th.nn.Sequential(th.nn.Flatten(), th.nn.ReLU())  # type: ignore[union-attr, operator]


def test_values_outside_of_a_discrete_part() -> None:
    """A value that a Discrete part does not have is refused rather than taken for another part's."""
    policy = make_policy()
    observations = several(policy, 3, 0)
    observations["kind"][1] = 4
    with pytest.raises(ValueError, match=r"observation 'kind' must be below \[4\] and at least 0"):
        EpsilonGreedy(policy).greedy(observations, MASKS[:3] | MASKS[1:4])


def test_one_update_on_images_is_sb3s() -> None:
    """One update with CnnPolicy is that of SB3's DQN."""
    env = FakeImageEnv(screen_height=40, screen_width=40, n_channels=1, discrete=True)
    env.action_space = spaces.Discrete(5)
    assert difference_after_one_update("CnnPolicy", AllOffered(env)) < 1e-6


@pytest.mark.parametrize("settings", [{}, {"n_steps": 3}, {"prioritized_replay": False}])
def test_continued_training_is_the_same(settings: dict[str, Any], tmp_path: Path) -> None:
    """A model saved with its buffer continues to the bit, with Dict observations too."""
    model = make(**settings).learn(60)
    model.save(tmp_path / "model")
    model.save_replay_buffer(tmp_path / "buffer")
    loaded = MaskableDQN.load(tmp_path / "model", device="cpu")
    loaded.load_replay_buffer(tmp_path / "buffer")
    for trained in (model, loaded):
        env = make_vec_env(make_dict_env, n_envs=2, env_kwargs={"truncates": True})
        trained.set_env(env)
        trained.learn(40, reset_num_timesteps=False)
    assert np.array_equal(weights(model), weights(loaded))
    assert not np.array_equal(weights(model), weights(make(**settings).learn(60)))


def test_buffer_takes_new_settings(tmp_path: Path) -> None:
    """A loaded buffer of Dict observations takes another size, n_steps and kind."""
    model = make().learn(80)
    model.save_replay_buffer(tmp_path / "buffer")
    other = make(buffer_size=30, n_steps=2, prioritized_replay=False)
    other.load_replay_buffer(tmp_path / "buffer")
    old, new = model.replay_buffer, other.replay_buffer
    assert type(new) is MaskableReplayBuffer
    assert isinstance(old, PrioritizedReplayBuffer)
    newest = (old.pos - 15 + np.arange(15)) % old.buffer_size
    assert np.array_equal(old.observations["step"][newest], new.observations["step"])  # type: ignore[call-overload]
    assert np.array_equal(old.packed_masks[newest], new.packed_masks)


def test_predict_one_and_several() -> None:
    """predict takes the observation of one environment or of several, and returns arrays of actions."""
    model = make()
    one = {"numbers": np.zeros(2, dtype=np.float32), "step": 3}
    several = {"numbers": np.zeros((5, 2), dtype=np.float32), "step": np.full(5, 3)}
    for deterministic in (True, False):
        model.exploration_rate = 0.5
        action, state = model.predict(one, deterministic=deterministic, action_masks=MASKS[2])  # type: ignore[arg-type]
        assert isinstance(action, np.ndarray)
        assert (action.shape, int(action), state) == ((), 2, None)
        actions, _ = model.predict(several, deterministic=deterministic, action_masks=MASKS)
        assert actions.tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="action_masks must be given for 5 observations, not for 4"):
        model.predict(several, action_masks=MASKS[:4])


def test_normalized_observations() -> None:
    """The buffer keeps what the environments gave, and batches are normalized by the statistics of each key."""
    env = VecNormalize(make_vec_env(make_dict_env, n_envs=2), norm_obs_keys=["numbers"])
    model = make(env).learn(60)
    assert model.replay_buffer is not None
    stored = model.replay_buffer.observations
    assert isinstance(stored, dict)
    assert np.isin(np.round(7 * stored["numbers"], 4), np.arange(8)).all()
    batch = model.replay_buffer.draw(30, env=env)
    raw = model.replay_buffer.gather(batch.rows)
    assert isinstance(batch.next_observations, dict)
    expected = env.normalize_obs(raw.next_observations)  # type: ignore[arg-type]
    for key in ("numbers", "step"):
        assert np.array_equal(batch.next_observations[key], expected[key])  # type: ignore[index]


def test_images_are_transposed() -> None:
    """Images with the channels last train with CnnPolicy, stored as bytes with the channels first."""
    env = DummyVecEnv(
        [lambda: AllOffered(FakeImageEnv(screen_height=36, screen_width=36, n_channels=3, discrete=True))]
    )
    model = MaskableDQN("CnnPolicy", env, device="cpu", seed=0, **SETTINGS).learn(20)
    assert model.replay_buffer is not None
    assert isinstance(model.replay_buffer.observations, np.ndarray)
    assert model.replay_buffer.observations.dtype == np.uint8
    assert model.replay_buffer.observations.shape == (60, 1, 3, 36, 36)
    image = env.reset()
    assert isinstance(image, np.ndarray)
    mask = np.arange(6) == 4
    for observation in (image[0], image[0].transpose(2, 0, 1)):
        assert int(model.predict(observation, action_masks=mask)[0]) == 4
    assert model.predict(image, action_masks=mask)[0].tolist() == [4]


@pytest.mark.parametrize("prioritized_replay", [True, False])
@pytest.mark.parametrize("n_steps", [1, 3])
def test_memory_is_saved(prioritized_replay: bool, n_steps: int) -> None:
    """With optimize_memory_usage each key is kept once, and what is drawn and learned is the same."""
    settings = {"prioritized_replay": prioritized_replay, "n_steps": n_steps, "buffer_size": 400}
    settings["replay_buffer_kwargs"] = {"handle_timeout_termination": False}
    models = [make(optimize_memory_usage=saved, **settings) for saved in (False, True)]
    for model in models:
        model.learn(200)
    assert np.array_equal(*map(weights, models))
    large, small = (model.replay_buffer for model in models)
    assert large is not None
    assert small is not None
    saved = large.records.dtype["next_observations"].itemsize * large.records.size
    assert small.records.nbytes <= large.records.nbytes - saved

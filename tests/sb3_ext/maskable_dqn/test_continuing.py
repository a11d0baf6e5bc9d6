"""Replay buffers of earlier trainings take the settings of the model that goes on with them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from masked_envs import CountingEnv
from stable_baselines3.common.env_util import make_vec_env

from sb3_ext.lookahead_dqn import LookaheadBuffer
from sb3_ext.maskable_dqn import MaskableDQN
from sb3_ext.replay import MaskableReplayBuffer, PrioritizedReplayBuffer

FIELDS = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts", "packed_masks", "ends")


def trained(path: Path, **settings: Any) -> tuple[MaskableDQN, MaskableReplayBuffer]:
    """A model that was trained for 60 steps of two environments, saved with its buffer, and the buffer."""
    env = make_vec_env(CountingEnv, n_envs=2, env_kwargs={"mask_in_info": True})
    options: dict[str, Any] = {"learning_starts": 10, "batch_size": 4, "train_freq": 1, "seed": 0, "device": "cpu"}
    options |= {"buffer_size": 50, **settings}
    model = MaskableDQN("MlpPolicy", env, **options)
    model.learn(60)
    model.save(path / "model")
    model.save_replay_buffer(path / "buffer")
    assert model.replay_buffer is not None
    return model, model.replay_buffer


def continued(path: Path, n_envs: int = 2, **settings: Any) -> Any:
    """The saved model with other settings, and with the buffer."""
    env = make_vec_env(CountingEnv, n_envs=n_envs, env_kwargs={"mask_in_info": True})
    model = MaskableDQN.load(path / "model", env=env, **settings)
    model.load_replay_buffer(path / "buffer")
    return model


def by_age(buffer: MaskableReplayBuffer, count: int) -> np.ndarray:
    """Positions of the newest transitions, the oldest first."""
    return (buffer.pos - count + np.arange(count)) % buffer.buffer_size


def same_transitions(old: MaskableReplayBuffer, new: MaskableReplayBuffer, count: int) -> None:
    """The newest transitions of two buffers are the same."""
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(old, name)[by_age(old, count)], getattr(new, name)[by_age(new, count)])


@pytest.mark.parametrize("prioritized", [True, False])
def test_the_same_settings_change_nothing(tmp_path: Path, prioritized: bool) -> None:
    """With the same settings the buffer is the saved one, its generator and priorities included."""
    _, old = trained(tmp_path, prioritized_replay=prioritized)
    new = continued(tmp_path).replay_buffer
    assert type(new) is type(old)
    np.testing.assert_array_equal(new.records, old.records)
    assert new.rng.bit_generator.state == old.rng.bit_generator.state
    np.testing.assert_array_equal(new.draw(8).rows, old.draw(8).rows)


@pytest.mark.parametrize("prioritized", [True, False])
@pytest.mark.parametrize(("name", "value"), [("gamma", 0.5), ("n_steps", 3), ("buffer_size", 20), ("buffer_size", 500)])
def test_settings_of_the_model_apply(tmp_path: Path, prioritized: bool, name: str, value: Any) -> None:
    """A setting that differs is that of the model, for the transitions stored already too."""
    _, old = trained(tmp_path, prioritized_replay=prioritized)
    model = continued(tmp_path, **{name: value})
    new = model.replay_buffer
    assert getattr(new, name) == (value // 2 if name == "buffer_size" else value)
    count = min(25, new.buffer_size)
    assert new.size() == count
    same_transitions(old, new, count)
    expected = np.float32(value if name == "gamma" else old.gamma)
    assert (new.discounts[by_age(new, count)] == expected).all()
    if isinstance(old, PrioritizedReplayBuffer):
        rows = [(by_age(buffer, count)[:, None] * 2 + np.arange(2)).reshape(-1) for buffer in (old, new)]
        np.testing.assert_allclose(new.tree.values(rows[1]), old.tree.values(rows[0]), rtol=1e-6)
        assert new.beta == old.beta
    model.learn(20, reset_num_timesteps=False)
    assert model.num_timesteps == 80


def test_replay_can_become_prioritized_and_uniform(tmp_path: Path) -> None:
    """A buffer of the other kind is filled with the transitions of the saved one."""
    _, old = trained(tmp_path, prioritized_replay=False)
    new = continued(tmp_path, prioritized_replay=True).replay_buffer
    assert type(new) is PrioritizedReplayBuffer
    same_transitions(old, new, 25)
    assert set(new.tree.values(np.arange(50))) == {(1.0 + new.epsilon) ** new.alpha}
    _, old = trained(tmp_path, prioritized_replay=True)
    new = continued(tmp_path, prioritized_replay=False).replay_buffer
    assert type(new) is MaskableReplayBuffer
    same_transitions(old, new, 25)


def test_time_that_passed_is_kept(tmp_path: Path) -> None:
    """With an elapsed_key the discounts stay those of the time that passed, and gamma is refused by name."""
    _, old = trained(tmp_path, elapsed_key="elapsed_min")
    new = continued(tmp_path, n_steps=2).replay_buffer
    np.testing.assert_array_equal(old.discounts[by_age(old, 25)], new.discounts[by_age(new, 25)])
    with pytest.raises(ValueError, match=r"gamma 0.99, which cannot be changed to 0.5"):
        continued(tmp_path, gamma=0.5)
    with pytest.raises(ValueError, match="elapsed_key 'elapsed_min', which cannot be changed to None"):
        continued(tmp_path, elapsed_key=None)


def test_another_number_of_environments_is_refused(tmp_path: Path) -> None:
    """A buffer of another number of environments is refused by name."""
    trained(tmp_path)
    with pytest.raises(ValueError, match="filled with n_envs 2 and cannot be used with 3"):
        continued(tmp_path, n_envs=3)


def test_lookahead_memories_are_resized() -> None:
    """A LookaheadBuffer of another size keeps the newest states; another number of actions is refused by name."""
    env = make_vec_env(CountingEnv)

    def make(size: int, most_actions: int = 3) -> LookaheadBuffer:
        return LookaheadBuffer(size, env.observation_space, env.action_space, "cpu", most_actions, seed=size)

    old = make(6)
    for k in range(8):
        old.add_returns(np.full((1, 2), k / 8, dtype=np.float32), np.array([[k, 0.0, np.nan, 1.0, np.nan]]))
    assert old.resized(make(6)) is old
    for size, kept in ((4, [4, 5, 6, 7]), (10, [2, 3, 4, 5, 6, 7])):
        new = old.resized(make(size))
        assert new.size() == len(kept)
        assert new.pos == len(kept) % size
        np.testing.assert_array_equal(new.observations[: len(kept), 0] * 8, kept)
        assert new.rng is old.rng
    with pytest.raises(ValueError, match="most_actions 3, which cannot be 4 now"):
        old.resized(make(6, most_actions=4))


@pytest.mark.parametrize("buffer_size", [50, 30, 90])
def test_a_buffer_that_saves_memory_is_continued(buffer_size: int, tmp_path: Path) -> None:
    """A buffer with optimize_memory_usage takes another size, and cannot become one that keeps every observation."""
    saving = {"optimize_memory_usage": True, "replay_buffer_kwargs": {"handle_timeout_termination": False}}
    _, old = trained(tmp_path, **saving)
    new = continued(tmp_path, **saving, buffer_size=buffer_size).replay_buffer
    count = min(old.n_positions(), new.n_positions())
    assert count == min(24, buffer_size // 2 - 1)
    rows = [(2 * by_age(buffer, count)[:, None] + np.arange(2)).ravel() for buffer in (old, new)]
    ours, theirs = (buffer.gather(some) for buffer, some in zip((new, old), rows[::-1], strict=True))
    live = ours.terminals == 0.0
    assert np.array_equal(ours.next_observations[live], theirs.next_observations[live])
    for name in ("observations", "actions", "terminals", "rewards", "next_action_masks"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name)), name
    assert set(new.draw(2000).rows) == set(rows[1])
    with pytest.raises(ValueError, match="filled with optimize_memory_usage True, which cannot be changed to False"):
        continued(tmp_path, optimize_memory_usage=False)

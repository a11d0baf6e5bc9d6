"""Masks, discounts and n-step returns in the replay buffer."""

import pickle
from typing import Any

import numpy as np
import pytest
import torch as th
from gymnasium import spaces
from replay_rows import N_ACTIONS, OBSERVATIONS, add, make, mask_of
from stable_baselines3.common.buffers import DictReplayBuffer, ReplayBuffer

from sb3_ext.replay import MaskableReplayBuffer, PrioritizedReplayBuffer


def test_transition_comes_back() -> None:
    """All fields of a transition are drawn as they were stored."""
    buffer = make(gamma=0.9)
    add(buffer, (0, 5.0, ""), (1, 6.0, "trunc"), (7, 8.0, "term"))
    batch = buffer.gather(np.array([2, 0, 1]))
    assert batch.observations.tolist() == [[7.0], [0.0], [1.0]]
    assert batch.next_observations.tolist() == [[8.0], [1.0], [2.0]]
    assert batch.actions.tolist() == [7, 0, 1]
    assert batch.rewards.tolist() == [8.0, 5.0, 6.0]
    assert batch.discounts.tolist() == pytest.approx([0.9] * 3)
    assert np.array_equal(batch.next_action_masks, [mask_of(8), mask_of(1), mask_of(2)])


def test_truncation_bootstraps_and_termination_does_not() -> None:
    """A truncated transition is not terminal, a terminated one is."""
    buffer = make()
    add(buffer, (0, 0.0, ""), (1, 0.0, "trunc"), (5, 0.0, "term"))
    assert buffer.gather(np.arange(3)).terminals.tolist() == [0.0, 0.0, 1.0]


def test_samples_have_sb3s_shapes() -> None:
    """Samples have the shapes of SB3's, (B, 1) for columns."""
    buffer = make()
    add(buffer, (0, 1.0, ""), (1, 1.0, ""))
    samples = buffer.sample(4)
    for name in ("actions", "dones", "rewards", "discounts"):
        assert getattr(samples, name).shape == (4, 1), name
    assert samples.next_action_masks.shape == (4, N_ACTIONS)
    assert samples.weights is None


def test_environments_are_not_mixed() -> None:
    """All fields of a row come from the same environment and position."""
    buffer = make(n_envs=3)
    add(buffer, *[((t, 0.0, ""), (t + 100, 0.0, ""), (t + 200, 0.0, "")) for t in range(6)])
    batch = buffer.gather(np.arange(18))
    assert batch.observations[:, 0].tolist() == [t + 100 * env for t in range(6) for env in range(3)]
    assert np.array_equal(batch.next_action_masks, [mask_of(int(s)) for s in batch.next_observations[:, 0]])


def test_n_step_returns_by_hand() -> None:
    """
    N-step returns stop at the end of an episode and count each reward once: 3 steps, discount 1/2, an episode
    that is truncated after its third step and a second one that terminates after its second.
    """
    buffer = make(n_steps=3, gamma=0.5)
    add(buffer, (0, 1.0, ""), (1, 2.0, ""), (2, 4.0, "trunc"), (10, 8.0, ""), (11, 16.0, "term"))
    batch = buffer.gather(np.arange(5))
    assert batch.rewards.tolist() == [1 + 2 / 2 + 4 / 4, 2 + 4 / 2, 4.0, 8 + 16 / 2, 16.0]
    assert batch.discounts.tolist() == [1 / 8, 1 / 4, 1 / 2, 1 / 4, 1 / 2]
    assert batch.terminals.tolist() == [0.0, 0.0, 0.0, 1.0, 1.0]
    assert batch.next_observations[:, 0].tolist() == [3.0, 3.0, 3.0, 12.0, 12.0]
    assert np.array_equal(batch.next_action_masks, [mask_of(n) for n in (3, 3, 3, 12, 12)])
    assert batch.observations[:, 0].tolist() == [0.0, 1.0, 2.0, 10.0, 11.0]


def test_n_step_wraps_around_and_stops_at_the_write_head() -> None:
    """N-step returns continue beyond the end of the array and stop at the newest transition."""
    buffer = make(capacity=4, n_steps=3, gamma=0.5)
    add(buffer, *[(t, float(2**t), "") for t in range(6)])  # Rows now hold the states 4, 5, 2, 3.
    batch = buffer.gather(np.arange(4))
    assert batch.observations[:, 0].tolist() == [4.0, 5.0, 2.0, 3.0]
    assert batch.rewards.tolist() == [16 + 32 / 2, 32.0, 4 + 8 / 2 + 16 / 4, 8 + 16 / 2 + 32 / 4]
    assert batch.next_observations[:, 0].tolist() == [6.0, 6.0, 5.0, 6.0]
    assert batch.discounts.tolist() == [1 / 4, 1 / 2, 1 / 8, 1 / 8]


def test_n_step_stays_in_its_environment() -> None:
    """N-step returns use the rewards of their own environment."""
    buffer = make(n_envs=2, n_steps=2, gamma=1.0)
    add(buffer, ((0, 1.0, ""), (50, 100.0, "")), ((1, 2.0, ""), (51, 200.0, "term")), ((2, 3.0, ""), (0, 7.0, "")))
    batch = buffer.gather(np.arange(6))
    assert batch.rewards.tolist() == [3.0, 300.0, 5.0, 200.0, 3.0, 7.0]
    assert batch.terminals.tolist() == [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]


def test_n_step_stops_where_the_environment_was_reset() -> None:
    """N-step returns do not cross a reset between two trainings."""
    buffer = make(n_steps=3, gamma=1.0)
    add(buffer, (0, 1.0, ""), (1, 2.0, ""))
    buffer.end_trajectories()
    add(buffer, (0, 4.0, ""), (1, 8.0, ""))
    batch = buffer.gather(np.arange(4))
    assert batch.rewards.tolist() == [3.0, 2.0, 12.0, 8.0]
    assert batch.terminals.tolist() == [0.0] * 4
    # The row is written again later, and then nothing of the cut may be left.
    add(buffer, (2, 1.0, ""), (3, 1.0, ""), (4, 1.0, ""), (5, 1.0, ""), (6, 1.0, ""))
    assert buffer.gather(np.array([0])).rewards.tolist() == [3.0]


def test_discount_by_elapsed_time() -> None:
    """A step is discounted by gamma to the power of its elapsed time."""
    buffer = make(gamma=0.5, elapsed_key="elapsed")
    add(buffer, (0, 1.0, 3), (1, 1.0, 1), (2, 1.0, 0))
    assert buffer.gather(np.arange(3)).discounts.tolist() == [1 / 8, 1 / 2, 1.0]


def test_n_step_discounts_multiply_elapsed_times() -> None:
    """Over several steps the discount is gamma to the power of the total elapsed time."""
    buffer = make(gamma=0.5, elapsed_key="elapsed", n_steps=3)
    add(buffer, (0, 1.0, 2), (1, 2.0, 1), (2, 4.0, 3), (3, 8.0, 1))
    batch = buffer.gather(np.array([0]))
    assert batch.rewards.tolist() == [1 + 2 / 4 + 4 / 8]
    assert batch.discounts.tolist() == [1 / 64]


def test_elapsed_time_must_be_there() -> None:
    """A missing elapsed_key in info raises an error."""
    buffer = make(elapsed_key="minutes")
    with pytest.raises(ValueError, match=r"info\['minutes'\] must be"):
        add(buffer, (0, 1.0, ""))


def test_gamma_of_one() -> None:
    """Returns may be undiscounted."""
    buffer = make(gamma=1.0, elapsed_key="elapsed", n_steps=2)
    add(buffer, (0, 1.0, 5), (1, 2.0, 7))
    assert buffer.gather(np.array([0, 1])).discounts.tolist() == [1.0, 1.0]
    assert buffer.gather(np.array([0])).rewards.tolist() == [3.0]


def test_uniform_draws_cover_everything() -> None:
    """All stored rows are drawn, and no others."""
    buffer = make(capacity=10, n_envs=2)
    add(buffer, *[((t, 0.0, ""), (t, 0.0, "")) for t in range(7)])
    assert set(buffer.draw(2000).rows) == set(range(14))


@pytest.mark.parametrize("cls", [MaskableReplayBuffer, PrioritizedReplayBuffer])
def test_pickled_buffer_draws_on_alike(cls: type) -> None:
    """A pickled buffer continues with the same draws."""
    buffer = make(cls=cls, n_steps=2)
    add(buffer, *[(t, 1.0, "") for t in range(9)])
    buffer.draw(3)
    copy = pickle.loads(pickle.dumps(buffer))
    for _ in range(3):
        ours, theirs = buffer.draw(8), copy.draw(8)
        for field, other in zip(ours, theirs, strict=True):
            assert np.array_equal(field, other)


@pytest.mark.parametrize("cls", [MaskableReplayBuffer, PrioritizedReplayBuffer])
def test_arrays_and_dictionaries_store_the_same(cls: type) -> None:
    """add_step() from arrays stores what add() stores from dictionaries."""
    by_infos, by_arrays = (make(cls=cls, n_envs=2, gamma=0.5, elapsed_key="elapsed") for _ in range(2))
    add(by_infos, ((0, 1.0, 3), (10, 2.0, "trunc")), ((1, 3.0, "term"), (5, 4.0, 0)))
    for states, rewards, dones, cut, elapsed in [
        ([0, 10], [1.0, 2.0], [False, True], [False, True], [3, 1]),
        ([1, 5], [3.0, 4.0], [True, False], [False, False], [1, 0]),
    ]:
        obs = np.array(states, dtype=np.float32)[:, None]
        masks = np.array([mask_of(state + 1) for state in states])
        flags = np.array(dones), np.array(cut)
        actions = np.array(states) % N_ACTIONS
        by_arrays.add_step(obs, obs + 1, actions, np.array(rewards), *flags, masks, np.array(elapsed))
    assert by_arrays.records.tobytes() == by_infos.records.tobytes()
    assert by_arrays.pos == by_infos.pos == 2
    for field, other in zip(by_infos.draw(20), by_arrays.draw(20), strict=True):
        assert np.array_equal(field, other)


def test_refused_transition_leaves_nothing() -> None:
    """A refused transition leaves the buffer unchanged."""
    buffer = make(elapsed_key="elapsed")
    before = buffer.records.tobytes()
    with pytest.raises(ValueError, match=r"info\['elapsed'\] must be"):
        add(buffer, (3, 1.0, -1))
    assert (buffer.pos, buffer.records.tobytes()) == (0, before)


def test_pickled_buffer_is_still_one_piece() -> None:
    """The arrays of a loaded buffer are views of its records, which are pickled once."""
    buffer = make(capacity=5000)
    data = pickle.dumps(buffer)
    assert len(data) < 1.1 * buffer.records.nbytes + 10_000
    copy = pickle.loads(data)
    add(copy, (4, 7.0, ""))
    assert copy.rewards[0, 0] == copy.records["rewards"][0, 0] == 7.0
    assert copy.gather(np.array([0])).observations.tolist() == [[4.0]]


@pytest.mark.parametrize("space", [spaces.Discrete(7), spaces.Box(0, 255, (3, 4, 4), np.uint8), spaces.MultiBinary(3)])
def test_other_observations(space: spaces.Space[Any]) -> None:
    """Discrete observations and images are drawn with the shape and dtype of SB3's buffer."""
    ours = MaskableReplayBuffer(10, space, spaces.Discrete(3), device="cpu", n_envs=2, seed=0)
    theirs = ReplayBuffer(10, space, spaces.Discrete(3), device="cpu", n_envs=2)
    space.seed(0)
    for _ in range(4):
        obs, next_obs = (np.array([space.sample() for _ in range(2)]) for _ in range(2))
        for buffer in (ours, theirs):
            infos = [{"action_mask": np.ones(3, dtype=bool)}] * 2
            buffer.add(obs, next_obs, np.array([0, 2]), np.zeros(2), np.zeros(2), infos)
    assert np.array_equal(ours.observations, theirs.observations)
    assert np.array_equal(ours.next_observations, theirs.next_observations)
    batch, reference = ours.sample(5), theirs.sample(5)
    assert batch.observations.shape == reference.observations.shape
    assert batch.observations.dtype == reference.observations.dtype


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimize_memory_usage": True}, "optimize_memory_usage must be False"),
        ({"n_steps": 0}, "n_steps must be at least 1, not 0"),
        ({"gamma": 1.5}, "gamma must be in"),
        ({"action_space": spaces.Box(0.0, 1.0, (2,))}, "action_space must be Discrete, or MultiDiscrete or"),
        ({"action_space": spaces.MultiBinary((2, 2))}, "MultiBinary of one dimension, not MultiBinary"),
        ({"observation_space": spaces.Dict({"a": spaces.Dict({"b": OBSERVATIONS})})}, "must be an unnested Dict"),
    ],
)
def test_refused_settings(arguments: dict[str, Any], message: str) -> None:
    """Unsupported settings raise an error."""
    settings = {"observation_space": OBSERVATIONS, "action_space": spaces.Discrete(3)} | arguments
    with pytest.raises(ValueError, match=message):
        MaskableReplayBuffer(10, **settings)


def test_empty_buffer_cannot_be_drawn_from() -> None:
    """Drawing from an empty buffer raises an error."""
    with pytest.raises(ValueError, match="nothing can be drawn"):
        make().draw(1)


def test_dict_observations_are_sb3s() -> None:
    """The same transitions give the same samples as SB3's DictReplayBuffer, key by key."""
    space = spaces.Dict(
        {
            "image": spaces.Box(0, 255, (2, 3, 3), np.uint8),
            "numbers": spaces.Box(-1.0, 1.0, (3,), np.float64),
            "kind": spaces.Discrete(4),
            "flags": spaces.MultiBinary(3),
        }
    )
    ours = MaskableReplayBuffer(12, space, spaces.Discrete(3), device="cpu", n_envs=2, seed=0)
    theirs = DictReplayBuffer(12, space, spaces.Discrete(3), device="cpu", n_envs=2)
    space.seed(0)
    for t in range(8):
        pairs = [[space.sample() for _ in range(2)] for _ in range(2)]
        obs, next_obs = ({key: np.stack([one[key] for one in pair]) for key in space} for pair in pairs)
        for buffer in (ours, theirs):
            infos = [{"action_mask": np.ones(3, dtype=bool), "TimeLimit.truncated": t == 5}] * 2
            dones = np.array([t == 5, t == 3])
            buffer.add(dict(obs), dict(next_obs), np.array([t % 3, 2]), np.array([t, -t]), dones, infos)
    np.random.seed(3)  # noqa: NPY002 - SB3's generator
    samples = theirs._get_samples(np.arange(6))
    np.random.seed(3)  # noqa: NPY002
    rows = 2 * np.arange(6) + np.random.randint(0, high=2, size=6)  # noqa: NPY002
    batch = ours.gather(rows).to_samples()
    for name in ("observations", "next_observations"):
        mine, reference = getattr(batch, name), getattr(samples, name)
        for key in space:
            assert mine[key].dtype == reference[key].dtype
            assert th.equal(mine[key], reference[key]), (name, key)
    for name in ("actions", "dones", "rewards"):
        assert th.equal(getattr(batch, name), getattr(samples, name)), name


def test_missing_masks_are_named() -> None:
    """A transition without the mask of its next state is refused with a sentence, and leaves the buffer as it was."""
    buffer, obs = make(n_envs=2), np.zeros((2, 1), dtype=np.float32)
    given = {"action_mask": mask_of(1)}

    def add_two(dones: list[bool], infos: list[dict[str, Any]]) -> None:
        buffer.add(obs, obs, np.zeros(2), np.zeros(2), np.array(dones), infos)

    for infos in ([given, {}], [given, {"TimeLimit.truncated": True}]):
        with pytest.raises(ValueError, match=r"add\(\): infos\[1\] has no 'action_mask'"):
            add_two([False, "TimeLimit.truncated" in infos[1]], infos)
    with pytest.raises(ValueError, match=r"infos\[0\]\['action_mask'\] must have at least one feasible action"):
        add_two([False, False], [{"action_mask": mask_of(0)}, given])
    with pytest.raises(ValueError, match="must have 11 entries"):
        add_two([False, False], [{"action_mask": np.ones(3)}] * 2)
    assert buffer.size() == 0
    add_two([True, True], [{}, {"action_mask": mask_of(0), "TimeLimit.truncated": True}])
    batch = buffer.gather(np.arange(2))
    assert batch.terminals.tolist() == [1.0, 1.0]
    assert batch.next_action_masks.all()


def test_positions_give_n_step_returns() -> None:
    """_get_samples, which SB3's buffers have, gives the returns over n steps, of every environment."""
    buffer = make(n_envs=2, n_steps=2, gamma=0.5)
    add(buffer, *(((t, t, ""), (t, 10 * t, "")) for t in range(4)))
    returns = buffer._get_samples(np.ones(40, dtype=np.int64)).rewards
    assert returns.shape == (40, 1)
    assert set(returns[:, 0].tolist()) == {1 + 0.5 * 2, 10 + 0.5 * 20}


@pytest.mark.parametrize("cls", [MaskableReplayBuffer, PrioritizedReplayBuffer])
@pytest.mark.parametrize("n_steps", [1, 3])
def test_memory_is_saved(cls: type, n_steps: int) -> None:
    """
    With optimize_memory_usage every stored transition is drawn as without it, except for the oldest one of a full
    buffer, whose observation is overwritten and which is never drawn.
    """
    settings: dict[str, Any] = {"cls": cls, "n_steps": n_steps, "n_envs": 2, "gamma": 0.5}
    settings["handle_timeout_termination"] = False
    small, large = make(optimize_memory_usage=True, **settings), make(**settings)
    assert set(large.records.dtype.names) - set(small.records.dtype.names) == {"next_observations"}
    for t in range(1, 10):
        end = "term" if t == 3 else "trunc" if t == 8 else ""
        for buffer in (small, large):
            add(buffer, ((10 * (t > 3) + t, float(t), end), (100 + t, float(-t), "")))
        valid = [row for row in range(2 * min(t, 6)) if t < 6 or row // 2 != small.pos]
        ours, theirs = (buffer.gather(np.array(valid)) for buffer in (small, large))
        live = ours.terminals == 0.0
        assert np.array_equal(ours.next_observations[live], theirs.next_observations[live])
        for name in ("observations", "actions", "terminals", "rewards", "discounts", "next_action_masks"):
            assert np.array_equal(getattr(ours, name), getattr(theirs, name)), name
        assert set(small.draw(2000).rows) == set(valid)
    if cls is PrioritizedReplayBuffer:
        assert small.priorities(100).min() > 0.0


def test_memory_is_saved_across_resets() -> None:
    """Where the environments are reset between two trainings the last state is lost, and counts as terminal."""
    buffer = make(optimize_memory_usage=True, handle_timeout_termination=False)
    add(buffer, (0, 1.0, ""), (1, 2.0, ""))
    buffer.end_trajectories()
    add(buffer, (7, 4.0, ""))
    batch = buffer.gather(np.arange(3))
    assert batch.terminals.tolist() == [0.0, 1.0, 0.0]
    assert batch.observations[:, 0].tolist() == [0.0, 1.0, 7.0]
    assert batch.next_observations[[0, 2], 0].tolist() == [1.0, 8.0]

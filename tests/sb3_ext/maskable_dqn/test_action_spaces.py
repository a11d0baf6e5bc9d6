"""MaskableDQN on actions that do not begin at 0, and on vectors of actions."""

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch as th
from gymnasium import spaces
from masked_envs import N_ACTIONS, CountingEnv
from ruled_envs import RuledEnv
from sb3_contrib.common.envs import InvalidActionEnvMultiBinary, InvalidActionEnvMultiDiscrete
from sb3_contrib.common.maskable.evaluation import evaluate_policy
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.utils import ConstantSchedule

from sb3_ext import ActionMaskInfo, MaskableDQN
from sb3_ext.callbacks.action_masks import ActionMaskStatistics
from sb3_ext.common.actions import ActionParts
from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy
from sb3_ext.maskable_dqn.updates import AutogradUpdater, UpdateSettings
from sb3_ext.replay import ReplayBatch

SETTINGS: dict[str, Any] = {"learning_starts": 20, "train_freq": 1, "seed": 0, "device": "cpu"}


def weights(model: MaskableDQN) -> np.ndarray:
    """All parameters of the online network."""
    return th.nn.utils.parameters_to_vector(model.q_net.parameters()).detach().numpy()


class OtherActions(gym.ActionWrapper[np.ndarray, Any, int]):
    """A CountingEnv whose actions are numbers from ``start`` on, or vectors of one number."""

    def __init__(self, env: gym.Env[np.ndarray, int], start: int, vector: bool) -> None:
        super().__init__(env)
        self.start, self.vector = start, vector
        self.action_space = (
            spaces.MultiDiscrete([N_ACTIONS], start=[start]) if vector else spaces.Discrete(N_ACTIONS, start=start)
        )

    def action(self, action: Any) -> int:
        """The number from 0."""
        assert self.action_space.contains(action)
        return int(action[0] if self.vector else action) - self.start

    def action_masks(self) -> np.ndarray:
        """(5,) bool."""
        masks: np.ndarray = self.env.get_wrapper_attr("action_masks")()
        return masks

    def rule_actions(self, rule: str) -> int:
        """What a rule of a RuledEnv does now, as this environment numbers it."""
        return int(self.env.get_wrapper_attr("rule_actions")(rule)) + self.start


class Pairs(gym.ActionWrapper[np.ndarray, Any, int]):
    """A CountingEnv whose actions are two numbers, of which the first does nothing and is 1 in odd states only."""

    def __init__(self, env: gym.Env[np.ndarray, int]) -> None:
        super().__init__(env)
        self.action_space = spaces.MultiDiscrete([2, N_ACTIONS])

    def action(self, action: Any) -> int:
        """The second number."""
        assert self.action_masks()[int(action[0])]
        return int(action[1])

    def action_masks(self) -> np.ndarray:
        """(7,) bool."""
        odd = self.unwrapped.t % 2 == 1  # type: ignore[attr-defined]
        return np.concatenate(([True, odd], self.env.get_wrapper_attr("action_masks")()))


def trained(start: int | None, vector: bool = False, **settings: Any) -> MaskableDQN:
    """A model after 100 steps of two environments; without ``start`` of the plain CountingEnv."""

    def one() -> gym.Env[Any, Any]:
        env = CountingEnv(truncates=True)
        return ActionMaskInfo(env if start is None else OtherActions(env, start, vector))

    return MaskableDQN("MlpPolicy", make_vec_env(one, n_envs=2), **(SETTINGS | settings)).learn(100)


@pytest.mark.parametrize("start", [3, -2])
def test_first_action_does_not_matter(start: int) -> None:
    """Learning is the same to the bit where actions begin at another number; only the environment sees that number."""
    plain, shifted = trained(None), trained(start)
    assert np.array_equal(weights(plain), weights(shifted))
    assert shifted.replay_buffer is not None
    assert np.array_equal(plain.replay_buffer.actions, shifted.replay_buffer.actions)  # type: ignore[union-attr]
    observations = np.random.default_rng(0).random((20, 2), dtype=np.float32)
    masks = np.random.default_rng(1).random((20, N_ACTIONS)) < 0.7
    masks[:, 0] = True
    for model in (shifted, shifted.policy):
        ours, theirs = (m.predict(observations, deterministic=True, action_masks=masks)[0] for m in (model, plain))
        assert np.array_equal(ours - start, theirs)
    single, _ = shifted.predict(observations[0], action_masks=np.arange(N_ACTIONS) == 4)
    assert (single.shape, int(single)) == ((), 4 + start)


def test_demonstrations_of_shifted_actions() -> None:
    """A rule's actions are taken in the environment's numbers, and stored from 0."""
    stored = []
    for start in (0, 4):
        env = OtherActions(RuledEnv(), start, vector=False)
        model = MaskableDQN("MlpPolicy", env, demonstrator="higher", demonstration_noise=0.0, **SETTINGS).learn(20)
        assert model.replay_buffer is not None
        stored.append(model.replay_buffer.actions[:20])
        assert (model.replay_buffer.rewards[1:7] == -1.0).all()
    assert np.array_equal(*stored)
    with pytest.raises(ValueError, match=r"rule_actions\('wrong'\) of the environment gave action 4, which is infeas"):
        MaskableDQN("MlpPolicy", OtherActions(RuledEnv(), 4, False), demonstrator="wrong", **SETTINGS).learn(3)


def test_statistics_of_shifted_actions() -> None:
    """The rank of an action among the feasible ones does not depend on the number of the first action."""
    found = []
    for start in (0, 3):
        env = ActionMaskInfo(OtherActions(CountingEnv(), start, vector=False))
        model = MaskableDQN("MlpPolicy", env, **SETTINGS)
        model.learn(40, callback=ActionMaskStatistics(window=20), log_interval=1000)
        found.append(model.logger.name_to_value["actions/rank_entropy"])
    assert found[0] == found[1] > 0


@pytest.mark.parametrize("settings", [{}, {"n_steps": 3}, {"prioritized_replay": False}])
def test_a_vector_of_one_number_is_that_number(settings: dict[str, Any]) -> None:
    """A MultiDiscrete space of one dimension is learned to the bit as the Discrete one."""
    # Not ReLU, for which Discrete actions have a pass of their own.
    settings = {"policy_kwargs": {"activation_fn": th.nn.Tanh}, **settings}
    vector = trained(2, vector=True, **settings)
    assert np.array_equal(weights(trained(None, **settings)), weights(vector))
    assert vector.predict(np.zeros(2, dtype=np.float32), action_masks=np.ones(5))[0].shape == (1,)
    assert vector.replay_buffer.draw(7).actions.shape == (7, 1)  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", [InvalidActionEnvMultiDiscrete, InvalidActionEnvMultiBinary])
def test_identity(kind: Any) -> None:
    """sb3-contrib's test of MaskablePPO on vectors of actions: at least 90 of 100 points within 3,000 steps."""
    env = kind(**({"dims": [23, 3], "n_invalid_actions": 15} if "Discrete" in kind.__name__ else {}))
    model = MaskableDQN(
        "MlpPolicy",
        env,
        gamma=0.0,
        learning_rate=3e-3,
        batch_size=64,
        train_freq=2,
        exploration_fraction=0.5,
        seed=0,
        device="cpu",
    )
    model.learn(3000)
    evaluate_policy(model, env, n_eval_episodes=20, reward_threshold=90, warn=False)  # type: ignore[arg-type]


def make_policy(space: spaces.Space[Any], **kwargs: Any) -> MaskableDQNPolicy:
    """Two inputs, plain gradient descent with rate 1."""
    th.manual_seed(0)
    options = {"optimizer_class": th.optim.SGD, "optimizer_kwargs": {}, "net_arch": [8]} | kwargs
    return MaskableDQNPolicy(spaces.Box(-1.0, 1.0, (2,)), space, ConstantSchedule(1.0), **options)


def test_sum_over_dimensions_is_the_factored_head() -> None:
    """
    One update of a MultiDiscrete space is that of the Discrete space of all its combinations with ``factors``, where
    a combination is feasible if each of its parts is.
    """
    sizes, rng = [3, 4], np.random.default_rng(0)
    policies = make_policy(spaces.MultiDiscrete(sizes)), make_policy(spaces.Discrete(12), factors=sizes)
    for name in ("q_net", "q_net_target"):
        ours, theirs = (list(getattr(policy, name).parameters()) for policy in policies)
        with th.no_grad():
            for mine, other in zip(ours, theirs, strict=True):
                mine.copy_(th.as_tensor(rng.normal(size=mine.shape)))
                other.copy_(mine)
    actions = np.stack([rng.integers(size, size=16) for size in sizes], axis=1)
    masks = rng.random((16, 7)) < 0.6
    masks[:, [1, 5]] = True
    common: dict[str, Any] = {
        "observations": rng.normal(size=(16, 2)).astype(np.float32),
        "next_observations": rng.normal(size=(16, 2)).astype(np.float32),
        "terminals": (rng.random(16) < 0.2).astype(np.float32),
        "rewards": rng.normal(size=16).astype(np.float32),
        "discounts": np.full(16, 0.9, dtype=np.float32),
        "rows": np.arange(16),
    }
    joint = (masks[:, :3, None] & masks[:, None, 3:]).reshape(16, 12)
    batches = (
        ReplayBatch(actions=actions, next_action_masks=masks, **common),
        ReplayBatch(actions=np.ravel_multi_index(tuple(actions.T), sizes), next_action_masks=joint, **common),
    )
    results = [AutogradUpdater(p).update(b, UpdateSettings()) for p, b in zip(policies, batches, strict=True)]
    np.testing.assert_allclose(results[0].td_errors, results[1].td_errors, atol=1e-5)
    for mine, other in zip(policies[0].q_net.parameters(), policies[1].q_net.parameters(), strict=True):
        np.testing.assert_allclose(mine.detach(), other.detach(), atol=1e-5)
    vectors, _ = policies[0].predict(common["observations"], action_masks=masks)
    numbers, _ = policies[1].predict(common["observations"], action_masks=joint)
    assert np.array_equal(np.ravel_multi_index(tuple(vectors.T), sizes), numbers)


def test_random_actions_of_each_dimension() -> None:
    """Random vectors are feasible in every dimension, and uniform among what is feasible there."""
    parts = ActionParts(spaces.MultiDiscrete([3, 2]), "test")
    masks = np.tile([True, False, True, False, True], (4000, 1))
    actions = parts.random(masks, np.random.default_rng(0))
    assert actions.shape == (4000, 2)
    counts = np.bincount(actions[:, 0], minlength=3)
    assert counts[1] == 0
    assert abs(counts[0] - 2000) < 100
    assert (actions[:, 1] == 1).all()
    assert parts.has_action(np.array([[1, 0, 0, 0, 1], [1, 1, 1, 0, 0]], dtype=bool)).tolist() == [True, False]


def test_vectors_are_saved_and_continued(tmp_path: Path) -> None:
    """A model of MultiDiscrete actions continues to the bit, with its buffer, which takes another size too."""

    def make_env() -> gym.Env[Any, Any]:
        return ActionMaskInfo(Pairs(CountingEnv(truncates=True)))

    model = MaskableDQN("MlpPolicy", make_env(), buffer_size=60, **SETTINGS).learn(70)
    model.save(tmp_path / "model")
    model.save_replay_buffer(tmp_path / "buffer")
    stored = np.array(model.replay_buffer.actions)  # type: ignore[union-attr]
    loaded = MaskableDQN.load(tmp_path / "model", device="cpu")
    loaded.load_replay_buffer(tmp_path / "buffer")
    for continued in (model, loaded):
        continued.set_env(make_env())
        continued.learn(40, reset_num_timesteps=False)
    assert np.array_equal(weights(model), weights(loaded))
    smaller = MaskableDQN("MlpPolicy", make_env(), buffer_size=30, **SETTINGS)
    smaller.load_replay_buffer(tmp_path / "buffer")
    assert smaller.replay_buffer is not None
    # 70 steps into 60 places: the next one would go to place 10.
    assert np.array_equal(smaller.replay_buffer.actions, stored[(10 + np.arange(30, 60)) % 60])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"policy_kwargs": {"dueling": True}}, "dueling and factors are for Discrete actions"),
        ({"policy_kwargs": {"factors": [3, 2]}}, "dueling and factors are for Discrete actions"),
        ({"demonstrator": "first"}, "demonstrator must be None where actions are not Discrete, not 'first'"),
    ],
)
def test_refused_with_vectors(arguments: dict[str, Any], message: str) -> None:
    """What only Discrete actions have is refused with vectors."""
    with pytest.raises(ValueError, match=message):
        MaskableDQN("MlpPolicy", InvalidActionEnvMultiDiscrete(dims=[3, 2], n_invalid_actions=1), **arguments)


def test_masks_of_vectors_are_checked() -> None:
    """A mask must have the entries of all dimensions, and leave a choice in each."""
    model = MaskableDQN("MlpPolicy", InvalidActionEnvMultiDiscrete(dims=[3, 2], n_invalid_actions=1), device="cpu")
    observation = model.observation_space.sample()
    with pytest.raises(ValueError, match="must have 5 entries per environment"):
        model.predict(observation, action_masks=np.ones(6))
    with pytest.raises(ValueError, match="at least one feasible action"):
        model.predict(observation, action_masks=np.array([1, 1, 1, 0, 0]))

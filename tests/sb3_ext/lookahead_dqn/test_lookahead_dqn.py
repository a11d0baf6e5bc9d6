"""Learning from simulated continuations, on a game small enough to be solved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch as th
from gymnasium.vector import AutoresetMode

from sb3_ext import GymnasiumVecEnv
from sb3_ext.lookahead_dqn import LookaheadBuffer, LookaheadDQN

STAGES, PLACES, ACTIONS, ENVS = 4, 3, 4, 8
REWARDS = np.random.default_rng(5).integers(-9, 10, (STAGES, PLACES, ACTIONS)).astype(float)
OFFERED = np.random.default_rng(6).random((STAGES, PLACES, ACTIONS)) < 0.7
OFFERED[..., 0] = True

Choose = Callable[[np.ndarray, np.ndarray], np.ndarray]


def following(place: np.ndarray, action: np.ndarray) -> np.ndarray:
    """Where an action leads."""
    return (place + action) % PLACES


class Stages(gym.vector.VectorEnv):
    """Four stages with three places each; every action pays and leads on. The rule "lowest" takes action 0."""

    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012

    def __init__(self) -> None:
        self.num_envs = ENVS
        self.single_observation_space = gym.spaces.Box(0.0, 1.0, (STAGES * PLACES,), np.float32)
        self.single_action_space = gym.spaces.Discrete(ACTIONS)
        self.observation_space = gym.vector.utils.batch_space(self.single_observation_space, ENVS)
        self.action_space = gym.vector.utils.batch_space(self.single_action_space, ENVS)
        self.stage, self.place = np.zeros((2, ENVS), dtype=np.int64)
        self.rules_asked: list[str | None] = []

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Back to the first stage."""
        self.stage[:], self.place[:] = 0, np.arange(ENVS) % PLACES
        return self._observe(self.stage, self.place), {}

    def step(self, actions: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take an action in each."""
        assert self.action_masks()[np.arange(ENVS), actions].all()
        rewards = REWARDS[self.stage, self.place, actions]
        self.place = following(self.place, actions)
        self.stage = self.stage + 1
        over, info = self.stage == STAGES, {}
        if over.any():
            last = np.full(ENVS, None, dtype=object)
            last[:] = list(self._observe(self.stage - 1, self.place))
            info = {"final_obs": last, "_final_obs": over}
            self.stage[over] = 0
        return self._observe(self.stage, self.place), rewards, over, np.zeros(ENVS, dtype=bool), info

    def action_masks(self) -> np.ndarray:
        """(n_envs, n_actions) bool."""
        return OFFERED[self.stage, self.place]

    def action_returns(self, choose: Choose | None, rule: str) -> np.ndarray:
        """(n_envs, n_actions), by playing on from every action."""
        self.rules_asked.append(rule if choose is None else None)
        table = np.zeros((STAGES, PLACES), dtype=int) if choose is None else decisions(choose)
        returns = np.full((ENVS, ACTIONS), np.nan)
        for i, action in zip(*np.nonzero(self.action_masks()), strict=True):
            returns[i, action] = played_on(int(self.stage[i]), int(self.place[i]), int(action), table)
        return returns

    @staticmethod
    def _observe(stage: np.ndarray, place: np.ndarray) -> np.ndarray:
        return np.eye(STAGES * PLACES, dtype=np.float32)[stage * PLACES + place]


def decisions(choose: Choose) -> np.ndarray:
    """(STAGES, PLACES), what is chosen in every state."""
    stage, place = (grid.ravel() for grid in np.meshgrid(range(STAGES), range(PLACES), indexing="ij"))
    return choose(Stages._observe(stage, place), OFFERED[stage, place]).reshape(STAGES, PLACES)


def played_on(stage: int, place: int, action: int, table: np.ndarray) -> float:
    """The return of an action, then of the decisions of a table."""
    total = REWARDS[stage, place, action]
    for later in range(stage + 1, STAGES):
        place = (place + action) % PLACES
        action = table[later, place]
        total += REWARDS[later, place, action]
    return float(total)


def optimal_values() -> np.ndarray:
    """(STAGES, PLACES, ACTIONS), by backward induction; -inf where infeasible."""
    values = np.full((STAGES, PLACES, ACTIONS), -np.inf)
    after = np.zeros(PLACES)
    for stage in reversed(range(STAGES)):
        for place in range(PLACES):
            for action in np.flatnonzero(OFFERED[stage, place]):
                values[stage, place, action] = REWARDS[stage, place, action] + after[(place + action) % PLACES]
        after = values[stage].max(axis=1)
    return values


def make_model(**changes: Any) -> LookaheadDQN:
    """A small model."""
    settings: dict[str, Any] = {
        "learning_rate": 0.01,
        "learning_starts": 80,
        "batch_size": 64,
        "buffer_size": 400,
        "base": "lowest",
        "base_steps": 2400,
        "target_update_interval": 2400,
        "reward_scale": 0.1,
        "exploration_final_eps": 1.0,
        "policy_kwargs": {"net_arch": [32]},
        "seed": 1,
        "device": "cpu",
    }
    return LookaheadDQN("MlpPolicy", GymnasiumVecEnv(Stages()), **(settings | changes))


def chosen(model: LookaheadDQN) -> np.ndarray:
    """(STAGES, PLACES), the greedy action in every state."""
    return decisions(lambda seen, masks: model.predict(seen, deterministic=True, action_masks=masks)[0])


def is_best(actions: np.ndarray, values: np.ndarray) -> bool:
    """Whether the actions are worth most in every state; several may be worth the same."""
    return np.array_equal(np.take_along_axis(values, actions[..., None], axis=2)[..., 0], values.max(axis=2))


def one_step_values() -> np.ndarray:
    """(STAGES, PLACES, ACTIONS), values of the actions before the rule continues; -inf where infeasible."""
    values = np.full((STAGES, PLACES, ACTIONS), -np.inf)
    for stage, place, action in zip(*np.nonzero(OFFERED), strict=True):
        values[stage, place, action] = played_on(stage, place, action, np.zeros((STAGES, PLACES), dtype=int))
    return values


def test_first_phase_is_one_step_better_than_the_rule() -> None:
    """In the first phase the agent learns the best first action before the rule continues."""
    actions = chosen(make_model(base_steps=10**9).learn(2400))
    assert is_best(actions, one_step_values())
    # Else the next test would test the same thing.
    assert not is_best(actions, optimal_values())


def test_policy_iteration_reaches_the_optimum() -> None:
    """Policy iteration reaches the optimum found by backward induction."""
    assert is_best(chosen(make_model().learn(9600)), optimal_values())


def test_rule_then_network_continue() -> None:
    """The rule continues episodes until base_steps, and the network afterwards."""
    model = make_model(base_steps=80, learning_starts=8)
    model.learn(160)
    assert model.env is not None
    asked = model.env.vector_env.rules_asked  # type: ignore[attr-defined]
    assert asked == ["lowest"] * 10 + [None] * 10


def test_saved_model_and_memory_go_on(tmp_path: Path) -> None:
    """Saving and loading preserves the policy, the settings and the memory."""
    model = make_model().learn(800)
    model.save(tmp_path / "model")
    model.save_replay_buffer(tmp_path / "memory")
    loaded = LookaheadDQN.load(tmp_path / "model", env=GymnasiumVecEnv(Stages()))
    loaded.load_replay_buffer(tmp_path / "memory")
    assert np.array_equal(chosen(loaded), chosen(model))
    assert (loaded.base, loaded.base_steps) == ("lowest", 2400)
    for name in ("observations", "actions", "advantages", "known"):
        assert np.array_equal(getattr(loaded.replay_buffer, name), getattr(model.replay_buffer, name))


def test_training_is_repeatable() -> None:
    """The same seed gives the same parameters."""
    one, other = make_model().learn(1200), make_model().learn(1200)
    for a, b in zip(one.policy.parameters(), other.policy.parameters(), strict=True):
        assert th.equal(a, b)


def test_a_diverged_training_ends() -> None:
    """A loss that is nan or infinite raises one sentence."""
    with pytest.raises(ValueError, match=r"^LookaheadDQN: a loss is (nan|inf), .* the training has diverged\.$"):
        make_model(learning_rate=1e38).learn(800)


def test_a_memory_of_another_size_goes_on(tmp_path: Path) -> None:
    """A model continued with another buffer_size keeps the newest states in a memory of that size."""
    model = make_model()
    model.learn(160)
    model.save(tmp_path / "model")
    model.save_replay_buffer(tmp_path / "memory")
    smaller = LookaheadDQN.load(tmp_path / "model", env=GymnasiumVecEnv(Stages()), buffer_size=40)
    smaller.load_replay_buffer(tmp_path / "memory")
    old, new = model.replay_buffer, smaller.replay_buffer
    assert (new.buffer_size, new.size()) == (40, 40)
    newest = (old.pos - 40 + np.arange(40)) % old.buffer_size
    np.testing.assert_array_equal(new.observations, old.observations[newest])
    np.testing.assert_array_equal(new.advantages, old.advantages[newest])


def test_environment_without_returns_is_refused() -> None:
    """An environment without action_returns() raises an error in the constructor."""
    from sb3_contrib.common.envs import InvalidActionEnvDiscrete

    with pytest.raises(ValueError, match=r"needs an environment with a method action_returns\(\)"):
        LookaheadDQN("MlpPolicy", InvalidActionEnvDiscrete(dim=5, n_invalid_actions=2), base="lowest")


def make_buffer(size: int = 5, most_actions: int = 2) -> LookaheadBuffer:
    """A small replay memory."""
    space = gym.spaces.Box(0.0, 9.0, (1,), np.float32)
    return LookaheadBuffer(size, space, gym.spaces.Discrete(4), "cpu", most_actions, seed=0)


NAN = np.nan


def test_advantages_by_hand() -> None:
    """Advantages are returns minus their mean, and states with fewer than two known returns are not stored."""
    buffer = make_buffer(most_actions=3)
    returns = np.array([[1.0, NAN, 5.0, NAN], [7.0, NAN, NAN, NAN], [NAN, 1.0, 2.0, 6.0]])
    assert buffer.add_returns(np.array([[1.0], [2.0], [3.0]]), returns) == 2
    # Means 3 and 3; the second state has one action only.
    assert buffer.observations[:2, 0].tolist() == [1.0, 3.0]
    assert buffer.actions[0, :2].tolist() == [0, 2]
    assert buffer.advantages[:2].tolist() == [[-2.0, 2.0, 0.0], [-2.0, -1.0, 3.0]]
    assert buffer.known[:2].tolist() == [[True, True, False], [True, True, True]]


def test_crowded_states_keep_known_actions_by_chance() -> None:
    """Of more than most_actions known actions a uniform random subset is kept."""
    buffer = make_buffer(size=600)
    returns = np.tile([1.0, 2.0, NAN, 3.0], (600, 1))
    buffer.add_returns(np.zeros((600, 1)), returns)
    assert buffer.known.all()
    share = np.bincount(buffer.actions.ravel(), minlength=4) / 1200
    # A third each; four standard errors of a share of 1,200 draws are 0.054.
    assert np.abs(share - [1 / 3, 1 / 3, 0, 1 / 3]).max() < 0.054
    assert share[2] == 0


def test_memory_keeps_the_newest() -> None:
    """The memory keeps the newest states."""
    buffer = make_buffer()
    returns = np.array([[0.0, 1.0, NAN, NAN]])
    for k in range(7):
        buffer.add_returns(np.full((1, 1), float(k)), returns)
    assert buffer.full
    assert buffer.size() == 5
    assert sorted(buffer.observations[:, 0].tolist()) == [2.0, 3.0, 4.0, 5.0, 6.0]
    assert set(buffer.sample(200).observations[:, 0].tolist()) == {2.0, 3.0, 4.0, 5.0, 6.0}


def test_wrong_settings_are_named() -> None:
    """Settings out of range, and a draw from an empty memory, raise an error."""
    with pytest.raises(ValueError, match="most_actions at least 2, not 5 and 1"):
        make_buffer(most_actions=1)
    with pytest.raises(ValueError, match="while no state is stored"):
        make_buffer().sample(1)

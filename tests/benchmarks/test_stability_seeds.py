"""Many seeds at once: the same environment, the same update and the same draws as one at a time."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
import torch as th
from stable_baselines3.common.logger import configure

from benchmarks import stability_seeds
from benchmarks.stability_parts import Networks, evaluate, move
from benchmarks.stability_seeds import VARIANTS, Trainings
from sb3_ext import MaskableDQN


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings of 600 steps."""
    for name, value in (("STEPS", 600), ("ROUND", 50), ("UPDATES", 3), ("WARM_UP", 100)):
        monkeypatch.setattr(stability_seeds, name, value)


def test_moves_are_gymnasiums() -> None:
    """A step of many poles is the step of Gymnasium's CartPole for each of them."""
    env, rng = gym.make("CartPole-v1").unwrapped, np.random.default_rng(0)
    states, actions = rng.uniform(-0.25, 0.25, (50, 4)), rng.integers(2, size=50)
    following, ends = move(states, actions)
    assert 0 < ends.sum() < 50
    for state, action, expected, end in zip(states, actions, following, ends, strict=True):
        env.reset()
        env.state = state  # type: ignore[attr-defined]
        observation, _, terminated, _, _ = env.step(action)
        np.testing.assert_allclose(observation, expected, rtol=1e-6)
        assert terminated == end


def test_update_is_that_of_maskable_dqn() -> None:
    """From the same weights, transitions and draws, an update of one seed leaves MaskableDQN's weights."""
    with th.no_grad():
        trainings = Trainings([3], VARIANTS["double_per"], 16)
        memory, rng = trainings.memory, np.random.default_rng(1)
        net = {"net_arch": [16, 16]}
        model = MaskableDQN("MlpPolicy", "CartPole-v1", learning_rate=2.3e-3, device="cpu", policy_kwargs=net)
        layers = [layer for layer in model.q_net.q_net if isinstance(layer, th.nn.Linear)]
        for i, layer in enumerate(layers):
            layer.weight.copy_(trainings.online.layers[2 * i][0].T)
            layer.bias.copy_(trainings.online.layers[2 * i + 1][0, 0])
        model.q_net_target.load_state_dict(model.q_net.state_dict())
        for _ in range(100):
            now, later = rng.normal(size=(2, 1, 4)).astype(np.float32)
            action, end = rng.integers(2, size=1), rng.random(1) < 0.3
            memory.add(now, later, action, end)
            info = {"action_mask": np.ones(2, dtype=bool)}
            assert model.replay_buffer is not None
            model.replay_buffer.add(now, later, action, np.ones(1), end, [info])
        trainings.rng = memory.rng = np.random.default_rng(7)
        model.replay_buffer.rng = np.random.default_rng(7)
    model.set_logger(configure(None, []))
    model.train(1, stability_seeds.BATCH)
    with th.no_grad():
        trainings.update()
    for i, layer in enumerate(layers):
        th.testing.assert_close(layer.weight.T, trainings.online.layers[2 * i][0], rtol=0, atol=2e-6)
    own, theirs = (tree.values(np.arange(100)) for tree in (memory.tree, model.replay_buffer.tree))
    np.testing.assert_allclose(own, theirs, rtol=1e-5)


@pytest.mark.parametrize("variant", ["plain", "lap", "largest_of_buffer"])
def test_trainings_repeat_themselves(variant: str) -> None:
    """The same seeds give the same evaluations, 25 of each seed."""
    with th.no_grad():
        first, again = (Trainings([0, 1], VARIANTS[variant], 8).train() for _ in range(2))
    assert first.shape == (2, 25)
    np.testing.assert_array_equal(first, again)


def test_evaluations_count_steps() -> None:
    """The return of an episode is the number of its steps, the last one included."""
    with th.no_grad():
        networks = Networks([0], (4, 4, 4, 2))
        networks.weights.zero_()
        # All values are equal, so always the first action: the pole falls.
        env = gym.make("CartPole-v1").unwrapped
        env.reset(seed=0)
        start, steps, terminated = np.array(env.state), 0, False  # type: ignore[attr-defined]
        while not terminated:
            terminated = env.step(0)[2]
            steps += 1
        assert evaluate(networks, start[None, None]) == steps

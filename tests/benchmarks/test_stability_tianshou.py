"""An independent implementation of double DQN with prioritized replay, update by update."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch as th

from benchmarks.stability import ENVS
from sb3_ext import MaskableDQN

pytest.importorskip("tianshou", reason="tianshou is not installed")

from tianshou.data import Batch, PrioritizedReplayBuffer

from benchmarks.stability_tianshou import ALPHA, BETA, do_updates, make_algorithm


def filled_buffer(model: MaskableDQN) -> PrioritizedReplayBuffer:
    """tianshou's buffer with the transitions of a model's, which knows no TD errors yet."""
    buffer, own = PrioritizedReplayBuffer(2000, alpha=ALPHA, beta=BETA), model.replay_buffer
    assert own is not None
    for record in own.records[: own.size(), 0]:
        buffer.add(
            Batch(obs=record["observations"], act=int(record["actions"][0]), rew=float(record["rewards"]),
                  terminated=bool(record["terminals"]), truncated=bool(record["timeouts"]),
                  obs_next=record["next_observations"], info={})
        )  # fmt: skip
    return buffer


def test_updates_are_those_of_tianshou(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the same weights, transitions and uniform numbers, 16 updates leave the same weights and priorities."""
    settings: dict[str, Any] = {
        **ENVS["CartPole-v1"],
        "buffer_size": 2000,
        "learning_starts": 600,
        "gradient_steps": 16,
    }
    del settings["steps"]
    # tianshou has no limits of priorities, and another epsilon.
    limits = {"min_priority": 1e-9, "max_priority": 1e9, "epsilon": float(np.finfo(np.float32).eps)}
    env = gym.make("CartPole-v1", max_episode_steps=30)
    model = MaskableDQN("MlpPolicy", env, seed=1, device="cpu", replay_buffer_kwargs=limits, **settings)
    model.learn(512, use_masking=False)
    dqn = make_algorithm(env, settings)
    dqn.policy.model.layers.load_state_dict(model.q_net.q_net.state_dict())
    buffer, own = filled_buffer(model), model.replay_buffer
    assert own is not None
    assert 0 < own.timeouts[:512].sum() < own.dones[:512].sum()
    numbers = np.random.default_rng(5)
    own.rng = np.random.default_rng(5)
    monkeypatch.setattr(np.random, "rand", numbers.random)
    model.train(settings["gradient_steps"], settings["batch_size"])
    do_updates(dqn, buffer, settings)
    theirs = dqn.policy.model.layers.state_dict()
    for name, parameter in model.q_net.q_net.state_dict().items():
        th.testing.assert_close(parameter, theirs[name], rtol=0, atol=1e-5)
    np.testing.assert_allclose(own.tree.values(np.arange(512)), buffer.weight[np.arange(512)], rtol=1e-3)
    assert own.largest_priority > 1.0

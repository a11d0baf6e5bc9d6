"""The hospital copied and pickled in the middle of an episode: the copy goes on equally."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from echo_env.pathways.envs.env import PatientPathwaysEnv

COPIERS = {"deepcopy": copy.deepcopy, "pickle": lambda own: pickle.loads(pickle.dumps(own))}


def play_on(env: Any, steps: int, seed: int) -> list[Any]:
    """What an environment says to random feasible actions, over the ends of episodes."""
    rng, told = np.random.default_rng(seed), []
    for _ in range(steps):
        action = int(rng.choice(np.flatnonzero(env.action_masks())))
        observation, reward, over, _, info = env.step(action)
        told.append((action, observation.tobytes(), reward, over, info["action_mask"].tobytes(), info.get("metrics")))
        if over:
            told.append(env.reset()[0].tobytes())
    return told


@pytest.mark.parametrize("copier", sorted(COPIERS))
@pytest.mark.parametrize("steps", [0, 1, 13, 40])
def test_a_copied_episode_goes_on_equally(steps: int, copier: str) -> None:
    """Observations, rewards, masks and metrics of a copy are those of the original, on later episodes too."""
    env = PatientPathwaysEnv(patients=6, resources=4)
    env.reset(seed=2)
    play_on(env, steps, seed=3)
    env.action_space.seed(1)
    twin = COPIERS[copier](env)
    assert [twin.action_space.sample() for _ in range(9)] == [env.action_space.sample() for _ in range(9)]
    assert play_on(twin, 120, seed=4) == play_on(env, 120, seed=4)


@pytest.mark.parametrize("copier", sorted(COPIERS))
def test_a_copied_batch_goes_on_equally(copier: str) -> None:
    """A batch of hospitals and its copy say the same."""
    env = gym.make_vec("PatientPathways-v0", num_envs=3, patients=6, resources=4)
    env.reset(seed=2)
    own: Any = env
    for _ in range(10):
        env.step(np.array([np.flatnonzero(mask)[0] for mask in own.action_masks()]))
    twin = COPIERS[copier](env)
    for _ in range(100):
        actions = np.array([np.flatnonzero(mask)[0] for mask in own.action_masks()])
        got, expected = (batch.step(actions) for batch in (twin, env))
        assert all(np.array_equal(one, other) for one, other in zip(got[:4], expected[:4], strict=True))
        assert np.array_equal(got[4]["action_mask"], expected[4]["action_mask"])

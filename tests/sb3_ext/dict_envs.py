"""A masked environment with ``Dict`` observations, and what SB3's own DQN needs to learn from the same transitions."""

from typing import Any

import gymnasium as gym
import numpy as np
import torch as th
from gymnasium import spaces
from masked_envs import N_ACTIONS, CountingEnv
from stable_baselines3 import DQN
from stable_baselines3.common.logger import configure

from sb3_ext import MaskableDQN

IMAGE = (36, 36, 1)


class AsDict(gym.ObservationWrapper[dict[str, Any], int, np.ndarray]):
    """The numbers of a CountingEnv by key, with the step as a ``Discrete`` and, if wanted, as a picture."""

    def __init__(self, env: CountingEnv, picture: bool = False) -> None:
        super().__init__(env)
        parts: dict[str, spaces.Space[Any]] = {
            "numbers": spaces.Box(0.0, 1.0, (2,), np.float32),
            "step": spaces.Discrete(env.length + 1),
        }
        if picture:
            parts["picture"] = spaces.Box(0, 255, IMAGE, np.uint8)
        self.observation_space = spaces.Dict(parts)

    def observation(self, observation: np.ndarray) -> dict[str, Any]:
        """By key."""
        t = self.unwrapped.t  # type: ignore[attr-defined]
        parts = {"numbers": observation, "step": t, "picture": np.full(IMAGE, 30 * t, dtype=np.uint8)}
        return {key: parts[key] for key in self.observation_space}  # type: ignore[attr-defined]

    def action_masks(self) -> np.ndarray:
        """(5,) bool."""
        masks: np.ndarray = self.get_wrapper_attr("env").action_masks()
        return masks


def make_dict_env(picture: bool = False, **kwargs: Any) -> gym.Env[Any, Any]:
    """A CountingEnv with ``Dict`` observations."""
    return AsDict(CountingEnv(**kwargs), picture)


def difference_after_one_update(policy: str, env: gym.Env[Any, Any], **settings: Any) -> float:
    """
    Largest difference between the parameters of SB3's DQN and of ours after one update, from the same parameters and
    on the same batch, with plain targets and all actions feasible.
    """
    return difference_between(DQN, MaskableDQN, policy, env, **settings)


def difference_between(
    their_class: Any, our_class: type[MaskableDQN], policy: str, env: gym.Env[Any, Any], **settings: Any
) -> float:
    """The same for any algorithm and the one of ours that does the same; networks have the same layers."""
    common: dict[str, Any] = {"learning_rate": 1e-3, "device": "cpu", "seed": 0, "buffer_size": 100, **settings}
    theirs = their_class(policy, env, **common)
    ours = our_class(policy, env, double_q=False, prioritized_replay=False, **common)
    for model in (theirs, ours):
        model.set_logger(configure(None, []))
    space, rng = theirs.observation_space, np.random.default_rng(0)
    space.seed(0)
    for _ in range(20):
        first, second = ({key: value[None] for key, value in _as_dict(space.sample()).items()} for _ in range(2))
        obs, next_obs = (x if isinstance(space, spaces.Dict) else x[""] for x in (first, second))
        step: Any = (np.array([rng.integers(N_ACTIONS)]), rng.random(1), rng.random(1) < 0.2)
        infos: list[dict[str, Any]] = [{"action_mask": np.ones(N_ACTIONS, dtype=bool)}]
        for model in (theirs, ours):
            model.replay_buffer.add(obs, next_obs, *step, infos)  # type: ignore[union-attr]
    assert ours.replay_buffer is not None
    batch = ours.replay_buffer.draw(16)
    positions = batch.rows
    theirs.replay_buffer.sample = lambda *_, **__: theirs.replay_buffer._get_samples(positions)  # type: ignore
    ours.replay_buffer.draw = lambda *_, **__: batch  # type: ignore[method-assign]
    # Theirs call the same layers otherwise.
    ours.policy.load_state_dict(dict(zip(ours.policy.state_dict(), theirs.policy.state_dict().values(), strict=True)))
    before = th.nn.utils.parameters_to_vector(theirs.policy.parameters()).detach()
    for model in (theirs, ours):
        model.train(1, 16)
    vectors = [th.nn.utils.parameters_to_vector(model.policy.parameters()).detach() for model in (theirs, ours)]
    assert not th.equal(before, vectors[0])
    return float((vectors[0] - vectors[1]).abs().max())


def _as_dict(sample: Any) -> dict[str, Any]:
    return {key: np.asarray(part) for key, part in (sample if isinstance(sample, dict) else {"": sample}).items()}

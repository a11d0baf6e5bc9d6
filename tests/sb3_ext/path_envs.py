"""Walks over six paths, as single environments and as a VectorEnv, with masks."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space
from sb3_contrib.common.maskable.utils import get_action_masks
from stable_baselines3.common.vec_env import VecEnv

N_ENVS, N_ACTIONS = 4, 6
SAME, NEXT, DISABLED = AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED


class Paths(gym.Env[np.ndarray, np.int64]):
    """
    One walk: a position in [0, 1) drawn at each step says which three of six actions are offered. Ends by chance,
    or is cut after eight steps. All luck is of the environment's own generator.
    """

    def __init__(self, rate: float = 0.2) -> None:
        self.observation_space = spaces.Box(0.0, 1.0, (2,))
        self.action_space = spaces.Discrete(N_ACTIONS)
        self.rate, self.rate_now = rate, rate

    def set_absence_rate(self, rate: float) -> None:
        """Probability of an end, from the next walk on."""
        self.rate = rate

    def action_masks(self) -> np.ndarray:
        """(6,) bool, three neighbours."""
        return np.isin(np.arange(N_ACTIONS), [(int(self.x * N_ACTIONS) + k) % N_ACTIONS for k in range(3)])

    def told(self) -> tuple[np.ndarray, dict[str, Any]]:
        """Observation and info."""
        observation = np.array([self.x, self.t / 8], np.float32)
        info = {"action_mask": self.action_masks(), "x": float(self.x), "seen": observation.copy()}
        return observation, info | {"parts": {"t": self.t, "rate": self.rate_now}}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """Begin a walk."""
        super().reset(seed=seed)
        self.t, self.x, self.rate_now = 0, self.np_random.random(), (options or {}).get("rate", self.rate)
        return self.told()

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict]:
        """Walk on; the rewards are sums of powers of two, so that no order of adding rounds."""
        if not self.action_masks()[action]:
            raise ValueError(f"action {action} is infeasible")
        self.t, self.x = self.t + 1, self.np_random.random()
        over = self.np_random.random() < self.rate_now
        observation, info = self.told()
        if over:
            info["metrics"] = {"length": float(self.t)}
        return observation, 1.0 + int(action) / 4, over, self.t >= 8, info


class NativePaths(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """
    The batched equivalent of Paths, with the same random draws. Hands out the same arrays at every step, as a fast
    environment would.

    :param mode: when the next walk begins
    :param mask_in_info: whether ``info`` holds masks
    """

    def __init__(self, num_envs: int = N_ENVS, mode: AutoresetMode = SAME, mask_in_info: bool = True) -> None:
        self.metadata = {"autoreset_mode": mode}
        self.num_envs, self.mode, self.mask_in_info = num_envs, mode, mask_in_info
        self.walks = [Paths() for _ in range(num_envs)]
        self.single_observation_space, self.single_action_space = self.walks[0].observation_space, spaces.Discrete(6)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observations, self.final_observations = np.zeros((2, num_envs, 2), np.float32)
        self.masks = np.zeros((num_envs, N_ACTIONS), bool)
        self.numbers = np.zeros((num_envs, 3))
        self.rates_told: list[float] = []

    def set_absence_rate(self, rate: float) -> None:
        """As in Paths, for all walks."""
        self.rates_told.append(rate)
        for walk in self.walks:
            walk.set_absence_rate(rate)

    def action_masks(self) -> np.ndarray:
        """(n_envs, 6) bool."""
        return self.masks

    def _write(self, i: int, observation: np.ndarray, info: dict[str, Any]) -> None:
        self.observations[i], self.masks[i] = observation, info["action_mask"]
        self.numbers[i] = info["x"], info["parts"]["t"], info["parts"]["rate"]

    def _info(self, told: np.ndarray) -> dict[str, Any]:
        x, t, rate = self.numbers.T
        parts = {"t": t, "_t": told, "rate": rate, "_rate": told}
        info = {"x": x, "_x": told, "seen": self.observations, "parts": parts, "_parts": told}
        return info | ({"action_mask": self.masks, "_action_mask": told} if self.mask_in_info else {})

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin walks, in all environments or in those of ``reset_mask``."""
        options = dict(options or {})
        which = options.pop("reset_mask", np.ones(self.num_envs, bool))
        for i in np.flatnonzero(which):
            self._write(i, *self.walks[i].reset(seed=None if seed is None else seed + int(i), options=options))
        return self.observations, self._info(which)

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Walk on everywhere; with SAME_STEP begin again where a walk ended."""
        results = [walk.step(action) for walk, action in zip(self.walks, actions, strict=True)]
        rewards, over, cut = (np.array(column) for column in zip(*[result[1:4] for result in results], strict=True))
        for i, (observation, *_, info) in enumerate(results):
            self._write(i, observation, info)
        everywhere, dones = np.ones(self.num_envs, bool), over | cut
        lengths = {"length": self.numbers[:, 1].copy(), "_length": over}
        if self.mode is not SAME or not dones.any():
            info = self._info(everywhere) | {"metrics": lengths, "_metrics": over}
            return self.observations, rewards, over, cut, info
        final = {name: np.copy(value) if name != "parts" else value for name, value in self._info(dones).items()}
        final["parts"] = {name: np.copy(value) for name, value in final["parts"].items()}
        final |= {"metrics": lengths, "_metrics": over}
        self.final_observations[:] = self.observations
        self.reset(options={"reset_mask": dones})
        info = self._info(everywhere) | {"final_obs": self.final_observations, "_final_obs": dones}
        return self.observations, rewards, over, cut, info | {"final_info": final, "_final_info": dones}


def sync(mode: AutoresetMode, make: Callable[[], gym.Env] = Paths) -> SyncVectorEnv:
    """Gymnasium's own, without copies."""
    return SyncVectorEnv([make] * N_ENVS, copy=False, autoreset_mode=mode)


MAKERS: dict[str, Callable[[], VectorEnv]] = {
    "native same step": NativePaths,
    "native disabled": partial(NativePaths, mode=DISABLED),
    "native disabled, masks by method": partial(NativePaths, mode=DISABLED, mask_in_info=False),
    **{f"sync {mode.value}": partial(sync, mode) for mode in AutoresetMode},
    "wrapped": lambda: VectorWrapper(sync(SAME)),
    "async": lambda: AsyncVectorEnv([Paths] * N_ENVS, autoreset_mode=SAME),
    "async next step": lambda: AsyncVectorEnv([Paths] * N_ENVS, autoreset_mode=NEXT),
}


def walk(env: VecEnv, steps: int = 60, seed: int = 5) -> Iterator[tuple[Any, ...]]:
    """Reset, then steps with the middle one of the three offered actions: masks, obs, rewards, dones, infos."""
    env.seed(seed)
    observations = env.reset()
    masks = get_action_masks(env)
    yield masks, observations, np.zeros(env.num_envs), np.zeros(env.num_envs, bool), env.unwrapped.reset_infos
    for _ in range(steps):
        observations, rewards, dones, infos = env.step(np.array([np.flatnonzero(mask)[1] for mask in masks]))
        masks = get_action_masks(env)
        yield masks, observations, rewards, dones, infos


def plain(value: Any) -> Any:
    """Arrays as lists, so that whole infos compare."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items() if name != "t" or value.keys() != {"r", "l", "t"}}
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value

"""Any Gymnasium ``VectorEnv`` as a Stable-Baselines3 ``VecEnv``, with action masks and episode statistics."""

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv, VectorWrapper
from stable_baselines3.common.env_util import is_wrapped
from stable_baselines3.common.monitor import Monitor, ResultsWriter
from stable_baselines3.common.vec_env.base_vec_env import VecEnv, VecEnvIndices, VecEnvObs, VecEnvStepReturn

from sb3_ext.common.masks import INFO_KEY, METHOD_NAME
from sb3_ext.common.step_infos import StepInfos
from sb3_ext.common.transitions import TRUNCATED_KEY
from sb3_ext.common.vec_infos import fill, put, row_of, rows_of, taken, with_rows

PLAIN_SPACES = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)
# Entries of the info of a VectorEnv that are not simply split into rows.
LEFT_OUT = ("final_obs", "final_info", INFO_KEY)


class GymnasiumVecEnv(VecEnv):
    """
    Makes a Gymnasium ``VectorEnv`` train with SB3, as ``DummyVecEnv`` does with a list of environments.

    SB3 wants the first observation of the next episode from the very step that ends one. An environment with
    ``AutoresetMode.SAME_STEP`` gives it; with ``DISABLED`` it is reset here through
    ``reset(options={"reset_mask": ...})``, and so are Gymnasium's own ``SyncVectorEnv`` and ``AsyncVectorEnv`` with
    ``NEXT_STEP``, which know that option in every mode. Any other environment with ``NEXT_STEP`` is refused: it
    begins an episode only in a step that also advances all others, for which SB3 has chosen no actions.

    ``infos`` are dictionaries as SB3 has them; where no episode ended they are made when they are first read, see
    :class:`~sb3_ext.common.step_infos.StepInfos`. Besides the environment's entries they hold
    ``terminal_observation``, ``TimeLimit.truncated`` and the ``episode`` that ``Monitor`` would write, which is
    why ``env_is_wrapped(Monitor)`` is True. ``info["action_mask"]`` is the mask of the state that the step led to,
    also where an episode ended; the masks of the current states come from
    ``env_method("action_masks")``. Algorithms that need no dictionaries find the same in :attr:`step_masks`,
    :attr:`last_masks` and :meth:`step_values`.

    :param env: The environment; masks come from its method ``action_masks()``, (n_envs, n_actions) bool, or from
        that of the environments it holds, or from ``info["action_mask"]``
    :param monitor_file: File for the statistics of all episodes, ending in "monitor.csv"; None for no file
    :param info_keywords: Entries of ``info`` on the last step of an episode that its statistics should hold too
    :param override_existing: Whether to begin the file anew; else it must exist, and episodes are appended
    """

    #: (n_envs, n_actions) bool, masks of the current states; None if there are none.
    last_masks: np.ndarray | None = None
    #: (n_envs, n_actions) bool, masks of the states that the latest step led to, before any reset; None if one of
    #: them is not known.
    step_masks: np.ndarray | None = None

    def __init__(
        self,
        env: VectorEnv,
        monitor_file: str | None = None,
        info_keywords: tuple[str, ...] = (),
        override_existing: bool = True,
    ) -> None:
        check_spaces(env.single_observation_space, env.single_action_space)
        self.vector_env = env
        self._same_step = resets_within_step(env)
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)
        self._fetch_masks = self._mask_method()
        self._probed = False
        # The info of the latest step; where the environment itself begins the next episodes, that of ended ones is in
        # the second.
        self._step_info: dict[str, Any] = {}
        self._final_info: dict[str, Any] | None = None
        self._dones = np.zeros(self.num_envs, dtype=bool)
        self._returns = np.zeros(self.num_envs)
        self._lengths = np.zeros(self.num_envs, dtype=np.int64)
        self._start = time.time()
        self._info_keywords = info_keywords
        self._writer: ResultsWriter | None = None
        if monitor_file is not None:
            header: dict[str, float | str] = {"t_start": self._start, "env_id": str(env.spec and env.spec.id)}
            self._writer = ResultsWriter(monitor_file, header, info_keywords, override_existing)

    def reset(self) -> VecEnvObs:
        """Begin an episode in every environment, with the seeds and options set before."""
        options = self._options[0]
        if any(other is not options and other != options for other in self._options):
            raise ValueError("The environments of a VectorEnv are reset together: give one set of options for all.")
        observations, info = self.vector_env.reset(seed=self._seeds[0], options=options or None)
        self._reset_seeds()
        self._reset_options()
        self._probed = True
        self._returns[:] = self._lengths[:] = 0
        self.step_masks, self.last_masks = None, self._masks_now(info)
        self._set_reset_infos(np.arange(self.num_envs), rows_of(info, self.num_envs, LEFT_OUT))
        return self._copied(observations)

    def step_async(self, actions: np.ndarray) -> None:
        """Remember the actions for :meth:`step_wait`."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Step; see SB3. Nothing that is returned is written into again."""
        observations, rewards, terminations, truncations, info = self.vector_env.step(self._actions)
        obs = self._copied(observations)
        dones = np.logical_or(terminations, truncations)
        self._returns += rewards
        self._lengths += 1
        self._step_info, self._final_info, self._dones = info, None, dones
        if not dones.any():
            masks = self.step_masks = self.last_masks = self._masks_now(info)
            make = partial(_infos_within_episodes, self.num_envs, info, masks)
            return obs, rewards.astype(np.float32), dones, StepInfos(self.num_envs, make)  # type: ignore[return-value]
        infos = [{TRUNCATED_KEY: cut} for cut in (truncations & ~terminations).tolist()]
        fill(infos, info, LEFT_OUT)
        terminal = self._take_ends(infos, info) if self._same_step else self._reset_ended(obs, info)
        if self.step_masks is not None:
            put(infos, INFO_KEY, self.step_masks)
        for i in np.flatnonzero(dones).tolist():
            infos[i]["terminal_observation"] = self._copied(row_of(terminal, i))
            infos[i]["episode"] = self._end_episode(i, infos[i])
        return obs, rewards.astype(np.float32), dones, infos

    def _take_ends(self, infos: list[dict[str, Any]], info: dict[str, Any]) -> Any:
        """Last observations where the environment has begun the next episodes itself; sorts out the infos of both."""
        if "final_obs" not in info:
            raise ValueError(f"{self.vector_env} ended an episode in the mode SAME_STEP without info['final_obs'].")
        dones, final = self._dones, info.get("final_info", {})
        self._final_info = final
        self.step_masks, self.last_masks = None, self._masks_now(info)
        if self.last_masks is not None and INFO_KEY in final and np.all(final.get(f"_{INFO_KEY}", dones)[dones]):
            self.step_masks = with_rows(self.last_masks, final[INFO_KEY], dones)
        which = np.flatnonzero(dones)
        ends = [{TRUNCATED_KEY: infos[i].pop(TRUNCATED_KEY)} for i in which]
        fill(ends, taken(final, which), LEFT_OUT)
        self._set_reset_infos(which, [infos[i] for i in which])
        for i, end in zip(which, ends, strict=True):
            infos[i] = end
        return info["final_obs"]

    def _reset_ended(self, obs: Any, info: dict[str, Any]) -> Any:
        """Last observations of the ended episodes; begins the next ones, whose first go into ``obs``."""
        dones, which = self._dones, np.flatnonzero(self._dones)
        self.step_masks = self._masks_now(info)
        # Copies, since the reset may happen in the same arrays.
        terminal, self._step_info = self._copied(obs), deepcopy(info)
        new, new_info = self.vector_env.reset(options={"reset_mask": dones.copy()})
        parts = [(obs[key], new[key]) for key in obs] if isinstance(obs, dict) else [(obs, new)]
        for part, new_part in parts:
            part[dones] = new_part[dones]
        if self.step_masks is not None and INFO_KEY in new_info:
            self.last_masks = with_rows(self.step_masks, new_info[INFO_KEY], dones)
        else:
            self.last_masks = self._masks_now({})
        self._set_reset_infos(which, rows_of(taken(new_info, which), len(which), LEFT_OUT))
        return terminal

    def _set_reset_infos(self, which: np.ndarray, rows: list[dict[str, Any]]) -> None:
        for i, row in zip(which, rows, strict=True):
            self.reset_infos[i] = row if self.last_masks is None else {**row, INFO_KEY: self.last_masks[i]}

    def _end_episode(self, i: int, info: dict[str, Any]) -> dict[str, Any]:
        statistics = {"r": round(float(self._returns[i]), 6), "l": int(self._lengths[i])}
        statistics["t"] = round(time.time() - self._start, 6)
        statistics |= {key: info[key] for key in self._info_keywords}
        self._returns[i] = self._lengths[i] = 0
        if self._writer is not None:
            self._writer.write_row(statistics)
        return statistics

    def step_values(self, key: str) -> np.ndarray:
        """
        An entry of the latest step's ``info``, also for episodes that it ended, without dictionaries.

        :param key: Key of ``info`` with an array
        :return: (n_envs, ...) copy, zero where there was no entry
        :raises KeyError: the step's info has no such entry
        """
        if self._final_info is None:
            return np.array(self._step_info[key])
        now, final = self._step_info.get(key), self._final_info.get(key)
        if now is None:
            now = np.zeros_like(self._final_info[key])
        return with_rows(now, np.zeros_like(now) if final is None else final, self._dones)

    def _masks_now(self, info: dict[str, Any]) -> np.ndarray | None:
        """(n_envs, n_actions) bool, a copy, of the states in which the environments are."""
        told = info.get(f"_{INFO_KEY}")
        if INFO_KEY in info and (told is None or told.all()):
            return np.array(info[INFO_KEY], dtype=bool)
        return None if self._fetch_masks is None else np.array(self._fetch_masks(), dtype=bool)

    def _copied(self, observations: Any) -> np.ndarray | dict[str, np.ndarray]:
        if isinstance(self.observation_space, spaces.Dict):
            return {key: np.array(observations[key], dtype=box.dtype) for key, box in self.observation_space.items()}
        return np.array(observations, dtype=self.observation_space.dtype)

    # SB3's access to single environments.

    def _mask_method(self) -> Callable[[], Any] | None:
        if self._in_sub_envs(METHOD_NAME):
            return partial(self.vector_env.unwrapped.call, METHOD_NAME)  # type: ignore[attr-defined]
        owner = self._owner(METHOD_NAME)
        return None if owner is None else getattr(owner, METHOD_NAME)

    def _layers(self) -> Iterator[VectorEnv]:
        layer = self.vector_env
        yield layer
        while isinstance(layer, VectorWrapper):
            layer = layer.env
            yield layer

    def _owner(self, name: str) -> VectorEnv | None:
        """The outermost layer that has an attribute; wrappers of a ``VectorEnv`` do not pass attributes on."""
        return next((layer for layer in self._layers() if hasattr(layer, name)), None)

    def _in_sub_envs(self, name: str) -> bool:
        """Whether the environment holds single ones that have an attribute."""
        base = self.vector_env.unwrapped
        # Through a method that every environment has: a worker crashes on a missing attribute.
        return isinstance(base, SyncVectorEnv | AsyncVectorEnv) and all(base.call("has_wrapper_attr", name))

    def _per_env(self, value: Any, chosen: Sequence[int]) -> list[Any]:
        """A value of the whole ``VectorEnv`` as one of each environment: rows if there are as many, else the same."""
        batched = isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim > 0)
        split = batched and len(value) == self.num_envs
        return [value[i] if split else value for i in chosen]

    def _chosen(self, indices: VecEnvIndices, together: str | None = None) -> list[int]:
        chosen = list(self._get_indices(indices))
        if together is not None and set(chosen) != set(range(self.num_envs)):
            raise ValueError(f"{together} of {self.vector_env} is for all environments at once: leave indices out.")
        return chosen

    def has_attr(self, attr_name: str) -> bool:
        """Whether the environment, or each of those that it holds, has an attribute; see SB3."""
        if attr_name == METHOD_NAME and self._fetch_masks is None:
            if not self._probed:
                # SB3 checks before its first reset, and only a reset shows what info holds.
                self._probed = True
                self.last_masks = self._masks_now(self.vector_env.reset()[1])
            return self.last_masks is not None
        return self._in_sub_envs(attr_name) or self._owner(attr_name) is not None

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """The attribute of each environment; an array, list or tuple of n_envs entries is split; see SB3."""
        chosen, base = self._chosen(indices), self.vector_env.unwrapped
        if attr_name in ("observation_space", "action_space"):
            attr_name = f"single_{attr_name}"
        elif isinstance(base, SyncVectorEnv) and all(base.envs[i].has_wrapper_attr(attr_name) for i in chosen):
            return [base.envs[i].get_wrapper_attr(attr_name) for i in chosen]
        elif self._in_sub_envs(attr_name):
            return self._per_env(base.get_attr(attr_name), chosen)  # type: ignore[attr-defined]
        owner = self._owner(attr_name)
        if owner is None:
            raise AttributeError(f"{self.vector_env} has no attribute {attr_name}.")
        return self._per_env(getattr(owner, attr_name), chosen)

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Set an attribute of the environment, or of those that it holds; see SB3."""
        base = self.vector_env.unwrapped
        chosen = set(self._chosen(indices))
        if isinstance(base, SyncVectorEnv):
            for i in chosen:
                base.envs[i].set_wrapper_attr(attr_name, value)
        elif isinstance(base, AsyncVectorEnv):
            if not self._in_sub_envs(attr_name):
                self._chosen(indices, together=f"The new attribute {attr_name}")
            others = [None] * self.num_envs if len(chosen) == self.num_envs else self.get_attr(attr_name)
            base.set_attr(attr_name, [value if i in chosen else other for i, other in enumerate(others)])
        else:
            self._chosen(indices, together=f"The attribute {attr_name}")
            setattr(self._owner(attr_name) or base, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> Any:
        """
        Call a method once, or in each environment that a ``SyncVectorEnv`` or ``AsyncVectorEnv`` holds; see SB3.

        :param indices: Which environments; some of them only for ``action_masks`` and in a ``SyncVectorEnv``
        :return: list of results; an array, list or tuple of n_envs entries is split, any other result repeated
        """
        base = self.vector_env.unwrapped
        if method_name in ("reset", "step", "close"):
            raise ValueError(f"{method_name}() is called on the VecEnv itself, not through env_method.")
        if method_name == METHOD_NAME and self.has_attr(METHOD_NAME):
            masks = self.last_masks if self._fetch_masks is None else self._fetch_masks()
            return self._per_env(np.array(masks, dtype=bool), self._chosen(indices))
        if self._in_sub_envs(method_name) and isinstance(base, SyncVectorEnv):
            chosen = [base.envs[i] for i in self._chosen(indices)]
            return [env.get_wrapper_attr(method_name)(*method_args, **method_kwargs) for env in chosen]
        if self._in_sub_envs(method_name):
            call = partial(base.call, method_name)  # type: ignore[attr-defined]
        else:
            owner = self._owner(method_name)
            if owner is None:
                raise AttributeError(f"{self.vector_env} has no method {method_name}().")
            call = getattr(owner, method_name)
        chosen_all = self._chosen(indices, together=f"The method {method_name}()")
        return self._per_env(call(*method_args, **method_kwargs), chosen_all)

    def env_is_wrapped(self, wrapper_class: type[gym.Wrapper], indices: VecEnvIndices = None) -> list[bool]:
        """Whether environments are wrapped; True of ``Monitor``, whose statistics are kept here; see SB3."""
        base, chosen = self.vector_env.unwrapped, self._chosen(indices)
        if wrapper_class is Monitor or not isinstance(base, SyncVectorEnv):
            return [wrapper_class is Monitor] * len(chosen)
        return [is_wrapped(base.envs[i], wrapper_class) for i in chosen]

    def get_images(self) -> Sequence[np.ndarray | None]:
        """One image of each environment, or None where it renders none."""
        if self.render_mode != "rgb_array":
            message = f"Pictures need render_mode 'rgb_array', and the environment has {self.render_mode!r}."
            warnings.warn(message, stacklevel=2)
            return [None] * self.num_envs
        images: Sequence[np.ndarray | None] = self.env_method("render")
        return images

    def close(self) -> None:
        """Close the environment and the file of statistics."""
        self.vector_env.close()
        if self._writer is not None:
            self._writer.close()


def _infos_within_episodes(n_envs: int, info: dict[str, Any], masks: np.ndarray | None) -> list[dict[str, Any]]:
    """The infos of a step that ended no episode."""
    infos: list[dict[str, Any]] = [{TRUNCATED_KEY: False} for _ in range(n_envs)]
    fill(infos, info, LEFT_OUT)
    if masks is not None:
        put(infos, INFO_KEY, masks)
    return infos


def check_spaces(observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> None:
    """
    Raise an error unless SB3 has buffers for the spaces of one environment.

    :param observation_space: Box, Discrete, MultiDiscrete or MultiBinary, or a Dict of these
    :param action_space: Box, Discrete, MultiDiscrete or MultiBinary
    """
    parts = observation_space.values() if isinstance(observation_space, spaces.Dict) else [observation_space]
    if not all(isinstance(part, PLAIN_SPACES) for part in parts):
        raise ValueError(f"Observations must be arrays or an unnested Dict of arrays, not {observation_space}.")
    if not isinstance(action_space, PLAIN_SPACES):
        raise ValueError(f"Actions must be Box, Discrete, MultiDiscrete or MultiBinary, not {action_space}.")


def resets_within_step(env: VectorEnv) -> bool:
    """
    Whether an environment begins the next episode in the step that ends one, or is to be reset then.

    :param env: The environment
    :return: True for ``SAME_STEP``, False where ``reset(options={"reset_mask": ...})`` does it
    :raises ValueError: it can do neither
    """
    if "autoreset_mode" not in env.metadata:
        raise ValueError(f"{env} must say in metadata['autoreset_mode'] when it begins the next episode.")
    mode, base = AutoresetMode(env.metadata["autoreset_mode"]), env.unwrapped
    if mode is AutoresetMode.NEXT_STEP:
        # Without shared memory a worker still has its reset to do after it was reset.
        resettable = isinstance(base, SyncVectorEnv) or (isinstance(base, AsyncVectorEnv) and base.shared_memory)
        if not resettable:
            raise ValueError(
                f"{env} begins the next episode a step too late for SB3 (AutoresetMode.NEXT_STEP): it must be "
                "SAME_STEP or DISABLED."
            )
    return mode is AutoresetMode.SAME_STEP

"""What a training holds beside its model between two rollouts: environments, generators, the last observations."""

import io
import pickle
from collections.abc import Iterator, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import torch as th
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.monitor import ResultsWriter
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv, VecEnvWrapper

#: What a model knows of its environments. SB3 drops the first when it loads a model with an environment.
LAST = ("_last_obs", "_last_original_obs", "_last_episode_starts")
# Attributes of a VecEnv that are other layers, that follow from them, or that belong to the process.
LEFT_OUT = {"venv", "class_attributes", "observation_space", "action_space", "metadata", "envs"}
# Those of a SubprocVecEnv that are neither pipes nor processes.
OF_SUBPROC = ("reset_infos", "_seeds", "_options", "waiting")


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, kept: Sequence[Any]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._numbers = {id(own): number for number, own in enumerate(kept)}

    def persistent_id(self, obj: Any) -> int | None:
        return self._numbers.get(id(obj))


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, kept: Sequence[Any]) -> None:
        super().__init__(file)
        self._kept = kept

    def persistent_load(self, pid: Any) -> Any:
        return self._kept[pid]


def dumped(value: Any, kept: Sequence[Any] = ()) -> bytes:
    """
    Pickle a value without some objects in it, such as open files.

    :param value: The value
    :param kept: Objects that are not pickled
    """
    file = io.BytesIO()
    _Pickler(file, kept).dump(value)
    return file.getvalue()


def undumped(data: bytes, kept: Sequence[Any] = ()) -> Any:
    """
    The value that :func:`dumped` pickled.

    :param data: The pickle
    :param kept: Objects in place of those that were not pickled, in their order
    """
    return _Unpickler(io.BytesIO(data), kept).load()


def _writers(layer: object) -> list[ResultsWriter]:
    """The open files of statistics that one layer has."""
    return [value for value in vars(layer).values() if isinstance(value, ResultsWriter)]


def _writers_within(env: gym.Env[Any, Any]) -> list[ResultsWriter]:
    found = _writers(env)
    while isinstance(env, gym.Wrapper):
        env = env.env
        found += _writers(env)
    return found


class EpisodeState(gym.Wrapper[Any, Any, Any, Any]):
    """Outermost wrapper of an environment in another process, which can be asked for its state there."""

    def episode_state(self) -> bytes:
        """The environment in the middle of its episode, pickled."""
        return dumped(self.env, _writers_within(self.env))

    def set_episode_state(self, data: bytes) -> None:
        """Replace the environment by one that was pickled; files of statistics stay this one's."""
        self.env = undumped(data, _writers_within(self.env))


def _layers(env: VecEnv) -> Iterator[VecEnv]:
    yield env
    while isinstance(env, VecEnvWrapper):
        env = env.venv
        yield env


def environment_state(env: VecEnv) -> list[tuple[str, bytes, list[bytes]]]:
    """
    Vectorized environments in the middle of their episodes.

    :param env: The environments; those in other processes need :class:`EpisodeState` as their outermost wrapper
    :return: of each layer, the outermost first, its class, its attributes, and the single environments that it holds
    :raises Exception: something in them cannot be pickled
    """
    return [_layer_state(layer) for layer in _layers(env)]


def _layer_state(layer: VecEnv) -> tuple[str, bytes, list[bytes]]:
    own, singles = vars(layer), []
    if isinstance(layer, SubprocVecEnv):
        own, singles = {name: own[name] for name in OF_SUBPROC}, layer.env_method("episode_state")
    elif isinstance(layer, DummyVecEnv):
        singles = [dumped(env, _writers_within(env)) for env in layer.envs]
    attributes = {name: value for name, value in own.items() if name not in LEFT_OUT}
    return type(layer).__name__, dumped(attributes, _writers(layer)), singles


def set_environment_state(env: VecEnv, state: list[tuple[str, bytes, list[bytes]]]) -> None:
    """
    Put environments where others were in their episodes; their files of statistics stay.

    :param env: Environments made with the same arguments
    :param state: As from :func:`environment_state`
    :raises ValueError: they have other layers
    """
    layers = list(_layers(env))
    if [type(layer).__name__ for layer in layers] != [name for name, _, _ in state]:
        raise ValueError(f"The environment must be {' in '.join(name for name, _, _ in state)}, not {env}.")
    for layer, (_, attributes, singles) in zip(layers, state, strict=True):
        vars(layer).update(undumped(attributes, _writers(layer)))
        if isinstance(layer, DummyVecEnv):
            pairs = zip(singles, layer.envs, strict=True)
            layer.envs = [undumped(data, _writers_within(old)) for data, old in pairs]
            _share_action_space(layers, layer)
        for i, data in enumerate(singles if isinstance(layer, SubprocVecEnv) else []):
            layer.env_method("set_episode_state", data, indices=i)


def _share_action_space(layers: Sequence[VecEnv], base: DummyVecEnv) -> None:
    """Let all layers have the space of the first environment, as they had: it may know which actions are feasible."""
    old = base.action_space
    for layer in layers:
        # Equal, and not the same: loaded statistics come with a copy.
        if layer.action_space == old:
            layer.action_space = base.envs[0].action_space


def training_state(model: BaseAlgorithm) -> dict[str, Any]:
    """
    Generators and last observations of a training, at a moment between two rollouts.

    :param model: The model
    :return: what :func:`set_training_state` takes
    """
    assert model.env is not None
    return {
        # SB3's own buffers and algorithms draw from it.
        "numpy": np.random.get_state(),  # noqa: NPY002
        "torch": th.get_rng_state(),
        "cuda": th.cuda.get_rng_state_all() if model.device.type == "cuda" else [],
        "last": {name: vars(model)[name] for name in LAST if name in vars(model)},
        "generators": {name: own for name, own in vars(model).items() if isinstance(own, np.random.Generator)},
        # Where it is the environment's own, the environment's state has it.
        "action_space": None if _is_the_environments(model) else model.action_space,
    }


def _is_the_environments(model: BaseAlgorithm) -> bool:
    base = model.env.unwrapped if model.env is not None else None
    return isinstance(base, DummyVecEnv) and model.action_space is base.envs[0].action_space


def set_last_observations(model: BaseAlgorithm, state: dict[str, Any]) -> None:
    """
    Let ``learn(reset_num_timesteps=False)`` of a loaded model go on in its episodes instead of resetting.

    :param model: The model
    :param state: As from :func:`training_state`
    """
    vars(model).update(state["last"])


def set_training_state(model: BaseAlgorithm, state: dict[str, Any]) -> None:
    """
    Let a training go on from where another one was, its environments having been set by then.

    :param model: The model
    :param state: As from :func:`training_state`
    """
    assert model.env is not None
    set_last_observations(model, state)
    vars(model).update(state["generators"])
    model.action_space = model.env.action_space if state["action_space"] is None else state["action_space"]
    np.random.set_state(state["numpy"])  # noqa: NPY002
    th.set_rng_state(state["torch"])
    if state["cuda"]:
        th.cuda.set_rng_state_all(state["cuda"])

"""Checks of the user's settings, made before anything is written."""

import importlib
import inspect
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import yaml
from gymnasium.envs.registration import load_env_creator
from rl_zoo3 import ALGOS
from rl_zoo3.utils import get_callback_list, get_wrapper_class
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from sb3_ext.common.actions import ActionParts
from sb3_ext.lookahead_dqn import LookaheadDQN
from sb3_ext.maskable_dqn import MaskableDQN
from sb3_ext.zoo.agents import check_trust
from sb3_ext.zoo.algorithms import ALGORITHMS, CONTINUOUS
from sb3_ext.zoo.errors import UsageError, first_line, unknown
from sb3_ext.zoo.inputs.literals import ALLOW_CODE, parse_setting
from sb3_ext.zoo.inputs.numbers import Number, Switch, check_value
from sb3_ext.zoo.inputs.settings import SETTINGS, check_settings
from sb3_ext.zoo.saved.files import check_model_file
from sb3_ext.zoo.saved.plain import can_be_trained, read_description

# Keys of a config that are rl_zoo3's and not the algorithm's.
ZOO_KEYS = {
    "callback",
    "env_kwargs",
    "env_wrapper",
    "frame_stack",
    "monitor_kwargs",
    "n_envs",
    "n_timesteps",
    "normalize",
    "policy",
    "vec_env_wrapper",
}
#: Settings that may be written as Python text; rl_zoo3 would evaluate it.
PYTHON_TEXTS = ("monitor_kwargs", "normalize", "policy_kwargs", "replay_buffer_class", "replay_buffer_kwargs")
# What rl_zoo3 passes to every algorithm itself.
SET_BY_ZOO = {"self", "env", "tensorboard_log", "seed", "verbose", "device", "_init_setup_model"}
#: Arguments of ``gym.make`` itself, which every environment has.
MADE_WITH: dict[str, Number | Switch] = {
    "disable_env_checker": Switch(),
    "max_episode_steps": Number(1, whole=True),
}


def import_packages(names: Iterable[str]) -> None:
    """
    Import the packages that register environments.

    :param names: Names of packages
    """
    for name in names:
        if not name:
            raise UsageError("--gym-packages must be names of packages, not ''.")
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            raise UsageError(f"--gym-packages: there is no package '{name}' to import.") from error


def check_env_id(env_id: str, packages: Iterable[str]) -> None:
    """
    Check that an environment is registered.

    :param env_id: Id of the environment
    :param packages: Packages whose environments are named if it is not
    """
    if env_id in gym.registry:
        return
    roots = tuple(packages)
    own = [name for name, spec in gym.registry.items() if str(spec.entry_point).split(".")[0].split(":")[0] in roots]
    message = unknown("environment", env_id, own or gym.registry)
    if not own:
        # Hundreds of ids help nobody.
        message = message.split(": choose from")[0] + "; --gym-packages names packages that register environments."
    raise UsageError(message)


def check_actions(algo: str, env_id: str, env_kwargs: Mapping[str, Any]) -> None:
    """
    Check that an algorithm for continuous actions has an environment with them.

    :param algo: Name of the algorithm
    :param env_id: Id of a registered environment
    :param env_kwargs: Its arguments on the command line
    """
    if algo not in CONTINUOUS:
        return
    try:
        env = gym.make(env_id, **env_kwargs)
    except Exception:  # environments raise what they like; the training says it
        return
    space = env.action_space
    env.close()
    if not isinstance(space, gym.spaces.Box):
        raise UsageError(
            f"{algo} chooses continuous actions and {env_id} has {space}: choose from {', '.join(sorted(ALGORITHMS))}."
        )


def check_trained_agent(algo: str, path: str, log_folder: str, trust: bool) -> None:
    """
    Check the model that training is to continue from.

    :param algo: Name of the algorithm
    :param path: Its zip
    :param log_folder: Folder of the user's own runs, whose pickles are taken to be theirs
    :param trust: Whether pickles from elsewhere are trusted
    """
    if not path.endswith(".zip") or not Path(path).is_file():
        where = path or "an empty path"
        raise UsageError(f"--trained-agent: there is no .zip file at {where}.")
    check_model_file(algo, ALGOS[algo], Path(path))
    if not can_be_trained(Path(path)):
        if not issubclass(ALGOS[algo], OnPolicyAlgorithm):
            raise UsageError(
                f"--trained-agent: {path} is an exported agent, which holds what acting needs only: "
                "give a model of a run."
            )
        if read_description(Path(path)).normalization is not None:
            raise UsageError(
                f"--trained-agent: {path} is an exported agent that normalises observations, whose statistics cannot "
                "be trained on: give a model of a run."
            )
        # Its weights are all that is taken, and nothing in the file can run code.
        return
    if not Path(path).resolve().is_relative_to(Path(log_folder).resolve()):
        check_trust(Path(path), trust)


def check_config_file(config: str | None, algo: str, env_id: str, folder: Path) -> str:
    """
    The config file to use.

    :param config: As given by the user, or ``None`` for that of the algorithm
    :param algo: Name of the algorithm
    :param env_id: Id of the environment, for the message
    :param folder: Folder of the configs, ``<algo>.yml`` each
    :return: the path of the config file, or the name of a package
    """
    if config is None:
        path = folder / f"{algo}.yml"
        if not path.is_file():
            known = ", ".join(sorted(found.stem for found in folder.glob("*.yml") if found.stem in ALGOS))
            raise UsageError(
                f"There is no config for '{algo}' on {env_id}: choose from {known}, or name a file by --conf-file."
            )
        return str(path)
    if config.endswith((".yml", ".yaml", ".py")):
        if not Path(config).is_file():
            raise UsageError(f"--conf-file: there is no file {config}.")
        return config
    try:
        importlib.import_module(config)
    except Exception as error:  # a module can raise anything
        raise UsageError(f"--conf-file: {config} is neither a .yml, .yaml or .py file nor a package.") from error
    return config


def why_unusable(config: str, env_id: str, error: Exception) -> str:
    """
    The sentence for a config file that could not be read.

    :param config: The file, or the name of a package
    :param env_id: Id of the environment
    :param error: What reading it raised
    :return: a sentence
    """
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{config} is no readable YAML: line {error.problem_mark.line + 1}: {error.problem}."
    if "Hyperparameters not found" in str(error) and config.endswith((".yml", ".yaml")):
        known = ", ".join(yaml.safe_load(Path(config).read_text(encoding="utf-8")))
        return f"{config} has no hyperparameters for {env_id}, only for {known}."
    if isinstance(error, SyntaxError):
        return f"{config} is no readable Python: line {error.lineno}: {error.msg}."
    if isinstance(error, KeyError) and config.endswith(".py") and "hyperparams" in str(error):
        return f"{config} defines no dictionary 'hyperparams'."
    if isinstance(error, AttributeError | TypeError):
        return f"{config} is no config of the zoo: it must map environment ids to hyperparameters."
    return f"{config} cannot be used: {first_line(error)}"


def read_texts(hyperparams: dict[str, Any], allow_code: bool, names: dict[str, Any]) -> None:
    """
    Replace settings that are written as Python text by their values.

    :param hyperparams: Hyperparameters of one environment, changed in place
    :param allow_code: Whether to evaluate the text as Python, with ``names``, instead of reading it
    :param names: What Python code may name
    :raises UsageError: a text is no value
    """
    for name in PYTHON_TEXTS:
        text = hyperparams.get(name)
        if not isinstance(text, str):
            continue
        if not allow_code:
            hyperparams[name] = parse_setting(name, text)
            continue
        try:
            hyperparams[name] = eval(text, names)  # the user gave --allow-code
        except Exception as error:
            raise UsageError(f"{name} with {ALLOW_CODE}: '{text}' cannot be evaluated: {first_line(error)}") from error


def check_hyperparameters(algo: str, hyperparams: dict[str, Any], source: str) -> None:
    """
    Check names, types and ranges of the hyperparameters of a config and the command line.

    :param algo: Name of the algorithm
    :param hyperparams: Hyperparameters of one environment, those in :data:`PYTHON_TEXTS` as values
    :param source: Where they were read, for the message
    """
    parameters = inspect.signature(ALGOS[algo]).parameters
    allowed = (set(parameters) - SET_BY_ZOO) | ZOO_KEYS
    if "action_noise" in parameters:
        allowed |= {"noise_type", "noise_std"}
    for name, value in hyperparams.items():
        if name not in allowed:
            raise UsageError(unknown(f"hyperparameter of {algo}", str(name), allowed))
        if name in parameters:
            _check_number(parameters[name], value)
    for name in ("policy", "n_timesteps"):
        if name not in hyperparams:
            raise UsageError(f"{source} gives no {name} for this environment.")
    check_settings(algo, hyperparams)
    # Both import what they name, and rl_zoo3 does this only after it has made folders.
    for what, build in (("callback", get_callback_list), ("env_wrapper", get_wrapper_class)):
        try:
            build({what: hyperparams.get(what)})
        except Exception as error:  # importing runs the user's module, which can raise anything
            raise UsageError(f"The {what} in {source} cannot be used: {first_line(error)}") from error


def _check_number(parameter: inspect.Parameter, value: Any) -> None:
    """Refuse text for the numbers of which the table of settings says nothing."""
    if not isinstance(value, str) or "str" in str(parameter.annotation) or parameter.name in SETTINGS:
        return
    if isinstance(parameter.default, bool | int | float):
        # YAML reads 1e-4 as text: a float needs a dot, 1.0e-4.
        raise UsageError(f"{parameter.name} must be a number such as {parameter.default}, not the text '{value}'.")


def check_env_kwargs(env_id: str, env_kwargs: dict[str, Any]) -> None:
    """
    Check the names of an environment's arguments, and the values of those that ``gym.make`` itself takes.

    :param env_id: Id of a registered environment
    :param env_kwargs: Arguments for it
    """
    for name, kind in MADE_WITH.items():
        if name in env_kwargs:
            check_value(name, kind, env_kwargs[name])
    entry_point = gym.spec(env_id).entry_point
    creator = load_env_creator(entry_point) if isinstance(entry_point, str) else entry_point
    if creator is None:
        return
    parameters = inspect.signature(creator).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    for name in env_kwargs:
        if name not in parameters and name not in MADE_WITH:
            raise UsageError(unknown(f"argument of {env_id}", name, [*parameters, *MADE_WITH]))


def _transition_bytes(
    algo: str, hyperparams: Mapping[str, Any], observation_space: gym.Space[Any], action_space: gym.Space[Any]
) -> int:
    """What a replay buffer keeps of one transition, at least."""
    assert observation_space.shape is not None
    assert observation_space.dtype is not None
    observation = int(np.prod(observation_space.shape)) * observation_space.dtype.itemsize
    # Masks are packed.
    masks = ActionParts(action_space, algo).n_choices // 8 if issubclass(ALGOS[algo], MaskableDQN) else 0
    # LookaheadDQN keeps no next observation, and others one that may be the same array.
    alone = issubclass(ALGOS[algo], LookaheadDQN) or hyperparams.get("optimize_memory_usage", False)
    return (observation if alone else 2 * observation) + masks


def check_memory(
    algo: str, hyperparams: Mapping[str, Any], observation_space: gym.Space[Any], action_space: gym.Space[Any]
) -> None:
    """
    Check that a replay buffer fits into the memory of this machine, which is filled only as the training goes on.

    :param algo: Name of the algorithm
    :param hyperparams: Hyperparameters
    :param observation_space: Of the environments
    :param action_space: Of the environments
    """
    parameters = inspect.signature(ALGOS[algo]).parameters
    if "buffer_size" not in parameters or observation_space.shape is None or observation_space.dtype is None:
        return
    size = int(hyperparams.get("buffer_size", parameters["buffer_size"].default))
    needed = size * _transition_bytes(algo, hyperparams, observation_space, action_space)
    try:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return
    if needed > there:
        raise UsageError(
            f"buffer_size {size} needs at least {needed / 1e9:.1f} GB, more than the {there / 1e9:.1f} GB of this "
            f"machine."
        )

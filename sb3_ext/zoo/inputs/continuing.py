"""Continuing a training: what of the earlier one must fit, and what takes the new settings."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.vec_env import VecEnv, VecNormalize, unwrap_vec_normalize

from sb3_ext.callbacks.checkpoints import checkpoint_files
from sb3_ext.maskable_dqn.base import MaskedQLearning
from sb3_ext.maskable_dqn.continuing import check_same_spaces
from sb3_ext.zoo.errors import UsageError, first_line

#: Settings that SB3's own replay buffers hold.
BUFFER_SETTINGS = ("buffer_size", "n_steps", "gamma", "optimize_memory_usage", "handle_timeout_termination")
#: Settings of VecNormalize that do not belong to its statistics.
NORMALIZE_SETTINGS = ("norm_obs", "norm_reward", "clip_obs", "clip_reward", "gamma", "epsilon", "norm_obs_keys")


def buffer_of(trained_agent: str) -> Path:
    """
    Where the replay buffer of a model is: a checkpoint's own, else that of the end of the run, as in rl_zoo3.

    :param trained_agent: The model's zip
    """
    own = checkpoint_files(trained_agent)
    return Path(os.path.dirname(trained_agent)) / "replay_buffer.pkl" if own is None else own.buffer


def statistics_of(trained_agent: str, env_name: str) -> Path:
    """
    Where the normalisation statistics of a model are: a checkpoint's own, else those of the run, as in rl_zoo3.

    :param trained_agent: The model's zip
    :param env_name: Name of the environment in file names
    """
    own = checkpoint_files(trained_agent)
    return Path(os.path.dirname(trained_agent)) / env_name / "vecnormalize.pkl" if own is None else own.statistics


def tell_what_is_missing(model: BaseAlgorithm, trained_agent: str, normalize: bool) -> None:
    """
    Say what a checkpoint has not beside it, where the training needs it; what the run saved later is not taken.

    :param model: The model
    :param trained_agent: Its zip
    :param normalize: Whether the training normalises
    """
    own = checkpoint_files(trained_agent)
    if own is None:
        return
    if isinstance(model, OffPolicyAlgorithm) and not own.buffer.is_file():
        print(f"{trained_agent} has no replay buffer {own.buffer.name} beside it: going on with an empty one.")
    if normalize and not own.statistics.is_file():
        print(f"{trained_agent} has no {own.statistics.name} beside it: going on with new normalisation statistics.")


def load_statistics(path: Path, env: VecEnv, eval_env: bool) -> VecNormalize:
    """
    Normalise environments by statistics of an earlier training.

    :param path: File of the statistics
    :param env: The environments
    :param eval_env: Whether they are for evaluation, in which statistics and rewards stay as they are
    """
    try:
        normalizer = VecNormalize.load(str(path), env)
    except Exception as error:  # a broken pickle can raise anything
        raise UsageError(f"{path} cannot be used: {first_line(error)}") from error
    if eval_env:
        normalizer.training = normalizer.norm_reward = False
    return normalizer


def check_same_environment(model: BaseAlgorithm, path: Path, env_id: str, env_kwargs: Mapping[str, Any]) -> None:
    """
    Check that the replay buffer beside a model was filled in the environment at hand.

    :param model: The model, which knows its environment if it was trained by the zoo
    :param path: File of the replay buffer
    :param env_id: Id of the environment at hand
    :param env_kwargs: Its arguments
    """
    spec = getattr(model, "env_spec", None)
    here = {"id": env_id, "kwargs": dict(env_kwargs)}
    if spec is not None and spec != here:
        raise UsageError(
            f"{path} was filled in {_words(spec)}, not in {_words(here)}: move it away to go on without it."
        )


def _words(spec: Mapping[str, Any]) -> str:
    return f"{spec['id']} with {spec['kwargs']}" if spec["kwargs"] else str(spec["id"])


def check_policy_kept(model: BaseAlgorithm, given: Mapping[str, Any], trained_agent: str) -> None:
    """
    Check that the command line asks for no other network than the model has.

    :param model: The model
    :param given: Hyperparameters of the command line, as values
    :param trained_agent: The model's zip, for the message
    """
    policy_kwargs = given.get("policy_kwargs")
    if policy_kwargs is not None and dict(policy_kwargs) != model.policy_kwargs:
        raise UsageError(
            f"policy_kwargs of {trained_agent} are {model.policy_kwargs} and cannot be changed to {policy_kwargs}."
        )
    aliases = model.policy_aliases
    policy = given.get("policy")
    if policy is not None and aliases.get(policy, policy) is not model.policy_class:
        raise UsageError(
            f"policy of {trained_agent} is {model.policy_class.__name__} and cannot be changed to {policy}."
        )


def load_buffer(model: BaseAlgorithm, path: Path, load: Any) -> None:
    """
    Load a replay buffer, and see to it that the model's settings apply.

    The masked Q-learning algorithms rebuild what differs; for SB3's own it is refused by name.

    :param model: The model, of an off-policy algorithm
    :param path: File of the replay buffer
    :param load: Loads it into the model
    """
    fresh = model.replay_buffer  # type: ignore[attr-defined]
    try:
        load()
        if isinstance(model, MaskedQLearning):
            return
        loaded = model.replay_buffer  # type: ignore[attr-defined]
        check_same_spaces(loaded, fresh)
        for name in BUFFER_SETTINGS:
            if getattr(loaded, name, None) != getattr(fresh, name, None):
                raise ValueError(
                    f"it was filled with {name} {getattr(loaded, name, None)}, which {type(model).__name__} cannot "
                    f"change to {getattr(fresh, name, None)}"
                )
    except Exception as error:  # a broken pickle can raise anything
        raise UsageError(
            f"{path} cannot be used: {first_line(error).rstrip('.')}; move it away to go on without it."
        ) from error


def apply_normalize(env: VecEnv, normalize: bool, settings: Mapping[str, Any], eval_env: bool, where: str) -> None:
    """
    Put the settings at hand into the normalisation of an earlier training, which keeps its statistics.

    :param env: The environments
    :param normalize: Whether the settings at hand ask for normalisation
    :param settings: Arguments of ``VecNormalize``
    :param eval_env: Whether the environments are for evaluation, where rewards stay as they are
    :param where: The model's zip, for the message
    """
    normalizer = unwrap_vec_normalize(env)
    if normalizer is None:
        return
    if not normalize:
        raise UsageError(f"{where} was trained with normalize, so it cannot be continued without.")
    for name in NORMALIZE_SETTINGS:
        if name in settings and not (eval_env and name == "norm_reward"):
            setattr(normalizer, name, settings[name])

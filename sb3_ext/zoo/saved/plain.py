"""Models without pickle: a zip with a description in JSON and weights that PyTorch reads as tensors only."""

import io
import zipfile
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

import torch as th
from pydantic import ValidationError
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from sb3_ext.common.saving import saved_whole
from sb3_ext.zoo.algorithms import ALGORITHMS, TABLE
from sb3_ext.zoo.errors import UsageError, first_line
from sb3_ext.zoo.saved.description import Description, NotPlainError, describe, from_json

DESCRIPTION, WEIGHTS = "agent.json", "policy.pth"
"""Names in the zip. SB3's own zips have the same weights under the same name."""
MOST_BYTES = {DESCRIPTION: 2**24, WEIGHTS: 2**31}
"""Largest sizes that are read, bytes: a small zip can hold an endless file."""
PICKLES = "data"
"""Name in SB3's zips of what it pickles; never opened here."""


def is_plain(path: Path) -> bool:
    """
    Whether a file describes its model without pickle.

    :param path: Any existing file
    """
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return {DESCRIPTION, WEIGHTS} <= set(archive.namelist())


def can_be_trained(path: Path) -> bool:
    """
    Whether SB3 itself can load a model, which training it further needs.

    :param path: A zip
    """
    with zipfile.ZipFile(path) as archive:
        return PICKLES in archive.namelist()


def read_description(path: Path) -> Description:
    """
    Read the description of a plain model.

    :param path: A zip for which :func:`is_plain` holds
    :raises UsageError: it is not as it must be
    """
    try:
        found = Description.model_validate_json(_member(path, DESCRIPTION))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "its text"
        raise UsageError(f"{path}: {DESCRIPTION} cannot be used: {where}: {first['msg']}.") from error
    if found.algo not in ALGORITHMS:
        raise UsageError(f"{path}: {DESCRIPTION} names the algorithm {found.algo!r}, which the zoo does not have.")
    aliases = ALGORITHMS[found.algo].policy_aliases
    if found.policy not in aliases:
        raise UsageError(
            f"{path}: {DESCRIPTION} has policy {found.policy!r}, but {found.algo} has {', '.join(aliases)}."
        )
    needs = TABLE[found.algo].needs
    if sorted(found.settings) != sorted(needs):
        raise UsageError(f"{path}: {DESCRIPTION} must have as settings: {', '.join(needs) or 'none'}.")
    return found


def load_plain(path: Path, device: str = "cpu", seed: int | None = None) -> BaseAlgorithm:
    """
    Load a plain model, to act with: nothing in the file can run code.

    :param path: A zip for which :func:`is_plain` holds
    :param device: Device to load onto
    :param seed: Seed of its random actions, by default that of its training
    :return: the model, built by its class, with the weights of the file; what only training needs is as in a new one
    :raises UsageError: it cannot be loaded
    """
    found = read_description(path)
    algorithm: Any = ALGORITHMS[found.algo]
    try:
        # Memory of a training, as little as it can be.
        small = {"buffer_size": 1} if issubclass(algorithm, OffPolicyAlgorithm) else {"n_steps": 2}
        small = {name: size for name, size in small.items() if name in signature(algorithm).parameters}
        model: BaseAlgorithm = algorithm(
            found.policy,
            None,
            policy_kwargs=from_json(found.policy_kwargs),
            seed=found.seed if seed is None else seed,
            device=device,
            _init_setup_model=False,
            **found.settings,
            **small,
        )
        # As SB3's own `load` does, where there is no environment either.
        model.observation_space, model.action_space = found.observation_space.space(), found.action_space.space()
        model.n_envs = 1
        model._setup_model()
        model.policy.load_state_dict(_weights(path), strict=True)
    except Exception as error:  # what fits the form may still be no model, and classes raise what they like
        raise UsageError(f"{path} cannot be loaded as {found.algo}: {first_line(error)}") from error
    model.num_timesteps = found.num_timesteps
    if found.exploration_rate is not None:
        model.exploration_rate = found.exploration_rate  # type: ignore[attr-defined]
    if found.env_spec is not None:
        model.env_spec = found.env_spec  # type: ignore[attr-defined]
    return model


def train_on(path: Path, **arguments: Any) -> BaseAlgorithm:
    """
    A new model with the weights of a plain one, to train further: its optimizer begins anew.

    :param path: A zip for which :func:`is_plain` holds, of an on-policy algorithm
    :param arguments: Of the algorithm, but for the policy and its arguments, which are those of the file
    :return: the model
    :raises UsageError: the file does not fit the environment
    """
    found = read_description(path)
    algorithm: Any = ALGORITHMS[found.algo]
    model: BaseAlgorithm = algorithm(
        policy=found.policy, policy_kwargs=from_json(found.policy_kwargs), **found.settings, **arguments
    )
    try:
        model.policy.load_state_dict(_weights(path), strict=True)
    except RuntimeError as error:
        raise UsageError(f"{path} cannot be trained in this environment: {first_line(error)}") from error
    return model


def _weights(path: Path) -> dict[str, th.Tensor]:
    weights: Any = th.load(io.BytesIO(_member(path, WEIGHTS)), map_location="cpu", weights_only=True)
    if not isinstance(weights, dict) or not all(isinstance(tensor, th.Tensor) for tensor in weights.values()):
        raise ValueError(f"{WEIGHTS} must hold tensors by name")
    return weights


def _member(path: Path, name: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo(name).file_size
        if size > MOST_BYTES[name]:
            raise UsageError(f"{path}: {name} has {size:,} bytes, but may have at most {MOST_BYTES[name]:,}.")
        try:
            return archive.read(name)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
            raise UsageError(f"{path}: {name} cannot be read: {first_line(error)}") from error


def export(model: BaseAlgorithm, description: Description, path: Path) -> None:
    """
    Write a model without what only training needs, and without any pickle.

    :param model: The model
    :param description: Its description
    :param path: File to write
    """
    weights, online = io.BytesIO(), model.policy.state_dict()
    # Tensors that share their memory are written once, and an agent that only acts needs no target of its own.
    th.save({name: online.get(name.replace("_net_target.", "_net."), own) for name, own in online.items()}, weights)
    with saved_whole(path, "zip") as file, zipfile.ZipFile(file, "w") as archive:
        for name, content in {DESCRIPTION: _text(description).encode(), WEIGHTS: weights.getvalue()}.items():
            # Without the time, so that the same model gives the same file.
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)


def _text(description: Description) -> str:
    return description.model_dump_json(indent=1)


def describing(save: Callable[..., None]) -> Callable[..., None]:
    """
    SB3's ``save``, which also puts the description of the model into its zip, so that acting needs no pickle.

    A model that cannot be described is saved without. Files of a path are written under a temporary name.

    :param save: The ``save`` of ``BaseAlgorithm``
    """

    def save_described(model: BaseAlgorithm, path: Any, exclude: Any = None, include: Any = None) -> None:
        if isinstance(path, str | Path):
            with saved_whole(path, "zip") as file:
                save_described(model, file, exclude, include)
            return
        save(model, path, exclude, include)
        try:
            text = _text(describe(model))
        except NotPlainError:
            return
        if path.readable():
            with zipfile.ZipFile(path, "a") as archive:
                archive.writestr(DESCRIPTION, text)

    return save_described

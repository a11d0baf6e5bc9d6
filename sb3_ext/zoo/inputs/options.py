"""Type and range of the options of the command line, checked before anything is written."""

import argparse
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch as th
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from sb3_ext.zoo.errors import UsageError, first_line
from sb3_ext.zoo.inputs.numbers import Number, check_value

COUNT = Number(1, whole=True)
OPTIONS: dict[str, Number] = {
    "n_timesteps": COUNT,
    # Far more crash PyTorch.
    "num_threads": Number(1, 1024, whole=True, also=(-1,)),
    "log_interval": Number(1, whole=True, also=(-1, -2)),
    "eval_episodes": COUNT,
    "n_eval_envs": Number(1, 10_000, whole=True),
    "seed": Number(-1, 2**32 - 1, whole=True),
    "n_trials": COUNT,
    "max_total_trials": COUNT,
    "n_jobs": Number(1, whole=True, also=(-1,)),
    "n_startup_trials": Number(0, whole=True),
    "n_evaluations": COUNT,
    "trial_id": Number(0, whole=True),
    "verbose": Number(0, 2, whole=True),
}
"""Option -> what is valid. Where one was not given it is None, and not checked."""

FOLDERS = ("log_folder", "tensorboard_log", "optimization_log_path")
#: Options that take effect only with a package that need not be installed.
NEEDED = {"track": "wandb", "progress": "tqdm"}
#: Options without effect unless the run is tracked.
OF_TRACKING = ("wandb_entity", "wandb_group", "wandb_tags")


def flag(name: str) -> str:
    """An option as the user writes it."""
    return "--" + name.replace("_", "-")


def check_options(given: argparse.Namespace) -> None:
    """
    Check the values of options.

    :param given: Options by name; those not given are None
    :raises UsageError: one of them is out of its range, or cannot be had on this machine
    """
    for name, kind in OPTIONS.items():
        value = getattr(given, name)
        if value is not None:
            check_value(flag(name), kind, value)
    for name in FOLDERS:
        value = getattr(given, name)
        if value is not None:
            check_folder(flag(name), value)
    for name, package in NEEDED.items():
        if getattr(given, name) and find_spec(package) is None:
            raise UsageError(f"{flag(name)} needs the package {package}, which is not installed.")
    for name in OF_TRACKING:
        if getattr(given, name, None) and not given.track:
            raise UsageError(f"{flag(name)} has no effect without --track.")
    for name in ("eval_freq", "save_freq"):
        if getattr(given, name) == 0:
            raise UsageError(f"{flag(name)} must be a whole number of at least 1, or negative for never, not 0.")
    check_device(given.device)
    _check_search(given)


def check_folder(what: str, folder: str) -> None:
    """
    Check that a folder is there to be written into, or can be made.

    :param what: Name of the option, for the message
    :param folder: Its path
    """
    if not folder:
        raise UsageError(f"{what} must be the path of a folder, not ''.")
    path = Path(folder).absolute()
    existing = next(parent for parent in (path, *path.parents) if os.path.lexists(parent))
    if not existing.is_dir():
        raise UsageError(f"{what}: {existing} is no folder.")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise UsageError(f"{what}: the folder {existing} cannot be written into.")


def check_device(name: Any) -> None:
    """
    Check that PyTorch has a device.

    :param name: "auto", or PyTorch's name of it
    """
    if name == "auto":
        return
    try:
        th.zeros(1, device=th.device(name))
    except (RuntimeError, AssertionError, ValueError, TypeError, NotImplementedError) as error:
        raise UsageError(f"--device: there is no device '{name}' here: {first_line(error)}") from error


def check_storage(storage: str) -> None:
    """
    Check that Optuna can keep studies somewhere.

    :param storage: Path of a journal, or URL of a database
    """
    if not storage.endswith(".log"):
        try:
            make_url(storage).get_dialect()
        except (ArgumentError, ImportError) as error:
            allowed = "a journal, FILE.log, or the URL of a database that can be had here, such as sqlite:///FILE.db"
            raise UsageError(f"--storage must be {allowed}, not '{storage}'.") from error
    file = Path(storage.removeprefix("sqlite:///"))
    if storage.endswith(".log"):
        # rl_zoo3 makes its folder.
        check_folder("--storage", str(file.parent))
    elif storage.startswith("sqlite:///") and not file.parent.is_dir():
        raise UsageError(f"--storage: there is no folder {file.parent}.")
    if file.exists() and not file.is_file():
        raise UsageError(f"--storage: {file} is no file.")


def _check_search(given: argparse.Namespace) -> None:
    if given.optimize_hyperparameters and given.trained_agent:
        raise UsageError("--optimize-hyperparameters trains new models: leave --trained-agent out.")
    if given.optimize_hyperparameters and given.sampler == "auto" and find_spec("optunahub") is None:
        raise UsageError("--sampler auto needs the package optunahub, which is not installed.")
    if given.study_name == "":
        raise UsageError("--study-name must be the name of a study, not ''.")
    if given.storage is not None:
        check_storage(given.storage)
    if given.trial_id is None:
        return
    if not given.storage or not given.study_name:
        raise UsageError("--trial-id needs the study that holds the trial: give --storage and --study-name.")
    file = given.storage.removeprefix("sqlite:///")
    # Opening it would make it.
    if (given.storage.endswith(".log") or file != given.storage) and not Path(file).is_file():
        raise UsageError(f"--storage: there is no file {file}.")

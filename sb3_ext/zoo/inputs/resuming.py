"""``--resume CHECKPOINT``: the options of an interrupted run, and the checks that going on is possible to the bit."""

import argparse
import pickle
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from sb3_ext.callbacks.checkpoints import CheckpointFiles, checkpoint_files
from sb3_ext.common.saving import saved_whole
from sb3_ext.zoo.errors import UsageError, first_line
from sb3_ext.zoo.inputs.literals import RunLoader

RESUME = "--resume"
HELP = (
    "Go on with an interrupted run from one of its checkpoints, rl_model_<steps>_steps.zip, as if it had not been "
    "interrupted: all options are those of the run, and -n counts the steps of both together. It needs "
    "--save-freq and, for off-policy algorithms, --save-replay-buffer in the interrupted run"
)
INSTEAD = "--trained-agent goes on from it, with new episodes."
# Options of a run that do not hold for the one that goes on with it.
NOT_TAKEN = ("resume", "trained_agent", "uuid", "optimize_hyperparameters")


def options_of_run(argv: Sequence[str]) -> dict[str, Any]:
    """
    The options of the run that is to be resumed.

    :param argv: A command line
    :return: by name; empty where nothing is to be resumed
    """
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    finder.add_argument(RESUME)
    checkpoint = finder.parse_known_args([part for part in argv if part not in ("-h", "--help")])[0].resume
    if checkpoint is None:
        return {}
    _files(checkpoint)
    found = sorted(Path(checkpoint).parent.glob("*/args.yml"))
    if len(found) != 1:
        raise UsageError(
            f"{RESUME}: there is no <environment>/args.yml with the options of the run beside {checkpoint}."
        )
    try:
        options = dict(yaml.load(found[0].read_text(encoding="utf-8"), Loader=RunLoader))
    except (yaml.YAMLError, OSError, ValueError, TypeError) as error:
        raise UsageError(f"{RESUME}: {found[0]} cannot be read: {first_line(error)}") from error
    return {name: value for name, value in options.items() if name not in NOT_TAKEN}


def _files(checkpoint: str) -> CheckpointFiles:
    files = checkpoint_files(checkpoint)
    if files is None or not files.model.is_file():
        raise UsageError(f"{RESUME} takes a checkpoint, rl_model_<steps>_steps.zip, and there is none at {checkpoint}.")
    return files


def load_state(checkpoint: str) -> dict[str, Any]:
    """
    Load the state beside a checkpoint, and check that all else is there.

    :param checkpoint: The checkpoint's zip
    :return: as :class:`~sb3_ext.callbacks.checkpoints.ResumableCheckpoint` saved it
    """
    files = _files(checkpoint)
    if not files.state.is_file():
        raise UsageError(f"{RESUME}: {checkpoint} has no {files.state.name} beside it; {INSTEAD}")
    try:
        with open(files.state, "rb") as file:
            state: dict[str, Any] = pickle.load(file)
    except Exception as error:  # a broken pickle can raise anything
        raise UsageError(f"{RESUME}: {files.state} cannot be read: {first_line(error)}") from error
    if state["needs_buffer"] and not files.buffer.is_file():
        raise UsageError(
            f"{RESUME}: {checkpoint} has no replay buffer {files.buffer.name} beside it, which --save-replay-buffer "
            f"saves; {INSTEAD}"
        )
    if state["environment"] is None:
        raise UsageError(
            f"{RESUME}: the environment of {checkpoint} could not be saved ({state['why_no_environment']}); {INSTEAD}"
        )
    return state


def check_same_settings(state: Mapping[str, Any], settings: Mapping[str, Any], checkpoint: str) -> None:
    """
    Check that a run is resumed with its own settings.

    :param state: The state beside the checkpoint
    :param settings: Settings at hand, by name
    :param checkpoint: The checkpoint's zip, for the message
    """
    earlier = state["settings"]
    for name in sorted({*earlier, *settings}):
        theirs, ours = earlier.get(name), settings.get(name)
        if theirs != ours:
            raise UsageError(
                f"{RESUME}: {checkpoint} was trained with {name} {theirs!r} and cannot be resumed with {ours!r}; "
                "--trained-agent takes other settings."
            )
    if state["num_timesteps"] >= settings["n_timesteps"]:
        raise UsageError(f"{RESUME}: all {settings['n_timesteps']} steps were made by {checkpoint}: nothing is left.")


def copy_best(checkpoint: str, env_name: str, folder: Path) -> None:
    """
    Copy the best model until now, which the run that goes on may not surpass.

    :param checkpoint: The checkpoint's zip
    :param env_name: Name of the environment in file names
    :param folder: Folder of the new run
    """
    for name in ("best_model.zip", f"{env_name}/vecnormalize.pkl"):
        source = Path(checkpoint).parent / name
        if source.is_file():
            with open(source, "rb") as old, saved_whole(folder / name, "") as new:
                shutil.copyfileobj(old, new)


def copy_monitors(state: Mapping[str, Any], checkpoint: str, folder: Path) -> None:
    """
    Copy what was known of episodes at a checkpoint, so that the run that goes on tells of all of them.

    :param state: The state beside the checkpoint
    :param checkpoint: The checkpoint's zip
    :param folder: Folder of the new run, whose environments append to these files
    """
    for name, size in state.get("monitors", {}).items():
        source = Path(checkpoint).parent / name
        if source.is_file():
            (folder / name).write_bytes(source.read_bytes()[:size])

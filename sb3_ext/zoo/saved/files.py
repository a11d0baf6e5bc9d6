"""The files of a model: where they are, and which algorithm they are of; nothing in them is unpickled."""

import json
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

from stable_baselines3.common.base_class import BaseAlgorithm

from sb3_ext.zoo.algorithms import ALGORITHMS, TABLE
from sb3_ext.zoo.errors import UsageError, first_line
from sb3_ext.zoo.saved.plain import PICKLES, is_plain, read_description


def statistics_path(model_path: Path) -> Path | None:
    """
    Where the run that a model is of keeps its normalisation statistics: never those of a neighbour.

    A checkpoint has its own beside it. The run's folder ``<env_id>`` holds those of ``<env_id>.zip``,
    ``best_model.zip`` and checkpoints without their own. A zip of another name is of no run.

    :param model_path: An existing zip
    :return: the file, if there is one
    """
    folder, checkpoint = model_path.parent, re.fullmatch(r"rl_model_(\d+)_steps", model_path.stem)
    places = [folder / f"rl_model_vecnormalize_{checkpoint[1]}_steps.pkl"] if checkpoint else []
    env_id = str((_saved_data(model_path).get("env_spec") or {}).get("id", "")).replace("/", "-")
    if checkpoint or model_path.stem == "best_model":
        # A model of rl_zoo3's own says no id, but the folder of its run does: <env_id>_<number>.
        env_id = env_id or folder.name.rpartition("_")[0]
    elif env_id in ("", model_path.stem):
        env_id = model_path.stem
    else:
        env_id = ""
    if env_id:
        places.append(folder / env_id / "vecnormalize.pkl")
    return next((path for path in places if path.is_file()), None)


def model_files(path: str | Path) -> list[Path]:
    """
    What a model consists of: its zip, and the statistics that its observations are normalised with.

    :param path: As for ``find_model``
    :return: existing files
    :raises ValueError: where there is no model
    """
    model_path = find_model(path)
    if is_plain(model_path):
        # Its statistics, if any, are in it.
        return [model_path]
    statistics = statistics_path(model_path)
    return [model_path] if statistics is None else [model_path, statistics]


def find_model(path: str | Path) -> Path:
    """
    The model's zip that a path stands for.

    :param path: A zip, with or without its ending, or a run folder of the zoo
    :return: the zip
    :raises ValueError: where there is none
    """
    path = Path(path)
    if path.is_file():
        return path
    # Before the folder: a run holds a folder <env_id>, with its settings, beside <env_id>.zip.
    with_ending = path.with_name(path.name + ".zip")
    if with_ending.is_file():
        return with_ending
    if path.is_dir():
        return _model_of_run(path)
    raise UsageError(f"There is no model at {path}: give a .zip file, or a run folder that holds one.")


def _model_of_run(folder: Path) -> Path:
    # A run folder is <env_id>_<number> and holds <env_id>.zip, best_model.zip and a folder <env_id>.
    finals = [found for found in sorted(folder.glob("*.zip")) if not found.name.startswith(("rl_model_", "best_model"))]
    models = [found for found in (folder / "best_model.zip", *finals) if found.is_file()]
    if not models:
        raise UsageError(f"The folder {folder} holds neither best_model.zip nor <env id>.zip.")
    return models[0]


def check_model_file(algo: str, algorithm: type[BaseAlgorithm], path: Path) -> None:
    """
    Check that a file is a model that SB3 saved, and of the algorithm asked for.

    :param algo: Name of the algorithm in the zoo, for the message
    :param algorithm: Its class
    :param path: An existing file
    :raises ValueError: where it is not
    """
    trained_with = [read_description(path).algo] if is_plain(path) else _algorithms_of(algo, algorithm, path)
    if trained_with and algo not in trained_with:
        raise UsageError(f"{path} was trained with {' or '.join(trained_with)}, not with {algo}.")


def _algorithms_of(algo: str, algorithm: type[BaseAlgorithm], path: Path) -> list[str]:
    """The algorithms that a model of SB3's can be of, as far as its policy tells."""
    data = _saved_data(path)
    saved_policy = str(data["policy_class"].get("__module__", ""))
    # A policy class of one's own is none of these and says nothing about the algorithm.
    fitting = {
        name: TABLE[name].sign if name in TABLE else None
        for name, other in {**ALGORITHMS, algo: algorithm}.items()
        if saved_policy in {policy.__module__ for policy in other.policy_aliases.values()}
    }
    signed = [name for name, sign in fitting.items() if sign in data]
    return signed or [name for name, sign in fitting.items() if sign is None]


def _saved_data(path: Path) -> dict[str, Any]:
    """What SB3 saved of a model; objects in it stay the text that they are."""
    message = f"{path} is no model saved by Stable-Baselines3."
    if not zipfile.is_zipfile(path):
        raise UsageError(message)
    with zipfile.ZipFile(path) as archive:
        if PICKLES not in archive.namelist():
            raise UsageError(message)
        try:
            data: Any = json.loads(archive.read(PICKLES))
        except (ValueError, RecursionError, zipfile.BadZipFile, OSError, EOFError, zlib.error) as error:
            raise UsageError(f"{path} is damaged: {first_line(error)}") from error
    if not isinstance(data, dict) or not isinstance(data.get("policy_class"), dict):
        raise UsageError(message)
    return data

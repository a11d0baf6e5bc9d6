"""Trained agents: found in a run folder, checked, and loaded by the zoo's name of their algorithm."""

import functools
import json
import pickle
import re
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.type_aliases import GymEnv
from stable_baselines3.common.vec_env import VecNormalize

from sb3_ext.zoo.algorithms import ALGORITHMS, TABLE
from sb3_ext.zoo.errors import UsageError, first_line, unknown


def load_agent(algo: str, path: str | Path, env: GymEnv | None = None, device: str = "cpu") -> BaseAlgorithm:
    """
    Load a trained model, to act with.

    Where it was trained with our zoo, ``model.env_spec`` holds the environment's ``{"id": ..., "kwargs": ...}``.

    :param algo: Name of the algorithm in the zoo, for instance "maskable_dqn"
    :param path: A model's zip, or a run folder of the zoo, of which the best model is taken, else the last
    :param env: Environment to put into the model; not needed to predict
    :param device: Device to load onto
    :return: the model
    :raises ValueError: where there is no such algorithm, no such file, or the file is no model of the algorithm
    """
    model, model_path = _load(algo, path, env, device)
    if find_statistics(model_path) is not None:
        warnings.warn(
            f"{model_path} was trained on normalised observations and needs them to act well: use load_predictor",
            stacklevel=2,
        )
    return model


def _load(algo: str, path: str | Path, env: GymEnv | None, device: str) -> tuple[BaseAlgorithm, Path]:
    """The model, and the zip that it was in."""
    if algo not in ALGORITHMS:
        raise UsageError(unknown("algorithm", algo, ALGORITHMS))
    model_path = find_model(path)
    check_model_file(algo, ALGORITHMS[algo], model_path)
    try:
        return ALGORITHMS[algo].load(model_path, env=env, device=device), model_path
    except Exception as error:  # a broken pickle inside can raise anything
        raise UsageError(f"{model_path} cannot be loaded as {algo}: {first_line(error)}") from error


class NormalizedPredictor:
    """
    A model that was trained on normalised observations, for observations as the environment gives them.

    :param model: The model
    :param statistics: What its training normalised with
    """

    def __init__(self, model: BaseAlgorithm, statistics: VecNormalize) -> None:
        self.observation_space = model.observation_space
        self.action_space = model.action_space
        self.env_spec = getattr(model, "env_spec", {})

        # Whoever looks at the signature finds the model's own, with masks or without.
        @functools.wraps(model.predict)
        def predict(observation: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
            return model.predict(statistics.normalize_obs(observation), *args, **kwargs)

        self.predict: Callable[..., tuple[Any, Any]] = predict


def load_predictor(algo: str, path: str | Path, device: str = "cpu") -> BaseAlgorithm | NormalizedPredictor:
    """
    Load a trained model to act as it did in training, on normalised observations where it was trained on them.

    :param algo: Name of the algorithm in the zoo
    :param path: A model's zip, or a run folder of the zoo, as for ``load_agent``
    :param device: Device to load onto
    :return: what has ``predict``, ``observation_space``, ``action_space`` and, from our zoo, ``env_spec``
    :raises ValueError: As ``load_agent`` does
    """
    model, model_path = _load(algo, path, None, device)
    statistics = find_statistics(model_path)
    return model if statistics is None else NormalizedPredictor(model, statistics)


def find_statistics(model_path: Path) -> VecNormalize | None:
    """
    What a run of the zoo normalised the observations of its model with.

    :param model_path: The model's zip in the folder of its run
    :return: the statistics, if there are any and observations were normalised
    :raises ValueError: where they cannot be read
    """
    path = statistics_path(model_path)
    if path is None:
        return None
    try:
        statistics: VecNormalize = pickle.loads(path.read_bytes())
    except Exception as error:  # a broken pickle can raise anything
        raise UsageError(f"{path} cannot be read: {first_line(error)}") from error
    return statistics if statistics.norm_obs else None


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
    data = _saved_data(path)
    saved_policy = str(data["policy_class"].get("__module__", ""))
    # A policy class of one's own is none of these and says nothing about the algorithm.
    fitting = {
        name: TABLE[name].sign if name in TABLE else None
        for name, other in {**ALGORITHMS, algo: algorithm}.items()
        if saved_policy in {policy.__module__ for policy in other.policy_aliases.values()}
    }
    signed = [name for name, sign in fitting.items() if sign in data]
    trained_with = signed or [name for name, sign in fitting.items() if sign is None]
    if trained_with and algo not in trained_with:
        raise UsageError(f"{path} was trained with {' or '.join(trained_with)}, not with {algo}.")


def _saved_data(path: Path) -> dict[str, Any]:
    message = f"{path} is no model saved by Stable-Baselines3."
    if not zipfile.is_zipfile(path):
        raise UsageError(message)
    with zipfile.ZipFile(path) as archive:
        if "data" not in archive.namelist():
            raise UsageError(message)
        data: dict[str, Any] = json.loads(archive.read("data"))
    if not isinstance(data.get("policy_class"), dict):
        raise UsageError(message)
    return data

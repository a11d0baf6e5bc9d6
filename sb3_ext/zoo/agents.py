"""Trained agents, loaded by the zoo's name of their algorithm."""

import functools
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.type_aliases import GymEnv
from stable_baselines3.common.vec_env import VecNormalize

from sb3_ext.zoo.algorithms import ALGORITHMS
from sb3_ext.zoo.errors import UsageError, first_line, unknown
from sb3_ext.zoo.saved.files import check_model_file, find_model, statistics_path
from sb3_ext.zoo.saved.files import model_files as model_files  # part of what this module offers
from sb3_ext.zoo.saved.plain import can_be_trained, is_plain, load_plain, read_description

TRUST = "--trust"


def load_agent(
    algo: str, path: str | Path, env: GymEnv | None = None, device: str = "cpu", trust: bool = False
) -> BaseAlgorithm:
    """
    Load a trained model, to act with.

    What ``train`` and ``export_agent`` write describes the model in JSON, and is loaded without unpickling anything:
    the model has its weights, and of what only training needs the defaults. Any other file is a pickle, which can run
    code of whoever made it.

    Where it was trained with our zoo, ``model.env_spec`` holds the environment's ``{"id": ..., "kwargs": ...}``.

    :param algo: Name of the algorithm in the zoo, for instance "maskable_dqn"
    :param path: A model's zip, or a run folder of the zoo, of which the best model is taken, else the last
    :param env: Environment to put into the model; not needed to predict
    :param device: Device to load onto
    :param trust: Load the whole model as SB3 does, pickles included, where the file has them
    :return: the model
    :raises ValueError: where there is no such algorithm, no such file, the file is no model of the algorithm, or it
        is a pickle that is not trusted
    """
    model_path = _checked(algo, path)
    plain = is_plain(model_path)
    if plain:
        normalised = read_description(model_path).normalization is not None
    else:
        normalised = find_statistics(model_path, trust) is not None
    if normalised:
        warnings.warn(
            f"{model_path} was trained on normalised observations and needs them to act well: use load_predictor",
            stacklevel=2,
        )
    if not plain or (trust and can_be_trained(model_path)):
        return _unpickled(algo, model_path, trust, env=env, device=device)
    model = load_plain(model_path, device)
    if env is not None:
        model.set_env(env)
    return model


def _checked(algo: str, path: str | Path) -> Path:
    """The zip of a model, which is one of the algorithm."""
    if algo not in ALGORITHMS:
        raise UsageError(unknown("algorithm", algo, ALGORITHMS))
    model_path = find_model(path)
    check_model_file(algo, ALGORITHMS[algo], model_path)
    return model_path


def _unpickled(algo: str, path: Path, trust: bool, **kwargs: Any) -> BaseAlgorithm:
    """The model as SB3 loads it."""
    check_trust(path, trust)
    try:
        return ALGORITHMS[algo].load(path, **kwargs)
    except Exception as error:  # a broken pickle inside can raise anything
        raise UsageError(f"{path} cannot be loaded as {algo}: {first_line(error)}") from error


def check_trust(path: Path, trust: bool) -> None:
    """
    Refuse a pickle that is not trusted.

    :param path: Its file, for the message
    :param trust: Whether the user trusts it
    :raises UsageError: they do not
    """
    if not trust:
        raise UsageError(
            f"{path} holds pickled objects, and opening them can run code of whoever made the file: "
            f"{TRUST} (in Python trust=True) opens it if you trust where it comes from."
        )


class NormalizedPredictor:
    """
    A model that was trained on normalised observations, for observations as the environment gives them.

    :param model: The model
    :param normalize: (..., *obs_shape) observations -> what its training made of them
    """

    def __init__(self, model: BaseAlgorithm, normalize: Callable[[Any], Any]) -> None:
        self.observation_space = model.observation_space
        self.action_space = model.action_space
        self.env_spec = getattr(model, "env_spec", {})

        # Whoever looks at the signature finds the model's own, with masks or without.
        @functools.wraps(model.predict)
        def predict(observation: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
            return model.predict(normalize(observation), *args, **kwargs)

        self.predict: Callable[..., tuple[Any, Any]] = predict


def load_predictor(
    algo: str, path: str | Path, device: str = "cpu", trust: bool = False, seed: int | None = None
) -> BaseAlgorithm | NormalizedPredictor:
    """
    Load a trained model to act as it did in training, on normalised observations where it was trained on them.

    Nothing is unpickled where the file describes the model, trusted or not.

    :param algo: Name of the algorithm in the zoo
    :param path: A model's zip, or a run folder of the zoo, as for ``load_agent``
    :param device: Device to load onto
    :param trust: Open the model and its statistics where they are pickles
    :param seed: Seed of random actions, by default that of the training
    :return: what has ``predict``, ``observation_space``, ``action_space`` and, from our zoo, ``env_spec``
    :raises ValueError: As ``load_agent`` does
    """
    model_path = _checked(algo, path)
    if not is_plain(model_path):
        model = _unpickled(algo, model_path, trust, device=device, **({} if seed is None else {"seed": seed}))
        statistics = find_statistics(model_path, trust)
        return model if statistics is None else NormalizedPredictor(model, statistics.normalize_obs)
    model, normalization = load_plain(model_path, device, seed), read_description(model_path).normalization
    if normalization is None:
        return model
    assert model.observation_space.shape is not None
    return NormalizedPredictor(model, normalization.normalizer(model.observation_space.shape))


def find_statistics(model_path: Path, trust: bool = False) -> VecNormalize | None:
    """
    What a run of the zoo normalised the observations of its model with.

    :param model_path: The model's zip in the folder of its run
    :param trust: Whether the user trusts the file of statistics, a pickle
    :return: the statistics, if there are any and observations were normalised
    :raises ValueError: where they cannot be read, or are not trusted
    """
    path = statistics_path(model_path)
    if path is None:
        return None
    check_trust(path, trust)
    try:
        statistics: VecNormalize = pickle.loads(path.read_bytes())
    except Exception as error:  # a broken pickle can raise anything
        raise UsageError(f"{path} cannot be read: {first_line(error)}") from error
    return statistics if statistics.norm_obs else None

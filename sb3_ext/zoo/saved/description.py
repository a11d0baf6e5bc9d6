"""What acting as a trained model needs to know besides its weights, as plain JSON."""

import platform
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated, Any, Literal

import numpy as np
from gymnasium import spaces
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.torch_layers import CombinedExtractor, FlattenExtractor, NatureCNN
from stable_baselines3.common.vec_env import VecNormalize
from torch import nn

from sb3_ext.zoo.algorithms import ALGORITHMS, TABLE
from sb3_ext.zoo.inputs.literals import ACTIVATIONS

#: Classes that arguments of a policy may name.
CLASSES: dict[str, Any] = {
    **{f"nn.{name}": getattr(nn, name) for name in ACTIVATIONS},
    **{extractor.__name__: extractor for extractor in (CombinedExtractor, FlattenExtractor, NatureCNN)},
}
NAMES = {cls: name for name, cls in CLASSES.items()}
#: Stands for a class in JSON: ``{"class": "nn.Tanh"}``.
CLASS = "class"
#: Arguments of a policy that only training needs, and that are about this machine.
ONLY_FOR_TRAINING = ("optimizer_class", "optimizer_kwargs", "device")

Dtype = Literal["float32", "float64", "uint8", "int8", "int16", "int32", "int64"]
# JSON knows no infinity.
Number = float | Literal["inf", "-inf"]


class NotPlainError(ValueError):
    """A model cannot be described without pickling parts of it."""


class Plain(BaseModel):
    """A part of a description: no unknown fields, no conversion between types."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class BoxSpace(Plain):
    """
    A ``Box``.

    :param kind: "Box"
    :param shape: Its shape
    :param dtype: Its dtype
    :param low: One bound for all elements, or those of each in C order
    :param high: As ``low``
    """

    kind: Literal["Box"] = "Box"
    shape: list[Annotated[int, Field(ge=0)]]
    dtype: Dtype
    low: Number | list[Number]
    high: Number | list[Number]

    def space(self) -> spaces.Space[Any]:
        """The space; a list of another length than the shape has is a ValueError."""
        low, high = (self._bound(bound) for bound in (self.low, self.high))
        return spaces.Box(low, high, tuple(self.shape), np.dtype(self.dtype).type)

    def _bound(self, bound: Number | list[Number]) -> np.ndarray:
        values = np.array(bound, dtype=np.float64).astype(self.dtype)
        return values.reshape(self.shape) if isinstance(bound, list) else np.full(self.shape, values)


class DiscreteSpace(Plain):
    """
    A ``Discrete``.

    :param kind: "Discrete"
    :param n: Number of elements
    :param start: The smallest
    """

    kind: Literal["Discrete"] = "Discrete"
    n: Annotated[int, Field(ge=1)]
    start: int = 0

    def space(self) -> spaces.Space[Any]:
        """The space."""
        return spaces.Discrete(self.n, start=self.start)


Space = Annotated[BoxSpace | DiscreteSpace, Field(discriminator="kind")]


class Normalization(Plain):
    """
    What observations are normalised with, as ``VecNormalize`` does.

    :param mean: Of each element of an observation, in C order
    :param var: Variances, likewise
    :param epsilon: Added to the variances
    :param clip: Bound of normalised observations
    """

    mean: list[float]
    var: list[float]
    epsilon: float
    clip: float

    def normalizer(self, shape: tuple[int, ...]) -> Callable[[np.ndarray], np.ndarray]:
        """
        The function that normalises observations, to the bit as ``VecNormalize.normalize_obs``.

        :param shape: Of one observation
        :return: from (..., *shape) to float32 of the same shape
        """
        mean, var = (np.array(numbers).reshape(shape) for numbers in (self.mean, self.var))
        spread = np.sqrt(var + self.epsilon)
        return lambda shown: np.clip((shown - mean) / spread, -self.clip, self.clip).astype(np.float32)


class Description(Plain):
    """
    A trained model without its weights.

    :param format: Number of this format
    :param algo: Name of the algorithm in the zoo
    :param settings: Arguments without which the algorithm cannot be built
    :param policy: Key of the policy class among those of the algorithm
    :param policy_kwargs: Arguments of the policy; classes of :data:`CLASSES` as ``{"class": name}``
    :param observation_space: What it observes
    :param action_space: What it chooses from
    :param env_spec: The environment's ``id`` and ``kwargs``; None where it is not known
    :param normalization: What observations are normalised with, if they are
    :param num_timesteps: Steps of the training
    :param seed: Seed of the training
    :param exploration_rate: Probability of a random action of an agent that is not deterministic, if it has one
    :param versions: Package -> its version when the model was saved
    :param provenance: How the model came about, in the words of whoever exported it
    """

    format: Literal[1] = 1
    algo: str
    settings: dict[str, JsonValue]
    policy: str
    policy_kwargs: dict[str, JsonValue]
    observation_space: Space
    action_space: Space
    env_spec: dict[str, JsonValue] | None
    normalization: Normalization | None
    num_timesteps: int
    seed: int | None
    exploration_rate: float | None
    versions: dict[str, str]
    provenance: dict[str, JsonValue] = {}


def describe(model: BaseAlgorithm, normalizer: VecNormalize | None = None) -> Description:
    """
    Describe a model.

    :param model: The model
    :param normalizer: What observations are normalised with, by default that of the model's environments
    :return: the description
    :raises NotPlainError: acting as this model needs objects that plain JSON cannot hold
    """
    algo = next((name for name, algorithm in ALGORITHMS.items() if type(model) is algorithm), None)
    aliases = type(model).policy_aliases
    policy = next((name for name, cls in aliases.items() if cls is model.policy_class is type(model.policy)), None)
    if algo is None or policy is None or model.use_sde:
        raise NotPlainError(f"{type(model).__name__} with {type(model.policy).__name__} is none of the zoo's.")
    kwargs = {name: value for name, value in model.policy_kwargs.items() if name not in ONLY_FOR_TRAINING}
    assert model.observation_space is not None
    try:
        return Description(
            algo=algo,
            settings={name: as_json(getattr(model, name)) for name in TABLE[algo].needs},
            policy=policy,
            policy_kwargs=as_json(kwargs),
            observation_space=describe_space(model.observation_space),
            action_space=describe_space(model.action_space),
            env_spec=as_json(getattr(model, "env_spec", None)),
            normalization=_describe_normalization(normalizer or model.get_vec_normalize_env(), model.observation_space),
            num_timesteps=int(model.num_timesteps),
            seed=None if model.seed is None else int(model.seed),
            exploration_rate=float(model.exploration_rate) if hasattr(model, "exploration_rate") else None,
            versions={
                "python": platform.python_version(),
                **{name: version(name) for name in ("stable_baselines3", "sb3_contrib", "torch", "numpy")},
            },
        )
    except NotPlainError:
        raise
    except ValueError as error:
        raise NotPlainError(str(error)) from error


def _describe_normalization(normalizer: VecNormalize | None, space: spaces.Space[Any]) -> Normalization | None:
    if normalizer is None or not normalizer.norm_obs:
        return None
    statistics = normalizer.obs_rms
    # Stacked frames are normalised before they are stacked.
    if not isinstance(statistics, RunningMeanStd) or statistics.mean.shape != space.shape:
        raise NotPlainError("The normalisation is not one of single observations.")
    return Normalization(
        mean=statistics.mean.ravel().tolist(),
        var=statistics.var.ravel().tolist(),
        epsilon=float(normalizer.epsilon),
        clip=float(normalizer.clip_obs),
    )


def describe_space(space: spaces.Space[Any]) -> BoxSpace | DiscreteSpace:
    """
    Describe a space.

    :param space: A Box or Discrete; of a subclass, what makes it one of these
    :raises NotPlainError: it is neither
    """
    if isinstance(space, spaces.Discrete):
        return DiscreteSpace(n=int(space.n), start=int(space.start))
    if not isinstance(space, spaces.Box):
        raise NotPlainError(f"{space} is neither a Box nor Discrete.")
    shape, dtype = list(map(int, space.shape)), str(space.dtype)
    return BoxSpace(shape=shape, dtype=dtype, low=_bounds(space.low), high=_bounds(space.high))  # type: ignore[arg-type]


def _bounds(bounds: np.ndarray) -> Any:
    numbers = [float(bound) if np.isfinite(bound) else str(float(bound)) for bound in bounds.ravel()]
    return numbers[0] if numbers and numbers.count(numbers[0]) == len(numbers) else numbers


def as_json(value: Any) -> Any:
    """
    A value as JSON.

    :param value: None, texts, numbers, lists, tuples and dictionaries of such, and classes of :data:`CLASSES`
    :raises NotPlainError: it holds anything else
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, list | tuple):
        return [as_json(part) for part in value]
    if isinstance(value, dict) and all(type(key) is str for key in value) and CLASS not in value:
        return {key: as_json(part) for key, part in value.items()}
    if isinstance(value, type) and value in NAMES:
        return {CLASS: NAMES[value]}
    raise NotPlainError(f"{value!r} cannot be written as JSON.")


def from_json(value: Any) -> Any:
    """
    The value that :func:`as_json` wrote; a tuple is a list.

    :param value: JSON
    :raises ValueError: it names a class that is none of :data:`CLASSES`
    """
    if isinstance(value, list):
        return [from_json(part) for part in value]
    if not isinstance(value, dict):
        return value
    if CLASS not in value:
        return {key: from_json(part) for key, part in value.items()}
    if len(value) > 1 or value[CLASS] not in CLASSES:
        raise ValueError(f"class {value[CLASS]!r} is none of {', '.join(CLASSES)}")
    return CLASSES[value[CLASS]]

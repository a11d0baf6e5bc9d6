"""The algorithms by the names that the zoo uses, one record each."""

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sb3_contrib import ARS, QRDQN, TRPO, RecurrentPPO
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.base_class import BaseAlgorithm

from sb3_ext.lookahead_dqn import LookaheadDQN
from sb3_ext.maskable_dqn import MaskableDQN
from sb3_ext.maskable_ppo import MaskablePPO
from sb3_ext.maskable_qrdqn import MaskableQRDQN

INSTALL_HINT = 'Training needs rl_zoo3, which is not installed: pip install "echo-lab-rl[rl]".'


@dataclass(frozen=True)
class Algorithm:
    """
    An algorithm that the zoo can train and load.

    Functions are named as ``module:function`` and imported when a search asks for them, since rl_zoo3 and Optuna
    need not be installed. Without any, the algorithm is one that rl_zoo3 knows itself.

    :param cls: Its class
    :param maskable: Whether it takes action masks
    :param sampler: Function that samples its hyperparameters in a search
    :param converter: Function that makes its arguments from the parameters stored in a study
    :param needs: Arguments without which it cannot be built
    :param sign: Attribute that its saved models have, and those of other algorithms with the same policies do not
    """

    cls: type[BaseAlgorithm]
    maskable: bool = False
    sampler: str | None = None
    converter: str | None = None
    needs: tuple[str, ...] = ()
    sign: str | None = None


# What can act in an environment with discrete actions. rl_zoo3 knows more; only these can be loaded without it.
TABLE: dict[str, Algorithm] = {
    "a2c": Algorithm(A2C),
    "ars": Algorithm(ARS),
    "dqn": Algorithm(DQN),
    "ppo": Algorithm(PPO, sign="clip_range"),
    "ppo_lstm": Algorithm(RecurrentPPO),
    "qrdqn": Algorithm(QRDQN),
    "trpo": Algorithm(TRPO, sign="cg_max_steps"),
    "lookahead_dqn": Algorithm(
        LookaheadDQN,
        maskable=True,
        sampler="sb3_ext.zoo.search.spaces:sample_lookahead_dqn_params",
        converter="sb3_ext.zoo.search.spaces:convert_lookahead_dqn_params",
        needs=("base",),
        sign="base_steps",
    ),
    "maskable_dqn": Algorithm(
        MaskableDQN,
        maskable=True,
        sampler="sb3_ext.zoo.search.spaces:sample_maskable_dqn_params",
        converter="sb3_ext.zoo.search.spaces:convert_params",
    ),
    "maskable_ppo": Algorithm(
        MaskablePPO,
        maskable=True,
        sampler="sb3_ext.zoo.search.spaces:sample_maskable_ppo_params",
        converter="sb3_ext.zoo.search.spaces:convert_params",
    ),
    "maskable_qrdqn": Algorithm(
        MaskableQRDQN,
        maskable=True,
        sampler="sb3_ext.zoo.search.spaces:sample_maskable_dqn_params",
        converter="sb3_ext.zoo.search.spaces:convert_params",
    ),
}

ALGORITHMS: dict[str, type[BaseAlgorithm]] = {name: algorithm.cls for name, algorithm in TABLE.items()}
#: Algorithms of rl_zoo3 whose actions are vectors of numbers, and of nothing else.
CONTINUOUS = ("crossq", "ddpg", "sac", "td3", "tqc")
MASKABLE: dict[str, type[BaseAlgorithm]] = {name: row.cls for name, row in TABLE.items() if row.maskable}


def samplers() -> dict[str, Callable[..., dict[str, Any]]]:
    """Samplers of hyperparameters by algorithm, as ``rl_zoo3.hyperparams_opt.HYPERPARAMS_SAMPLER`` holds them."""
    return {name: _imported(row.sampler) for name, row in TABLE.items() if row.sampler is not None}


def converters() -> dict[str, Callable[..., dict[str, Any]]]:
    """Converters by algorithm, as ``rl_zoo3.hyperparams_opt.HYPERPARAMS_CONVERTER`` holds them."""
    return {name: _imported(row.converter) for name, row in TABLE.items() if row.converter is not None}


def _imported(path: str) -> Callable[..., dict[str, Any]]:
    module, _, name = path.partition(":")
    function: Callable[..., dict[str, Any]] = getattr(importlib.import_module(module), name)
    return function


def takes_masks(model: BaseAlgorithm) -> bool:
    """
    Whether a model's ``predict`` takes ``action_masks``.

    :param model: A model of any algorithm
    :return: True for maskable algorithms
    """
    return "action_masks" in inspect.signature(model.predict).parameters

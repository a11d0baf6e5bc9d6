"""Hyperparameter search for the maskable algorithms: search spaces, and masked trials."""

from typing import Any

import optuna
from rl_zoo3.callbacks import TrialEvalCallback
from rl_zoo3.hyperparams_opt import (
    convert_offpolicy_params,
    sample_dqn_params,
)

from sb3_ext.callbacks import DivergenceCheck
from sb3_ext.zoo.evaluation import ZooEvalCallback


class ZooTrialEvalCallback(TrialEvalCallback, ZooEvalCallback):  # type: ignore[misc]  # rl_zoo3 is untyped
    """
    rl_zoo3's evaluation of a trial, masked where the model supports it and on the same episodes for every trial.

    ``TrialEvalCallback`` evaluates through ``super()``, which here is ``ZooEvalCallback``. A trial that diverges ends
    with an error, see :class:`~sb3_ext.callbacks.DivergenceCheck`, and is pruned.
    """

    def _init_callback(self) -> None:
        super()._init_callback()
        self._divergence = DivergenceCheck()
        self._divergence.init_callback(self.model)

    def _on_rollout_start(self) -> None:
        self._divergence.on_rollout_start()

    def _on_step(self) -> bool:
        self._divergence.update_locals(self.locals)
        self._divergence.on_step()
        return bool(super()._on_step())


def sample_maskable_dqn_params(
    trial: optuna.Trial, n_actions: int, n_envs: int, additional_args: dict[str, Any]
) -> dict[str, Any]:
    """
    Sample rl_zoo3's search space of DQN, and what MaskableDQN adds to it.

    :param trial: Optuna trial
    :param n_actions: As for every sampler of rl_zoo3; not used with discrete actions
    :param n_envs: Number of training environments
    :param additional_args: As for every sampler of rl_zoo3
    :return: arguments of ``MaskableDQN``
    """
    hyperparams: dict[str, Any] = sample_dqn_params(trial, n_actions, n_envs, additional_args)
    hyperparams["prioritized_replay"] = trial.suggest_categorical("prioritized_replay", [True, False])
    hyperparams["n_steps"] = trial.suggest_categorical("n_steps", [1, 3, 5, 10])
    hyperparams["policy_kwargs"]["dueling"] = trial.suggest_categorical("dueling", [False, True])
    return hyperparams


def convert_maskable_dqn_params(sampled_params: dict[str, Any]) -> dict[str, Any]:
    """
    Arguments of ``MaskableDQN`` from the parameters stored in a study.

    :param sampled_params: Parameters of a trial
    :return: arguments of ``MaskableDQN``
    """
    plain = {name: value for name, value in sampled_params.items() if name != "dueling"}
    hyperparams: dict[str, Any] = convert_offpolicy_params(plain)
    hyperparams["policy_kwargs"]["dueling"] = sampled_params["dueling"]
    return hyperparams


def sample_lookahead_dqn_params(
    trial: optuna.Trial, n_actions: int, n_envs: int, additional_args: dict[str, Any]
) -> dict[str, Any]:
    """
    Sample the search space of LookaheadDQN: the network, the updates, and the steps per base policy.

    :param trial: Optuna trial
    :param n_actions: As for every sampler of rl_zoo3; not used with discrete actions
    :param n_envs: Number of training environments
    :param additional_args: As for every sampler of rl_zoo3
    :return: arguments of ``LookaheadDQN``
    """
    sampled = {
        "learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True),
        "batch_size": trial.suggest_categorical("batch_size", [256, 512, 1024, 2048]),
        "gradient_steps": trial.suggest_categorical("gradient_steps", [1, 2, 4]),
        "base_steps": trial.suggest_categorical("base_steps", [25_000, 50_000, 100_000]),
        "exploration_final_eps": trial.suggest_float("exploration_final_eps", 0.0, 0.3),
        "net_arch": trial.suggest_categorical("net_arch", ["small", "medium", "big"]),
    }
    return convert_lookahead_dqn_params(sampled)


def convert_lookahead_dqn_params(sampled_params: dict[str, Any]) -> dict[str, Any]:
    """
    Arguments of ``LookaheadDQN`` from the parameters stored in a study.

    :param sampled_params: Parameters of a trial
    :return: arguments of ``LookaheadDQN``
    """
    widths = {"small": [64, 64], "medium": [128, 128], "big": [256, 256]}
    hyperparams = {name: value for name, value in sampled_params.items() if name != "net_arch"}
    # A base policy lasts until the memory holds no more returns of the one before.
    hyperparams["buffer_size"] = hyperparams["target_update_interval"] = hyperparams["base_steps"]
    hyperparams["policy_kwargs"] = {"net_arch": widths[sampled_params["net_arch"]]}
    return hyperparams

"""Type and range of every hyperparameter, checked before anything is written."""

import inspect
import re
from collections.abc import Mapping
from typing import Any

from rl_zoo3 import ALGOS
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.vec_env import VecNormalize

from sb3_ext.zoo.errors import UsageError, unknown
from sb3_ext.zoo.inputs.numbers import Number, Switch, check_value

COUNT = Number(1, whole=True)
SHARE = Number(0, 1)
POSITIVE = Number(0, above=True)
NOT_NEGATIVE = Number(0)
SWITCH = Switch()
#: Rates that rl_zoo3 turns into a schedule where they are given as "lin_0.001"; it does so for nothing else.
SCHEDULED = {"learning_rate", "clip_range", "clip_range_vf", "delta_std"}
LINEAR = "lin_<number> for a rate that falls to 0"
TRAIN_FREQ_UNITS = ("step", "episode")

SETTINGS: dict[str, Number | Switch] = {
    "base_steps": COUNT,
    "batch_size": COUNT,
    "buffer_size": COUNT,
    "cg_damping": NOT_NEGATIVE,
    "cg_max_steps": COUNT,
    "clip_range": Number(0, above=True, hint=LINEAR),
    # rl_zoo3 leaves a negative one as it is, and SB3 then refuses it.
    "clip_range_vf": Number(0, above=True, also=(None,), hint=LINEAR),
    "delta_std": Number(0, above=True, hint=LINEAR),
    "demonstration_noise": SHARE,
    "double_q": SWITCH,
    "exploration_decay": Number(0, 1, above=True, also=(None,)),
    "exploration_decay_every": COUNT,
    "exploration_final_eps": SHARE,
    "exploration_fraction": SHARE,
    "exploration_initial_eps": SHARE,
    "frame_stack": Number(1, whole=True, also=(None,)),
    "gae_lambda": SHARE,
    "gamma": SHARE,
    "gradient_steps": Number(1, whole=True, also=(-1,)),
    "learning_rate": Number(0, hint=LINEAR),
    "learning_starts": Number(0, whole=True),
    "max_grad_norm": POSITIVE,
    "most_actions": Number(2, whole=True),
    "n_critic_updates": COUNT,
    "n_delta": COUNT,
    "n_envs": Number(1, 10_000, whole=True),
    "n_epochs": COUNT,
    "n_steps": COUNT,
    "n_top": Number(1, whole=True, also=(None,)),
    "normalize_advantage": SWITCH,
    "optimize_memory_usage": SWITCH,
    "prioritized_replay": SWITCH,
    "reward_scale": POSITIVE,
    "rms_prop_eps": POSITIVE,
    "sde_sample_freq": Number(-1, whole=True),
    "stats_window_size": COUNT,
    "sub_sampling_factor": COUNT,
    "target_kl": Number(0, above=True, also=(None,)),
    "target_update_interval": COUNT,
    "tau": SHARE,
    "use_rms_prop": SWITCH,
    "use_sde": SWITCH,
    "vf_coef": NOT_NEGATIVE,
}
"""Hyperparameter -> what is valid, in every algorithm that has it."""

ON_POLICY = ("a2c", "maskable_ppo", "ppo", "ppo_lstm")
BY_ALGORITHM: dict[str, dict[str, Number | Switch]] = {
    "maskable_dqn": {"target_update_interval": Number(1, whole=True, also=("episode",))},
    # Elsewhere, as in SAC, it may be "auto".
    **{algo: {"ent_coef": NOT_NEGATIVE} for algo in ON_POLICY},
}
"""Algorithm -> what differs there."""


def check_settings(algo: str, hyperparams: Mapping[str, Any]) -> None:
    """
    Check the values of hyperparameters, whose names are known to be valid.

    :param algo: Name of the algorithm
    :param hyperparams: Hyperparameters of one environment
    :raises UsageError: one of them has another type, or is out of its range
    """
    kinds = SETTINGS | BY_ALGORITHM.get(algo, {})
    for name, value in hyperparams.items():
        if name in SCHEDULED and isinstance(value, str) and re.fullmatch(r"lin_[0-9.]+(e-?[0-9]+)?", value):
            continue
        if name in kinds:
            check_value(name, kinds[name], value)
    _check_n_timesteps(hyperparams.get("n_timesteps"))
    _check_train_freq(hyperparams.get("train_freq", 1))
    _check_policy(algo, hyperparams.get("policy"))
    _check_net_arch(hyperparams.get("policy_kwargs"))
    _check_normalize(algo, hyperparams)


def _check_n_timesteps(value: Any) -> None:
    # In rl_zoo3's own configs it is a float, such as 1e6.
    if value is not None and not (isinstance(value, float) and value >= 1 and value.is_integer()):
        check_value("n_timesteps", COUNT, value)


def _check_train_freq(value: Any) -> None:
    steps, unit = value if isinstance(value, list | tuple) and len(value) == 2 else (value, "step")
    if not COUNT.accepts(steps) or unit not in TRAIN_FREQ_UNITS:
        raise UsageError(
            f"train_freq must be {COUNT.allowed()}, or a pair of it with one of {', '.join(TRAIN_FREQ_UNITS)}, "
            f"not {value!r}."
        )


def _check_policy(algo: str, policy: Any) -> None:
    if policy is None:
        return
    known = ALGOS[algo].policy_aliases
    if not isinstance(policy, str):
        raise UsageError(f"policy must be a name, not {policy!r}.")
    # With a dot it is a class to be imported.
    if "." not in policy and policy not in known:
        raise UsageError(unknown(f"policy of {algo}", policy, known))


def _check_net_arch(policy_kwargs: Any) -> None:
    if policy_kwargs is not None and not isinstance(policy_kwargs, Mapping):
        raise UsageError(f"policy_kwargs must be a dict, not {policy_kwargs!r}.")
    net_arch = (policy_kwargs or {}).get("net_arch") or []
    stacks = net_arch.values() if isinstance(net_arch, Mapping) else [net_arch]
    for stack in stacks:
        if not isinstance(stack, list | tuple) or not all(COUNT.accepts(units) for units in stack):
            raise UsageError(
                f"policy_kwargs: net_arch must be a list of whole numbers of at least 1, or a dict of such lists, "
                f"not {net_arch!r}."
            )


def _check_normalize(algo: str, hyperparams: Mapping[str, Any]) -> None:
    normalize = hyperparams.get("normalize", False)
    if not isinstance(normalize, bool | Mapping):
        raise UsageError(f"normalize must be True, False or a dict of arguments of VecNormalize, not {normalize!r}.")
    if isinstance(normalize, Mapping):
        parameters = set(inspect.signature(VecNormalize).parameters) - {"venv"}
        for name in normalize:
            if name not in parameters:
                raise UsageError(unknown("argument of normalize", str(name), parameters))
    stacked = (hyperparams.get("frame_stack") or 1) > 1
    if normalize and stacked and issubclass(ALGOS[algo], OffPolicyAlgorithm):
        # The replay buffer holds observations that are not normalised, and VecNormalize keeps single frames of these.
        raise UsageError(f"frame_stack and normalize cannot be combined for {algo}: leave one of them out.")

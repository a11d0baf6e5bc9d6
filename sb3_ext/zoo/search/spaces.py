"""
Search spaces of the maskable algorithms, sized by the number of environments.

A sampler is called as rl_zoo3 calls its own, ``(trial, n_actions, n_envs, additional_args)``. Our manager adds two
entries to ``additional_args``: ``hyperparams``, the config's, and ``n_timesteps``, the steps of a trial. What a space
does not name, such as ``policy``, ``elapsed_key``, ``train_freq`` or ``buffer_size``, stays as the config has it, and
so does every entry of ``policy_kwargs`` that was not sampled.
"""

import math
from collections.abc import Mapping
from typing import Any

import optuna
from rl_zoo3.utils import SimpleLinearSchedule

#: With hundreds of environments a batch is large, and so are the rates that suit it.
LEARNING_RATES = (1e-4, 3e-3)
#: 1 is right where episodes are finite and nothing is discounted. With an ``elapsed_key`` it is for a unit of time.
GAMMAS = (1.0, 0.9999, 0.999, 0.99, 0.97)
#: Hidden layers, by policy; a policy that is not named has those of MlpPolicy.
NETWORKS = {
    "MlpPolicy": ("64,64", "128,128", "256,256"),
    # The same weights for every row, so that a small network sees a lot.
    "RowPolicy": ("32,32", "64,64", "128,128"),
}
# Updates of the network that a trial should have at least, so that there is something to judge.
ROLLOUTS_OF_A_TRIAL = 10


def sample_maskable_ppo_params(
    trial: optuna.Trial, n_actions: int, n_envs: int, additional_args: dict[str, Any]
) -> dict[str, Any]:
    """
    Sample the search space of MaskablePPO.

    The rollout of all environments together has 16 to 128 steps of each where there are many of them, and 256 to 2,048
    in all where there are few; a trial has at least ten. A batch is an eighth of the smallest rollout, or more.

    :param trial: Optuna trial
    :param n_actions: As for every sampler of rl_zoo3; not used with discrete actions
    :param n_envs: Number of training environments
    :param additional_args: As the module says
    :return: arguments of ``MaskablePPO``
    """
    doublings = n_envs.bit_length() - 1
    least, most = _rollout_powers(doublings, additional_args.get("n_timesteps"))
    _suggest_common(trial, additional_args)
    trial.suggest_int("n_steps_pow", least - doublings, most - doublings)
    trial.suggest_int("batch_size_pow", max(least - 3, min(5, least)), least)
    trial.suggest_categorical("n_epochs", [2, 4, 8])
    trial.suggest_categorical("gae_lambda", [0.9, 0.95, 0.98, 1.0])
    trial.suggest_float("ent_coef", 1e-5, 0.03, log=True)
    trial.suggest_categorical("clip_range", [0.1, 0.2, 0.3])
    return _shown(trial, convert_params(trial.params))


def _rollout_powers(doublings: int, n_timesteps: int | None) -> tuple[int, int]:
    """Exponents of 2 of the smallest and the largest rollout, for 2 ** doublings environments."""
    least = max(8, doublings + 4)
    most = least + 3
    if n_timesteps:
        affordable = int(math.log2(max(2, n_timesteps // ROLLOUTS_OF_A_TRIAL)))
        least = max(doublings + 1, min(least, affordable))
        most = max(least, min(most, affordable))
    return least, most


def sample_maskable_dqn_params(
    trial: optuna.Trial, n_actions: int, n_envs: int, additional_args: dict[str, Any]
) -> dict[str, Any]:
    """
    Sample the search space of MaskableDQN.

    :param trial: Optuna trial
    :param n_actions: As for every sampler of rl_zoo3; not used with discrete actions
    :param n_envs: Number of training environments
    :param additional_args: As the module says
    :return: arguments of ``MaskableDQN``
    """
    given = additional_args.get("hyperparams") or {}
    doublings = n_envs.bit_length() - 1
    _suggest_common(trial, additional_args)
    smallest = max(5, doublings // 2 + 4)
    trial.suggest_int("batch_size_pow", smallest, smallest + 3)
    trial.suggest_categorical("gradient_steps", [1, 2, 4])
    trial.suggest_categorical("n_steps", [1, 3, 5, 10, 20])
    trial.suggest_categorical("prioritized_replay", [True, False])
    if given.get("target_update_interval") != "episode":
        trial.suggest_int("target_update_interval", max(500, 4 * n_envs), max(20_000, 8 * n_envs), log=True)
    if given.get("exploration_decay") is None:
        trial.suggest_float("exploration_fraction", 0.05, 0.5)
        trial.suggest_float("exploration_final_eps", 0.01, 0.2, log=True)
    # Huber's loss is quadratic up to 1, so the scale matters; where rewards are in, the config knows.
    scale = float(given.get("reward_scale", 1.0))
    trial.suggest_float("reward_scale", scale / 10, scale * 10, log=True)
    if _can_duel(given):
        trial.suggest_categorical("dueling", [False, True])
    return _shown(trial, convert_params(trial.params))


def _can_duel(hyperparams: Mapping[str, Any]) -> bool:
    """Whether the policy's last layer can be a dueling one."""
    named = _policy(hyperparams)
    return named != "RowPolicy" and not (hyperparams.get("policy_kwargs") or {}).get("factors")


def sample_lookahead_dqn_params(
    trial: optuna.Trial, n_actions: int, n_envs: int, additional_args: dict[str, Any]
) -> dict[str, Any]:
    """
    Sample the search space of LookaheadDQN: the network, the updates, and the steps per base policy.

    :param trial: Optuna trial
    :param n_actions: As for every sampler of rl_zoo3; not used with discrete actions
    :param n_envs: Number of training environments
    :param additional_args: As the module says
    :return: arguments of ``LookaheadDQN``
    """
    trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True)
    trial.suggest_categorical("net_arch", list(_networks(additional_args)))
    trial.suggest_categorical("batch_size", [256, 512, 1024, 2048])
    trial.suggest_categorical("gradient_steps", [1, 2, 4])
    trial.suggest_categorical("base_steps", [25_000, 50_000, 100_000])
    trial.suggest_float("exploration_final_eps", 0.0, 0.3)
    return convert_lookahead_dqn_params(trial.params)


def convert_lookahead_dqn_params(sampled_params: dict[str, Any]) -> dict[str, Any]:
    """
    Arguments of ``LookaheadDQN`` from the parameters stored in a study.

    :param sampled_params: Parameters of a trial
    :return: arguments of ``LookaheadDQN``
    """
    hyperparams = convert_params(sampled_params)
    # A base policy lasts until the memory holds no more returns of the one before.
    hyperparams["buffer_size"] = hyperparams["target_update_interval"] = hyperparams["base_steps"]
    return hyperparams


def convert_params(sampled_params: dict[str, Any]) -> dict[str, Any]:
    """
    Arguments of ``MaskableDQN`` and ``MaskablePPO`` from the parameters stored in a study.

    :param sampled_params: Parameters of a trial
    :return: arguments of the algorithm; ``x_pow`` as ``x``, a power of 2, and what the policy takes in
        ``policy_kwargs``
    """
    hyperparams: dict[str, Any] = {}
    policy_kwargs: dict[str, Any] = {}
    for name, value in sampled_params.items():
        if name.endswith("_pow"):
            hyperparams[name.removesuffix("_pow")] = 2**value
        elif name == "net_arch":
            policy_kwargs[name] = [int(units) for units in value.split(",")]
        elif name == "dueling":
            policy_kwargs[name] = value
        else:
            hyperparams[name] = value
    return {**hyperparams, "policy_kwargs": policy_kwargs}


def merged(hyperparams: Mapping[str, Any], sampled: Mapping[str, Any]) -> dict[str, Any]:
    """
    What was sampled in place of the config's: in ``policy_kwargs`` entry by entry, and rates with the config's shape.

    :param hyperparams: The config's, with rates as in the file (``lin_0.001``) or as rl_zoo3's schedules
    :param sampled: What was sampled
    :return: what replaces entries of the config's
    """
    result = dict(sampled)
    if "policy_kwargs" in sampled:
        result["policy_kwargs"] = {**(hyperparams.get("policy_kwargs") or {}), **sampled["policy_kwargs"]}
    for name in ("learning_rate", "clip_range"):
        if name not in sampled:
            continue
        if isinstance(hyperparams.get(name), SimpleLinearSchedule):
            result[name] = SimpleLinearSchedule(sampled[name])
        elif str(hyperparams.get(name)).startswith("lin_"):
            result[name] = f"lin_{sampled[name]}"
    return result


def _suggest_common(trial: optuna.Trial, additional_args: Mapping[str, Any]) -> None:
    trial.suggest_float("learning_rate", *LEARNING_RATES, log=True)
    trial.suggest_categorical("gamma", list(GAMMAS))
    trial.suggest_categorical("net_arch", list(_networks(additional_args)))


def _networks(additional_args: Mapping[str, Any]) -> tuple[str, ...]:
    policy = _policy(additional_args.get("hyperparams") or {})
    return NETWORKS.get(policy, NETWORKS["MlpPolicy"])


def _policy(hyperparams: Mapping[str, Any]) -> str:
    """Name of the policy; a class that the config names is imported by then."""
    policy = hyperparams.get("policy", "MlpPolicy")
    return policy if isinstance(policy, str) else str(policy.__name__)


def _shown(trial: optuna.Trial, hyperparams: dict[str, Any]) -> dict[str, Any]:
    """Put powers of 2 as the numbers they are into the report."""
    for name in ("n_steps", "batch_size"):
        if f"{name}_pow" in trial.params:
            trial.set_user_attr(name, hyperparams[name])
    return hyperparams

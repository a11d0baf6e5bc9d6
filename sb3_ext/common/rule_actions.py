"""Actions of a rule in the current states of the environments, from their method ``rule_actions``."""

import numpy as np
from stable_baselines3.common.vec_env import VecEnv

#: Name of the environment's method that returns a rule's action in the current state.
METHOD_NAME = "rule_actions"


def check_rules_supported(env: VecEnv, who: str) -> None:
    """
    Raise an error unless every environment has a method ``rule_actions(rule)``.

    :param env: the vectorized environment
    :param who: Class that needs the method, for the message
    """
    # Checked first: without the method a subprocess would crash and leave a bare EOFError.
    if not env.has_attr(METHOD_NAME):
        raise ValueError(f"{who} needs an environment with a method {METHOD_NAME}(rule), which is missing.")


def rule_actions(env: VecEnv, rule: str, masks: np.ndarray, start: int = 0) -> np.ndarray:
    """
    Actions of a rule in the current states of the environments.

    :param env: the vectorized environment
    :param rule: Name of the rule, as the environment knows it
    :param masks: (n_envs, n_actions) bool, feasible actions
    :param start: Number of the environment's first action
    :return: (n_envs,) int64, numbers from 0
    :raises ValueError: the rule's action is infeasible
    """
    actions = np.array(env.env_method(METHOD_NAME, rule), dtype=np.int64) - start
    inside = (actions >= 0) & (actions < masks.shape[1])
    feasible = inside & masks[np.arange(len(actions)), np.where(inside, actions, 0)]
    if not feasible.all():
        wrong = actions[np.argmin(feasible)] + start
        raise ValueError(f"{METHOD_NAME}({rule!r}) of the environment gave action {wrong}, which is infeasible.")
    return actions

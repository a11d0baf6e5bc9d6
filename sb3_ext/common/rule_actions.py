"""What a rule does in the states in which environments are now, through their method ``rule_actions``."""

import numpy as np
from stable_baselines3.common.vec_env import VecEnv

#: Name of the method of an environment that says what a rule would do now.
METHOD_NAME = "rule_actions"


def check_rules_supported(env: VecEnv, who: str) -> None:
    """
    Raise an error unless every environment has a method ``rule_actions(rule)``.

    :param env: the vectorized environment
    :param who: needs it, for the message
    """
    # Asked first: without the method a subprocess would die with it, and leave a bare EOFError.
    if not env.has_attr(METHOD_NAME):
        raise ValueError(f"{who} needs an environment with a method {METHOD_NAME}(rule), which is missing.")


def rule_actions(env: VecEnv, rule: str, masks: np.ndarray) -> np.ndarray:
    """
    What a rule does in the states in which the environments are now.

    :param env: the vectorized environment
    :param rule: Name of the rule, as the environment knows it
    :param masks: (n_envs, n_actions) bool, what is offered there
    :return: (n_envs,) int64
    :raises ValueError: the rule does what is not offered
    """
    actions = np.array(env.env_method(METHOD_NAME, rule), dtype=np.int64)
    inside = (actions >= 0) & (actions < masks.shape[1])
    offered = inside & masks[np.arange(len(actions)), np.where(inside, actions, 0)]
    if not offered.all():
        wrong = actions[np.argmin(offered)]
        raise ValueError(f"{METHOD_NAME}({rule!r}) of the environment gave action {wrong}, which is not offered.")
    return actions

"""The algorithms by the names that the zoo uses."""

import inspect

from sb3_contrib import QRDQN, TRPO
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.base_class import BaseAlgorithm

from sb3_ext.lookahead_dqn import LookaheadDQN
from sb3_ext.maskable_dqn import MaskableDQN
from sb3_ext.maskable_ppo import MaskablePPO

MASKABLE: dict[str, type[BaseAlgorithm]] = {
    "lookahead_dqn": LookaheadDQN,
    "maskable_dqn": MaskableDQN,
    "maskable_ppo": MaskablePPO,
}

# What can act in an environment with discrete actions. rl_zoo3 knows more; only these can be loaded without it.
ALGORITHMS: dict[str, type[BaseAlgorithm]] = {
    "a2c": A2C,
    "dqn": DQN,
    "ppo": PPO,
    "qrdqn": QRDQN,
    "trpo": TRPO,
    **MASKABLE,
}

INSTALL_HINT = 'Training needs rl_zoo3, which is not installed: pip install "echo-lab-rl[rl]".'


def takes_masks(model: BaseAlgorithm) -> bool:
    """
    Whether a model's ``predict`` takes ``action_masks``.

    :param model: A model of any algorithm
    :return: True for maskable algorithms
    """
    return "action_masks" in inspect.signature(model.predict).parameters

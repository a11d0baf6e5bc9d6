"""Masked deep Q-learning and masked PPO, and what goes with them, for Stable-Baselines3."""

from sb3_ext.common.vec_env import GymnasiumVecEnv
from sb3_ext.common.wrappers import ActionMaskInfo
from sb3_ext.lookahead_dqn import LookaheadDQN
from sb3_ext.maskable_dqn import MaskableDQN
from sb3_ext.maskable_ppo import MaskablePPO
from sb3_ext.replay import MaskableReplayBuffer, PrioritizedReplayBuffer

__all__ = [
    "ActionMaskInfo",
    "GymnasiumVecEnv",
    "LookaheadDQN",
    "MaskableDQN",
    "MaskablePPO",
    "MaskableReplayBuffer",
    "PrioritizedReplayBuffer",
]

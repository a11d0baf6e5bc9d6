"""Masked deep Q-learning and masked PPO for Stable-Baselines3, with masks from environment to evaluation."""

from importlib.metadata import PackageNotFoundError, version

from sb3_ext.common.vec_env import GymnasiumVecEnv
from sb3_ext.common.wrappers import ActionMaskInfo
from sb3_ext.lookahead_dqn import LookaheadDQN
from sb3_ext.maskable_dqn import MaskableDQN
from sb3_ext.maskable_dqn.row_policy import RowPolicy as MaskableDQNRowPolicy
from sb3_ext.maskable_ppo import MaskablePPO
from sb3_ext.maskable_ppo.row_policy import RowPolicy as MaskablePPORowPolicy
from sb3_ext.maskable_qrdqn import MaskableQRDQN
from sb3_ext.replay import MaskableReplayBuffer, PrioritizedReplayBuffer

try:
    __version__ = version("echo-lab-rl")
except PackageNotFoundError:
    # Imported from a folder that was never installed.
    __version__ = "0+unknown"

__all__ = [
    "ActionMaskInfo",
    "GymnasiumVecEnv",
    "LookaheadDQN",
    "MaskableDQN",
    "MaskableDQNRowPolicy",
    "MaskablePPO",
    "MaskablePPORowPolicy",
    "MaskableQRDQN",
    "MaskableReplayBuffer",
    "PrioritizedReplayBuffer",
    "__version__",
]

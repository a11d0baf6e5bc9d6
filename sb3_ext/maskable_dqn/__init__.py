"""Masked deep Q-learning."""

from sb3_ext.maskable_dqn.maskable_dqn import MaskableDQN
from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy, MlpPolicy

__all__ = ["MaskableDQN", "MaskableDQNPolicy", "MlpPolicy"]

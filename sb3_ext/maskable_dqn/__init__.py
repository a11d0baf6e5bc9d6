"""Masked deep Q-learning."""

from sb3_ext.maskable_dqn.maskable_dqn import MaskableDQN
from sb3_ext.maskable_dqn.policies import CnnPolicy, MaskableDQNPolicy, MlpPolicy, MultiInputPolicy

__all__ = ["CnnPolicy", "MaskableDQN", "MaskableDQNPolicy", "MlpPolicy", "MultiInputPolicy"]

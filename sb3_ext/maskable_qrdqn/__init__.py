"""Masked deep Q-learning of quantiles."""

from sb3_ext.maskable_qrdqn.maskable_qrdqn import MaskableQRDQN
from sb3_ext.maskable_qrdqn.policies import CnnPolicy, MaskableQRDQNPolicy, MlpPolicy, MultiInputPolicy

__all__ = ["CnnPolicy", "MaskableQRDQN", "MaskableQRDQNPolicy", "MlpPolicy", "MultiInputPolicy"]

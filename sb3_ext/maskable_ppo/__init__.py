"""Masked PPO for many actions of which few are feasible."""

from sb3_ext.maskable_ppo.maskable_ppo import MaskablePPO
from sb3_ext.maskable_ppo.policies import OfferedActionsPolicy, OfferedMlpPolicy

__all__ = ["MaskablePPO", "OfferedActionsPolicy", "OfferedMlpPolicy"]

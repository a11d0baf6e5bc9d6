"""sb3-contrib's masked PPO with two more policies."""

from typing import ClassVar

import sb3_contrib
from stable_baselines3.common.policies import BasePolicy

from sb3_ext.common.saving import WholeSaves
from sb3_ext.maskable_ppo.policies import OfferedMlpPolicy
from sb3_ext.maskable_ppo.row_policy import RowPolicy


class MaskablePPO(WholeSaves, sb3_contrib.MaskablePPO):
    """
    sb3-contrib's ``MaskablePPO``, which also knows ``OfferedMlpPolicy`` and ``RowPolicy`` by name, and whose
    ``save`` leaves the earlier file whole until the new one is; nothing else is changed.

    ``MaskablePPO("OfferedMlpPolicy", env)`` takes the parameters of ``MaskablePPO("MlpPolicy", env)`` and learns
    the same, faster where few of many actions are feasible; see
    :class:`~sb3_ext.maskable_ppo.policies.OfferedActionsPolicy`. ``RowPolicy`` scores all actions by the same weights;
    see :class:`~sb3_ext.maskable_ppo.row_policy.RowPolicy`. Models saved by sb3-contrib's own class load here, and
    parameters can be exchanged in both directions with ``set_parameters(model.get_parameters())``.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {
        **sb3_contrib.MaskablePPO.policy_aliases,
        "OfferedMlpPolicy": OfferedMlpPolicy,
        "RowPolicy": RowPolicy,
    }

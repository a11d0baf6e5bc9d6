"""sb3-contrib's masked PPO with two more policies."""

from typing import Any, ClassVar

import numpy as np
import sb3_contrib
import torch as th
from stable_baselines3.common.policies import BasePolicy

from sb3_ext.common.saving import WholeSaves
from sb3_ext.maskable_ppo.policies import OfferedMlpPolicy
from sb3_ext.maskable_ppo.row_policy import RowPolicy


class MaskablePPO(WholeSaves, sb3_contrib.MaskablePPO):
    """
    sb3-contrib's ``MaskablePPO``, which also knows ``OfferedMlpPolicy`` and ``RowPolicy`` by name, and whose
    ``save`` leaves the earlier file whole until the new one is; ``action_scores`` says how much it prefers each
    action. Nothing else is changed.

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

    def action_scores(self, observation: np.ndarray, action_masks: np.ndarray) -> np.ndarray:
        """
        How much the policy prefers each action in a batch of states: log-probabilities.

        :param observation: (n, *obs_shape), as ``predict`` takes them
        :param action_masks: (n, n_actions) bool
        :return: (n, n_actions) float32, far below all others where infeasible
        """
        states, _ = self.policy.obs_to_tensor(observation)
        self.policy.set_training_mode(False)
        with th.no_grad():
            distribution: Any = self.policy.get_distribution(states, action_masks).distribution
        scores: np.ndarray = distribution.logits.cpu().numpy()
        return scores

"""Policy of MaskablePPO for many actions of which few are feasible."""

from typing import Any

import torch as th
from gymnasium import spaces
from sb3_contrib.common.maskable.distributions import MaskableDistribution
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from stable_baselines3.common.type_aliases import Schedule
from torch import nn

from sb3_ext.maskable_ppo.distributions import OfferedCategoricalDistribution


def adam_defaults(
    optimizer_class: type[th.optim.Optimizer], optimizer_kwargs: dict[str, Any] | None
) -> dict[str, Any] | None:
    """
    Keyword arguments of the optimizer: sb3-contrib's ``eps`` and Adam's fused implementation, which computes the same
    faster, where the user gives none.

    :param optimizer_class: Optimizer
    :param optimizer_kwargs: As given by the user
    :return: those to use
    """
    if optimizer_kwargs is None and optimizer_class is th.optim.Adam:
        return {"eps": 1e-5, "fused": True}
    return optimizer_kwargs


class OfferedActionsPolicy(MaskableActorCriticPolicy):
    """
    sb3-contrib's policy, which computes the logits of the feasible actions only.

    Log-probabilities, entropies, gradients and greedy actions are those of ``MlpPolicy`` up to rounding, and so are
    the names and shapes of the parameters: either loads the other's. Sampled actions have the same distribution,
    but are not the same draws. It pays where few of many actions are feasible: with 2 or 3 out of 729,
    training takes about a third of the time. Where more than 5 % are, it does what ``MlpPolicy`` does.

    :param observation_space: Observation space
    :param action_space: Discrete action space
    :param lr_schedule: Learning rate schedule
    :param optimizer_class: Optimizer, Adam by default
    :param optimizer_kwargs: Its keyword arguments except for the learning rate; by default sb3-contrib's ``eps`` of
        1e-5 and Adam's fused implementation, which computes the same faster
    :param kwargs: as sb3-contrib's ``MaskableActorCriticPolicy``; for observations that are images or a ``Dict``,
        ``features_extractor_class=NatureCNN`` or ``CombinedExtractor``
    :raises ValueError: the action space is not Discrete
    """

    action_dist: OfferedCategoricalDistribution
    action_net: nn.Linear

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        lr_schedule: Schedule,
        *,
        optimizer_class: type[th.optim.Optimizer] = th.optim.Adam,
        optimizer_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(action_space, spaces.Discrete):
            raise ValueError(
                f"OfferedActionsPolicy needs a Discrete action space, not {action_space}: use MlpPolicy for this one."
            )
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            optimizer_class=optimizer_class,
            optimizer_kwargs=adam_defaults(optimizer_class, optimizer_kwargs),
            **kwargs,
        )

    def _build(self, lr_schedule: Schedule) -> None:
        self.action_dist = OfferedCategoricalDistribution(int(self.action_space.n))  # type: ignore[attr-defined]
        super()._build(lr_schedule)

    def _get_action_dist_from_latent(self, latent_pi: th.Tensor) -> MaskableDistribution:
        return self.action_dist.proba_distribution_from_latent(latent_pi, self.action_net)


OfferedMlpPolicy = OfferedActionsPolicy

"""Policy of MaskablePPO for observations with a row per action."""

from typing import Any

import torch as th
from gymnasium import spaces
from sb3_contrib.common.maskable.distributions import MaskableCategoricalDistribution
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from stable_baselines3.common.type_aliases import Schedule
from torch import nn

from sb3_ext.common.padded_rows import row_network
from sb3_ext.common.rows import RowScores, check_rows
from sb3_ext.maskable_ppo.policies import adam_defaults


class RowCategoricalDistribution(MaskableCategoricalDistribution):
    """
    sb3-contrib's masked categorical distribution, whose logits are scores of rows.

    :param action_dim: Number of discrete actions
    """

    def proba_distribution_net(self, latent_dim: int) -> nn.Module:
        """
        The layer that gives the logits.

        :param latent_dim: Of all rows together
        """
        return RowScores(latent_dim // self.action_dim)


class RowPolicy(MaskableActorCriticPolicy):
    """
    Scores all actions with shared weights, see :class:`~sb3_ext.common.rows.RowNetwork`.

    :param observation_space: Box of the shape (n_actions, columns)
    :param action_space: Discrete action space
    :param lr_schedule: Learning rate schedule
    :param net_arch: Units of the hidden layers, [64, 64] by default; policy and value share them
    :param activation_fn: Activation after each
    :param padded: Whether rows of zeros are padding, see :class:`~sb3_ext.common.padded_rows.PaddedRowNetwork`
    :param attention: Width of its attention; 0 for none
    :param optimizer_class: Optimizer, Adam by default
    :param optimizer_kwargs: Its keyword arguments except for the learning rate; by default sb3-contrib's ``eps`` of
        1e-5 and Adam's fused implementation
    :param kwargs: as sb3-contrib's ``MaskableActorCriticPolicy``
    :raises ValueError: observations have no row per action
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        lr_schedule: Schedule,
        net_arch: list[int] | None = None,
        activation_fn: type[nn.Module] = nn.ReLU,
        *,
        padded: bool = False,
        attention: int = 0,
        optimizer_class: type[th.optim.Optimizer] = th.optim.Adam,
        optimizer_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        layers = [64, 64] if net_arch is None else net_arch
        self._shape = check_rows(type(self).__name__, observation_space, action_space, layers)
        self.padded, self.attention = padded, attention
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            net_arch=layers,
            activation_fn=activation_fn,
            optimizer_class=optimizer_class,
            optimizer_kwargs=adam_defaults(optimizer_class, optimizer_kwargs),
            **kwargs,
        )

    def _build(self, lr_schedule: Schedule) -> None:
        self.action_dist = RowCategoricalDistribution(self._shape[0])
        super()._build(lr_schedule)

    def _build_mlp_extractor(self) -> None:
        assert isinstance(self.net_arch, list)
        self.mlp_extractor = row_network(  # type: ignore[assignment]
            self._shape, self.net_arch, self.activation_fn, self.padded, self.attention
        )

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**super()._get_constructor_parameters(), "padded": self.padded, "attention": self.attention}

"""Network and policy of MaskableQRDQN."""

from typing import Any

import torch as th
from stable_baselines3.common.type_aliases import PyTorchObs

from sb3_ext.maskable_dqn import policies
from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy, MaskableQNetwork


class QuantileNetwork(MaskableQNetwork):
    """
    Quantiles of the return of each action; called, it gives their means, the action values.

    Where actions are vectors, quantiles of an action are the sums of those of its parts.

    :param args: as :class:`~sb3_ext.maskable_dqn.policies.MaskableQNetwork`
    :param n_quantiles: Number of quantiles, at least 1
    :param kwargs: as :class:`~sb3_ext.maskable_dqn.policies.MaskableQNetwork`
    """

    def __init__(self, *args: Any, n_quantiles: int = 200, **kwargs: Any) -> None:
        if n_quantiles < 1:
            raise ValueError(f"QuantileNetwork: n_quantiles must be at least 1, not {n_quantiles}.")
        super().__init__(*args, copies=n_quantiles, **kwargs)
        self.n_quantiles = n_quantiles

    def quantiles(self, obs: PyTorchObs) -> th.Tensor:
        """
        The quantiles of every action, or part of actions.

        :param obs: (B, *obs_shape)
        :return: (B, n_quantiles, n_choices) float
        """
        outputs: th.Tensor = self.q_net(self.extract_features(obs, self.features_extractor))
        return outputs.view(-1, self.n_quantiles, self.parts.n_choices)

    def forward(self, obs: PyTorchObs) -> th.Tensor:
        """(B, *obs_shape) to action values (B, n_choices)."""
        return self.quantiles(obs).mean(dim=1)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return super()._get_constructor_parameters() | {"n_quantiles": self.n_quantiles}


class MaskableQRDQNPolicy(MaskableDQNPolicy):
    """
    :class:`~sb3_ext.maskable_dqn.policies.MaskableDQNPolicy` with a :class:`QuantileNetwork`, and the same arguments.

    :param args: as :class:`~sb3_ext.maskable_dqn.policies.MaskableDQNPolicy`
    :param n_quantiles: Number of quantiles, at least 1
    :param kwargs: as :class:`~sb3_ext.maskable_dqn.policies.MaskableDQNPolicy`
    """

    q_net: QuantileNetwork
    q_net_target: QuantileNetwork

    def __init__(self, *args: Any, n_quantiles: int = 200, **kwargs: Any) -> None:
        # Before the parent's constructor, which builds the networks.
        self.n_quantiles = n_quantiles
        super().__init__(*args, **kwargs)

    def make_q_net(self) -> QuantileNetwork:
        """Build one network; called once for the online and once for the target network."""
        net_args = self._update_features_extractor(self.net_args, features_extractor=None)
        return QuantileNetwork(**net_args, **self.network_kwargs, n_quantiles=self.n_quantiles).to(self.device)

    @property
    def quantile_net(self) -> QuantileNetwork:
        """The online network, by the name that it has in sb3-contrib's QRDQN."""
        return self.q_net

    @property
    def quantile_net_target(self) -> QuantileNetwork:
        """The target network, likewise."""
        return self.q_net_target

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return super()._get_constructor_parameters() | {"n_quantiles": self.n_quantiles}


MlpPolicy = MaskableQRDQNPolicy


class CnnPolicy(MaskableQRDQNPolicy, policies.CnnPolicy):
    """:class:`MaskableQRDQNPolicy` for images, as :class:`~sb3_ext.maskable_dqn.policies.CnnPolicy`."""


class MultiInputPolicy(MaskableQRDQNPolicy, policies.MultiInputPolicy):
    """:class:`MaskableQRDQNPolicy` for ``Dict`` observations, with SB3's ``CombinedExtractor``."""

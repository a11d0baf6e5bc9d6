"""Policy of MaskableDQN for observations with a row per action."""

from typing import Any

import torch as th
from torch import nn

from sb3_ext.common.padded_rows import row_network
from sb3_ext.common.rows import RowNetwork, RowScores, check_rows
from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy, MaskableQNetwork


class RowValues(nn.Module):
    """
    Value of the state plus the score of each row.

    :param network: Gives the latents of both
    """

    def __init__(self, network: RowNetwork) -> None:
        super().__init__()
        self.network = network
        self.scores, self.value = RowScores(network.units), nn.Linear(network.latent_dim_vf, 1)

    def forward(self, features: th.Tensor) -> th.Tensor:
        """(B, n_actions * columns) to (B, n_actions)."""
        rows, state = self.network(features)
        values: th.Tensor = self.scores(rows) + self.value(state)
        return values


class RowQNetwork(MaskableQNetwork):
    """
    Action values with shared weights for all actions, see :class:`~sb3_ext.common.rows.RowNetwork`.

    :param args: as SB3's ``QNetwork``
    :param kwargs: as :class:`~sb3_ext.maskable_dqn.policies.MaskableQNetwork`; ``dropout``, ``kaiming_init``,
        ``dueling``, ``factors``, ``batch_norm`` and ``noisy`` belong to other networks
    :param padded: Whether rows of zeros are padding, see :class:`~sb3_ext.common.padded_rows.PaddedRowNetwork`
    :param attention: Width of its attention; 0 for none
    """

    def __init__(self, *args: Any, padded: bool = False, attention: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        given = (self.dropout, self.kaiming_init, self.dueling, self.factors is not None, self.batch_norm, self.noisy)
        if any(given):
            raise ValueError("RowPolicy takes none of dropout, kaiming_init, dueling, factors, batch_norm and noisy.")
        shape = check_rows("RowPolicy", self.observation_space, self.action_space, self.net_arch)
        network = row_network(shape, self.net_arch, self.activation_fn, padded, attention)
        self.q_net = nn.Sequential(RowValues(network))


class RowPolicy(MaskableDQNPolicy):
    """
    :class:`~sb3_ext.maskable_dqn.policies.MaskableDQNPolicy` with a :class:`RowQNetwork`.

    Observations are a Box of the shape (n_actions, columns), see :class:`~sb3_ext.common.rows.RowNetwork`.

    :param args: as :class:`~sb3_ext.maskable_dqn.policies.MaskableDQNPolicy`
    :param padded: Whether rows of zeros are padding, see :class:`~sb3_ext.common.padded_rows.PaddedRowNetwork`
    :param attention: Width of its attention; 0 for none
    :param kwargs: as ``args``
    """

    def __init__(self, *args: Any, padded: bool = False, attention: int = 0, **kwargs: Any) -> None:
        self.padding: dict[str, Any] = {"padded": padded, "attention": attention}
        super().__init__(*args, **kwargs)

    def make_q_net(self) -> RowQNetwork:
        """Build one network; called once for the online and once for the target network."""
        net_args = self._update_features_extractor(self.net_args, features_extractor=None)
        return RowQNetwork(**net_args, **self.network_kwargs, **self.padding).to(self.device)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**super()._get_constructor_parameters(), **self.padding}

"""The distribution over discrete actions of which only a few are feasible."""

from typing import Self

import numpy as np
import torch as th
from sb3_contrib.common.maskable.distributions import (
    MaskableCategorical,
    MaskableCategoricalDistribution,
    MaybeMasks,
)
from torch import nn

#: Logit of an infeasible action: sb3-contrib's, so that both give the same numbers.
NOT_OFFERED = -1e8
#: Share of all actions above which one dense matrix product is faster than gathering the feasible ones. Measured with
#: 50 to 5,000 actions, batches of 256 and 1,024: they break even between 4 % (5,000 actions) and 25 % (50).
LARGEST_SHARE = 0.05


class OfferedCategorical:
    """
    One categorical distribution per row, over its feasible actions.

    The feasible actions of a row are stored in ascending order, in a table as wide as the longest row. Only
    their logits are computed.

    :param latent: (B, latent_dim) float, output of the policy's last hidden layer
    :param action_net: Linear layer from there to the logits of all actions
    :param rows: (N,) int64, ascending, row of each feasible action
    :param offered: (N,) int64, its number
    :param counts: (B,) int64, number of feasible actions of each row
    """

    def __init__(
        self, latent: th.Tensor, action_net: nn.Linear, rows: th.Tensor, offered: th.Tensor, counts: th.Tensor
    ) -> None:
        columns = th.arange(len(rows), device=rows.device) - (counts.cumsum(0) - counts)[rows]
        shape = (len(latent), int(counts.max()))
        # Gradients of index_select are far cheaper than those of weight[offered], which sort.
        weight, bias = (part.index_select(0, offered) for part in (action_net.weight, action_net.bias))
        logits = (weight * latent.index_select(0, rows)).sum(1) + bias
        #: (B, K) int64, the feasible actions by column, padded with -1.
        self.actions = th.full(shape, -1, device=rows.device).index_put((rows, columns), offered)
        #: (B, K) float, their log-probabilities, padded with about -1e8, which is probability 0.
        self.log_probs = latent.new_full(shape, NOT_OFFERED).index_put((rows, columns), logits).log_softmax(1)

    def log_prob(self, actions: th.Tensor) -> th.Tensor:
        """
        Log-probabilities of one action per row.

        :param actions: (B,) int64
        :return: (B,) float, -1e8 without a gradient where the action is infeasible
        """
        found = self.actions == actions[:, None]
        log_probs = th.where(found, self.log_probs, 0.0).sum(1)
        return th.where(found.any(1), log_probs, NOT_OFFERED)

    def entropy(self) -> th.Tensor:
        """(B,) float, in nats."""
        return -(self.log_probs.exp() * self.log_probs).sum(1)

    def sample(self) -> th.Tensor:
        """(B,) int64, one draw per row from torch's global generator."""
        with th.no_grad():
            return self._named(self.log_probs.exp().multinomial(1))

    def mode(self) -> th.Tensor:
        """(B,) int64, the likeliest feasible action of each row, the lowest one of ties."""
        return self._named(self.log_probs.argmax(1, keepdim=True))

    def _named(self, columns: th.Tensor) -> th.Tensor:
        return self.actions.gather(1, columns)[:, 0]


class OfferedCategoricalDistribution(MaskableCategoricalDistribution):
    """
    sb3-contrib's masked categorical distribution, which can also be given the inputs of the last layer. It then
    computes the logits of the feasible actions only, where these are few.

    Without masks, where more than 5 % of all actions are feasible, or where a row has no feasible action, it is
    sb3-contrib's own, on all logits. So is :attr:`distribution`.

    :param action_dim: Number of discrete actions
    """

    def __init__(self, action_dim: int) -> None:
        super().__init__(action_dim)
        self._source: tuple[th.Tensor, nn.Linear] | None = None
        self._masks: MaybeMasks = None
        self._dense: MaskableCategorical | None = None
        self._offered: OfferedCategorical | None = None

    def proba_distribution(self, action_logits: th.Tensor) -> Self:
        """
        Become the distribution of given logits.

        :param action_logits: (B, n_actions) float
        """
        self._source = self._masks = self._offered = None
        return super().proba_distribution(action_logits)

    def proba_distribution_from_latent(self, latent: th.Tensor, action_net: nn.Linear) -> Self:
        """
        Become the distribution of logits that are yet to be computed.

        :param latent: (B, latent_dim) float, output of the policy's last hidden layer
        :param action_net: What :meth:`proba_distribution_net` made
        """
        self._source = latent, action_net
        self._masks = self._dense = self._offered = None
        return self

    @property
    def distribution(self) -> MaskableCategorical:
        """Over all actions, masked; computed on access."""
        if self._dense is None:
            if self._source is None:
                raise AttributeError("The distribution has been given neither logits nor what they are computed from.")
            latent, action_net = self._source
            self._dense = MaskableCategorical(logits=action_net(latent), masks=self._masks)
        return self._dense

    @distribution.setter
    def distribution(self, value: MaskableCategorical) -> None:
        self._dense = value

    def apply_masking(self, masks: MaybeMasks) -> None:
        """
        Restrict the distribution to the feasible actions.

        :param masks: (B, n_actions), or (n_actions,) if B is 1, convertible to booleans; None for all actions
        """
        if self._source is None:
            super().apply_masking(masks)
            return
        latent, action_net = self._source
        self._masks, self._dense, self._offered = masks, None, None
        if masks is None:
            return
        table = th.as_tensor(masks, dtype=th.bool, device=latent.device).reshape(len(latent), self.action_dim)
        self._masks, numbers = table, true_numbers(table)
        if len(numbers) > LARGEST_SHARE * table.numel():
            return
        rows = numbers // self.action_dim
        counts = rows.bincount(minlength=len(latent))
        if counts.all():
            self._offered = OfferedCategorical(latent, action_net, rows, numbers - rows * self.action_dim, counts)

    def log_prob(self, actions: th.Tensor) -> th.Tensor:
        """
        Log-probabilities of one action per row.

        :param actions: (B,) int64
        :return: (B,) float, about -1e8 where the action is infeasible
        """
        return super().log_prob(actions) if self._offered is None else self._offered.log_prob(actions)

    def entropy(self) -> th.Tensor:
        """(B,) float, in nats."""
        return super().entropy() if self._offered is None else self._offered.entropy()

    def sample(self) -> th.Tensor:
        """(B,) int64, one draw per row from torch's global generator."""
        return super().sample() if self._offered is None else self._offered.sample()

    def mode(self) -> th.Tensor:
        """(B,) int64, the likeliest feasible action of each row."""
        return super().mode() if self._offered is None else self._offered.mode()


def true_numbers(masks: th.Tensor) -> th.Tensor:
    """
    Flat indices of the True entries of masks.

    :param masks: (B, n_actions) bool
    :return: (N,) int64, ascending
    """
    if masks.device.type == "cpu":
        # Eight times as fast in NumPy as in torch.
        return th.from_numpy(np.flatnonzero(masks.numpy()))
    return masks.flatten().nonzero()[:, 0]

"""A network for rows of which some are padding: observations of one shape for problems of different sizes."""

import torch as th
from torch import nn

from sb3_ext.common.rows import RowNetwork


class PaddedRowNetwork(RowNetwork):
    """
    :class:`~sb3_ext.common.rows.RowNetwork` for observations in which rows of zeros stand for nothing.

    Means are over the other rows, and only those are computed, so the result does not depend on how many rows of zeros
    there are. The last row is never padding. With ``attention``, each row also takes a mean of all rows after the first
    layer that is weighted by single-head dot-product attention (Vaswani et al., https://arxiv.org/abs/1706.03762).

    :param shape: (n_actions, columns)
    :param net_arch: Units of the hidden layers, at least one
    :param activation_fn: Activation after each
    :param attention: Width of keys and queries; 0 for no attention
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        net_arch: list[int],
        activation_fn: type[nn.Module] = nn.ReLU,
        attention: int = 0,
    ) -> None:
        super().__init__(shape, net_arch, activation_fn)
        self.attention = attention
        if attention:
            self.queries, self.keys = (nn.Linear(net_arch[0], attention) for _ in range(2))
            self.mixed = nn.Linear(net_arch[0], net_arch[0])

    def forward(self, features: th.Tensor) -> tuple[th.Tensor, th.Tensor]:
        """
        Flat observations to latents.

        :param features: (B, n_actions * columns) float
        :return: (B, n_actions * units) for the scores of the actions, 0 for padding, and (B, units) for the value
        """
        table = features.reshape(-1, *self.shape)
        count, number = len(table), self.shape[0] - 1
        flat, last = table[:, :-1].reshape(-1, self.shape[1]), table[:, -1]
        real = flat.ne(0).any(dim=1)
        index = real.nonzero()[:, 0]
        whose = index.div(number, rounding_mode="floor")
        share = 1.0 / real.reshape(count, number).sum(dim=1, keepdim=True).clamp(min=1)
        rows, common = flat[index], last
        for layer, (own, shared) in enumerate(zip(self.own, self.common, strict=True)):
            rows = self.activation(own(rows) + shared(common)[whose])
            if self.attention and layer == 0:
                rows = rows + self._attended(rows, index, real.reshape(count, number))
            common = rows.new_zeros(count, rows.shape[1]).index_add(0, whose, rows) * share
        whole = th.cat([common, last], dim=1)
        spread = rows.new_zeros(count * number, self.units).index_copy(0, index, rows).reshape(count, number, -1)
        latent = th.cat([spread, self.activation(self.last(whole))[:, None]], dim=1)
        return latent.flatten(1), self.activation(self.value(whole))

    def _attended(self, rows: th.Tensor, index: th.Tensor, real: th.Tensor) -> th.Tensor:
        """What each row takes of the others."""

        def padded(of: th.Tensor) -> th.Tensor:
            return of.new_zeros(real.numel(), of.shape[1]).index_copy(0, index, of).reshape(*real.shape, -1)

        queries, keys = padded(self.queries(rows)), padded(self.keys(rows))
        scores = queries @ keys.transpose(1, 2) / self.attention**0.5
        weights = scores.masked_fill(~real[:, None], -1e9).softmax(dim=2)
        taken = (weights @ padded(rows)).reshape(-1, rows.shape[1])
        mixed: th.Tensor = self.activation(self.mixed(taken[index]))
        return mixed


def row_network(
    shape: tuple[int, ...], net_arch: list[int], activation_fn: type[nn.Module], padded: bool, attention: int
) -> RowNetwork:
    """
    The network of a row policy.

    :param shape: (n_actions, columns)
    :param net_arch: Units of the hidden layers
    :param activation_fn: Activation after each
    :param padded: Whether rows of zeros are padding
    :param attention: See :class:`PaddedRowNetwork`, only with ``padded``
    :raises ValueError: attention without ``padded``
    """
    if not padded:
        if attention:
            raise ValueError(f"RowPolicy takes attention={attention} only with padded=True.")
        return RowNetwork(shape, net_arch, activation_fn)
    return PaddedRowNetwork(shape, net_arch, activation_fn, attention)

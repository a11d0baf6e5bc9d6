"""Layers of the Q-network that PyTorch does not have."""

from collections.abc import Sequence

import numpy as np
import torch as th
from torch import nn


class SeededDropout(nn.Module):
    """
    Dropout that draws from a generator of its own, whose state is part of the network's state dict. A
    training that is saved and loaded thus continues with the same draws, whatever uses PyTorch's global generator.

    :param p: Probability that a unit is dropped, in [0, 1)
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.generator = th.Generator()
        self.generator.manual_seed(int(th.randint(2**62, (1,))))

    def forward(self, x: th.Tensor) -> th.Tensor:
        """Drop units and scale the others by 1 / (1 - p), in training mode only."""
        if not self.training:
            return x
        keep = th.rand(x.shape, generator=self.generator).to(x.device) >= self.p
        return x * keep / (1.0 - self.p)

    def get_extra_state(self) -> th.Tensor:
        """State of the generator, for the state dict."""
        return self.generator.get_state()

    def set_extra_state(self, state: th.Tensor) -> None:
        """Restore the generator from a state dict."""
        self.generator.set_state(state.cpu())

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"p={self.p}"


class DuelingHead(nn.Module):
    """
    Last layer as state value plus advantages (https://arxiv.org/abs/1511.06581): V + A - mean(A).

    :param in_features: Units of the last hidden layer
    :param n_actions: Number of actions; the mean goes over all of them, feasible or not
    """

    def __init__(self, in_features: int, n_actions: int) -> None:
        super().__init__()
        self.value = nn.Linear(in_features, 1)
        self.advantage = nn.Linear(in_features, n_actions)

    def forward(self, features: th.Tensor) -> th.Tensor:
        """(B, in_features) to (B, n_actions)."""
        advantages = self.advantage(features)
        values: th.Tensor = self.value(features) + advantages - advantages.mean(dim=1, keepdim=True)
        return values


class FactoredHead(nn.Module):
    """
    Last layer for actions that are made of parts: the value of an action is the sum of its parts' values. Actions
    that share a part then learn together (https://arxiv.org/abs/1711.08946 branches in this way).

    Action ``a`` has the parts ``np.unravel_index(a, factors)``.

    :param in_features: Units of the last hidden layer
    :param n_actions: Number of actions
    :param factors: Number of choices of each part; their product must be ``n_actions``
    """

    parts: th.Tensor

    def __init__(self, in_features: int, n_actions: int, factors: Sequence[int]) -> None:
        super().__init__()
        if int(np.prod(factors)) != n_actions:
            raise ValueError(f"FactoredHead: the product of factors must be {n_actions}, not that of {list(factors)}.")
        self.linear = nn.Linear(in_features, sum(factors))
        begins = np.cumsum([0, *factors[:-1]])
        digits = np.stack(np.unravel_index(np.arange(n_actions), tuple(factors)))
        # A buffer, to go where the network goes; computed again from the factors rather than saved.
        self.register_buffer("parts", th.as_tensor(digits + begins[:, None]), persistent=False)

    def forward(self, features: th.Tensor) -> th.Tensor:
        """(B, in_features) to (B, n_actions)."""
        values: th.Tensor = self.linear(features)
        return sum((values[:, part] for part in self.parts[1:]), start=values[:, self.parts[0]])

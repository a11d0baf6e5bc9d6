"""Layers of the Q-network that PyTorch does not have."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

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


class NoisyLinear(nn.Linear):
    """
    A linear layer whose weights can be noisy: mean plus scale times factorised Gaussian noise
    (https://arxiv.org/abs/1706.10295, section 3, option b). Scales are learned as the means are.

    Without noise, which is how a layer begins and how policies act deterministically, it computes with the means.
    Noise comes from a generator of the layer's own, whose state is part of the state dict as
    :class:`SeededDropout`'s is; noise itself is drawn anew for each use and never saved.

    :param in_features: Inputs
    :param out_features: Outputs
    :param sigma: Scale of all noise at first, over the root of the inputs; above 0
    """

    def __init__(self, in_features: int, out_features: int, sigma: float) -> None:
        # The means begin as those of nn.Linear, which are the paper's.
        super().__init__(in_features, out_features)
        self.weight_sigma = nn.Parameter(th.full((out_features, in_features), sigma / in_features**0.5))
        self.bias_sigma = nn.Parameter(th.full((out_features,), sigma / in_features**0.5))
        self.generator = th.Generator()
        self._noise: tuple[th.Tensor, th.Tensor] | None = None
        self.seed()

    def seed(self) -> None:
        """Begin with other noise, by PyTorch's global generator."""
        self.generator.manual_seed(int(th.randint(2**62, (1,))))

    def draw(self) -> None:
        """Use new noise from now on."""
        drawn = th.randn(self.in_features + self.out_features, generator=self.generator)
        scaled = (drawn.sign() * drawn.abs().sqrt()).to(self.weight.device)
        self._noise = (scaled[: self.in_features], scaled[self.in_features :])

    def silence(self) -> None:
        """Use the means from now on."""
        self._noise = None

    def forward(self, x: th.Tensor) -> th.Tensor:
        """(B, in_features) to (B, out_features)."""
        if self._noise is None:
            return super().forward(x)
        into, out = self._noise
        # The same as with a matrix of noise, which is the outer product of the two.
        noise = nn.functional.linear(x * into, self.weight_sigma) + self.bias_sigma
        return super().forward(x) + out * noise

    def get_extra_state(self) -> th.Tensor:
        """State of the generator, for the state dict."""
        return self.generator.get_state()

    def set_extra_state(self, state: th.Tensor) -> None:
        """Restore the generator from a state dict."""
        self.generator.set_state(state.cpu())


@contextmanager
def fresh_noise(layers: Sequence[NoisyLinear]) -> Iterator[None]:
    """
    A context in which layers use new noise.

    :param layers: The layers
    """
    for layer in layers:
        layer.draw()
    try:
        yield
    finally:
        for layer in layers:
            layer.silence()


#: Makes a linear layer of so many inputs and outputs.
MakeLinear = Callable[[int, int], nn.Linear]


class DuelingHead(nn.Module):
    """
    Last layer as state value plus advantages (https://arxiv.org/abs/1511.06581): V + A - mean(A).

    :param in_features: Units of the last hidden layer
    :param n_actions: Number of actions; the mean goes over all of them, feasible or not
    :param copies: Numbers for each action, each with a value and advantages of its own
    :param linear: Makes the two layers
    """

    def __init__(self, in_features: int, n_actions: int, copies: int = 1, linear: MakeLinear = nn.Linear) -> None:
        super().__init__()
        self.copies = copies
        self.value = linear(in_features, copies)
        self.advantage = linear(in_features, copies * n_actions)

    def forward(self, features: th.Tensor) -> th.Tensor:
        """(B, in_features) to (B, copies * n_actions), all actions of the first copy first."""
        advantages = self.advantage(features)
        if self.copies == 1:
            values: th.Tensor = self.value(features) + advantages - advantages.mean(dim=1, keepdim=True)
            return values
        advantages = advantages.view(len(features), self.copies, -1)
        values = self.value(features).unsqueeze(2) + advantages - advantages.mean(dim=2, keepdim=True)
        return values.flatten(1)


class FactoredHead(nn.Module):
    """
    Last layer for actions that are made of parts: the value of an action is the sum of its parts' values. Actions
    that share a part then learn together (https://arxiv.org/abs/1711.08946 branches in this way).

    Action ``a`` has the parts ``np.unravel_index(a, factors)``.

    :param in_features: Units of the last hidden layer
    :param n_actions: Number of actions
    :param factors: Number of choices of each part; their product must be ``n_actions``
    :param copies: Numbers for each action, each a sum of its own
    :param linear: Makes the layer
    """

    parts: th.Tensor

    def __init__(
        self,
        in_features: int,
        n_actions: int,
        factors: Sequence[int],
        copies: int = 1,
        linear: MakeLinear = nn.Linear,
    ) -> None:
        super().__init__()
        if int(np.prod(factors)) != n_actions:
            raise ValueError(f"FactoredHead: the product of factors must be {n_actions}, not that of {list(factors)}.")
        self.copies = copies
        self.linear = linear(in_features, copies * sum(factors))
        begins = np.cumsum([0, *factors[:-1]])
        digits = np.stack(np.unravel_index(np.arange(n_actions), tuple(factors)))
        # A buffer, to go where the network goes; computed again from the factors rather than saved.
        self.register_buffer("parts", th.as_tensor(digits + begins[:, None]), persistent=False)

    def forward(self, features: th.Tensor) -> th.Tensor:
        """(B, in_features) to (B, copies * n_actions), all actions of the first copy first."""
        values: th.Tensor = self.linear(features)
        if self.copies > 1:
            values = values.view(len(features), self.copies, -1)
        summed = sum((values[..., part] for part in self.parts[1:]), start=values[..., self.parts[0]])
        return summed.flatten(1)

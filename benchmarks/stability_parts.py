"""CartPole-v1 and networks for ``stability_seeds.py``: many at once."""

import itertools
from collections.abc import Sequence

import numpy as np
import torch as th


def move(states: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One step of CartPole-v1, as Gymnasium computes it.

    :param states: (n, 4) float64
    :param actions: (n,) int, 0 or 1
    :return: the next states (n, 4), and where they are terminal (n,) bool
    """
    x, x_dot, theta, theta_dot = states.T
    force, cosine, sine = np.where(actions == 1, 10.0, -10.0), np.cos(theta), np.sin(theta)
    push = (force + 0.05 * theta_dot**2 * sine) / 1.1
    theta_acc = (9.8 * sine - cosine * push) / (0.5 * (4 / 3 - 0.1 * cosine**2 / 1.1))
    x_acc = push - 0.05 * theta_acc * cosine / 1.1
    parts = [x + 0.02 * x_dot, x_dot + 0.02 * x_acc, theta + 0.02 * theta_dot, theta_dot + 0.02 * theta_acc]
    following = np.stack(parts, axis=1)
    ends = (np.abs(following[:, 0]) > 2.4) | (np.abs(following[:, 2]) > 12 * 2 * np.pi / 360)
    return following, ends


class Networks:
    """Networks with two hidden layers and ReLU, one for each of S seeds, drawn as PyTorch draws a ``Linear``.

    :param seeds: of the weights
    :param sizes: units of input, hidden layers and output
    """

    def __init__(self, seeds: Sequence[int], sizes: tuple[int, int, int, int]) -> None:
        shapes = [shape for n, m in itertools.pairwise(sizes) for shape in ((n, m), (1, m))]
        n_weights = sum(n * m for n, m in shapes)
        # All weights of a seed in one row, so that the optimizer and the norm are one call each.
        self.weights, self.gradients = th.empty(len(seeds), n_weights), th.zeros(len(seeds), n_weights)
        self.layers: list[th.Tensor] = []
        self.slopes: list[th.Tensor] = []
        generators, at = [th.Generator().manual_seed(seed) for seed in seeds], 0
        for i, (n, m) in enumerate(shapes):
            bound = shapes[i - i % 2][0] ** -0.5
            own = slice(at, at + n * m)
            self.layers.append(self.weights[:, own].view(-1, n, m))
            self.slopes.append(self.gradients[:, own].view(-1, n, m))
            drawn = [(th.rand(n, m, generator=generator) * 2 - 1) * bound for generator in generators]
            self.layers[-1].copy_(th.stack(drawn))
            at += n * m

    def hidden(self, inputs: th.Tensor) -> tuple[th.Tensor, th.Tensor]:
        """Outputs (S, B, units) of both hidden layers for inputs (S, B, n)."""
        first = th.baddbmm(self.layers[1], inputs, self.layers[0]).relu_()
        return first, th.baddbmm(self.layers[3], first, self.layers[2]).relu_()

    def last(self, features: th.Tensor) -> th.Tensor:
        """Outputs (S, B, m) of the last layer."""
        return th.baddbmm(self.layers[5], features, self.layers[4])

    def __call__(self, inputs: th.Tensor) -> th.Tensor:
        """Outputs (S, B, m) for inputs (S, B, n)."""
        return self.last(self.hidden(inputs)[1])

    def backward(self, inputs: th.Tensor, first: th.Tensor, second: th.Tensor, upstream: th.Tensor) -> None:
        """Write all gradients: of inputs and hidden outputs (S, B, ...), from derivatives (S, B, m) by the outputs."""
        for layer, below in ((4, second), (2, first), (0, inputs)):
            th.bmm(below.transpose(1, 2), upstream, out=self.slopes[layer])
            th.sum(upstream, 1, keepdim=True, out=self.slopes[layer + 1])
            if layer > 0:
                upstream = th.bmm(upstream, self.layers[layer].transpose(1, 2)).mul_(below > 0)

    def clip_gradients(self, max_norm: float) -> None:
        """As ``torch.nn.utils.clip_grad_norm_``, for every seed by itself."""
        norms = th.linalg.vector_norm(self.gradients, dim=1)
        if (norms > max_norm).any():
            self.gradients *= (max_norm / (norms + 1e-6)).clamp(max=1.0)[:, None]


def evaluate(networks: Networks, starts: np.ndarray) -> np.ndarray:
    """Mean returns (S,) of the greedy policies in episodes that begin in states (S, n, 4)."""
    n_seeds, n_episodes, _ = starts.shape
    states, alive = starts.reshape(-1, 4).copy(), np.ones(n_seeds * n_episodes, dtype=bool)
    returns = np.zeros(len(states))
    for _ in range(500):
        inputs = th.from_numpy(states.reshape(n_seeds, n_episodes, 4).astype(np.float32))
        states, ends = move(states, networks(inputs).argmax(2).numpy().ravel())
        returns += alive
        alive &= ~ends
        states[~alive] = 0.0
        if not alive.any():
            break
    return returns.reshape(n_seeds, n_episodes).mean(axis=1)

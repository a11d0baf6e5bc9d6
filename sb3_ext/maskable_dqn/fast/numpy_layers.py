"""
Layers in numpy, for the hand-written passes: hidden ones, forwards and backwards, and last ones.

All last layers are linear in their parameters. Whatever head a network has, its values are
``features @ weight.T + bias`` with some ``weight`` (n_actions, units) and ``bias`` (n_actions,), and the gradients of
its parameters follow from those of ``weight`` and ``bias``. Of these, only the rows of the actions taken in a batch are
not zero.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch as th
from torch import nn

from sb3_ext.maskable_dqn.layers import DuelingHead, FactoredHead, SeededDropout


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """
    The matrix product, by PyTorch, whose threads ``th.set_num_threads`` rules. numpy's BLAS ignores it
    and starts one per core, which was up to ten times slower on a busy machine.

    :param a: (n, k) float32
    :param b: (k, m) float32
    :return: (n, m) float32
    """
    # PyTorch warns of views of read-only arrays.
    left = a if a.flags.writeable else a.copy()
    return th.from_numpy(left).matmul(th.from_numpy(b)).numpy()


class HiddenLayer:
    """
    A linear layer with ReLU, maybe with batch normalization between the two and dropout after them.

    :param norm: The batch normalization, or None; its running statistics stay PyTorch's
    :param dropout: The dropout, or None; it draws from its own generator, as PyTorch's pass does
    """

    def __init__(self, norm: nn.BatchNorm1d | None, dropout: SeededDropout | None) -> None:
        self.norm = norm
        self.dropout = dropout
        #: Weight and bias, and those of the batch normalization.
        self.n_parameters = 2 if norm is None else 4
        # Of the latest pass in training: the normalized values (B, units) and by what they were divided (units,).
        self._normalized, self._spread = np.empty((0, 0)), np.empty(0)

    def show(self, parameters: Sequence[np.ndarray]) -> None:
        """
        Use these parameters from now on.

        :param parameters: :attr:`n_parameters` arrays, in PyTorch's order
        """
        self.weight, self.bias, *self._of_norm = parameters

    def forward(self, inputs: np.ndarray, n_trained: int = 0) -> np.ndarray:
        """
        The layer's output, in training mode for the first rows and in evaluation mode for the others.

        :param inputs: (B, n_inputs) float32
        :param n_trained: How many rows are being trained
        :return: (B, units) float32
        """
        z = product(inputs, self.weight.T)
        z += self.bias
        if self.norm is not None:
            self._normalize(z, self.norm, n_trained)
        np.maximum(z, 0.0, out=z)
        if n_trained and self.dropout is not None:
            p, trained = self.dropout.p, z[:n_trained]
            trained *= th.rand(trained.shape, generator=self.dropout.generator).numpy() >= p
            trained /= np.float32(1.0 - p)
        return z

    def backward(
        self, upstream: np.ndarray, inputs: np.ndarray, outputs: np.ndarray, gradients: Sequence[np.ndarray]
    ) -> None:
        """
        Write the gradients of the parameters.

        :param upstream: (B, units) float32, derivatives of the loss by the outputs; becomes that by the values before
            the batch normalization and ReLU
        :param inputs: (B, n_inputs) float32, of the latest pass in training
        :param outputs: (B, units) float32, likewise
        :param gradients: of each parameter, to be overwritten
        """
        # What was dropped is 0, too.
        upstream *= outputs > 0.0
        if self.dropout is not None:
            upstream /= np.float32(1.0 - self.dropout.p)
        if self.norm is not None:
            gain, _ = self._of_norm
            np.sum(upstream * self._normalized, axis=0, out=gradients[2])
            np.sum(upstream, axis=0, out=gradients[3])
            size = np.float32(len(upstream))
            upstream -= (gradients[3] + self._normalized * gradients[2]) / size
            upstream *= gain / self._spread
        gradients[0][:] = product(upstream.T, inputs)
        np.sum(upstream, axis=0, out=gradients[1])

    def _normalize(self, z: np.ndarray, norm: nn.BatchNorm1d, n_trained: int) -> None:
        """Normalize values (B, units) in place: the first by themselves, the others as all before them."""
        gain, shift = self._of_norm
        assert norm.running_mean is not None
        assert norm.running_var is not None
        mean, variance = norm.running_mean.numpy(), norm.running_var.numpy()
        trained, others = z[:n_trained], z[n_trained:]
        others -= mean
        others *= gain / np.sqrt(variance + np.float32(norm.eps))
        others += shift
        if n_trained:
            own_mean, own_variance = trained.mean(axis=0), trained.var(axis=0)
            self._spread = np.sqrt(own_variance + np.float32(norm.eps))
            self._normalized = (trained - own_mean) / self._spread
            trained[:] = gain * self._normalized + shift
            self._remember(norm, own_mean, own_variance * np.float32(n_trained / (n_trained - 1)))

    @staticmethod
    def _remember(norm: nn.BatchNorm1d, mean: np.ndarray, variance: np.ndarray) -> None:
        """Move the running statistics (units,) towards those of a batch, as PyTorch does in training mode."""
        assert norm.num_batches_tracked is not None
        norm.num_batches_tracked.add_(1)
        share = 1.0 / int(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
        for running, own in ((norm.running_mean, mean), (norm.running_var, variance)):
            assert running is not None
            running.lerp_(th.from_numpy(own), share)


def hidden_layers(modules: Sequence[nn.Module]) -> list[HiddenLayer] | None:
    """
    The hidden layers that modules make up.

    :param modules: all but the last of a Q-network
    :return: ``None`` where they are others than :class:`HiddenLayer` describes
    """
    left, found = list(modules), []
    while left:
        if type(left.pop(0)) is not nn.Linear:
            return None
        norm = left.pop(0) if left and type(left[0]) is nn.BatchNorm1d else None
        if not left or type(left.pop(0)) is not nn.ReLU:
            return None
        dropout = left.pop(0) if left and type(left[0]) is SeededDropout else None
        if isinstance(norm, nn.BatchNorm1d) and not (norm.affine and norm.track_running_stats):
            return None
        assert norm is None or isinstance(norm, nn.BatchNorm1d)
        assert dropout is None or isinstance(dropout, SeededDropout)
        found.append(HiddenLayer(norm, dropout))
    return found


class LastLayer(Protocol):
    """Converts the parameters of a head to a linear layer, and gradients back."""

    def as_linear(self, parameters: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """
        The linear layer that a head amounts to.

        :param parameters: of the head, in PyTorch's order
        :return: weight (n_actions, units) and bias (n_actions,) float32
        """

    def write_gradients(
        self, gradients: Sequence[np.ndarray], actions: np.ndarray, weight: np.ndarray, bias: np.ndarray
    ) -> None:
        """
        Gradients of the parameters from those of the linear layer.

        :param gradients: of each parameter, to be overwritten
        :param actions: (k,) int, distinct actions; the gradient of all others is zero
        :param weight: (k, units) float32, gradient of their rows of the weight
        :param bias: (k,) float32, and of the bias
        """


class PlainLayer:
    """``nn.Linear``: it is the linear layer."""

    def as_linear(self, parameters: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """See :class:`LastLayer`; shares the parameters' memory."""
        weight, bias = parameters
        return weight, bias

    def write_gradients(
        self, gradients: Sequence[np.ndarray], actions: np.ndarray, weight: np.ndarray, bias: np.ndarray
    ) -> None:
        """See :class:`LastLayer`."""
        for gradient, rows in zip(gradients, (weight, bias), strict=True):
            gradient.fill(0.0)
            gradient[actions] = rows


class DuelingLayer:
    """``DuelingHead``: value plus advantage minus the mean advantage."""

    def as_linear(self, parameters: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """See :class:`LastLayer`."""
        value_weight, value_bias, weight, bias = parameters
        return weight + (value_weight - weight.mean(axis=0)), bias + (value_bias - bias.mean())

    def write_gradients(
        self, gradients: Sequence[np.ndarray], actions: np.ndarray, weight: np.ndarray, bias: np.ndarray
    ) -> None:
        """See :class:`LastLayer`."""
        for value, advantage, rows in zip(gradients[:2], gradients[2:], (weight, bias), strict=True):
            total = rows.sum(axis=0)
            value[:] = total
            advantage[:] = -total / np.float32(len(advantage))
            advantage[actions] += rows


class FactoredLayer:
    """
    ``FactoredHead``: sums of the values of parts.

    :param parts: (n_parts, n_actions) int, rows of the head's weight that make up each action's
    """

    def __init__(self, parts: np.ndarray) -> None:
        self.parts = parts

    def as_linear(self, parameters: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """See :class:`LastLayer`."""
        weight, bias = (sum(array[part] for part in self.parts) for array in parameters)
        return np.asarray(weight), np.asarray(bias)

    def write_gradients(
        self, gradients: Sequence[np.ndarray], actions: np.ndarray, weight: np.ndarray, bias: np.ndarray
    ) -> None:
        """See :class:`LastLayer`."""
        for gradient, rows in zip(gradients, (weight, bias), strict=True):
            gradient.fill(0.0)
            for part in self.parts:
                np.add.at(gradient, part[actions], rows)


def last_layer(head: nn.Module) -> LastLayer | None:
    """
    The linear layer that a head is equivalent to.

    :param head: the last module of a Q-network
    :return: ``None`` for a module that is none of the above
    """
    if type(head) is nn.Linear:
        return PlainLayer()
    if type(head) is DuelingHead:
        return DuelingLayer()
    if type(head) is FactoredHead:
        return FactoredLayer(head.parts.cpu().numpy())
    return None

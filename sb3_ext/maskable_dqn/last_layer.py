"""
Last layers in numpy, for the hand-written passes: all are linear in their parameters.

Whatever head a network has, its values are ``features @ weight.T + bias`` with some ``weight`` (n_actions, units) and
``bias`` (n_actions,), and the gradients of its parameters follow from those of ``weight`` and ``bias``. Of these, only
the rows of the actions taken in a batch are not zero.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from torch import nn

from sb3_ext.maskable_dqn.layers import DuelingHead, FactoredHead


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

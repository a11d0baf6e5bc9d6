"""
The update of a plain ReLU network with its loops compiled.

Most of the time that :mod:`~sb3_ext.maskable_dqn.fast.relu_pass` takes with small networks goes into calling numpy for
some thousand numbers each. Here one call does what belongs together. Matrix products, random numbers and Adam remain
PyTorch's.
"""

from __future__ import annotations

import importlib.util
import operator
from types import ModuleType
from typing import NamedTuple

import numpy as np
import torch as th

from sb3_ext.maskable_dqn.fast.numpy_layers import PlainLayer
from sb3_ext.maskable_dqn.fast.relu_pass import FEW, ReluNetwork, ReluUpdater, masked_argmax
from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy, MaskableQNetwork
from sb3_ext.maskable_dqn.updates import UpdateResult, UpdateSettings
from sb3_ext.replay import ReplayBatch


def make_updater(policy: MaskableDQNPolicy) -> ReluUpdater:
    """
    The fastest updater that computes what a policy needs.

    :param policy: for which :func:`~sb3_ext.maskable_dqn.fast.relu_pass.is_plain_relu` is True
    """
    updater = ReluUpdater(policy)
    plain = all(
        type(network.last_layer) is PlainLayer and all(layer.norm is None for layer in network.layers)
        for network in (updater.online, updater.target)
    )
    return CompiledUpdater(policy) if plain and importlib.util.find_spec("numba") is not None else updater


class Passes:
    """
    Passes through the hidden layers of a network, in memory that is used again.

    :param q_net: Plain ReLU network with a linear last layer and without batch normalization
    :param kernels: :mod:`~sb3_ext.maskable_dqn.fast.update_kernels`
    """

    def __init__(self, q_net: MaskableQNetwork, kernels: ModuleType) -> None:
        self.network = ReluNetwork(q_net)
        self._kernels = kernels
        self._seen: list[np.ndarray] = []
        #: Weights and biases of the hidden layers, without gradients.
        self.weights: list[th.Tensor] = []
        self._transposed: list[th.Tensor] = []
        self._biases: list[th.Tensor] = []
        #: Of the last pass, the input and the output of every hidden layer, (B, units) float32; the same for numpy.
        self.tensors: list[th.Tensor] = []
        self.outputs: list[np.ndarray] = []

    def refresh(self) -> None:
        """Read the current parameters, and view them again if they were moved to other memory."""
        self.network.refresh()
        arrays = [array for layer in self.network.layers for array in (layer.weight, layer.bias)]
        if len(arrays) != len(self._seen) or any(map(operator.is_not, arrays, self._seen)):
            self._seen = arrays
            self.weights, self._biases = ([th.from_numpy(array) for array in arrays[k::2]] for k in (0, 1))
            self._transposed = [weight.T for weight in self.weights]

    def inputs(self, size: int) -> np.ndarray:
        """
        Where the input of the next pass is to be written.

        :param size: rows of it, B
        :return: (B, n_inputs) float32
        """
        if not self.outputs or len(self.outputs[0]) != size:
            widths = [self.network.parameters[0].shape[1], *(len(layer.bias) for layer in self.network.layers)]
            self.tensors = [th.zeros(size, width) for width in widths]
            self.outputs = [tensor.numpy() for tensor in self.tensors]
        return self.outputs[0]

    def forward(self, n_trained: int = 0) -> np.ndarray:
        """
        Pass :meth:`inputs` through the hidden layers.

        :param n_trained: How many of the first rows pass in training mode, the others in evaluation mode
        :return: (B, units) float32, the last output
        """
        for k, layer in enumerate(self.network.layers):
            th.addmm(self._biases[k], self.tensors[k], self._transposed[k], out=self.tensors[k + 1])
            output, dropout = self.outputs[k + 1], layer.dropout
            self._kernels.rectify(output)
            if n_trained and dropout is not None:
                uniform = th.rand((n_trained, output.shape[1]), generator=dropout.generator)
                self._kernels.drop(output, uniform.numpy(), dropout.p)
        return self.outputs[-1]

    def best(self, features: np.ndarray, masks: np.ndarray, terminals: np.ndarray) -> np.ndarray:
        """
        The best feasible actions; where nothing follows, action 0.

        :param features: (B, units) float32, output of the last hidden layer
        :param masks: (B, n_actions) bool; all True where nothing follows
        :param terminals: (B,) float32
        :return: (B,) int
        """
        network = self.network
        if FEW * (np.count_nonzero(masks) - masks.shape[1] * np.count_nonzero(terminals)) <= masks.size:
            best: np.ndarray = self._kernels.best_of_few(features, masks, terminals, network.weight, network.bias)
            return best
        return masked_argmax(network.values(features), masks)


class Upstream(NamedTuple):
    """Derivatives of the loss by an output, in three views of the same memory."""

    #: (B, units) float32
    tensor: th.Tensor
    #: (units, B)
    transposed: th.Tensor
    #: (B, units)
    array: np.ndarray


class CompiledUpdater(ReluUpdater):
    """
    Updates a policy whose networks are as :class:`Passes` needs them.

    :param policy: Whose online network is updated
    """

    def __init__(self, policy: MaskableDQNPolicy) -> None:
        from sb3_ext.maskable_dqn.fast import update_kernels  # importing Numba takes a second

        super().__init__(policy)
        self._kernels: ModuleType = update_kernels
        self._online = Passes(policy.q_net, update_kernels)
        self._target = Passes(policy.q_net_target, update_kernels)
        #: Derivatives of the loss by the input and by every output of the online network, and these for the update.
        self._upstream: list[Upstream] = []
        self._inputs: list[th.Tensor] = []
        self._ones = np.empty(0, dtype=np.float32)

    def update(self, batch: ReplayBatch, settings: UpdateSettings) -> UpdateResult:
        """See ``Updater.update``."""
        self._online.refresh()
        self._target.refresh()
        size, flat = len(batch.actions), self.online.flat
        inputs, next_inputs = self._online.inputs(2 * size), self._target.inputs(size)
        inputs[:size] = flat(batch.observations)
        inputs[size:] = next_inputs[:] = flat(batch.next_observations)
        # Online features of both ends of the transitions in one pass.
        features, target_features = self._online.forward(size), self._target.forward()
        selecting, chosen_by = (self._online, features[size:]) if settings.double_q else (self._target, target_features)
        best = selecting.best(chosen_by, batch.next_action_masks, batch.terminals)
        head, last = self._online.network, self._target.network
        scale = np.float32(settings.reward_scale)
        follows = best, target_features, last.weight, last.bias, batch.rewards, batch.terminals, batch.discounts, scale
        targets = self._kernels.bootstrap(*follows)
        self._find_gradients()
        self._make_room(size)
        weights = self._ones if batch.weights is None else batch.weights
        taken = features[:size], head.weight, head.bias, batch.actions, targets, weights
        found = self._kernels.learn_values(*taken, self._upstream[-1].array, *self._gradients[head.n_hidden :])
        self._backward_hidden(size)
        self._clip_gradient(settings.max_grad_norm)
        self._step(self.policy.optimizer)
        return UpdateResult(*found)

    def _make_room(self, size: int) -> None:
        if len(self._ones) != size:
            self._ones = np.ones(size, dtype=np.float32)
            tensors = [th.empty(size, output.shape[1]) for output in self._online.outputs]
            self._upstream = [Upstream(tensor, tensor.T, tensor.numpy()) for tensor in tensors]
            self._inputs = [tensor[:size] for tensor in self._online.tensors]

    def _backward_hidden(self, size: int) -> None:
        """Write the gradients of the hidden layers."""
        for k, layer in reversed(list(enumerate(self._online.network.layers))):
            (weight, bias), upstream = self._of_layers[k], self._upstream[k + 1]
            rate = 0.0 if layer.dropout is None else layer.dropout.p
            self._kernels.through_activation(upstream.array, self._online.outputs[k + 1][:size], rate, bias)
            th.mm(upstream.transposed, self._inputs[k], out=th.from_numpy(weight))
            if k > 0:
                th.mm(upstream.tensor, self._online.weights[k], out=self._upstream[k].tensor)

    def _square(self, values: np.ndarray) -> np.float32:
        return np.float32(self._kernels.square(values))

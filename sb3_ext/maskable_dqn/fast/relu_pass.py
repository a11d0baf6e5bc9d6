"""
Hand-written passes through ReLU networks, in numpy.

The forward and the backward pass are written out, and work without effect is left out: values of infeasible actions,
where few are feasible; of the target network all but the value of the selected action; of the last layer's gradient
all but the rows of the actions taken. With hundreds of actions a training takes 0.4 to 0.6 of the CPU time that it
takes with automatic differentiation, with seven 0.9 or more (benchmarks/relu_pass_speed.py). Parameters, gradients and
the optimizer stay PyTorch's, seen through numpy without copying.
:class:`~sb3_ext.maskable_dqn.updates.AutogradUpdater` computes the same and is the reference in tests.
"""

import numpy as np
import torch as th
from gymnasium import spaces
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.torch_layers import CombinedExtractor, FlattenExtractor
from torch import nn

from sb3_ext.common.observations import FlatObservations, Observations
from sb3_ext.maskable_dqn.fast.numpy_layers import hidden_layers, last_layer, product
from sb3_ext.maskable_dqn.fast.optimizer_step import OptimizerStep
from sb3_ext.maskable_dqn.layers import DuelingHead, FactoredHead, SeededDropout
from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy, MaskableQNetwork
from sb3_ext.maskable_dqn.updates import UpdateResult, UpdateSettings
from sb3_ext.replay import ReplayBatch

# Below one feasible action in FEW, computing their values one by one is faster than the whole matrix product.
FEW = 32
EXTRACTORS = {CombinedExtractor, FlattenExtractor}
HEADS = {DuelingHead, FactoredHead}
LAYERS = {nn.BatchNorm1d, nn.Flatten, nn.Linear, nn.ModuleDict, nn.ReLU, nn.Sequential, SeededDropout}
PLAIN = {MaskableQNetwork} | EXTRACTORS | HEADS | LAYERS


def is_plain_relu(policy: MaskableDQNPolicy) -> bool:
    """
    Whether the passes of this module compute what the policy's networks compute.

    :param policy: the policy
    :return: True for Discrete actions, and vectors of numbers, also by key, through float32 Linear and ReLU layers on
        the CPU, with or without batch normalization and dropout, and one of the last layers of
        :mod:`~sb3_ext.maskable_dqn.fast.numpy_layers`
    """
    space = policy.observation_space
    return (
        isinstance(policy.action_space, spaces.Discrete)
        # First what is quick, since other networks are looked at again and again.
        and type(policy.q_net.features_extractor) in EXTRACTORS
        and FlatObservations.knows(space)
        and not is_image_space(space)
        and type(policy).predict is MaskableDQNPolicy.predict
        and type(policy)._predict is MaskableDQNPolicy._predict
        and is_plain_network(policy.q_net)
        and is_plain_network(policy.q_net_target)
    )


def is_plain_network(q_net: MaskableQNetwork) -> bool:
    """
    Whether a network is what :func:`is_plain_relu` says.

    :param q_net: the network
    """
    # A class that is not in the list can compute anything; parametrizations replace classes, too.
    if not all(type(module) in PLAIN for module in q_net.modules()) or type(q_net.q_net) is not nn.Sequential:
        return False
    if type(q_net) is not MaskableQNetwork or not only_flattens(q_net):
        return False
    *layers, head = q_net.q_net
    with_weights = [module for module in q_net.q_net.modules() if type(module) in (nn.Linear, nn.BatchNorm1d)]
    parameters = list(q_net.q_net.parameters())
    return (
        hidden_layers(layers) is not None
        and last_layer(head) is not None
        # A weight and a bias each, none of them shared.
        and len(parameters) == 2 * len(with_weights)
        and all(module.bias is not None for module in with_weights)
        and all(p.dtype == th.float32 and p.device.type == "cpu" for p in parameters)
    )


def only_flattens(q_net: MaskableQNetwork) -> bool:
    """
    Whether the features of a network are its observations, see :class:`~sb3_ext.common.observations.FlatObservations`.

    :param q_net: the network
    """
    extractor, space = q_net.features_extractor, q_net.observation_space
    if type(extractor) is CombinedExtractor:
        parts = extractor.extractors
        # A picture would have a network of its own.
        flat = all(type(part) is nn.Flatten for part in parts.values())
        return flat and isinstance(space, spaces.Dict) and list(parts) == list(space.spaces)
    return type(extractor) is FlattenExtractor and isinstance(space, spaces.Box)


class ReluNetwork:
    """
    A stack of hidden layers with some last layer, seen through numpy.

    :param q_net: The network, which keeps its parameters
    """

    def __init__(self, q_net: MaskableQNetwork) -> None:
        *layers, head = q_net.q_net
        hidden, last = hidden_layers(layers), last_layer(head)
        assert hidden is not None  # see is_plain_relu()
        assert last is not None
        self.layers, self.last_layer = hidden, last
        #: Parameters of the hidden layers.
        self.n_hidden = sum(layer.n_parameters for layer in hidden)
        self.parameters = list(q_net.q_net.parameters())
        self.flat = FlatObservations(q_net.observation_space)
        self._addresses: list[int] = []
        self.refresh()

    def refresh(self) -> None:
        """Read the current parameters, and view them again if they were moved to other memory."""
        addresses = [parameter.data_ptr() for parameter in self.parameters]
        if addresses != self._addresses:
            self._addresses = addresses
            #: Every parameter, sharing memory with PyTorch's.
            self._arrays = [parameter.detach().numpy() for parameter in self.parameters]
            for layer, own in zip(self.layers, self.of_layers(self._arrays), strict=True):
                layer.show(own)
        #: (n_actions, units) and (n_actions,) float32, the last layer as if it were linear.
        self.weight, self.bias = self.last_layer.as_linear(self._arrays[self.n_hidden :])

    def of_layers(self, arrays: list[np.ndarray]) -> list[list[np.ndarray]]:
        """
        What belongs to each hidden layer.

        :param arrays: One for each parameter
        :return: a list for each hidden layer
        """
        ends = np.cumsum([layer.n_parameters for layer in self.layers]).tolist()
        return [arrays[end - layer.n_parameters : end] for layer, end in zip(self.layers, ends, strict=True)]

    def hidden(self, inputs: np.ndarray, n_trained: int = 0) -> list[np.ndarray]:
        """
        The input and the output of every hidden layer.

        :param inputs: (B, n_inputs) float32, observations made :attr:`flat`
        :param n_trained: How many of the first rows pass in training mode, the others in evaluation mode
        :return: arrays (B, units) float32
        """
        outputs = [inputs]
        for layer in self.layers:
            outputs.append(layer.forward(outputs[-1], n_trained))
        return outputs

    def values(self, features: np.ndarray) -> np.ndarray:
        """
        Values of all actions.

        :param features: (B, units) output of the last hidden layer
        :return: (B, n_actions) float32
        """
        q_values = product(features, self.weight.T)
        q_values += self.bias
        return q_values

    def values_of(self, features: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """
        Value of one action each.

        :param features: (B, units) output of the last hidden layer
        :param actions: (B,) int
        :return: (B,) float32
        """
        values: np.ndarray = np.einsum("ij,ij->i", features, self.weight[actions]) + self.bias[actions]
        return values

    def best(self, features: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """
        The best feasible action, the first one of ties.

        :param features: (B, units) output of the last hidden layer
        :param masks: (B, n_actions) bool, every row with a True
        :return: (B,) int
        """
        if FEW * np.count_nonzero(masks) <= masks.size:
            rows, actions = np.divmod(np.flatnonzero(masks), masks.shape[1])
            values = self.values_of(features[rows], actions)
            best = np.maximum.reduceat(values, first_of_each(rows))
            # Not ==, which is False for nan: nan is reported where TD errors are read.
            good = np.flatnonzero(~(values < best[rows]))
            chosen: np.ndarray = actions[good[first_of_each(rows[good])]]
            return chosen
        return masked_argmax(self.values(features), masks)


def first_of_each(rows: np.ndarray) -> np.ndarray:
    """
    Where each number occurs first.

    :param rows: (n,) int, ascending
    :return: (n_different,) int
    """
    return np.flatnonzero(np.concatenate(([True], rows[1:] != rows[:-1])))


def masked_argmax(q_values: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """
    The best feasible action.

    :param q_values: (B, n_actions) float
    :param masks: (B, n_actions) bool
    :return: (B,) int
    """
    best: np.ndarray = np.where(masks, q_values, -np.inf).argmax(axis=1)
    return best


class ReluActor:
    """
    The greedy choice of a plain ReLU network.

    :param policy: Whose online network decides
    """

    def __init__(self, policy: MaskableDQNPolicy) -> None:
        self.network = ReluNetwork(policy.q_net)

    def choose(self, observations: Observations, masks: np.ndarray) -> np.ndarray:
        """
        The best feasible actions.

        :param observations: (n_envs, *obs_shape), or a dictionary of such arrays
        :param masks: (n_envs, n_actions) bool
        :return: (n_envs,) int
        """
        offered = np.flatnonzero(masks)
        if len(offered) == len(masks):
            # Nothing is to be chosen.
            only: np.ndarray = offered % masks.shape[1]
            return only
        self.network.refresh()
        return self.network.best(self.network.hidden(self.network.flat(observations))[-1], masks)


class ReluUpdater:
    """
    Updates a plain ReLU network, computing what ``AutogradUpdater`` computes.

    :param policy: Whose online network is updated
    """

    def __init__(self, policy: MaskableDQNPolicy) -> None:
        self.policy = policy
        self.online = ReluNetwork(policy.q_net)
        self.target = ReluNetwork(policy.q_net_target)
        # PyTorch's gradients, and the same memory as numpy arrays.
        self._seen: list[th.Tensor | None] = [None] * len(self.online.parameters)
        self._gradients: list[np.ndarray] = []
        self._of_layers: list[list[np.ndarray]] = []
        self._step = OptimizerStep()

    def update(self, batch: ReplayBatch, settings: UpdateSettings) -> UpdateResult:
        """See ``Updater.update``."""
        self.online.refresh()
        self.target.refresh()
        inputs, next_inputs = self.online.flat(batch.observations), self.online.flat(batch.next_observations)
        size = len(inputs)
        # Online features of both ends of the transitions in one pass.
        both = self.online.hidden(np.concatenate((inputs, next_inputs)), n_trained=size)
        targets = self._targets(batch, next_inputs, both[-1][size:], settings)
        outputs = [output[:size] for output in both]
        estimates = self.online.values_of(outputs[-1], batch.actions)
        td_errors = targets - estimates
        weights = np.float32(1.0) if batch.weights is None else batch.weights
        # Huber's loss with its bend at 1: the derivative by the estimate is minus the clipped error.
        clipped = np.clip(td_errors, -1.0, 1.0)
        loss = (weights * clipped * (td_errors - 0.5 * clipped)).mean()
        self._backward(outputs, batch.actions, -weights * clipped / np.float32(size))
        self._clip_gradient(settings.max_grad_norm)
        self._step(self.policy.optimizer)
        return UpdateResult(float(loss), estimates, td_errors)

    def _targets(
        self, batch: ReplayBatch, next_inputs: np.ndarray, features: np.ndarray, settings: UpdateSettings
    ) -> np.ndarray:
        """Scaled return plus discounted value of the best feasible next action, (B,)."""
        target_features = self.target.hidden(next_inputs)[-1]
        selecting, inputs = (self.online, features) if settings.double_q else (self.target, target_features)
        # Nothing follows a terminal state, and its mask is all True.
        live, best = np.flatnonzero(batch.terminals == 0.0), np.zeros(len(features), dtype=np.int64)
        if len(live) > 0:
            best[live] = selecting.best(inputs[live], batch.next_action_masks[live])
        following = self.target.values_of(target_features, best)
        scaled = np.float32(settings.reward_scale) * batch.rewards
        targets: np.ndarray = scaled + (np.float32(1.0) - batch.terminals) * batch.discounts * following
        return targets

    def _backward(self, outputs: list[np.ndarray], actions: np.ndarray, slopes: np.ndarray) -> None:
        """
        Write the gradients of all parameters.

        :param outputs: input and hidden outputs of the forward pass, (B, units) each
        :param actions: (B,) int, the only outputs of the last layer that the loss depends on
        :param slopes: (B,) float32, derivatives of the loss by the values of these actions
        """
        self._find_gradients()
        order = actions.argsort(kind="stable")
        taken = actions[order]
        first = first_of_each(taken)
        weight_rows = np.add.reduceat(slopes[order, None] * outputs[-1][order], first, axis=0)
        bias_rows = np.add.reduceat(slopes[order], first)
        own = self._gradients[self.online.n_hidden :]
        self.online.last_layer.write_gradients(own, taken[first], weight_rows, bias_rows)
        upstream = slopes[:, None] * self.online.weight[actions]
        layers = self.online.layers
        for k, gradients in reversed(list(enumerate(self._of_layers))):
            layers[k].backward(upstream, outputs[k], outputs[k + 1], gradients)
            if k > 0:
                upstream = product(upstream, layers[k].weight)

    def _find_gradients(self) -> None:
        """View the gradients of the parameters, where the optimizer reads them."""
        parameters = self.online.parameters
        if any(p.grad is None or p.grad is not seen for p, seen in zip(parameters, self._seen, strict=True)):
            for p in parameters:
                p.grad = th.zeros_like(p)
            self._seen = [p.grad for p in parameters]
            self._gradients = [grad.numpy() for grad in self._seen if grad is not None]
            self._of_layers = self.online.of_layers(self._gradients)

    def _clip_gradient(self, max_norm: float) -> None:
        """As ``torch.nn.utils.clip_grad_norm_``."""
        scale = max_norm / (np.sqrt(sum(self._square(grad.ravel()) for grad in self._gradients)) + 1e-6)
        if scale < 1.0:
            for grad in self._gradients:
                grad *= np.float32(scale)

    def _square(self, values: np.ndarray) -> np.float32:
        """The sum of squares of values (n,)."""
        return np.float32(np.einsum("i,i->", values, values))

"""
When the hand-written passes may stand in for PyTorch: checked before each use.

A policy is PyTorch's, and its owner may freeze parameters, replace or append layers, and register hooks or
parametrizations (spectral norm is one) at any time. The passes know none of these. What they assume is compared with
what was seen when it was last found to hold, in some microseconds; whatever differs is looked at anew, and automatic
differentiation takes over where it has to.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import numpy as np
from torch import nn
from torch.nn.modules import module as torch_module

from sb3_ext.maskable_dqn import relu_pass
from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy
from sb3_ext.maskable_dqn.relu_pass import ReluActor, ReluUpdater
from sb3_ext.maskable_dqn.updates import AutogradUpdater, UpdateResult, UpdateSettings
from sb3_ext.replay import ReplayBatch

T = TypeVar("T")


def is_bare(module: nn.Module) -> bool:
    """
    Whether calling a module is nothing but its class's ``forward``.

    :param module: The module itself, without those that it holds
    :return: False with hooks, or with a ``forward`` of its own
    """
    return not (
        module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
        or "forward" in module.__dict__
    )


def learns_plainly(parameter: nn.Parameter) -> bool:
    """
    Whether a gradient that is written into a parameter is what backpropagation would leave there.

    :param parameter: The parameter
    :return: False where it is frozen, or has hooks that change or use its gradient
    """
    return (
        parameter.requires_grad
        and not parameter._backward_hooks
        and not getattr(parameter, "_post_accumulate_grad_hooks", None)
    )


class Snapshot:
    """
    The modules and parameters of a network as they were.

    :param network: The network
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self._modules = [
            (module, type(module), tuple(module._modules.values()), tuple(module._parameters.values()))
            for module in network.modules()
        ]
        self.parameters = list(network.parameters())
        self._memory = self._addresses()

    def _addresses(self) -> list[int]:
        return [parameter.data_ptr() for parameter in self.parameters]

    def holds(self, network: nn.Module) -> bool:
        """
        Whether nothing was replaced, and nothing hooked in.

        :param network: What is in its place now
        """
        return (
            network is self.network
            and all(
                type(module) is kind
                and same(tuple(module._modules.values()), children)
                and same(tuple(module._parameters.values()), parameters)
                and is_bare(module)
                for module, kind, children, parameters in self._modules
            )
            # Moved to other memory: maybe of another dtype or device.
            and self._addresses() == self._memory
        )


def same(left: tuple[object, ...], right: tuple[object, ...]) -> bool:
    """Whether two tuples hold the very same objects."""
    return len(left) == len(right) and all(map(operator.is_, left, right))


class FastPath(Generic[T]):
    """
    Something that computes on plain ReLU networks only, made when it is needed, and only while it holds.

    :param policy: The policy
    :param make: Makes it, for a policy that is a plain ReLU network
    :param trains: Whether it writes gradients, and so uses the target network too
    """

    def __init__(self, policy: MaskableDQNPolicy, make: Callable[[MaskableDQNPolicy], T], trains: bool) -> None:
        self.policy = policy
        self._make = make
        self._trains = trains
        self._made: T | None = None
        self._seen: list[Snapshot] = []
        self.get()

    def get(self) -> T | None:
        """What was made, or None where PyTorch has to do it."""
        networks = [self.policy.q_net, self.policy.q_net_target] if self._trains else [self.policy.q_net]
        if self._made is None or not all(map(Snapshot.holds, self._seen, networks)):
            self._look_anew(networks)
        if self._made is None or torch_module._has_any_global_hook():  # type: ignore[no-untyped-call]
            return None
        if self._trains and not all(map(learns_plainly, self._seen[0].parameters)):
            return None
        return self._made

    def _look_anew(self, networks: Sequence[nn.Module]) -> None:
        bare = all(is_bare(module) for network in networks for module in network.modules())
        plain = bare and relu_pass.is_plain_relu(self.policy)
        self._seen = [Snapshot(network) for network in networks] if plain else []
        self._made = self._make(self.policy) if plain else None


class FastActor:
    """
    The greedy choice of a policy, by the fastest way that computes it.

    :param policy: Whose online network decides
    """

    def __init__(self, policy: MaskableDQNPolicy) -> None:
        self.policy = policy
        self._fast = FastPath(policy, ReluActor, trains=False)

    def choose(self, observations: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """
        The best feasible actions.

        :param observations: (n_envs, *obs_shape)
        :param masks: (n_envs, n_actions) bool, every row with a True
        :return: (n_envs,) int
        """
        fast = self._fast.get()
        if fast is not None:
            return fast.choose(observations, masks)
        return self.policy.predict(observations, action_masks=masks)[0]


class FastUpdater:
    """
    Updates a policy, by the fastest way that computes what its networks need.

    :param policy: Whose online network is updated
    """

    def __init__(self, policy: MaskableDQNPolicy) -> None:
        self._fast = FastPath(policy, ReluUpdater, trains=True)
        self._autograd = AutogradUpdater(policy)

    def update(self, batch: ReplayBatch, settings: UpdateSettings) -> UpdateResult:
        """See ``Updater.update``."""
        fast = self._fast.get()
        return (self._autograd if fast is None else fast).update(batch, settings)

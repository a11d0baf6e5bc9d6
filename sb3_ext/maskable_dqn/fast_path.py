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

from sb3_ext.common.actions import ActionParts
from sb3_ext.common.observations import Observations
from sb3_ext.maskable_dqn import relu_pass
from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy
from sb3_ext.maskable_dqn.relu_pass import ReluActor, ReluUpdater
from sb3_ext.maskable_dqn.updates import AutogradUpdater, UpdateResult, UpdateSettings
from sb3_ext.replay import ReplayBatch

T = TypeVar("T")


HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


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
    The modules and parameters of a network as they were, and whether calling them is nothing but their ``forward``.

    The dictionaries in which PyTorch's modules keep all this are found once, since looking them up costs the most.

    :param network: The network
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.parameters = list(network.parameters())
        self._modules = list(network.modules())
        self._types = list(map(type, self._modules))
        self._attributes = [module.__dict__ for module in self._modules]
        self._hooks = [getattr(module, name) for module in self._modules for name in HOOKS]
        self._members = [held for module in self._modules for held in (module._modules, module._parameters)]
        self._held = self._held_now()
        self._memory = self._addresses()

    def _held_now(self) -> list[object]:
        return [held for members in self._members for held in members.values()]

    def _addresses(self) -> list[int]:
        return [parameter.data_ptr() for parameter in self.parameters]

    def is_bare(self) -> bool:
        """Whether no module has hooks, or a ``forward`` of its own."""
        return not any(self._hooks) and not any("forward" in attributes for attributes in self._attributes)

    def holds(self, network: nn.Module) -> bool:
        """
        Whether nothing was replaced, and nothing hooked in.

        :param network: What is in its place now
        """
        return (
            network is self.network
            and self.is_bare()
            and list(map(type, self._modules)) == self._types
            and same(self._held_now(), self._held)
            # Moved to other memory: maybe of another dtype or device.
            and self._addresses() == self._memory
        )


def same(left: list[object], right: list[object]) -> bool:
    """Whether two lists hold the very same objects."""
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
        seen = [Snapshot(network) for network in networks]
        plain = all(map(Snapshot.is_bare, seen)) and relu_pass.is_plain_relu(self.policy)
        self._seen = seen if plain else []
        self._made = self._make(self.policy) if plain else None


class FastActor:
    """
    The greedy choice of a policy, by the fastest way that computes it.

    :param policy: Whose online network decides
    """

    def __init__(self, policy: MaskableDQNPolicy) -> None:
        self.policy = policy
        self._parts = ActionParts(policy.action_space, type(policy).__name__)
        self._fast = FastPath(policy, ReluActor, trains=False)

    def choose(self, observations: Observations, masks: np.ndarray) -> np.ndarray:
        """
        The best feasible actions.

        :param observations: (n_envs, *obs_shape), or a dictionary of such arrays
        :param masks: (n_envs, n_actions) bool, every row with a True
        :return: (n_envs,) or (n_envs, n_parts) int, from 0
        """
        fast = self._fast.get()
        if fast is not None and not isinstance(observations, dict):
            return fast.choose(observations, masks)
        return self._parts.from_env(self.policy.predict(observations, action_masks=masks)[0])


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

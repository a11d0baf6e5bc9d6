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
import torch as th
from gymnasium import spaces
from stable_baselines3.common.type_aliases import PyTorchObs
from torch import nn
from torch.nn.modules import module as torch_module

from sb3_ext.common.actions import ActionParts
from sb3_ext.common.observations import Observations
from sb3_ext.maskable_dqn.fast import relu_pass
from sb3_ext.maskable_dqn.fast.compiled_pass import make_updater
from sb3_ext.maskable_dqn.fast.relu_pass import ReluActor
from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy
from sb3_ext.maskable_dqn.updates import AutogradUpdater, Updater, UpdateResult, UpdateSettings
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
        # First what is cheaper: a network of another kind is looked at each time.
        seen = [Snapshot(network) for network in networks] if relu_pass.is_plain_relu(self.policy) else []
        plain = bool(seen) and all(map(Snapshot.is_bare, seen))
        self._seen = seen if plain else []
        self._made = self._make(self.policy) if plain else None


class NetworkActor:
    """
    The greedy choice of any network. It is that of ``policy.predict``, without the checks that a user's observations
    need: they take longer than a small network's forward pass.

    :param policy: Whose online network decides
    """

    def __init__(self, policy: MaskableDQNPolicy) -> None:
        self.policy = policy
        self._parts = ActionParts(policy.action_space, type(policy).__name__)
        space = policy.observation_space
        by_key = space.spaces if isinstance(space, spaces.Dict) else {"": space}
        self._shapes = {key: part.shape for key, part in by_key.items()}

    def choose(self, observations: Observations, masks: np.ndarray) -> np.ndarray:
        """
        The best feasible actions.

        :param observations: (n_envs, *obs_shape), or a dictionary of such arrays
        :param masks: (n_envs, n_actions) bool, every row with a True
        :return: (n_envs,) or (n_envs, n_parts) int64, from 0
        """
        policy = self.policy
        if not self._is_as_the_network_takes_it(observations) or not _is_inherited(policy):
            return self._parts.from_env(policy.predict(observations, action_masks=masks)[0])
        policy.set_training_mode(False)
        device = policy.device

        def tensor(part: np.ndarray) -> th.Tensor:
            # A copy, as predict makes it: a network may overwrite its input.
            return th.as_tensor(np.array(part), device=device)

        if isinstance(observations, dict):
            tensors: PyTorchObs = {key: tensor(part) for key, part in observations.items()}
        else:
            tensors = tensor(observations)
        with th.no_grad():
            chosen: np.ndarray = policy._predict(tensors, True, th.as_tensor(masks, device=device)).cpu().numpy()
        return chosen

    def _is_as_the_network_takes_it(self, observations: Observations) -> bool:
        """Whether there are several observations, and pictures among them have their channels first."""
        by_key = observations if isinstance(observations, dict) else {"": observations}
        return by_key.keys() == self._shapes.keys() and all(
            isinstance(part, np.ndarray) and part.shape[1:] == self._shapes[key] for key, part in by_key.items()
        )


def _is_inherited(policy: MaskableDQNPolicy) -> bool:
    """Whether a policy predicts as :class:`MaskableDQNPolicy` does."""
    return (
        getattr(policy.predict, "__func__", None) is MaskableDQNPolicy.predict
        and getattr(policy.obs_to_tensor, "__func__", None) is MaskableDQNPolicy.obs_to_tensor
    )


class FastActor:
    """
    The greedy choice of a policy, by the fastest way that computes it.

    :param policy: Whose online network decides
    """

    def __init__(self, policy: MaskableDQNPolicy) -> None:
        self._any_network = NetworkActor(policy)
        self._fast = FastPath(policy, ReluActor, trains=False)

    def choose(self, observations: Observations, masks: np.ndarray) -> np.ndarray:
        """
        The best feasible actions.

        :param observations: (n_envs, *obs_shape), or a dictionary of such arrays
        :param masks: (n_envs, n_actions) bool, every row with a True
        :return: (n_envs,) or (n_envs, n_parts) int, from 0
        """
        fast = self._fast.get()
        return (self._any_network if fast is None else fast).choose(observations, masks)


class FastUpdater:
    """
    Updates a policy, by the fastest way that computes what its networks need.

    :param policy: Whose online network is updated
    :param any_network: Updates it where its networks are not plain ReLU networks; by default an ``AutogradUpdater``
    """

    def __init__(self, policy: MaskableDQNPolicy, any_network: Updater | None = None) -> None:
        self.policy = policy
        self._fast = FastPath(policy, make_updater, trains=True)
        self._any_network = any_network or AutogradUpdater(policy)

    def update(self, batch: ReplayBatch, settings: UpdateSettings) -> UpdateResult:
        """See ``Updater.update``; noisy layers have the same noise throughout an update."""
        fast = self._fast.get()
        if fast is not None:
            return fast.update(batch, settings)
        with self.policy.q_net.noise(), self.policy.q_net_target.noise():
            return self._any_network.update(batch, settings)

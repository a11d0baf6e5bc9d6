"""Hand-written passes stand in for PyTorch only while they compute the same."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch as th
from gymnasium import spaces
from stable_baselines3.common.utils import ConstantSchedule
from torch import nn

from sb3_ext.maskable_dqn.fast.fast_path import FastActor, FastUpdater
from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy
from sb3_ext.maskable_dqn.updates import AutogradUpdater, UpdateSettings
from sb3_ext.replay import ReplayBatch

N_ACTIONS, SIZE = 9, 32


def make_policy(**kwargs: Any) -> MaskableDQNPolicy:
    """A policy of one hidden layer, always the same."""
    th.manual_seed(0)
    space = spaces.Box(-1.0, 1.0, (5,))
    return MaskableDQNPolicy(space, spaces.Discrete(N_ACTIONS), ConstantSchedule(1e-2), [8], **kwargs)


def make_batch(seed: int) -> ReplayBatch:
    """Transitions of random numbers."""
    rng = np.random.default_rng(seed)
    return ReplayBatch(
        observations=rng.standard_normal((SIZE, 5), dtype=np.float32),
        actions=rng.integers(N_ACTIONS, size=SIZE),
        next_observations=rng.standard_normal((SIZE, 5), dtype=np.float32),
        terminals=np.zeros(SIZE, dtype=np.float32),
        rewards=rng.standard_normal(SIZE, dtype=np.float32),
        discounts=np.ones(SIZE, dtype=np.float32),
        next_action_masks=np.ones((SIZE, N_ACTIONS), dtype=bool),
        rows=np.arange(SIZE),
        weights=None,
    )


def layers(policy: MaskableDQNPolicy) -> Any:
    """The layers of the online network."""
    return policy.q_net.q_net


def freeze(policy: MaskableDQNPolicy) -> None:
    """Freeze the first layer."""
    layers(policy)[0].requires_grad_(False)


def replace(policy: MaskableDQNPolicy) -> None:
    """Put another activation in."""
    layers(policy)[1] = nn.Tanh()


def swap_linear(policy: MaskableDQNPolicy) -> None:
    """Put another first layer in, of the same shape."""
    layers(policy)[0] = nn.Linear(5, 8)


def append(policy: MaskableDQNPolicy) -> None:
    """Append a layer."""
    layers(policy).append(nn.Linear(N_ACTIONS, N_ACTIONS))


def hook(policy: MaskableDQNPolicy) -> None:
    """Change the features on their way."""
    layers(policy)[1].register_forward_hook(lambda module, args, output: 1.0 - output)


def hook_network(policy: MaskableDQNPolicy) -> None:
    """Change the values of all actions."""
    policy.q_net.register_forward_pre_hook(lambda module, args: (-args[0],))


def hook_gradient(policy: MaskableDQNPolicy) -> None:
    """Turn a gradient around."""
    layers(policy)[2].bias.register_hook(lambda gradient: -gradient)


def own_forward(policy: MaskableDQNPolicy) -> None:
    """Replace what a layer computes."""
    layers(policy)[1].forward = th.sigmoid


def parametrize(policy: MaskableDQNPolicy) -> None:
    """Parametrize a weight."""
    nn.utils.parametrizations.spectral_norm(layers(policy)[2])


def spectral_norm(policy: MaskableDQNPolicy) -> None:
    """Spectral norm as a hook."""
    nn.utils.spectral_norm(layers(policy)[0])


def tie(policy: MaskableDQNPolicy) -> None:
    """Share a bias between the networks' layers of one shape."""
    layers(policy)[0].bias = policy.q_net_target.q_net[0].bias  # type: ignore[index, union-attr]


def no_bias(policy: MaskableDQNPolicy) -> None:
    """Leave a bias out."""
    layers(policy)[2].bias = None


CHANGES = [freeze, replace, swap_linear, append, hook, hook_network, hook_gradient, own_forward, parametrize]
CHANGES += [spectral_norm, tie, no_bias]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_changed_network_is_used_as_changed(change: Callable[[MaskableDQNPolicy], None]) -> None:
    """After any change to the network, choices and updates are those of PyTorch."""
    policy, other = make_policy(), make_policy()
    actor, updater = FastActor(policy), FastUpdater(policy)
    masks = np.ones((SIZE, N_ACTIONS), dtype=bool)
    # Used before the change, so that what is remembered is out of date.
    actor.choose(make_batch(0).observations, masks)
    updater.update(make_batch(0), UpdateSettings())
    other.load_state_dict(policy.state_dict())
    other.optimizer.load_state_dict(copy.deepcopy(policy.optimizer.state_dict()))
    for changed in (policy, other):
        th.manual_seed(1)
        change(changed)
    for seed in (1, 2):
        batch = make_batch(seed)
        ours, theirs = updater.update(batch, UpdateSettings()), AutogradUpdater(other).update(batch, UpdateSettings())
        np.testing.assert_allclose(ours.td_errors, theirs.td_errors, atol=1e-5)
        expected, _ = other.predict(batch.observations, action_masks=masks)
        np.testing.assert_array_equal(actor.choose(batch.observations, masks), expected)
    for name, value in other.state_dict().items():
        th.testing.assert_close(policy.state_dict()[name], value, atol=1e-5, rtol=1e-4, msg=name)


def test_frozen_parameters_stay() -> None:
    """A frozen layer keeps its parameters to the bit, and learns on once it is thawed."""
    policy = make_policy()
    updater = FastUpdater(policy)
    updater.update(make_batch(0), UpdateSettings())
    before = [parameter.clone() for parameter in layers(policy)[0].parameters()]
    freeze(policy)
    updater.update(make_batch(1), UpdateSettings())
    assert all(map(th.equal, layers(policy)[0].parameters(), before))
    layers(policy)[0].requires_grad_(True)
    updater.update(make_batch(2), UpdateSettings())
    assert not any(map(th.equal, layers(policy)[0].parameters(), before))


def test_the_fast_way_is_taken_while_nothing_changes() -> None:
    """A plain network takes the hand-written passes, and takes them again once a hook is removed."""
    policy = make_policy()
    actor = FastActor(policy)
    first = actor._fast.get()
    assert first is not None
    assert actor._fast.get() is first
    handle = layers(policy)[0].register_forward_hook(lambda module, args, output: output)
    assert actor._fast.get() is None
    handle.remove()
    assert actor._fast.get() is not None


def test_a_policy_that_predicts_otherwise_is_asked() -> None:
    """A subclass's own choice is the one that is taken."""

    class Last(MaskableDQNPolicy):
        def _predict(self, obs: Any, deterministic: bool = True, action_masks: Any = None) -> th.Tensor:
            return th.full((len(obs),), N_ACTIONS - 1)

    space = spaces.Box(-1.0, 1.0, (5,))
    actor = FastActor(Last(space, spaces.Discrete(N_ACTIONS), ConstantSchedule(1e-2), [8]))
    chosen = actor.choose(make_batch(0).observations, np.ones((SIZE, N_ACTIONS), dtype=bool))
    assert (chosen == N_ACTIONS - 1).all()

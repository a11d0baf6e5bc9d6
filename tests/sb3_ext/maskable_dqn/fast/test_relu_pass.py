"""The hand-written passes against PyTorch's automatic differentiation."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch as th
from gymnasium import spaces
from stable_baselines3.common.utils import ConstantSchedule
from torch import nn

from sb3_ext.maskable_dqn.fast.compiled_pass import CompiledUpdater, make_updater
from sb3_ext.maskable_dqn.fast.relu_pass import (
    FEW,
    ReluActor,
    ReluNetwork,
    ReluUpdater,
    is_plain_relu,
    masked_argmax,
)
from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy
from sb3_ext.maskable_dqn.updates import AutogradUpdater, UpdateSettings
from sb3_ext.replay import ReplayBatch

N_ACTIONS, SIZE = 9, 32


def make_policies(net_arch: list[int], **kwargs: Any) -> tuple[MaskableDQNPolicy, MaskableDQNPolicy]:
    """Two equal policies whose target network is different from its online network."""
    th.manual_seed(0)
    space = spaces.Box(-1.0, 1.0, (5,))
    policy, other = (
        MaskableDQNPolicy(space, spaces.Discrete(N_ACTIONS), ConstantSchedule(1e-2), net_arch, **kwargs)
        for _ in range(2)
    )
    with th.no_grad():
        for parameter in policy.q_net_target.parameters():
            parameter.add_(th.randn_like(parameter) * 0.3)
    other.load_state_dict(copy.deepcopy(policy.state_dict()))
    return policy, other


def make_batch(rng: np.random.Generator, weighted: bool = True) -> ReplayBatch:
    """Repeated actions, errors on both sides of Huber's bend, terminal states, several discounts."""
    masks = rng.random((SIZE, N_ACTIONS)) < 0.4
    masks[:, 0] |= ~masks.any(axis=1)
    return ReplayBatch(
        observations=rng.standard_normal((SIZE, 5), dtype=np.float32),
        actions=rng.integers(N_ACTIONS, size=SIZE),
        next_observations=rng.standard_normal((SIZE, 5), dtype=np.float32),
        terminals=(rng.random(SIZE) < 0.3).astype(np.float32),
        rewards=3.0 * rng.standard_normal(SIZE, dtype=np.float32),
        discounts=rng.random(SIZE, dtype=np.float32),
        next_action_masks=masks,
        rows=np.arange(SIZE),
        weights=rng.random(SIZE, dtype=np.float32) if weighted else None,
    )


HEADS: list[dict[str, Any]] = [{}, {"dueling": True}, {"factors": [3, 3]}]


HIDDEN: list[dict[str, Any]] = [{"dropout": 0.1}, {"batch_norm": True}, {"batch_norm": True, "dropout": 0.5}]


@pytest.mark.parametrize("head", [*HEADS, *HIDDEN, {"dueling": True, **HIDDEN[2]}], ids=str)
@pytest.mark.parametrize("make", [ReluUpdater, make_updater], ids=["numpy", "compiled"])
@pytest.mark.parametrize("net_arch", [[], [8], [96, 96], [7, 8, 9]])
@pytest.mark.parametrize(
    "settings",
    [
        UpdateSettings(),
        UpdateSettings(double_q=False, reward_scale=0.1),
        UpdateSettings(max_grad_norm=0.05),
    ],
)
def test_update_is_autograds(
    make: Callable[[MaskableDQNPolicy], ReluUpdater],
    net_arch: list[int],
    settings: UpdateSettings,
    head: dict[str, Any],
) -> None:
    """
    The hand-written update is that of automatic differentiation, with the same units dropped. Gradients agree to 1e-6
    of the largest, absolutely: float32 sums in another order differ in the 7th digit.
    """
    policy, other = make_policies(net_arch, **head)
    assert is_plain_relu(policy)
    # With seed 1 a normalized unit is 3e-8, on either side of the bend of ReLU by how sums are rounded.
    rng = np.random.default_rng(2)
    for weighted in (True, False):
        batch = make_batch(rng, weighted)
        ours = make(policy).update(batch, settings)
        theirs = AutogradUpdater(other).update(batch, settings)
        assert ours.loss == pytest.approx(theirs.loss, rel=1e-5)
        np.testing.assert_allclose(ours.estimates, theirs.estimates, atol=1e-6, rtol=1e-5)
        np.testing.assert_allclose(ours.td_errors, theirs.td_errors, atol=2e-6, rtol=1e-5)
        for mine, reference in zip(policy.q_net.parameters(), other.q_net.parameters(), strict=True):
            assert mine.grad is not None
            assert reference.grad is not None
            np.testing.assert_allclose(mine.grad, reference.grad, atol=1e-6, rtol=1e-5)
        for mine, reference in zip(policy.q_net.buffers(), other.q_net.buffers(), strict=True):
            np.testing.assert_allclose(mine, reference, atol=1e-6, rtol=1e-5)
        # Adam divides gradients of any size by their size, so the next batch starts from the same network.
        policy.load_state_dict(other.state_dict())


def test_loops_are_compiled_where_the_network_is_linear_relu_linear() -> None:
    """The compiled update serves linear last layers without batch normalization, with dropout or not."""
    compiled = [{}, {"dropout": 0.1}]
    for head in [*HEADS, *HIDDEN]:
        policy, _ = make_policies([8], **head)
        assert (type(make_updater(policy)) is CompiledUpdater) == (head in compiled)


UPDATERS = [ReluUpdater, CompiledUpdater]


@pytest.mark.parametrize("kind", UPDATERS)
def test_gradient_of_an_update_leaves_nothing_for_the_next(kind: type[ReluUpdater]) -> None:
    """Each update starts from zero gradients."""
    policy, other = make_policies([8])
    rng = np.random.default_rng(2)
    kept, batches = kind(policy), [make_batch(rng), make_batch(rng)]
    batches[1] = batches[1]._replace(actions=np.zeros(SIZE, dtype=np.int64))
    for batch in batches:
        kept.update(batch, UpdateSettings())
    other.load_state_dict(policy.state_dict())
    last_layer = list(policy.q_net.q_net)[-1]
    assert isinstance(last_layer, nn.Linear)
    assert last_layer.weight.grad is not None
    assert last_layer.weight.grad[0].any()
    assert not last_layer.weight.grad[1:].any()


@pytest.mark.parametrize("head", [*HEADS, *HIDDEN], ids=str)
def test_actor_is_the_policys_choice(head: dict[str, Any]) -> None:
    """The numpy forward pass chooses the network's actions."""
    policy, _ = make_policies([16, 16], **head)
    rng = np.random.default_rng(3)
    # Moves running statistics.
    ReluUpdater(policy).update(make_batch(rng), UpdateSettings())
    obs = rng.standard_normal((200, 5), dtype=np.float32)
    masks = np.eye(N_ACTIONS, dtype=bool)[rng.integers(N_ACTIONS, size=200)] | (rng.random((200, N_ACTIONS)) < 0.5)
    assert np.array_equal(ReluActor(policy).choose(obs, masks), policy.predict(obs, action_masks=masks)[0])


@pytest.mark.parametrize("kind", UPDATERS)
def test_moved_parameters_are_found_again(kind: type[ReluUpdater]) -> None:
    """Parameters that were replaced are used from the next call on."""
    policy, _ = make_policies([16])
    actor, updater = ReluActor(policy), kind(policy)
    obs, masks = np.ones((1, 5), dtype=np.float32), np.ones((1, N_ACTIONS), dtype=bool)
    with th.no_grad():
        policy.load_from_vector(np.zeros(sum(p.numel() for p in policy.parameters()), dtype=np.float32))
        list(policy.q_net.q_net)[-1].bias[4] = 1.0  # type: ignore[index, union-attr, operator]
    assert actor.choose(obs, masks).tolist() == [4]
    updater.update(make_batch(np.random.default_rng(0)), UpdateSettings())
    assert any(bool(p.detach().any()) for p in policy.q_net.parameters())


def without_momentum(policy: MaskableDQNPolicy) -> None:
    """Running statistics as means of all batches."""
    for module in policy.q_net.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.momentum = None


def test_running_statistics_may_be_means_of_all_batches() -> None:
    """With momentum None, running statistics are those of automatic differentiation over several updates."""
    policy, other = make_policies([8], batch_norm=True)
    ours, theirs, rng = ReluUpdater(policy), AutogradUpdater(other), np.random.default_rng(4)
    for changed in (policy, other):
        without_momentum(changed)
    for _ in range(3):
        batch = make_batch(rng)
        ours.update(batch, UpdateSettings())
        theirs.update(batch, UpdateSettings())
        for mine, reference in zip(policy.q_net.buffers(), other.q_net.buffers(), strict=True):
            np.testing.assert_allclose(mine, reference, atol=1e-6, rtol=1e-5)
        policy.load_state_dict(other.state_dict())


def test_other_networks_are_left_to_autograd() -> None:
    """Networks with other activations, or with batch normalization that learns nothing, are left to autograd."""
    space = spaces.Box(-1.0, 1.0, (5,))
    policy = MaskableDQNPolicy(space, spaces.Discrete(3), ConstantSchedule(1e-3), [8], activation_fn=nn.Tanh)
    assert not is_plain_relu(policy)
    policy = MaskableDQNPolicy(space, spaces.Discrete(3), ConstantSchedule(1e-3), [8], batch_norm=True)
    assert is_plain_relu(policy)
    policy.q_net.q_net[1] = nn.BatchNorm1d(8, affine=False)
    assert not is_plain_relu(policy)


def test_other_observations_are_left_to_autograd() -> None:
    """Discrete observations, which are one-hot encoded, are left to automatic differentiation."""
    policy = MaskableDQNPolicy(spaces.Discrete(5), spaces.Discrete(3), ConstantSchedule(1e-3), [8])
    assert not is_plain_relu(policy)


def test_values_of_few_offered_actions() -> None:
    """Where few actions are feasible, their values computed one by one give the same best action."""
    rng = np.random.default_rng(0)
    policy = MaskableDQNPolicy(spaces.Box(-1.0, 1.0, (5,)), spaces.Discrete(300), ConstantSchedule(1e-2), [16])
    network = ReluNetwork(policy.q_net)
    features = network.hidden(rng.standard_normal((200, 5), dtype=np.float32))[-1]
    compiled, ends = CompiledUpdater(policy)._online, rng.integers(2, size=200).astype(np.float32)
    compiled.refresh()
    for n_offered in (1, 2, 5):
        masks = rng.permuted(np.arange(300)[None] < np.full((200, 1), n_offered), axis=1)
        assert masks.mean() * FEW < 1.0
        best = masked_argmax(network.values(features), masks)
        assert np.array_equal(network.best(features, masks), best)
        assert np.array_equal(compiled.best(features, masks, ends), np.where(ends == 1.0, 0, best))
    # Of equally good ones the first; and nan is not an error here, but later, where it is one of the training.
    network.weight[:] = 0.0
    network.bias[:] = 1.0
    assert np.array_equal(network.best(features, masks), masks.argmax(axis=1))
    assert np.array_equal(compiled.best(features, masks, np.zeros_like(ends)), masks.argmax(axis=1))
    network.bias[:] = np.nan
    for best in (network.best(features, masks), compiled.best(features, masks, np.zeros_like(ends))):
        assert masks[np.arange(200), best].all()


@pytest.mark.parametrize("kind", UPDATERS)
def test_nothing_follows_terminal_states(kind: type[ReluUpdater]) -> None:
    """A batch of terminal states only gives the targets of automatic differentiation."""
    policy, other = make_policies([8])
    batch = make_batch(np.random.default_rng(0))._replace(terminals=np.ones(SIZE, dtype=np.float32))
    ours = kind(policy).update(batch, UpdateSettings())
    theirs = AutogradUpdater(other).update(batch, UpdateSettings())
    assert ours.td_errors == pytest.approx(theirs.td_errors, abs=1e-5)

"""Targets, losses and dropout of an update, by hand on the smallest networks; both updaters."""

import io
from typing import Any

import numpy as np
import pytest
import torch as th
from gymnasium import spaces
from replay_rows import add, make
from stable_baselines3.common.logger import HumanOutputFormat, Logger
from stable_baselines3.common.utils import ConstantSchedule
from torch import nn

from sb3_ext.maskable_dqn.fast.compiled_pass import CompiledUpdater
from sb3_ext.maskable_dqn.fast.relu_pass import ReluUpdater
from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy
from sb3_ext.maskable_dqn.updates import (
    AutogradUpdater,
    UpdateResult,
    UpdateSettings,
    clip_gradient,
    record_updates,
    switch_mode,
)
from sb3_ext.replay import PrioritizedReplayBuffer, ReplayBatch

UPDATERS = [AutogradUpdater, ReluUpdater, CompiledUpdater]


def make_policy(net_arch: list[int] | None = None, **kwargs: Any) -> MaskableDQNPolicy:
    """One input, three actions; plain gradient descent with rate 1, so that a step shows the gradient."""
    th.manual_seed(0)
    space = spaces.Box(-1.0, 1.0, (1,))
    arguments = {"net_arch": net_arch or [], "optimizer_class": th.optim.SGD, "optimizer_kwargs": {}} | kwargs
    return MaskableDQNPolicy(space, spaces.Discrete(3), ConstantSchedule(1.0), **arguments)


def make_constant_policy(online: list[float], target: list[float]) -> MaskableDQNPolicy:
    """A policy whose action values do not depend on the state."""
    policy = make_policy()
    for net, values in ((policy.q_net, online), (policy.q_net_target, target)):
        layer = net.q_net[0]
        assert isinstance(layer, nn.Linear)
        with th.no_grad():
            layer.weight.zero_()
            layer.bias.copy_(th.tensor(values))
    return policy


def make_batch(size: int = 1, **changes: Any) -> ReplayBatch:
    """Action 0, reward 1, discount 1/2, all actions feasible next."""
    zeros, ones = np.zeros(size, dtype=np.float32), np.ones(size, dtype=np.float32)
    batch = ReplayBatch(
        observations=zeros[:, None],
        actions=np.zeros(size, dtype=np.int64),
        next_observations=zeros[:, None],
        terminals=zeros,
        rewards=ones,
        discounts=ones / 2,
        next_action_masks=np.ones((size, 3), dtype=bool),
        rows=np.arange(size),
    )
    return batch._replace(**changes)


@pytest.mark.parametrize("updater", UPDATERS)
@pytest.mark.parametrize(
    ("mask", "double_q", "next_value"),
    [
        # Online prefers 0, then 2, then 1; target prefers 0, then 1, then 2.
        ([True, True, True], True, 100.0),
        ([False, True, True], True, 20.0),
        ([False, True, True], False, 30.0),
        ([False, True, False], True, 30.0),
    ],
)
def test_target_by_hand(updater: Any, mask: list[bool], double_q: bool, next_value: float) -> None:
    """The online network selects the best feasible next action, and the target network evaluates it."""
    policy = make_constant_policy(online=[5.0, 1.0, 2.0], target=[100.0, 30.0, 20.0])
    batch = make_batch(next_action_masks=np.array([mask]))
    result = updater(policy).update(batch, UpdateSettings(double_q=double_q))
    assert result.estimates.tolist() == [5.0]
    assert result.td_errors.tolist() == [1.0 + next_value / 2 - 5.0]


@pytest.mark.parametrize("updater", UPDATERS)
def test_terminal_target(updater: Any) -> None:
    """The target of a terminal transition is its reward."""
    policy = make_constant_policy([5.0, 1.0, 2.0], [100.0, 30.0, 20.0])
    result = updater(policy).update(make_batch(terminals=np.ones(1, dtype=np.float32)), UpdateSettings())
    assert result.td_errors.tolist() == [1.0 - 5.0]


@pytest.mark.parametrize("updater", UPDATERS)
def test_reward_scale(updater: Any) -> None:
    """reward_scale multiplies the reward and not the value of the next state."""
    policy = make_constant_policy([5.0, 1.0, 2.0], [100.0, 30.0, 20.0])
    result = updater(policy).update(make_batch(), UpdateSettings(reward_scale=0.01))
    assert result.td_errors.tolist() == pytest.approx([0.01 + 50.0 - 5.0])


@pytest.mark.parametrize("updater", UPDATERS)
def test_weights_act_on_each_sample(updater: Any) -> None:
    """
    Importance weights multiply each sample's loss before the mean. Errors are 1/2 and 3 (beyond Huber's bend),
    weights 1 and 0.1, so the bias of action 0 moves by (1/2) / 2 and that of action 1 by 0.1 / 2.
    """
    policy = make_constant_policy([0.0, 0.0, 0.0], [0.0, 0.0, 0.0])
    batch = make_batch(
        2,
        actions=np.array([0, 1]),
        rewards=np.array([0.5, 3.0], dtype=np.float32),
        weights=np.array([1.0, 0.1], dtype=np.float32),
    )
    result = updater(policy).update(batch, UpdateSettings())
    assert result.loss == pytest.approx((1.0 * 0.5 * 0.5**2 + 0.1 * (3.0 - 0.5)) / 2)
    bias = policy.q_net.q_net[0].bias
    assert bias.tolist() == pytest.approx([0.25, 0.05, 0.0])  # type: ignore[union-attr]


@pytest.mark.parametrize("updater", UPDATERS)
def test_gradient_is_clipped(updater: Any) -> None:
    """The norm over all parameters together stays within the maximum."""
    policy = make_constant_policy([0.0, 0.0, 0.0], [0.0, 0.0, 0.0])
    batch = make_batch(2, actions=np.array([0, 1]), rewards=np.full(2, 9.0, dtype=np.float32))
    updater(policy).update(batch, UpdateSettings(max_grad_norm=0.1))
    bias = policy.q_net.q_net[0].bias
    assert bias.tolist() == pytest.approx([0.1 / 2**0.5, 0.1 / 2**0.5, 0.0], rel=1e-4)  # type: ignore[union-attr]


def test_dropout_only_in_the_trained_pass() -> None:
    """Dropout is active in the pass being trained and in no other."""
    policy = make_policy([16], dropout=0.5)
    modes: list[tuple[str, bool]] = []
    for name, net in (("online", policy.q_net), ("target", policy.q_net_target)):
        for module in net.modules():
            if type(module).__name__ == "SeededDropout":
                module.register_forward_hook(lambda m, i, o, name=name: modes.append((name, m.training)))
    AutogradUpdater(policy).update(make_batch(4), UpdateSettings())
    assert modes == [("target", False), ("online", False), ("online", True)]
    modes.clear()
    policy.predict(np.zeros(1, dtype=np.float32), action_masks=np.ones(3))
    assert modes == [("online", False)]


def test_targets_repeat_under_dropout() -> None:
    """Under dropout the same batch gives the same targets twice."""
    policy = make_policy([32], dropout=0.5)
    updater, samples = AutogradUpdater(policy), make_batch(16).to_samples()
    policy.set_training_mode(True)
    first = updater.targets(samples, UpdateSettings())
    assert th.equal(first, updater.targets(samples, UpdateSettings()))


@pytest.mark.parametrize(
    ("n_updates", "latest", "drawn"), [(249, 1, False), (250, 1, True), (253, 4, True), (254, 4, False)]
)
def test_histograms_are_sparse(n_updates: int, latest: int, drawn: bool) -> None:
    """
    Histograms are logged every HISTOGRAM_EVERY updates, also with several updates at a time, for TensorBoard
    only.
    """
    buffer: Any = make(cls=PrioritizedReplayBuffer)
    add(buffer, (0, 1.0, ""))
    logger = Logger(None, [HumanOutputFormat(io.StringIO())])
    errors = np.array([0.5, -2.0], dtype=np.float32)
    record_updates(logger, n_updates, np.ones(latest), UpdateResult(1.0, errors, errors), buffer)
    assert {"train/loss", "train/td_error", "train/beta"} < set(logger.name_to_value)
    assert ("train/td_errors" in logger.name_to_value) == drawn
    assert ("train/priorities" in logger.name_to_value) == drawn
    if drawn:
        assert logger.name_to_value["train/td_errors"] is errors
        assert logger.name_to_value["train/priorities"] == pytest.approx([1.0])  # type: ignore[comparison-overlap]
    logger.dump()


def test_uniform_replay_has_no_priorities_to_draw() -> None:
    """Without prioritized replay, or with alpha 0, no histogram of priorities is logged."""
    for buffer in (make(), make(cls=PrioritizedReplayBuffer, alpha=0.0)):
        add(buffer, (0, 1.0, ""))
        logger, errors = Logger(None, []), np.zeros(2, dtype=np.float32)
        record_updates(logger, 250, np.ones(1), UpdateResult(1.0, errors, errors), buffer)
        assert "train/td_errors" in logger.name_to_value
        assert "train/priorities" not in logger.name_to_value


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0, np.nan])
def test_gradients_are_clipped_as_torch_does(scale: float) -> None:
    """Gradients below and above the limit, and ones that are not numbers, become what PyTorch makes of them."""
    ours, theirs = make_policy([7, 5]).q_net, make_policy([7, 5]).q_net
    rng = np.random.default_rng(0)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        one.grad = th.from_numpy(rng.standard_normal(one.shape).astype(np.float32)) * scale
        other.grad = one.grad.clone()
    clip_gradient(ours, 10.0)
    th.nn.utils.clip_grad_norm_(theirs.parameters(), 10.0)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert one.grad is not None
        assert other.grad is not None
        assert np.array_equal(one.grad.numpy(), other.grad.numpy(), equal_nan=True)


class Frozen(nn.Linear):
    """A layer that never trains."""

    def train(self, mode: bool = True) -> "Frozen":
        """Stays in evaluation mode."""
        return super().train(False)


@pytest.mark.parametrize("layer", [nn.Linear, Frozen])
def test_modes_are_switched_as_sb3_does(layer: type[nn.Linear]) -> None:
    """All modules of the online network change their mode, except where one decides for itself."""
    policies = [make_policy([4]), make_policy([4])]
    for policy in policies:
        policy.q_net.q_net.append(layer(3, 3))
        policy.set_training_mode(False)
    for mode in (True, False):
        switch_mode(policies[0], mode)
        policies[1].set_training_mode(mode)
        modes = [[module.training for module in policy.modules()] for policy in policies]
        assert modes[0] == modes[1]
        assert any(modes[0]) == mode

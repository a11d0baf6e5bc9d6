"""The loss of quantile regression and its targets, against all pairs and by hand."""

from typing import Any

import numpy as np
import pytest
import torch as th
from gymnasium import spaces
from sb3_contrib.common.utils import quantile_huber_loss
from stable_baselines3.common.utils import ConstantSchedule

from sb3_ext.maskable_dqn.updates import UpdateSettings
from sb3_ext.maskable_qrdqn.policies import MaskableQRDQNPolicy
from sb3_ext.maskable_qrdqn.updates import QuantileUpdater, quantile_huber_losses
from sb3_ext.replay import ReplayBatch


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (8, 8), (200, 200)])
def test_loss_is_that_of_all_pairs(n: int, m: int, scale: float) -> None:
    """Loss and gradient are those of sb3-contrib, which looks at all pairs; also where errors are 0, 1 or -1."""
    generator = th.Generator().manual_seed(0)
    predicted = (scale * th.randn(6, n, generator=generator)).round(decimals=1).requires_grad_()
    targets = (scale * th.randn(6, m, generator=generator)).round(decimals=1)
    targets[:2, 0] = predicted.detach()[:2, 0] + th.tensor([1.0, -1.0])
    found = []
    for loss in (quantile_huber_losses(predicted, targets).mean(), quantile_huber_loss(predicted, targets)):
        found.append((loss.detach(), th.autograd.grad(loss, predicted)[0]))
    th.testing.assert_close(found[0], found[1], rtol=1e-5, atol=1e-6)


def test_nan_is_not_hidden() -> None:
    """A nan on either side is a nan of the loss, so that a divergence is reported."""
    fine, broken = th.ones(1, 4), th.tensor([[1.0, th.nan, 1.0, 1.0]])
    for predicted, targets in ((fine, broken), (broken, fine)):
        assert quantile_huber_losses(predicted, targets).isnan().all()


def make_policy(online: list[list[float]], target: list[list[float]]) -> MaskableQRDQNPolicy:
    """A policy of two quantiles of three actions that do not depend on the state; SGD with rate 1."""
    policy = MaskableQRDQNPolicy(
        spaces.Box(-1.0, 1.0, (1,)),
        spaces.Discrete(3),
        ConstantSchedule(1.0),
        net_arch=[],
        n_quantiles=2,
        optimizer_class=th.optim.SGD,
        optimizer_kwargs={},
    )
    for net, values in ((policy.q_net, online), (policy.q_net_target, target)):
        layer: Any = net.q_net[0]
        with th.no_grad():
            layer.weight.zero_()
            layer.bias.copy_(th.tensor(values).flatten())
    return policy


def make_batch(mask: list[bool], **changes: Any) -> ReplayBatch:
    """Action 0, reward 1, discount 1/2."""
    zero = np.zeros(1, dtype=np.float32)
    return ReplayBatch(
        zero[:, None], np.zeros(1, np.int64), zero[:, None], zero, zero + 1, zero + 0.5, np.array([mask]), np.arange(1)
    )._replace(**changes)


@pytest.mark.parametrize(
    ("mask", "double_q", "following"),
    [
        # By their means online prefers 0, then 2, then 1; target prefers 0, then 1, then 2.
        ([True, True, True], True, [90.0, 110.0]),
        ([False, True, True], True, [0.0, 40.0]),
        ([False, True, True], False, [29.0, 31.0]),
        ([False, True, False], True, [29.0, 31.0]),
    ],
)
def test_targets_by_hand(mask: list[bool], double_q: bool, following: list[float]) -> None:
    """The best feasible action by the means is evaluated by the target's quantiles; TD errors are of the means."""
    policy = make_policy([[5.0, 1.0, 0.0], [5.0, 1.0, 4.0]], [[90.0, 29.0, 0.0], [110.0, 31.0, 40.0]])
    settings = UpdateSettings(double_q=double_q, reward_scale=0.1)
    updater, batch = QuantileUpdater(policy), make_batch(mask)
    expected = th.tensor([[0.1 + value / 2 for value in following]])
    th.testing.assert_close(updater.targets(batch.to_samples(), settings), expected)
    result = updater.update(batch, settings)
    assert result.estimates.tolist() == [5.0]
    assert result.td_errors.tolist() == pytest.approx([float(expected.mean()) - 5.0])
    ended = make_batch(mask, terminals=np.ones(1, dtype=np.float32))
    th.testing.assert_close(updater.targets(ended.to_samples(), settings), th.full((1, 2), 0.1))


def test_weights_multiply_the_loss() -> None:
    """Importance weights multiply the loss, and so the step of plain gradient descent."""
    steps = []
    for weight in (1.0, 0.25):
        policy = make_policy([[0.0] * 3] * 2, [[0.0] * 3] * 2)
        batch = make_batch([True] * 3, weights=np.array([weight], dtype=np.float32))
        QuantileUpdater(policy).update(batch, UpdateSettings())
        layer: Any = policy.q_net.q_net[0]
        steps.append(layer.bias.detach())
    # Errors of 1 at levels 1/4 and 3/4.
    assert steps[0].tolist() == pytest.approx([0.25, 0, 0, 0.75, 0, 0])
    th.testing.assert_close(steps[1], steps[0] / 4)

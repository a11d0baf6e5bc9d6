"""The network and policy of MaskableDQN."""

from typing import Any

import numpy as np
import pytest
import torch as th
from gymnasium import spaces
from stable_baselines3.common.utils import ConstantSchedule
from torch import nn

from sb3_ext.maskable_dqn.layers import DuelingHead, FactoredHead, SeededDropout
from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy, masked_argmax

OBSERVATIONS = spaces.Box(-1.0, 1.0, (4,), np.float32)


def make_policy(**kwargs: Any) -> MaskableDQNPolicy:
    """A policy for 4 inputs and 6 actions."""
    th.manual_seed(0)
    return MaskableDQNPolicy(OBSERVATIONS, spaces.Discrete(6), ConstantSchedule(1e-3), net_arch=[8, 7], **kwargs)


def test_masked_argmax() -> None:
    """The best feasible action is chosen even where an infeasible one has a higher value."""
    values = th.tensor([[3.0, 2.0, 1.0], [-5.0, -6.0, -7.0]])
    masks = th.tensor([[False, True, True], [False, False, True]])
    assert masked_argmax(values, masks).tolist() == [[1], [2]]


def test_predict_under_masks() -> None:
    """The policy alone chooses feasible actions."""
    policy, rng = make_policy(), np.random.default_rng(0)
    for _ in range(50):
        mask = rng.random(6) < 0.4
        mask[rng.integers(6)] = True
        action, _ = policy.predict(rng.random(4, dtype=np.float32), action_masks=mask)
        assert mask[action]
        assert np.shape(action) == ()
    actions, _ = policy.predict(rng.random((3, 4), dtype=np.float32), action_masks=np.eye(6)[:3])
    assert actions.tolist() == [0, 1, 2]


def test_dropout_layers() -> None:
    """There is dropout after each hidden layer and none after the output."""
    kinds = [type(layer) for layer in make_policy(dropout=0.1).q_net.q_net]
    hidden = [nn.Linear, nn.ReLU, SeededDropout]
    assert kinds == [*hidden, *hidden, nn.Linear]


def test_dropout_scales_and_drops() -> None:
    """A share p of the units is dropped, and the expected output is unchanged."""
    layer, ones = SeededDropout(0.1), th.ones(100_000)
    out = layer(ones)
    assert sorted(set(out.tolist())) == pytest.approx([0.0, 1 / 0.9])
    assert float((out == 0).float().mean()) == pytest.approx(0.1, abs=0.005)
    assert th.equal(layer.eval()(ones), ones)


def test_dropout_generator_is_in_the_state_dict() -> None:
    """A loaded network drops the same units as the saved one would have."""
    layer, other, x = SeededDropout(0.5), SeededDropout(0.5), th.ones(64)
    layer(x)
    other.load_state_dict(layer.state_dict())
    th.rand(3)  # Whatever else draws from the global generator does not matter.
    assert th.equal(layer(x), other(x))


def test_kaiming_initialization() -> None:
    """Weights have the variance 2 / fan_in of He et al. (1 / fan_in in the last layer), and biases are 0."""
    th.manual_seed(0)
    policy = MaskableDQNPolicy(
        spaces.Box(-1.0, 1.0, (100,)), spaces.Discrete(300), ConstantSchedule(1e-3), [200, 250], kaiming_init=True
    )
    linears = [layer for layer in policy.q_net.q_net if isinstance(layer, nn.Linear)]
    for linear, gain in zip(linears, (2.0, 2.0, 1.0), strict=True):
        assert float(linear.weight.detach().var()) * linear.in_features == pytest.approx(gain, rel=0.03)
        assert not linear.bias.any()


def test_dueling_head_by_hand() -> None:
    """Values are V + A - mean(A)."""
    head = DuelingHead(2, 3)
    with th.no_grad():
        head.value.weight.copy_(th.tensor([[1.0, 1.0]]))
        head.value.bias.fill_(0.5)
        head.advantage.weight.copy_(th.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]))
        head.advantage.bias.zero_()
        assert head(th.tensor([[3.0, 6.0]])).tolist() == [[9.5, 12.5, 6.5]]


def test_factored_head_by_hand() -> None:
    """The value of an action is the sum of the values of its parts."""
    head = FactoredHead(1, 6, [2, 3])
    with th.no_grad():
        head.linear.weight.copy_(th.tensor([[10.0], [20.0], [1.0], [2.0], [3.0]]))
        head.linear.bias.zero_()
        # Action 3 * i + j has the parts i and j.
        assert head(th.tensor([[1.0]])).tolist() == [[11.0, 12.0, 13.0, 21.0, 22.0, 23.0]]


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"factors": [2, 2]}, "product of factors must be 6, not that of"),
        ({"factors": [2, 3], "dueling": True}, "two kinds of last layer"),
    ],
)
def test_wrong_heads_are_refused(kwargs: dict[str, Any], message: str) -> None:
    """Factors that do not multiply to the number of actions, and two heads at once, raise an error."""
    with pytest.raises(ValueError, match=message):
        make_policy(**kwargs)


@pytest.mark.parametrize(
    "kwargs", [{}, {"factors": [2, 3]}, {"dropout": 0.3}, {"dueling": True}, {"dueling": True, "dropout": 0.3}]
)
def test_target_starts_as_a_copy(kwargs: dict[str, Any]) -> None:
    """The target network starts as a copy of the online network."""
    policy = make_policy(**kwargs)
    policy.set_training_mode(False)
    obs = th.rand(5, 4)
    assert th.equal(policy.q_net(obs), policy.q_net_target(obs))


def test_policy_saves_its_architecture(tmp_path: Any) -> None:
    """A policy saved alone loads with its dropout and its dueling head."""
    policy = make_policy(dropout=0.2, dueling=True, kaiming_init=True)
    policy.save(tmp_path / "policy")
    loaded = MaskableDQNPolicy.load(tmp_path / "policy")
    assert str(loaded.q_net.q_net) == str(policy.q_net.q_net)
    assert loaded.network_kwargs == policy.network_kwargs


def test_optimizer_is_fused_unless_told_otherwise() -> None:
    """Adam is fused by default, and settings given by the user win."""
    assert make_policy().optimizer.defaults["fused"] is True
    assert make_policy(optimizer_kwargs={"eps": 1e-5}).optimizer.defaults["fused"] is None
    assert isinstance(make_policy(optimizer_class=th.optim.SGD).optimizer, th.optim.SGD)


def test_dropout_must_be_a_probability() -> None:
    """A dropout outside of [0, 1) raises an error."""
    with pytest.raises(ValueError, match=r"dropout must be in \[0, 1\), not 10"):
        make_policy(dropout=10)

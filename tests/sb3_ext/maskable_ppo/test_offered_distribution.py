"""The distribution over the offered actions only, beside sb3-contrib's as what it must equal."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch as th
from few_offered import N_ACTIONS, agree, first_offered, some_masks
from sb3_contrib.common.maskable.distributions import MaskableCategoricalDistribution
from torch import nn

from sb3_ext.maskable_ppo.distributions import NOT_OFFERED, OfferedCategoricalDistribution

LATENT = 16
# Both sum the same products, in another order: some roundings apart, each of 1e-16 (float64) or 6e-8 (float32) of
# numbers of size 1 to 10.
DOUBLE = 1e-13
# Draws of a share p among n lie within 5 standard errors but once in 1.7 million times; the seed is fixed.
STANDARD_ERRORS = 5


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    th.set_num_threads(1)


def pair(
    masks: Any, rows: int = 32, dtype: th.dtype = th.float64
) -> tuple[OfferedCategoricalDistribution, MaskableCategoricalDistribution, nn.Linear, th.Tensor]:
    """Our distribution and sb3-contrib's, masked; their last layer, and its input."""
    th.manual_seed(1)
    ours, dense = OfferedCategoricalDistribution(N_ACTIONS), MaskableCategoricalDistribution(N_ACTIONS)
    net = ours.proba_distribution_net(LATENT).to(dtype)
    latent = th.randn(rows, LATENT, dtype=dtype, requires_grad=True)
    ours.proba_distribution_from_latent(latent, net)
    dense.proba_distribution(net(latent))
    if masks is not None:
        ours.apply_masking(masks)
        dense.apply_masking(masks)
    return ours, dense, net, latent


def gradients(distribution: Any, actions: th.Tensor, net: nn.Linear, latent: th.Tensor) -> list[th.Tensor]:
    """Of a sum of log-probabilities and entropies, each row with its own weight."""
    weights = th.linspace(-1, 2, len(latent), dtype=latent.dtype)
    loss = (weights * distribution.log_prob(actions) + weights**2 * distribution.entropy()).sum()
    return list(th.autograd.grad(loss, [net.weight, net.bias, latent]))


@pytest.mark.parametrize("most", [1, 2, 10])
@pytest.mark.parametrize("form", [np.asarray, lambda masks: th.as_tensor(masks, dtype=th.float32)], ids=["np", "float"])
def test_distribution_is_the_dense_one(most: int, form: Callable[[np.ndarray], Any]) -> None:
    """Log-probabilities, entropies and their gradients are those of sb3-contrib's distribution."""
    masks = some_masks(32, most)
    ours, dense, net, latent = pair(form(masks))
    actions = first_offered(masks)
    agree([ours.log_prob(actions), ours.entropy()], [dense.log_prob(actions), dense.entropy()], DOUBLE)
    assert th.equal(ours.mode(), dense.mode())
    agree(gradients(ours, actions, net, latent), gradients(dense, actions, net, latent), DOUBLE)
    # Whoever looks inside finds what sb3-contrib's own has inside: all actions, masked.
    agree([ours.distribution.probs], [dense.distribution.probs], DOUBLE)


def test_logits_of_other_actions_are_not_computed() -> None:
    """Logits are computed for feasible actions only."""
    ours, _, net, _ = pair(None)
    calls: list[nn.Module] = []
    net.register_forward_hook(lambda module, *_: calls.append(module))
    masks = some_masks(32, 10)
    ours.apply_masking(masks)
    ours.log_prob(ours.sample()), ours.entropy(), ours.mode()
    assert calls == []
    ours.apply_masking(some_masks(32, 100))
    ours.log_prob(ours.sample()), ours.entropy(), ours.mode()
    assert calls == [net]


NOTHING_IN_ROW_3 = some_masks(32, 5) & (np.arange(32) != 3)[:, None]


@pytest.mark.parametrize(
    "masks",
    [None, np.ones((32, N_ACTIONS), dtype=bool), some_masks(32, 100), NOTHING_IN_ROW_3],
    ids=["no masks", "all True", "many offered", "a row without any"],
)
def test_falls_back_to_the_dense_one(masks: np.ndarray | None) -> None:
    """Masks with many feasible actions, or with none, give the numbers of MlpPolicy."""
    ours, dense, net, latent = pair(masks)
    actions = th.zeros(32, dtype=th.int64) if masks is None else first_offered(masks)
    assert th.equal(ours.log_prob(actions), dense.log_prob(actions))
    assert th.equal(ours.entropy(), dense.entropy())
    assert th.equal(ours.mode(), dense.mode())
    agree(gradients(ours, actions, net, latent), gradients(dense, actions, net, latent), 0)
    draws = []
    for distribution in (ours, dense):
        th.manual_seed(3)
        draws.append(distribution.sample())
    assert th.equal(*draws)


def test_one_offered_action_is_certain() -> None:
    """The log-probability and the entropy of a forced action are 0, and so are their gradients."""
    masks = some_masks(32, 1)
    ours, _, net, latent = pair(masks)
    actions = first_offered(masks)
    assert th.equal(ours.sample(), actions)
    assert th.equal(ours.mode(), actions)
    assert not ours.log_prob(actions).any()
    assert not ours.entropy().any()
    assert not any(gradient.any() for gradient in gradients(ours, actions, net, latent))


def test_draws_have_their_probabilities() -> None:
    """Sampled actions have the frequencies of their probabilities."""
    n = 40_000
    masks = np.zeros((1, N_ACTIONS), dtype=bool)
    masks[0, [3, 50, 51, 199]] = True
    ours, _, net, _ = pair(np.repeat(masks, n, axis=0), rows=n)
    # The same row n times over: probabilities are proportional to 1, 2, 3 and 4, which sum to 10.
    with th.no_grad():
        net.weight.zero_()
        net.bias[[3, 50, 51, 199]] = th.tensor([1.0, 2.0, 3.0, 4.0], dtype=th.float64).log()
    ours.apply_masking(np.repeat(masks, n, axis=0))
    shares = np.bincount(ours.sample().numpy(), minlength=N_ACTIONS) / n
    expected = np.zeros(N_ACTIONS)
    expected[[3, 50, 51, 199]] = 0.1, 0.2, 0.3, 0.4
    # 0 where the probability is 0: exactly no draw.
    band = STANDARD_ERRORS * np.sqrt(expected * (1 - expected) / n)
    assert (np.abs(shares - expected) <= band).all()


def test_only_offered_actions_are_drawn() -> None:
    """Sampled and greedy actions are feasible."""
    for seed in range(50):
        masks = some_masks(64, 10, seed)
        ours, *_ = pair(masks, rows=64, dtype=th.float32)
        for actions in (ours.sample(), ours.mode()):
            assert masks[np.arange(64), actions].all()


def test_of_equals_the_lowest_is_greedy() -> None:
    """Ties are broken as by MlpPolicy, in favour of the lowest action."""
    masks = some_masks(32, 8)
    ours, _, net, _ = pair(None)
    with th.no_grad():
        net.weight.zero_()
        net.bias.zero_()
    ours.apply_masking(masks)
    assert th.equal(ours.mode(), first_offered(masks))


def test_an_action_that_is_not_offered_is_impossible() -> None:
    """An infeasible action has a log-probability of about -1e8, without a gradient."""
    masks = some_masks(32, 5)
    ours, dense, *_ = pair(masks, dtype=th.float32)
    actions = first_offered(~masks)
    assert th.equal(ours.log_prob(actions), th.full((32,), NOT_OFFERED))
    # The dense one's has been rounded twice; float32 numbers of this size are 8 apart.
    assert th.all((dense.log_prob(actions) - NOT_OFFERED).abs() <= 8)


def test_new_masks_replace_the_old() -> None:
    """New masks, and a new latent, replace the previous ones."""
    before, after = some_masks(32, 5, seed=1), some_masks(32, 9, seed=2)
    ours, dense, net, latent = pair(before)
    for masks in (after, None, np.ones_like(before), before):
        ours.apply_masking(masks)
        dense.apply_masking(masks)
        agree([ours.entropy()], [dense.entropy()], DOUBLE)
    # So do new states, and logits given outright.
    ours.proba_distribution_from_latent(2 * latent, net)
    agree([ours.entropy()], [dense.proba_distribution(net(2 * latent)).entropy()], DOUBLE)
    ours.apply_masking(before)
    ours.proba_distribution(net(latent)).apply_masking(after)
    dense.proba_distribution(net(latent)).apply_masking(after)
    assert th.equal(ours.entropy(), dense.entropy())


def test_mistakes_are_told() -> None:
    """Masks of the wrong shape, use before any input and nan raise an error."""
    ours, _, net, latent = pair(None)
    with pytest.raises(RuntimeError, match="shape"):
        ours.apply_masking(some_masks(31, 5))
    with pytest.raises(AttributeError, match="neither logits nor what they are computed from"):
        OfferedCategoricalDistribution(N_ACTIONS).entropy()
    ours.proba_distribution_from_latent(latent * th.nan, net).apply_masking(some_masks(32, 5))
    with pytest.raises(RuntimeError, match="nan"):
        ours.sample()

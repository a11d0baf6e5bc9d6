"""Prioritized replay against the paper's equations."""

from typing import Any

import numpy as np
import pytest
from replay_rows import add, make
from scipy.stats import chisquare, kstest

from sb3_ext.replay import LOSS_ADJUSTED, PrioritizedReplayBuffer


def make_prioritized(**kwargs: Any) -> PrioritizedReplayBuffer:
    """Eight transitions of one environment."""
    buffer: PrioritizedReplayBuffer = make(capacity=8, cls=PrioritizedReplayBuffer, **kwargs)
    add(buffer, *[(t, 1.0, "") for t in range(8)])
    return buffer


ERRORS = np.array([0.5, -1.0, 0.02, 3.0, -0.1, 9.0, 0.7, 2.0])


def probabilities(errors: np.ndarray, alpha: float = 0.6, epsilon: float = 1e-6) -> np.ndarray:
    """Equation (2)."""
    powers = (np.abs(errors) + epsilon) ** alpha
    return powers / powers.sum()


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0])
def test_frequencies_are_those_of_equation_2(alpha: float) -> None:
    """
    Transitions are drawn with the probabilities P(i). Draws are independent, so that the p-values of chi-square
    tests over many seeds must spread uniformly: no single seed decides.
    """
    p_values = []
    for seed in range(60):
        buffer = make_prioritized(alpha=alpha, seed=seed)
        buffer.update_priorities(np.arange(8), ERRORS)
        counts = np.bincount(np.concatenate([buffer.draw(100).rows for _ in range(40)]), minlength=8)
        p_values.append(chisquare(counts, 4000 * probabilities(ERRORS, alpha)).pvalue)
    assert kstest(p_values, "uniform").pvalue > 0.01
    assert min(p_values) > 1e-5


def test_frequencies_with_several_environments() -> None:
    """Priorities belong to their own environment's transitions."""
    buffer: PrioritizedReplayBuffer = make(capacity=8, n_envs=2, cls=PrioritizedReplayBuffer)
    add(buffer, *[((t, 0.0, ""), (t + 100, 0.0, "")) for t in range(4)])
    buffer.update_priorities(np.arange(8), ERRORS)
    batches = [buffer.draw(100) for _ in range(300)]
    states = np.concatenate([batch.observations[:, 0] for batch in batches])
    # Row 2 t + e holds environment e's state t, or t + 100.
    counts = [np.count_nonzero(states == row // 2 + 100 * (row % 2)) for row in range(8)]
    assert chisquare(counts, 30_000 * probabilities(ERRORS)).pvalue > 0.001


def test_weights_are_equation_3() -> None:
    """Importance weights are (N P(i))^-beta with N the stored transitions."""
    buffer = make_prioritized(normalize_weights=False, beta=0.4)
    buffer.update_priorities(np.arange(8), ERRORS)
    batch = buffer.draw(50)
    assert batch.weights == pytest.approx((8 * probabilities(ERRORS)[batch.rows]) ** -0.4, rel=1e-6)


def test_loss_adjusted_gradients_are_those_of_squared_errors() -> None:
    """
    Of errors up to 1, Huber's expected gradient under loss-adjusted draws is in one proportion to that of squared
    errors under uniform draws; larger ones count with their power of alpha, and weights are all 1.
    """
    buffer = make_prioritized(**LOSS_ADJUSTED, epsilon=0.0)
    buffer.update_priorities(np.arange(8), ERRORS)
    drawn = buffer.tree.values(np.arange(8))
    gradients = drawn * np.clip(ERRORS, -1.0, 1.0)
    small = np.abs(ERRORS) <= 1.0
    assert gradients[small] == pytest.approx(ERRORS[small])
    assert gradients[~small] == pytest.approx(np.sign(ERRORS[~small]) * np.abs(ERRORS[~small]) ** 0.4)
    assert buffer.draw(50).weights == pytest.approx(np.ones(50))
    assert buffer.beta == 0.0


def test_n_counts_stored_transitions_only() -> None:
    """In a buffer that is not full N counts stored transitions only."""
    buffer: PrioritizedReplayBuffer = make(capacity=1000, cls=PrioritizedReplayBuffer, normalize_weights=False)
    add(buffer, *[(t, 1.0, "") for t in range(8)])
    assert buffer.draw(10).weights == pytest.approx(np.ones(10))


def test_normalized_weights() -> None:
    """By default weights are divided by the largest of the batch."""
    buffer, exact = make_prioritized(), make_prioritized(normalize_weights=False)
    for each in (buffer, exact):
        each.update_priorities(np.arange(8), ERRORS)
    weights, reference = buffer.draw(50).weights, exact.draw(50).weights
    assert weights is not None
    assert reference is not None
    assert weights.max() == 1.0
    assert weights == pytest.approx(reference / reference.max(), rel=1e-6)


def test_beta_grows_by_sampling() -> None:
    """Beta starts at 0.4, grows by 1e-4 with each batch and stops at 1."""
    buffer = make_prioritized()
    buffer.draw(4)
    assert buffer.beta == pytest.approx(0.4001)
    buffer.beta = 0.99995
    buffer.draw(4)
    buffer.draw(4)
    assert buffer.beta == 1.0


def test_priorities_are_clamped() -> None:
    """Priorities stay within their limits."""
    buffer = make_prioritized()
    buffer.update_priorities(np.arange(4), np.array([0.0, 0.003, -1000.0, 5.0]))
    assert buffer.tree.values(np.arange(4)) == pytest.approx((np.array([0.01, 0.01, 10.0, 5.0]) + 1e-6) ** 0.6)
    assert buffer.largest_priority == 10.0


def test_new_transitions_get_the_largest_priority() -> None:
    """New transitions get the largest priority known."""
    buffer = make_prioritized()
    assert buffer.tree.values(np.arange(8)) == pytest.approx((1.0 + 1e-6) ** 0.6)
    buffer.update_priorities(np.array([0, 1]), np.array([3.0, 0.5]))
    add(buffer, (8, 1.0, ""))  # Overwrites row 0.
    assert buffer.tree.values(np.array([0])) == pytest.approx((3.0 + 1e-6) ** 0.6)
    assert buffer.largest_priority == 3.0


def test_priorities_belong_to_the_sampled_rows() -> None:
    """After wrap-around and with several environments, TD errors set the priorities of the rows that were drawn."""
    buffer: PrioritizedReplayBuffer = make(capacity=4, n_envs=3, cls=PrioritizedReplayBuffer)
    add(buffer, *[((t, 0.0, ""), (t + 100, 0.0, ""), (t + 200, 0.0, "")) for t in range(6)])
    batch = buffer.draw(64)
    errors = batch.observations[:, 0].astype(float) / 100 + 0.02
    buffer.update_priorities(batch.rows, errors)
    assert buffer.tree.values(batch.rows) == pytest.approx((errors + 1e-6) ** 0.6)


def test_diverged_training_is_reported() -> None:
    """A nan among the TD errors raises an error."""
    with pytest.raises(ValueError, match="td_errors must not be nan"):
        make_prioritized().update_priorities(np.array([0]), np.array([np.nan]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alpha": 1.5}, "alpha must be in"),
        ({"beta": -0.1}, "beta must be in"),
        ({"epsilon": -1.0}, "epsilon must be at least 0"),
        ({"beta_increment": -1.0}, "beta_increment must be at least 0"),
        ({"min_priority": 0.0}, "min_priority must be above 0"),
        ({"min_priority": 20.0}, "at most max_priority"),
    ],
)
def test_refused_settings(arguments: dict[str, float], message: str) -> None:
    """Settings out of range raise an error."""
    with pytest.raises(ValueError, match=message):
        make_prioritized(**arguments)


@pytest.mark.parametrize("n_steps", [1, 3])
def test_compiled_draws_are_the_same(n_steps: int) -> None:
    """Draws and priorities are equal to the bit with and without Numba."""
    pytest.importorskip("numba")
    settings = {"capacity": 50, "n_envs": 3, "cls": PrioritizedReplayBuffer, "n_steps": n_steps}
    buffers, rng = [make(**settings, compiled=compiled) for compiled in (True, False)], np.random.default_rng(0)
    for t in range(70):
        errors = rng.standard_normal(16)
        for buffer in buffers:
            add(buffer, ((t, 1.0, ""), (t + 100, 2.0, "trunc" if t % 9 == 0 else ""), (t + 200, 3.0, "")))
        ours, theirs = (buffer.draw(16) for buffer in buffers)
        for field, other in zip(ours, theirs, strict=True):
            assert field.tobytes() == other.tobytes()
        for buffer in buffers:
            buffer.update_priorities(ours.rows, errors)
    assert buffers[0].tree._nodes.tobytes() == buffers[1].tree._nodes.tobytes()


def test_reset_forgets_priorities() -> None:
    """After a reset only new transitions are drawn."""
    buffer = make_prioritized()
    buffer.update_priorities(np.arange(8), ERRORS)
    buffer.reset()
    assert buffer.size() == 0
    assert buffer.largest_priority == 1.0
    add(buffer, (50, 1.0, ""), (51, 1.0, ""))
    assert set(buffer.draw(200).observations[:, 0]) == {50.0, 51.0}


def test_priorities_are_the_limited_errors() -> None:
    """priorities() gives the limited TD errors of stored transitions."""
    buffer = make_prioritized(epsilon=0.25)
    buffer.update_priorities(np.arange(7), ERRORS[:7])
    # Limited to [0.01, 10]; the last transition still has the largest priority known.
    expected = [0.5, 1.0, 0.02, 3.0, 0.1, 9.0, 0.7, 1.0]
    assert buffer.priorities(at_most=100) == pytest.approx(expected)
    # Rows 0, 3 and 6.
    assert buffer.priorities(at_most=3) == pytest.approx([0.5, 3.0, 0.7])
    assert len(buffer.priorities(at_most=8)) == 8

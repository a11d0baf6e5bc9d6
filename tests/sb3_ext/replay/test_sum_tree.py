"""The sum tree against brute force."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from sb3_ext.replay import backend
from sb3_ext.replay.sum_tree import MAX_STALE, SumTree

HAS_NUMBA = importlib.util.find_spec("numba") is not None
COMPILED = [False, pytest.param(True, marks=pytest.mark.skipif(not HAS_NUMBA, reason="Numba is not installed"))]


def test_drawn_tree() -> None:
    """
    Every node is the sum of its children, and a search finds the leaf of a prefix sum.

            10
          3     7
        1  2   3  4      leaves 0 to 3
    """
    tree = SumTree(4)
    tree.update(np.arange(4), np.array([1.0, 2.0, 3.0, 4.0]))
    assert tree.total == 10.0
    assert tree._nodes[1:].tolist() == [10.0, 3.0, 7.0, 1.0, 2.0, 3.0, 4.0]
    found = tree.find(np.array([0.0, 0.99, 1.0, 2.99, 3.0, 5.99, 6.0, 9.99]))
    assert found.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("compiled", COMPILED)
@pytest.mark.parametrize("capacity", [1, 2, 3, 5, 64, 1000])
def test_against_brute_force(capacity: int, compiled: bool) -> None:
    """Sums and searches equal brute force for any capacity, powers of two or not."""
    rng = np.random.default_rng(capacity)
    tree, leaves = SumTree(capacity, compiled), np.zeros(capacity)
    for _ in range(30):
        indices = rng.integers(capacity, size=7)
        values = rng.random(7) * (rng.random(7) < 0.7) + 1e-3
        tree.update(indices, values)
        leaves[indices] = values
        assert tree.total == pytest.approx(leaves.sum(), rel=1e-12)
        assert np.array_equal(tree.values(np.arange(capacity)), leaves)
        x = rng.random(50) * tree.total
        assert np.array_equal(tree.find(x), np.searchsorted(np.cumsum(leaves), x, side="right"))


def test_repeated_index_keeps_the_last_value() -> None:
    """Of an index that occurs twice in an update the last value counts, in the leaf and in the sums."""
    tree = SumTree(8)
    tree.update(np.array([3, 3, 3]), np.array([5.0, 7.0, 2.0]))
    assert tree.total == 2.0
    assert tree.values(np.array([3])).tolist() == [2.0]


def test_no_drift() -> None:
    """After many updates the sums are those of a fresh tree."""
    rng = np.random.default_rng(0)
    tree, fresh = SumTree(100), SumTree(100)
    for _ in range(5000):
        tree.update(rng.integers(100, size=4), 10.0 ** rng.integers(-8, 8, size=4))
        _ = tree.total
    fresh.update(np.arange(100), tree.values(np.arange(100)))
    assert tree.total == fresh.total
    assert np.array_equal(tree._nodes, fresh._nodes)


@pytest.mark.parametrize("compiled", COMPILED)
def test_zero_leaf_is_never_found(compiled: bool) -> None:
    """A leaf of value zero is never found, whatever rounding does."""
    tree = SumTree(1000, compiled)
    tree.update(np.arange(777), np.random.default_rng(0).random(777) + 1e-9)
    edge = tree.total
    assert tree.find(np.array([edge, np.nextafter(edge, 0.0), edge * (1 + 1e-12)])).max() == 776


def test_many_updates_before_a_search() -> None:
    """The list of stale leaves stays bounded, and none of them is lost."""
    tree = SumTree(MAX_STALE)
    for i in range(MAX_STALE):
        tree.update(np.array([i, i // 2]), np.array([1.0, 1.0]))
        assert tree._n_stale <= MAX_STALE
    assert tree.total == MAX_STALE


def test_capacity_must_be_positive() -> None:
    """A capacity below 1 raises an error."""
    with pytest.raises(ValueError, match="capacity must be at least 1, not 0"):
        SumTree(0)


def test_draw_is_a_search_for_a_share_of_the_total() -> None:
    """A draw gives the leaf that the uniform number points to, its value and the total."""
    tree = SumTree(4)
    tree.update(np.arange(4), np.array([1.0, 2.0, 3.0, 4.0]))
    leaves, values, total = tree.draw(np.array([0.0, 0.25, 0.35, 0.99]))
    assert leaves.tolist() == [0, 1, 2, 3]
    assert values.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert total == 10.0


@pytest.mark.skipif(not HAS_NUMBA, reason="Numba is not installed")
@pytest.mark.parametrize("capacity", [1, 2, 7, 1000, 100_000])
def test_compiled_is_the_same_to_the_bit(capacity: int) -> None:
    """The compiled and the numpy functions give the same numbers to the bit."""
    rng = np.random.default_rng(capacity)
    compiled, plain = SumTree(capacity, compiled=True), SumTree(capacity, compiled=False)
    for _ in range(60):
        n = int(rng.integers(1, 300))
        # Rows that repeat, values of all magnitudes, and one in five zero.
        indices = rng.integers(capacity, size=n)
        values = rng.random(n) * 10.0 ** rng.integers(-8, 8, size=n) * (rng.random(n) < 0.8)
        for tree in (compiled, plain):
            tree.update(indices, values)
        if rng.random() < 0.5 or plain.total == 0.0:
            continue
        uniforms = np.append(rng.random(50), [0.0, np.nextafter(1.0, 0.0)])
        for ours, theirs in zip(compiled.draw(uniforms.copy()), plain.draw(uniforms.copy()), strict=True):
            assert np.array_equal(ours, theirs)
        assert np.array_equal(compiled.find(uniforms * plain.total), plain.find(uniforms * plain.total))
        assert compiled._nodes.tobytes() == plain._nodes.tobytes()


def test_works_without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Numba the numpy functions are used."""
    backend.load_kernels.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    try:
        assert backend.load_kernels().__name__ == "sb3_ext.replay.numpy_kernels"
        tree = SumTree(4, compiled=True)
        tree.update(np.arange(4), 1.0)
        assert tree.find(np.array([2.5])).tolist() == [2]
    finally:
        backend.load_kernels.cache_clear()


def test_numba_is_imported_when_needed_only() -> None:
    """Importing the package does not import Numba, which takes a second."""
    code = "import sb3_ext, sys; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("compiled", [True, False])
def test_misuse_is_named(compiled: bool) -> None:
    """Negative values, values that are no numbers, and draws while all values are 0 raise an error."""
    tree = SumTree(4, compiled)
    for values in (-1.0, float("nan"), np.array([1.0, -0.5]), np.array([np.nan, 1.0])):
        with pytest.raises(ValueError, match="values must be at least 0, not"):
            tree.update(np.array([0, 1]), values)
    assert tree.total == 0.0
    for draw in (tree.draw, tree.find):
        with pytest.raises(ValueError, match="nothing can be drawn while all values are 0"):
            draw(np.array([0.5]))
    tree.update(np.array([], dtype=np.int64), np.array([]))
    tree.update(np.array([2]), 1.0)
    assert tree.draw(np.array([0.5]))[0].tolist() == [2]

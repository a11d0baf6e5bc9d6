"""A sum tree: draws from a changing discrete distribution in logarithmic time."""

import numpy as np

# How many changed leaves may wait for the sums above them, so that what waits cannot grow for ever.
MAX_STALE = 4096


class SumTree:
    """
    Complete binary tree over non-negative numbers, in which every node is the sum of its two children.

    The tree is one flat array: the root at 1, the children of node k at 2k and 2k + 1, the leaves in the last
    half. Whole batches go up or down it together, one level at a time, without a Python loop over samples.

    Sums are float64 and never adjusted by differences: a parent is recomputed from its children, so that no
    rounding error builds up however often the leaves change. Sums are brought up to date only when they are
    next read: the single leaf that each environment step writes then costs almost nothing.

    :param capacity: Number of leaves, at least 1
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"SumTree: capacity must be at least 1, not {capacity}.")
        self.capacity = capacity
        self.depth = (capacity - 1).bit_length()
        self._first_leaf = 1 << self.depth
        self._nodes = np.zeros(2 * self._first_leaf, dtype=np.float64)
        self._stale: list[np.ndarray] = []
        self._n_stale = 0

    def update(self, indices: np.ndarray, values: np.ndarray | float) -> None:
        """
        Set leaves.

        :param indices: (n,) int, leaves in [0, capacity); of one that occurs twice the last value counts
        :param values: (n,) float or one float for all, finite and at least 0
        """
        nodes = indices + self._first_leaf
        self._nodes[nodes] = values
        self._stale.append(nodes)
        self._n_stale += len(nodes)
        if self._n_stale > MAX_STALE:
            self._refresh()

    def values(self, indices: np.ndarray) -> np.ndarray:
        """
        Read leaves.

        :param indices: (n,) int, leaves in [0, capacity)
        :return: (n,) float64
        """
        return self._nodes[indices + self._first_leaf]

    @property
    def total(self) -> float:
        """Sum of all leaves."""
        self._refresh()
        return float(self._nodes[1])

    def find(self, prefix_sums: np.ndarray) -> np.ndarray:
        """
        For each number x the leaf i with ``sum(leaves[:i]) <= x < sum(leaves[:i + 1])``.

        Uniform numbers times :attr:`total` so become draws in proportion to the leaves. A leaf of value zero
        is never found, not even if rounding carries x past the last leaf that counts.

        :param prefix_sums: (n,) float64, in [0, total)
        :return: (n,) int, leaves
        """
        self._refresh()
        children = self._nodes.reshape(-1, 2)
        rest = np.array(prefix_sums, dtype=np.float64)
        node = np.ones(len(rest), dtype=np.intp)
        for _ in range(self.depth):
            pair = children.take(node, axis=0)
            left = pair[:, 0]
            go_right = (rest >= left) & (pair[:, 1] > 0.0)
            rest -= left * go_right
            node += node
            node += go_right
        return node - self._first_leaf

    def _refresh(self) -> None:
        """Recompute all sums above the leaves that changed."""
        if not self._stale:
            return
        children = self._nodes.reshape(-1, 2)
        node = np.concatenate(self._stale)
        for _ in range(self.depth):
            node >>= 1
            pair = children.take(node, axis=0)
            self._nodes[node] = pair[:, 0] + pair[:, 1]
        self._stale.clear()
        self._n_stale = 0

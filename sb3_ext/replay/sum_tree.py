"""A sum tree: draws from a changing discrete distribution in logarithmic time."""

from types import ModuleType

import numpy as np

from sb3_ext.replay.backend import load_kernels

# Changed leaves whose sums may be out of date; bounds the list of them.
MAX_STALE = 4096
NO_NODES = np.empty(0, dtype=np.int64)


class SumTree:
    """
    Complete binary tree over non-negative numbers, in which every node is the sum of its two children.

    The tree is one flat array: the root at 1, the children of node k at 2k and 2k + 1, the leaves in the last
    half. Whole batches move up or down together, one level at a time.

    Sums are float64 and never updated by differences: a parent is recomputed from its children, so that no
    rounding error accumulates however often the leaves change. Sums are brought up to date only when they are
    next read, so that writing a single leaf in each environment step costs almost nothing.

    :param capacity: Number of leaves, at least 1
    :param compiled: Whether to use Numba where it is installed; all numbers are the same to the bit
    """

    def __init__(self, capacity: int, compiled: bool = True) -> None:
        if capacity < 1:
            raise ValueError(f"SumTree: capacity must be at least 1, not {capacity}.")
        self.capacity = capacity
        self.compiled = compiled
        self.depth = (capacity - 1).bit_length()
        self._first_leaf = 1 << self.depth
        self._nodes = np.zeros(2 * self._first_leaf, dtype=np.float64)
        self._stale: list[np.ndarray] = []
        self._n_stale = 0

    def _kernels(self) -> ModuleType:
        return load_kernels(self.compiled)

    def update(self, indices: np.ndarray, values: np.ndarray | float) -> None:
        """
        Set leaves.

        :param indices: (n,) int, leaves in [0, capacity); of one that occurs twice the last value counts
        :param values: (n,) float or one float for all, finite and at least 0
        :raises ValueError: a value is negative or not a number
        """
        # A comparison that nan fails.
        least = values.min(initial=0.0) if isinstance(values, np.ndarray) else values
        if not least >= 0.0:
            raise ValueError(f"SumTree: values must be at least 0, not {least}.")
        self.write(indices, values)

    def write(self, indices: np.ndarray, values: np.ndarray | float) -> None:
        """
        :meth:`update` without its check, which takes a fifth of its time, for values known to be right.

        :param indices: (n,) int, leaves in [0, capacity)
        :param values: (n,) float or one float for all, finite and at least 0
        """
        nodes = np.asarray(indices, dtype=np.int64) + self._first_leaf
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
        leaves: np.ndarray = self._nodes[indices + self._first_leaf]
        return leaves

    @property
    def total(self) -> float:
        """Sum of all leaves."""
        self._refresh()
        return float(self._nodes[1])

    def find(self, prefix_sums: np.ndarray) -> np.ndarray:
        """
        For each number x the leaf i with ``sum(leaves[:i]) <= x < sum(leaves[:i + 1])``.

        A leaf of value zero is never found, not even if rounding carries x past the last leaf that counts.

        :param prefix_sums: (n,) float64, in [0, total)
        :return: (n,) int64, leaves
        :raises ValueError: all values are 0
        """
        self._refresh()
        self._check_not_empty(self._nodes[1])
        found: np.ndarray = self._kernels().find(self._nodes, self.depth, np.array(prefix_sums, dtype=np.float64))
        return found

    def draw(self, uniforms: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """
        Draw leaves in proportion to their values, by :meth:`find` of uniform numbers times :attr:`total`.

        :param uniforms: (B,) float64, uniform numbers in [0, 1), overwritten
        :return: (B,) int64 leaves, (B,) float64 their values, the sum of all leaves
        :raises ValueError: all values are 0
        """
        drawn: tuple[np.ndarray, np.ndarray, float] = self._kernels().draw(
            self._nodes, self.depth, self._take_stale(), uniforms
        )
        self._check_not_empty(drawn[2])
        return drawn

    @staticmethod
    def _check_not_empty(total: float) -> None:
        if total == 0.0:
            raise ValueError("SumTree: nothing can be drawn while all values are 0.")

    def _take_stale(self) -> np.ndarray:
        """The leaves (n,) int64 that changed, as nodes; forgets them."""
        changed = self._stale[0] if len(self._stale) == 1 else np.concatenate([NO_NODES, *self._stale])
        self._stale.clear()
        self._n_stale = 0
        return changed

    def _refresh(self) -> None:
        """Recompute all sums above the leaves that changed."""
        if self._stale:
            self._kernels().refresh(self._nodes, self.depth, self._take_stale())

"""The loops of prioritized replay, compiled; see :func:`~sb3_ext.replay.backend.load_kernels`."""

import numba
import numpy as np
from numpy.typing import NDArray

njit = numba.njit(cache=True, nogil=True)


@njit  # type: ignore[untyped-decorator]
def refresh(nodes: NDArray[np.float64], depth: int, changed: NDArray[np.int64]) -> None:
    """
    Recompute all sums above leaves that changed.

    :param nodes: (n_nodes,) float64, the tree
    :param depth: Levels below the root
    :param changed: (n,) int64, nodes of leaves, overwritten
    """
    for _ in range(depth):
        for i in range(len(changed)):
            node = changed[i] >> 1
            nodes[node] = nodes[2 * node] + nodes[2 * node + 1]
            changed[i] = node


@njit  # type: ignore[untyped-decorator]
def find(nodes: NDArray[np.float64], depth: int, rest: NDArray[np.float64]) -> NDArray[np.int64]:
    """
    Find the leaves of prefix sums; see :meth:`~sb3_ext.replay.sum_tree.SumTree.find`.

    :param nodes: (n_nodes,) float64, the tree
    :param depth: Levels below the root
    :param rest: (n,) float64, prefix sums, overwritten
    :return: (n,) int64, leaves
    """
    found = np.ones(len(rest), np.int64)
    # Level by level rather than number by number, so that memory accesses overlap. The child is chosen by arithmetic
    # since half of all branches would be mispredicted.
    for _ in range(depth):
        for i in range(len(rest)):
            child = 2 * found[i]
            left = nodes[child]
            go_right = (rest[i] >= left) & (nodes[child + 1] > 0.0)
            rest[i] -= left * go_right
            found[i] = child + go_right
    for i in range(len(found)):
        found[i] -= 1 << depth
    return found


@njit  # type: ignore[untyped-decorator]
def draw(
    nodes: NDArray[np.float64], depth: int, changed: NDArray[np.int64], uniforms: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], float]:
    """
    Draw leaves in proportion to their values, in a single call, since a call costs as much as many draws.

    :param nodes: (n_nodes,) float64, the tree
    :param depth: Levels below the root
    :param changed: (n,) int64, nodes of leaves whose sums are not up to date, overwritten
    :param uniforms: (B,) float64 in [0, 1), overwritten
    :return: (B,) leaves, (B,) their values, the sum of all leaves
    """
    refresh(nodes, depth, changed)
    total = nodes[1]
    for i in range(len(uniforms)):
        uniforms[i] *= total
    found = find(nodes, depth, uniforms)
    values = np.empty(len(found), np.float64)
    for i in range(len(found)):
        values[i] = nodes[found[i] + (1 << depth)]
    return found, values, total

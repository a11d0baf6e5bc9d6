"""
The loops of the sum tree, compiled. Each is the twin of some lines of :mod:`~sb3_ext.replay.sum_tree` and gives the
same numbers to the bit.
"""

import numba
import numpy as np
from numpy.typing import NDArray

njit = numba.njit(cache=True, nogil=True)


@njit
def refresh(nodes: NDArray[np.float64], depth: int, changed: NDArray[np.int64]) -> None:
    """
    Twin of ``SumTree._refresh``.

    :param nodes: (n_nodes,) float64, the tree
    :param depth: Levels below the root
    :param changed: (n,) int64, nodes of leaves, overwritten
    """
    n_changed = len(changed)
    for _ in range(depth):
        n_parents, previous = 0, 0
        for i in range(n_changed):
            node = changed[i] >> 1
            # Neighbours, as the environments write them in one step, share all but a few of their ancestors.
            if node != previous:
                nodes[node] = nodes[2 * node] + nodes[2 * node + 1]
                changed[n_parents] = node
                n_parents += 1
                previous = node
        n_changed = n_parents


@njit
def find(nodes: NDArray[np.float64], depth: int, rest: NDArray[np.float64]) -> NDArray[np.int64]:
    """
    Twin of ``SumTree._search``.

    :param nodes: (n_nodes,) float64, the tree
    :param depth: Levels below the root
    :param rest: (n,) float64, prefix sums, overwritten
    :return: (n,) int64, leaves
    """
    found = np.ones(len(rest), np.int64)
    # Level by level, not number by number: the processor then waits for many numbers' memory at once.
    for _ in range(depth):
        for i in range(len(rest)):
            child = 2 * found[i]
            left = nodes[child]
            go_right = (rest[i] >= left) & (nodes[child + 1] > 0.0)
            rest[i] -= left if go_right else 0.0
            found[i] = child + go_right
    for i in range(len(found)):
        found[i] -= 1 << depth
    return found


@njit
def draw(
    nodes: NDArray[np.float64], depth: int, changed: NDArray[np.int64], uniforms: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], float]:
    """
    Twin of ``SumTree.draw``: all in one call, since a call costs as much as many draws.

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

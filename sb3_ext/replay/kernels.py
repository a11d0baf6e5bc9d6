"""
The loops of prioritized replay, compiled. Each is the twin of some lines of :mod:`~sb3_ext.replay.sum_tree` or
:mod:`~sb3_ext.replay.prioritized` and gives the same numbers to the bit. Powers are left to numpy, since their last
bit depends on who computes them.
"""

from typing import Any

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
    for _ in range(depth):
        for i in range(len(changed)):
            node = changed[i] >> 1
            nodes[node] = nodes[2 * node] + nodes[2 * node + 1]
            changed[i] = node


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
    # Level by level, not number by number: the processor then waits for many numbers' memory at once. For the same
    # reason the choice of a child is arithmetic: half of all branches would be guessed wrong, and begun again.
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


@njit
def limited(td_errors: NDArray[Any], smallest: float, largest: float) -> tuple[NDArray[np.float64], float]:
    """
    Twin of ``limited`` in :mod:`~sb3_ext.replay.prioritized`.

    :param td_errors: (B,) float
    :param smallest: Lower limit
    :param largest: Upper limit
    :return: (B,) float64, absolute values within the limits; the largest of them, nan if any is nan
    """
    values = np.empty(len(td_errors), np.float64)
    top = smallest
    for i in range(len(td_errors)):
        # Of nan all comparisons are false: it stays, and once it is the largest it remains so.
        value = abs(np.float64(td_errors[i]))
        limited_value = smallest if value < smallest else largest if value > largest else value
        values[i] = limited_value
        if limited_value > top or value != value:
            top = limited_value
    return values, top

"""The loops of prioritized replay, compiled; see :func:`~sb3_ext.replay.backend.load_kernels`."""

import numba
import numpy as np
from numpy.typing import NDArray

njit = numba.njit(cache=True, nogil=True)


@njit  # type: ignore[untyped-decorator]
def refresh(nodes: NDArray[np.float64], depth: int, changed: NDArray[np.int64]) -> None:
    """See :func:`sb3_ext.replay.numpy_kernels.refresh`."""
    for _ in range(depth):
        for i in range(len(changed)):
            node = changed[i] >> 1
            nodes[node] = nodes[2 * node] + nodes[2 * node + 1]
            changed[i] = node


@njit  # type: ignore[untyped-decorator]
def find(nodes: NDArray[np.float64], depth: int, rest: NDArray[np.float64]) -> NDArray[np.int64]:
    """See :func:`sb3_ext.replay.numpy_kernels.find`."""
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
    """See :func:`sb3_ext.replay.numpy_kernels.draw`; a single call, since a call costs as much as many draws."""
    refresh(nodes, depth, changed)
    total = nodes[1]
    for i in range(len(uniforms)):
        uniforms[i] *= total
    found = find(nodes, depth, uniforms)
    values = np.empty(len(found), np.float64)
    for i in range(len(found)):
        values[i] = nodes[found[i] + (1 << depth)]
    return found, values, total

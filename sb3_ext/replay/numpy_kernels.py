"""The loops of prioritized replay over whole batches, one level of the tree at a time, in numpy."""

import numpy as np
from numpy.typing import NDArray


def refresh(nodes: NDArray[np.float64], depth: int, changed: NDArray[np.int64]) -> None:
    """
    Recompute all sums above leaves that changed.

    :param nodes: (n_nodes,) float64, the tree
    :param depth: Levels below the root
    :param changed: (n,) int64, nodes of leaves, overwritten
    """
    children = nodes.reshape(-1, 2)
    for _ in range(depth):
        changed >>= 1
        pair = children.take(changed, axis=0)
        nodes[changed] = pair[:, 0] + pair[:, 1]


def find(nodes: NDArray[np.float64], depth: int, rest: NDArray[np.float64]) -> NDArray[np.int64]:
    """
    Find the leaves of prefix sums; see :meth:`~sb3_ext.replay.sum_tree.SumTree.find`.

    :param nodes: (n_nodes,) float64, the tree
    :param depth: Levels below the root
    :param rest: (n,) float64, prefix sums, overwritten
    :return: (n,) int64, leaves
    """
    children = nodes.reshape(-1, 2)
    node = np.ones(len(rest), dtype=np.int64)
    for _ in range(depth):
        pair = children.take(node, axis=0)
        left = pair[:, 0]
        go_right = (rest >= left) & (pair[:, 1] > 0.0)
        rest -= left * go_right
        node += node
        node += go_right
    return node - (1 << depth)


def draw(
    nodes: NDArray[np.float64], depth: int, changed: NDArray[np.int64], uniforms: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], float]:
    """
    Draw leaves in proportion to their values.

    :param nodes: (n_nodes,) float64, the tree
    :param depth: Levels below the root
    :param changed: (n,) int64, nodes of leaves whose sums are not up to date, overwritten
    :param uniforms: (B,) float64 in [0, 1), overwritten
    :return: (B,) leaves, (B,) their values, the sum of all leaves
    """
    refresh(nodes, depth, changed)
    total = float(nodes[1])
    uniforms *= total
    found = find(nodes, depth, uniforms)
    return found, nodes[found + (1 << depth)], total

"""Binary heaps of whole numbers in a part of an array, smallest first."""

from __future__ import annotations

from echo_env.common.jit import njit


@njit
def push(key, heap, begin, size):
    """Add a number.

    :param key: the number
    :param heap: array that holds the heap
    :param begin: where it begins there
    :param size: how many numbers it has; the caller counts them
    """
    k = size
    while k > 0:
        above = (k - 1) >> 1
        if heap[begin + above] <= key:
            break
        heap[begin + k] = heap[begin + above]
        k = above
    heap[begin + k] = key


@njit
def pop(heap, begin, size):
    """Take the smallest number, which is at ``heap[begin]``, out. Parameters as in :func:`push`."""
    left = size - 1
    key = heap[begin + left]
    k = 0
    while True:
        below = 2 * k + 1
        if below >= left:
            break
        if below + 1 < left and heap[begin + below + 1] < heap[begin + below]:
            below += 1
        if heap[begin + below] >= key:
            break
        heap[begin + k] = heap[begin + below]
        k = below
    heap[begin + k] = key

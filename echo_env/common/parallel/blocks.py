"""Tasks in blocks, so large that sending them costs little, and so small that workers end together."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Container, Sequence
from statistics import median

from echo_env.common.parallel.sending import Block, Done

BLOCK_S = 1.0
"""Seconds that a block is to take: sending one costs some 10 ms, of which this is 1 %. Progress is told as often."""
_SHARE = 3
"""A block is no more than this part of what each worker has left to do, so that none is long alone at the end."""


class Blocks:
    """The tasks that have no result yet, block by block.

    joblib's own batches are measured from sending to arriving, so that a queue of short tasks looks like long ones.

    :param tasks: pickled
    :param results: those that are there, by number
    :param slots: how many blocks are worked on at a time
    """

    def __init__(self, tasks: Sequence[bytes], results: Container[int], slots: int) -> None:
        self._tasks, self._slots = tasks, slots
        self._left = deque(number for number in range(len(tasks)) if number not in results)
        # The first ones take longer: workers import and load compiled code.
        self._seconds: deque[float] = deque(maxlen=20)
        self.begun: set[int] = set()
        """The numbers of the tasks that were asked for."""

    def __iter__(self) -> Blocks:
        return self

    def __next__(self) -> Block:
        if not self._left:
            raise StopIteration
        numbers = [self._left.popleft() for _ in range(min(self._size(), len(self._left)))]
        self.begun.update(numbers)
        return [(number, self._tasks[number]) for number in numbers]

    def took(self, block: Done) -> None:
        """Learn how long tasks take.

        :param block: what is done
        """
        self._seconds.append(block.seconds / len(block.results))

    def _size(self) -> int:
        if not self._seconds:
            return 1
        wanted = BLOCK_S / max(median(list(self._seconds)), 1e-6)
        return max(1, int(min(wanted, math.ceil(len(self._left) / (_SHARE * self._slots)))))

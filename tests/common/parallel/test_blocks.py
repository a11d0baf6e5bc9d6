"""Tasks in blocks: none is left out or sent twice, and their size follows how long they take."""

from __future__ import annotations

from itertools import chain

from echo_env.common.parallel.blocks import BLOCK_S, Blocks
from echo_env.common.parallel.sending import Block, Done


def dealt(tasks: int, slots: int, seconds: float) -> list[list[int]]:
    """The blocks of tasks that take so many seconds each, with one block under way for each slot."""
    blocks = Blocks([b""] * tasks, {}, slots)
    found: list[list[int]] = []
    under_way: list[Block] = []
    for block in blocks:
        found.append([number for number, _ in block])
        under_way.append(block)
        if len(under_way) == slots:
            first = under_way.pop(0)
            blocks.took(Done([(number, None) for number, _ in first], seconds * len(first)))
    assert blocks.begun == set(range(tasks))
    return found


def test_every_task_is_in_one_block() -> None:
    """Blocks have all tasks in order, each once."""
    for seconds in (1e-5, 0.01, 5.0):
        assert list(chain(*dealt(1000, 4, seconds))) == list(range(1000))


def test_short_tasks_are_sent_together() -> None:
    """A block of short tasks takes about a second, one of long tasks is one task."""
    sizes = [len(block) for block in dealt(10_000, 4, 0.01)]
    assert sizes[0] == 1
    assert sizes[len(sizes) // 2] == round(BLOCK_S / 0.01)
    assert all(len(block) == 1 for block in dealt(100, 4, 5.0))


def test_the_last_blocks_are_small() -> None:
    """However short the tasks are, no worker has a large part of them left to itself at the end."""
    sizes = [len(block) for block in dealt(10_000, 4, 1e-6)]
    assert max(sizes) <= 10_000 / 12 + 1
    assert sizes[-1] == 1


def test_only_what_has_no_result_is_sent_again() -> None:
    """After a loss, tasks whose results are there are not sent."""
    left = Blocks([b"a", b"b", b"c"], {1}, 2)
    assert list(left) == [[(0, b"a")], [(2, b"c")]]

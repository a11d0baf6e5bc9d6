"""What every way of dealing out offers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from echo_env.common.parallel.sending import Block, Done, Parcel

Arriving = Iterator[Done]
"""Blocks, as they are finished."""


class Engine(Protocol):
    """Deals out to some kind of workers."""

    @property
    def slots(self) -> int:
        """How many tasks are worked on at a time."""

    @property
    def lost(self) -> tuple[type[BaseException], ...]:
        """What is raised where workers are lost, and nobody else has done their tasks again."""

    @property
    def hopeless(self) -> tuple[type[BaseException], ...]:
        """What is raised where tasks have been done again, and workers were lost each time."""

    @property
    def sentence(self) -> str:
        """What the user is told if that happens again and again."""

    def dealt(self, parcel: Parcel, blocks: Iterator[Block]) -> AbstractContextManager[Arriving]:
        """Have blocks done; with the block all of it ends.

        :param parcel: what is dealt out
        :param blocks: of its tasks; each is asked for when a worker will soon be free
        """

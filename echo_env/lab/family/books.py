"""Appointment books of random labs."""

from __future__ import annotations

import numpy as np


def appointments(rng: np.random.Generator, count: int, closing: int, mean: float, pattern: str, grid: int) -> list[int]:
    """Times of the appointments of an exam type.

    :param rng: source of all choices
    :param count: how many
    :param closing: minutes since opening
    :param mean: of an exam, minutes: the last appointment leaves about so much before closing
    :param pattern: ``even``, evenly spaced; ``random``; ``blocks``, several at the begin of an hour or two; ``front``,
        more in the morning
    :param grid: times are multiples of so many minutes
    :return: minutes since opening, ascending
    """
    latest = max(closing - rng.uniform(0.5, 1.2) * mean, closing / 2)
    if pattern == "even":
        shares = (np.arange(count) + rng.random()) / max(count, 1)
    elif pattern == "blocks":
        blocks = int(rng.integers(3, 9))
        shares = rng.integers(0, blocks, count) / blocks
    else:
        shares = rng.random(count) ** (1.5 if pattern == "front" else 1.0)
    times = grid * np.floor(np.sort(shares) * latest / grid)
    return times.astype(int).tolist()

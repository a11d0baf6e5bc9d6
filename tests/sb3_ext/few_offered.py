"""Masks that offer few of many actions, for tests of the policy that computes these only."""

from typing import Any

import numpy as np
import torch as th

N_ACTIONS = 200


def some_masks(rows: int, most: int, seed: int = 0) -> np.ndarray:
    """(rows, 200) bool, 1 to ``most`` feasible actions in each."""
    rng, masks = np.random.default_rng(seed), np.zeros((rows, N_ACTIONS), dtype=bool)
    for row, count in zip(masks, rng.integers(1, most, rows, endpoint=True), strict=True):
        row[rng.choice(N_ACTIONS, count, replace=False)] = True
    return masks


def agree(ours: list[th.Tensor], dense: list[th.Tensor], tolerance: float) -> None:
    """Assert that two lists of tensors are equal up to rounding."""
    for mine, theirs in zip(ours, dense, strict=True):
        th.testing.assert_close(mine, theirs, rtol=tolerance, atol=tolerance)


def first_offered(masks: Any) -> th.Tensor:
    """(rows,) the lowest feasible action."""
    return th.as_tensor(np.asarray(masks)).int().argmax(1)

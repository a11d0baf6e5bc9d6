"""Comparison of infos of vector environments."""

from __future__ import annotations

from typing import Any

import numpy as np


def assert_same(one: Any, other: Any, path: str = "info") -> None:
    """Nested infos are equal to the bit."""
    if isinstance(one, dict):
        assert set(one) == set(other), path
        for key in one:
            assert_same(one[key], other[key], f"{path}.{key}")
    elif np.asarray(one).dtype.kind == "O":
        for a, b in zip(one, other, strict=True):
            assert (a is None and b is None) or np.array_equal(a, b), path
    else:
        assert np.asarray(one).dtype == np.asarray(other).dtype, path
        assert np.array_equal(one, other, equal_nan=np.asarray(one).dtype.kind == "f"), path

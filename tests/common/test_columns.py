"""Columns of numbers that arrive in parts, in memory or in a file."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from echo_env.common.files import columns
from echo_env.common.files.columns import Columns


@pytest.mark.parametrize("most", [100, 3])
def test_parts_in_any_order_make_up_the_columns(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Rows stand where they were put, in memory and in a file, whichever came first, nan and the last bit included."""
    monkeypatch.setattr(columns, "MOST_ROWS", most)
    wanted = {"a": np.array([1 / 3, np.nan, -0.0, 4.0, 1e-300]), "b": np.arange(5.0)}
    made = Columns(list(wanted), 5)
    for part in (slice(3, 5), slice(0, 2), slice(2, 3)):
        made.put(part.start, {name: own[part] for name, own in wanted.items()})
    assert list(made) == ["a", "b"]
    assert isinstance(made["a"], np.memmap) == (most == 3)
    for name, own in wanted.items():
        assert made[name].tobytes() == own.tobytes()
    for copied in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        assert {name: own.tobytes() for name, own in copied.items()} == {n: own.tobytes() for n, own in wanted.items()}


def test_an_array_is_what_was_there_when_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """An array that was read from the file outlives the columns, whose file is then gone."""
    monkeypatch.setattr(columns, "MOST_ROWS", 1)
    made = Columns(["a"], 2)
    made.put(0, {"a": np.array([1.0, 2.0])})
    own = made["a"]
    del made
    assert own.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        own[0] = 3.0

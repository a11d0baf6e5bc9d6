"""The comparison of trainings: what has a row is not done again, and a table does not mix hyperparameters."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import learning

GIVEN = argparse.Namespace(table="comparison", labs=["scarce"], methods=["maskable_dqn"], seeds=2)


def rows(settings: str) -> list[dict[str, str]]:
    """A row of the first seed."""
    return [{"table": "comparison", "lab": "scarce", "method": "maskable_dqn", "seed": "1", "settings": settings}]


def test_what_has_its_row_is_not_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two seeds the one without a row is left."""
    first, second = (learning.Task("comparison", "scarce", "maskable_dqn", seed) for seed in (1, 2))
    monkeypatch.setattr(learning, "read_rows", lambda table: rows(learning.settings_of(first)))
    assert learning.tasks(GIVEN) == [second]


def test_a_row_of_other_hyperparameters_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is trained beside a row that was made with other hyperparameters."""
    monkeypatch.setattr(learning, "read_rows", lambda table: rows("other"))
    with pytest.raises(ValueError, match="row of other hyperparameters for comparison, scarce, maskable_dqn, seed 1"):
        learning.tasks(GIVEN)


def test_every_row_on_file_is_of_the_present_hyperparameters() -> None:
    """What stands in learning.csv can be made again as the configs are now."""
    found = learning.rows_so_far()
    assert len(found) > 50
    assert all(settings == learning.settings_of(task) for task, settings in found.items())

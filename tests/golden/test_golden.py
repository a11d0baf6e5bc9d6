"""Behaviour stays what it was, to the bit, while code is moved about."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("numba")
pytest.importorskip("rl_zoo3")

import golden_record

HASHES = json.loads(golden_record.FILE.read_text(encoding="utf8"))


def assert_equal(quick: bool, kind: str) -> None:
    """All hashes of a kind are those on file."""
    computed = {key: compute() for key, compute in golden_record.checks(quick) if key.split()[0] == kind}
    assert computed
    assert {key: HASHES[key] for key in computed} == computed


KINDS = sorted({key.split()[0] for key in HASHES})


@pytest.mark.parametrize("kind", KINDS)
def test_first_days_are_as_recorded(kind: str) -> None:
    """The first days of every recording hash to what is on file."""
    assert_equal(True, kind)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_all_days_are_as_recorded(kind: str) -> None:
    """Every day of every recording hashes to what is on file."""
    assert_equal(False, kind)

"""Counting starts by sets of exam types is exact: it equals maximum matching."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from echo_env.lab.config.plan import NEVER
from echo_env.lab.simulation.capacity import commit_start, count_left, effective_types, give, starts_left

MOST_TYPES, MOST_EACH = 5, 7


def matchable(kinds: list[int], cans: list[int]) -> bool:
    """Whether starts can be given rooms, or members of staff, one each: by maximum matching."""
    able = [[can >> kind & 1 for can in cans] for kind in kinds]
    if not kinds:
        return True
    found = maximum_bipartite_matching(csr_array(np.array(able).reshape(len(kinds), len(cans))), perm_type="column")
    return bool((found >= 0).all())


def random_minute(rng: np.random.Generator) -> tuple[int, list[int], list[int]]:
    """Number of types, and what idle rooms and idle members of staff can do; capabilities may cross."""
    types = int(rng.integers(1, MOST_TYPES + 1))
    return types, *(rng.integers(0, 1 << types, rng.integers(0, MOST_EACH)).tolist() for _ in range(2))


@pytest.mark.parametrize(
    "seeds", [range(2_000), pytest.param(range(2_000, 10_000), marks=pytest.mark.slow)], ids=["some", "10,000 in all"]
)
def test_starts_left_is_maximum_matching(seeds: range) -> None:
    """Whatever has been committed, a type can start if and only if all starts can be matched with it."""
    for seed in seeds:
        rng = np.random.default_rng(seed)
        types, rooms, staff = random_minute(rng)
        left = [0] * (1 << types)
        startable = count_left([1] * len(rooms), rooms, [1] * len(staff), staff, left)
        kinds: list[int] = []
        while True:
            able = [k for k in range(types) if matchable([*kinds, k], rooms) and matchable([*kinds, k], staff)]
            assert [k for k in range(types) if starts_left(k, left) > 0] == able, seed
            if not kinds:
                assert [k for k in range(types) if startable >> k & 1] == able, seed
            if not able:
                break
            kinds.append(int(rng.choice(able)))
            commit_start(kinds[-1], left)
        for cans in (rooms, staff):
            order = rng.permutation(len(cans)).tolist()
            chosen = [-1] * len(kinds)
            give(kinds, cans, order, len(left), chosen)
            assert len(set(chosen)) == len(kinds), seed
            assert -1 not in chosen, seed
            assert all(cans[number] >> kind & 1 for kind, number in zip(kinds, chosen, strict=True)), seed


def test_the_first_that_leaves_enough() -> None:
    """A start is given the first in order, unless a later start would then have none."""
    chosen = [-1, -1]
    give([0, 1], [0b11, 0b01], [0, 1], 4, chosen)
    assert chosen == [1, 0]
    give([0, 0], [0b11, 0b01], [0, 1], 4, chosen)
    assert chosen == [0, 1]


def test_starts_left_of_nested_types() -> None:
    """In the paper's lab they are pairs of fetal-capable rooms and sonographers, and pairs of any."""
    left = [0] * 4
    # Six non-fetal rooms and one fetal-capable; two and four sonographers.
    assert count_left([6, 1], [0b10, 0b11], [2, 4], [0b10, 0b11], left) == 0b11
    assert left == [0, 1, 6, 6]
    commit_start(0, left)
    assert left == [0, 0, 6, 5]
    assert [starts_left(kind, left) for kind in range(2)] == [0, 5]


def test_effective_types() -> None:
    """Before the end of a shift only types that are expected to end by then may begin."""
    expected = [30, 45, 10]
    assert effective_types(0b111, 60, NEVER, expected) == 0b111
    assert effective_types(0b111, 60, 100, expected) == 0b101
    assert effective_types(0b011, 71, 100, expected) == 0b000

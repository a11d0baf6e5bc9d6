"""Allocation mechanisms: the auction by hand, matching against brute force."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from echo_env.pathways.compiled.auction import auction, matching
from echo_env.pathways.config.pathway import NONE


def arrays(lists: list[dict[int, float]], free: list[int]) -> tuple[Any, Any, Any]:
    """Bids of each patient by resource, most preferred first, in the form that the mechanisms take."""
    needs = max(len(own) for own in lists)
    preferences, bids = np.full((len(lists), needs), NONE, dtype=np.int64), np.zeros((len(lists), needs))
    for n, own in enumerate(lists):
        preferences[n, : len(own)], bids[n, : len(own)] = list(own), list(own.values())
    return preferences, bids, np.array(free)


def test_the_highest_bid_wins() -> None:
    """The highest bid wins."""
    assert auction(*arrays([{0: 1.0}, {0: 3.0}, {0: 2.0}], [1])).tolist() == [NONE, 0, NONE]
    assert auction(*arrays([{0: 1.0}, {0: 3.0}, {0: 2.0}], [2])).tolist() == [NONE, 0, 0]


def test_of_equal_bids_who_arrived_first_wins() -> None:
    """Ties go to the patient who arrived first."""
    assert auction(*arrays([{0: 1.0}, {0: 2.0}, {0: 2.0}, {0: 2.0}], [2])).tolist() == [NONE, 0, 0, NONE]


def test_losers_go_on_to_their_next_resource() -> None:
    """Losers bid for their next resource, and winners of earlier rounds keep theirs."""
    # Round 1: all three for 0, patient 1 wins. Round 2: 0 and 2 for 1, patient 2 wins. Round 3: 0 for 2.
    lists = [{0: 5.0, 1: 4.0, 2: 3.0}, {0: 6.0, 1: 1.0}, {0: 5.5, 1: 4.5}]
    assert auction(*arrays(lists, [1, 1, 1])).tolist() == [2, 0, 1]
    # Patient 1 has won 1 in round 1, and keeps it from patient 0, who bids more for it in round 2.
    assert auction(*arrays([{0: 5.0, 1: 4.0}, {1: 1.0}, {0: 6.0}], [1, 1])).tolist() == [NONE, 1, 0]


def test_nobody_bids_for_what_has_no_units() -> None:
    """Resources without free units are skipped."""
    assert auction(*arrays([{0: 5.0, 1: 1.0}, {1: 2.0}], [0, 1])).tolist() == [NONE, 1]
    assert auction(*arrays([{0: 5.0}, {}], [3])).tolist() == [0, NONE]
    free = np.array([1])
    auction(*arrays([{0: 1.0}], [1])[:2], free)
    assert free.tolist() == [1]


def test_bids_can_be_negative() -> None:
    """Negative bids compete like positive ones, as first come, first served needs."""
    assert auction(*arrays([{0: -3.0}, {0: -1.0}], [1])).tolist() == [NONE, 0]


def test_matching_finds_what_the_auction_misses() -> None:
    """Matching maximises the sum of bids where the auction does not."""
    # The auction gives 0 to patient 0 for 5, and patient 1 gets nothing. Together they could have 4 + 4.5.
    lists = [{0: 5.0, 1: 4.0}, {0: 4.5}]
    assert auction(*arrays(lists, [1, 1])).tolist() == [0, NONE]
    assert matching(*arrays(lists, [1, 1])).tolist() == [1, 0]


@pytest.mark.parametrize("seed", range(30))
def test_matching_is_scipys_and_beats_every_assignment(seed: int) -> None:
    """Matching equals the best of all assignments, and the auction is feasible and at least half as good."""
    rng = np.random.default_rng(seed)
    patients, resources = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    offered = np.where(rng.random((patients, resources)) < 0.7, rng.random((patients, resources)), 0)
    free = rng.integers(0, 3, resources)
    lists = [
        {int(r): float(own[r]) for r in sorted(range(resources), key=lambda r: -own[r]) if own[r]} for own in offered
    ]
    if not any(lists):
        lists[0] = {0: float(rng.random())}
        offered[0, 0] = lists[0][0]

    def total(assignment: Any) -> float:
        return sum(offered[n, r] for n, r in enumerate(assignment) if r != NONE)

    def possible(assignment: Any) -> bool:
        return all(list(assignment).count(r) <= free[r] for r in range(resources))

    given = matching(*arrays(lists, free.tolist()))
    assert possible(given)
    best = max(total(a) for a in itertools.product(range(-1, resources), repeat=patients) if possible(a))
    assert total(given) == pytest.approx(best)
    columns = np.repeat(np.arange(resources), free)
    rows, chosen = linear_sum_assignment(offered[:, columns], maximize=True)
    assert total(given) == pytest.approx(offered[rows, columns[chosen]].sum())
    won = auction(*arrays(lists, free.tolist()))
    assert possible(won)
    # An auction leaves nothing to who wants it, and is at worst half of the best.
    assert best / 2 - 1e-12 <= total(won) <= best + 1e-12

"""Allocation mechanisms: the multi-round auction (section 3.3), and maximum-weight matching.

Both have the same interface and are interchangeable:

    (preferences[N, K], bids[N, K], free[R]) -> assignment[N]

``preferences`` holds the resources that each patient requests, most preferred first, then ``NONE``; ``bids`` its bid
for each of them; ``free`` the available units. The assignment holds the resource of each patient, or ``NONE``.
Patients are numbered by arrival; ties between bids go to the lower number.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo_env.common.jit import njit
from echo_env.pathways.config.pathway import NONE

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_NONE = NONE


@njit
def auction(preferences, bids, free):
    """Multi-round sealed-bid first-price auction.

    In each round, every patient who has won nothing bids for its most preferred resource with units left; the units of
    each resource go to the highest bids. Losers proceed to the next round, until nobody bids.

    :param preferences: (N, K) int64
    :param bids: (N, K) float64
    :param free: (R,) int64, not modified
    :return: (N,) int64, the assignment
    """
    patients, needs = preferences.shape
    left = free.copy()
    assignment = np.full(patients, _NONE, dtype=np.int64)
    place = np.zeros(patients, dtype=np.int64)
    while True:
        bidders = 0
        for n in range(patients):
            if assignment[n] == _NONE:
                while place[n] < needs and preferences[n, place[n]] >= 0 and left[preferences[n, place[n]]] == 0:
                    place[n] += 1
                if place[n] < needs and preferences[n, place[n]] >= 0:
                    bidders += 1
                else:
                    place[n] = needs
        if bidders == 0:
            return assignment
        for r in range(len(left)):
            # Repeated selection of the highest bid: there are few bidders.
            while left[r] > 0:
                winner = -1
                for n in range(patients):
                    bidding = assignment[n] == _NONE and place[n] < needs and preferences[n, place[n]] == r
                    if bidding and (winner < 0 or bids[n, place[n]] > bids[winner, place[winner]]):
                        winner = n
                if winner < 0:
                    break
                assignment[winner] = r
                left[r] -= 1


def matching(preferences: Ints, bids: Floats, free: Ints) -> Ints:
    """The assignment with the largest sum of bids; only positive bids are considered.

    :param preferences: (N, K) int64
    :param bids: (N, K) float64
    :param free: (R,) int64
    :return: (N,) int64, the assignment
    """
    from scipy.optimize import linear_sum_assignment

    patients = len(preferences)
    units = np.repeat(np.arange(len(free)), np.minimum(free, patients))
    offered = np.zeros((patients, len(free)))
    for n, k in zip(*np.nonzero((preferences != NONE) & (bids > 0)), strict=True):
        resource = preferences[n, k]
        offered[n, resource] = max(offered[n, resource], bids[n, k])
    assignment = np.full(patients, NONE, dtype=np.int64)
    rows, columns = linear_sum_assignment(offered[:, units], maximize=True)
    for n, column in zip(rows, columns, strict=True):
        if offered[n, units[column]] > 0:
            assignment[n] = units[column]
    return assignment

"""Policies that bid for every patient, and allocate by a mechanism.

They differ in the bidding rule and in the mechanism, see :mod:`~echo_env.pathways.compiled.auction`. First come, first
served and sickest first are auctions too, with bids by order of arrival or by health. Ties go to the patient who
arrived first.

| name | bid | preference |
|---|---|---|
| ``auction``, ``auction(bids=regret)`` | regret Q_i - Qbar | highest regret, if positive |
| ``auction(bids=value)`` | optimal value Q_i, as in the paper's plots | highest regret, if positive |
| ``auction(bids=gain)`` | Q_i minus the value of never being treated again | highest regret, if positive |
| ``matching`` | regret, as ``auction``; the assignment with the largest sum of bids | |
| ``fcfs_request`` | earliest request for the resource | earliest request |
| ``fcfs_arrival`` | earliest arrival | earliest request |
| ``sickest_initial`` | lowest health at arrival (the paper's) | earliest request |
| ``sickest_now`` | lowest current health | earliest request |
| ``random`` | random | earliest request |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from echo_env.pathways.compiled import auction as mechanisms
from echo_env.pathways.compiled.kernel import (
    BY_ARRIVAL,
    BY_REQUEST,
    GAIN,
    RANDOM,
    REGRET,
    SICKEST_INITIAL,
    SICKEST_NOW,
    VALUE,
)
from echo_env.pathways.compiled.learning import Prospects, learn_prospects
from echo_env.pathways.compiled.mdp import worth
from echo_env.pathways.config import PathwaysConfig
from echo_env.pathways.config.pathway import NONE
from echo_env.pathways.instance.instance import Instance
from echo_env.pathways.policies.base import register_policy
from echo_env.pathways.simulation.view import View

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Mechanism = Callable[[Ints, Floats, Ints], Ints]
"""``(preferences[N, K], bids[N, K], free[R]) -> assignment[N]``, see :mod:`~echo_env.pathways.compiled.auction`."""

MECHANISMS: dict[str, Mechanism] = {"auction": mechanisms.auction, "matching": mechanisms.matching}
"""By name, because compiled functions do not survive pickling to other processes as the same objects."""


class BiddingPolicy:
    """A bidding rule with a mechanism.

    :param rule: bidding rule, see :mod:`echo_env.pathways.compiled.kernel`
    :param mechanism: allocation mechanism, one of :data:`MECHANISMS`
    :param name: name of the policy
    """

    def __init__(self, rule: int, mechanism: str = "auction", name: str = "auction") -> None:
        self.name, self.rule, self.mechanism = name, rule, mechanism
        self._instance: Instance | None = None
        self._prospects: Prospects | None = None

    @property
    def prospects(self) -> Prospects:
        """Learned probabilities and values of the instance.

        :raises ValueError: the rule is not value-based, or no instance has begun
        """
        if self._prospects is None:
            raise ValueError(
                f"policy {self.name!r} has no values: its rule does not use them, or no instance has begun"
            )
        return self._prospects

    def begin_instance(self, instance: Instance) -> None:
        """Learn the probabilities of winning and solve every patient's decision process, once for each instance."""
        if instance is not self._instance:
            self._instance = instance
            self._prospects = learn_prospects(instance, self.rule) if self.rule <= GAIN else None

    def decide(self, view: View) -> Ints:
        """Bid for every patient and apply the mechanism."""
        preferences, bids = self.ask(view)
        return MECHANISMS[self.mechanism](preferences, bids, view.free)

    def ask(self, view: View) -> tuple[Ints, Floats]:
        """Preferences and bids of every patient.

        :param view: the observable state of the hospital
        :return: (N, K) int64, resources, most preferred first, then ``NONE``; (N, K) float64, the bid for each
        """
        preferences, bids = np.full(view.wanted.shape, NONE, dtype=np.int64), np.zeros(view.wanted.shape)
        order, bid = self._order_and_bids(view)
        for n, wanted in enumerate(view.wanted):
            asks = [k for k in np.flatnonzero(wanted != NONE) if self.rule > GAIN or order[n, k] > 0]
            asks.sort(key=lambda k: -order[n, k])
            for place, k in enumerate(asks):
                preferences[n, place], bids[n, place] = wanted[k], bid[n, k]
        return preferences, bids

    def _order_and_bids(self, view: View) -> tuple[Floats, Floats]:
        """Preference score and bid of each patient for each need; (N, K) float64 each."""
        assert self._instance is not None
        patients, needs = view.wanted.shape
        if self.rule <= GAIN:
            _, values, never = self.prospects
            now, later = (view.condition, view.state, view.health, view.wanted), view.step + 1
            gains = worth(self._instance.model, *now, values[later], never[later])
            return gains[REGRET], gains[self.rule]
        order = -view.requested.astype(np.float64)
        by_patient = {
            BY_ARRIVAL: -np.arange(patients, dtype=np.float64),
            SICKEST_INITIAL: -self._instance.initial_health.astype(np.float64),
            SICKEST_NOW: -view.health.astype(np.float64),
            RANDOM: view.priority_draw,
        }
        if self.rule == BY_REQUEST:
            return order, order
        return order, np.repeat(by_patient[self.rule][:, None], needs, axis=1)


@register_policy("auction")
def auction(config: PathwaysConfig, bids: Literal["regret", "value", "gain"] = "regret") -> BiddingPolicy:
    """The paper's multi-round auction.

    :param config: the hospital
    :param bids: what is bid, see the table above
    """
    return BiddingPolicy({"regret": REGRET, "value": VALUE, "gain": GAIN}[bids])


@register_policy("matching")
def matching(config: PathwaysConfig) -> BiddingPolicy:
    """Maximum-weight matching on regrets, with the probabilities of winning learned for auctions."""
    return BiddingPolicy(REGRET, "matching")


@register_policy("fcfs_request")
def fcfs_request(config: PathwaysConfig) -> BiddingPolicy:
    """First come, first served, by the first request for each resource."""
    return BiddingPolicy(BY_REQUEST)


@register_policy("fcfs_arrival")
def fcfs_arrival(config: PathwaysConfig) -> BiddingPolicy:
    """First come, first served, by arrival at the hospital."""
    return BiddingPolicy(BY_ARRIVAL)


@register_policy("sickest_initial")
def sickest_initial(config: PathwaysConfig) -> BiddingPolicy:
    """Sickest first by health at arrival, as in the paper."""
    return BiddingPolicy(SICKEST_INITIAL)


@register_policy("sickest_now")
def sickest_now(config: PathwaysConfig) -> BiddingPolicy:
    """Sickest first by current health."""
    return BiddingPolicy(SICKEST_NOW)


@register_policy("random")
def random_order(config: PathwaysConfig) -> BiddingPolicy:
    """A random order of patients in each step."""
    return BiddingPolicy(RANDOM)

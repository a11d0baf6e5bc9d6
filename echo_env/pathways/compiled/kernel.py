"""The compiled engine: whole episodes as deterministic functions on arrays.

Each function corresponds to the method of the same name in :mod:`~echo_env.pathways.simulation.simulator` and gives the
same numbers to the bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.jit import njit
from echo_env.pathways.compiled.auction import auction
from echo_env.pathways.compiled.mdp import worth
from echo_env.pathways.config.pathway import NONE

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

REGRET, VALUE, GAIN, BY_REQUEST, BY_ARRIVAL, SICKEST_INITIAL, SICKEST_NOW, RANDOM = range(8)
"""Bidding rules, see :mod:`echo_env.pathways.policies.bidding`. Those up to ``GAIN`` are based on values."""

_NONE = NONE


class Cohort(NamedTuple):
    """The patients of an instance.

    :param condition: (N,) int64
    :param initial_health: (N,) int64
    :param arrival: (N,) int64, step of arrival
    """

    condition: Ints
    initial_health: Ints
    arrival: Ints


class Record(NamedTuple):
    """The trajectory of an episode: the state at the start of each step and after the last one; all int64.

    :param condition: (T + 1, N), after any change before the step
    :param state: (T + 1, N) resource state
    :param health: (T + 1, N)
    :param asked: (R, T) number of patients who bid for a resource
    :param won: (R, T) number of them who won it
    """

    condition: Ints
    state: Ints
    health: Ints
    asked: Ints
    won: Ints


@njit
def change_pathway(model, n, kind, condition, state, requested):
    """Change patient n's pathway; requests for needs that remain keep their age."""
    c = condition[n]
    other = model.turns_into[c, kind]
    if other < 0:
        return
    before = requested[n].copy()
    requested[n, :] = _NONE
    for k in range(len(before)):
        there = model.need_there[c, kind, k]
        if there >= 0:
            requested[n, there] = before[k]
    state[n] = model.state_there[c, kind, state[n]]
    condition[n] = other


@njit
def find_wanted(model, t, cohort, condition, state, health, wanted, requested, free):
    """Fill the needs that patients can request in step t, the steps of their first request, and the free units."""
    for r in range(len(free)):
        free[r] = model.units[r]
    for n in range(len(condition)):
        c, s = condition[n], state[n]
        wanted[n, :] = _NONE
        if cohort.arrival[n] > t or (model.lethal and health[n] == 0):
            continue
        if model.keeps[c, s]:
            free[model.resource[c, model.held[c, s]]] -= 1
        for k in range(wanted.shape[1]):
            if model.after_win[c, s, k] >= 0:
                wanted[n, k] = model.resource[c, k]
                if requested[n, k] < 0:
                    requested[n, k] = t


@njit
def ask(rule, cohort, health, wanted, requested, priority, gains, lists, bids):
    """``BiddingPolicy.ask``, compiled: fill the preference lists, most preferred first, and the bids.

    :param gains: (3, N, K) from :func:`~echo_env.pathways.compiled.mdp.worth`; used by value-based rules only
    """
    needs = wanted.shape[1]
    rank = np.zeros(needs)
    for n in range(len(health)):
        lists[n, :] = _NONE
        count = 0
        for k in range(needs):
            if wanted[n, k] < 0:
                continue
            if rule <= GAIN:
                order, bid = gains[REGRET, n, k], gains[rule, n, k]
                if order <= 0:
                    continue
            else:
                order = -float(requested[n, k])
                if rule == BY_REQUEST:
                    bid = order
                elif rule == BY_ARRIVAL:
                    bid = -float(n)
                elif rule == SICKEST_INITIAL:
                    bid = -float(cohort.initial_health[n])
                elif rule == SICKEST_NOW:
                    bid = -float(health[n])
                else:
                    bid = priority[n]
            # Insertion sort, stable: behind entries of equal rank.
            place = count
            while place > 0 and rank[place - 1] < order:
                rank[place], lists[n, place], bids[n, place] = rank[place - 1], lists[n, place - 1], bids[n, place - 1]
                place -= 1
            rank[place], lists[n, place], bids[n, place] = order, wanted[n, k], bid
            count += 1


@njit
def count_chances(lists, assignment, t, asked, won):
    """Count the bids of step t: for the resource won and for every more preferred one."""
    for n in range(len(lists)):
        for k in range(lists.shape[1]):
            r = lists[n, k]
            if r < 0:
                break
            asked[r, t] += 1
            if assignment[n] == r:
                won[r, t] += 1
                break


@njit
def need_won(wanted_row, resource):
    """The need that a won resource serves: the first one that matches."""
    for k in range(len(wanted_row)):
        if wanted_row[k] == resource:
            return k
    return _NONE


@njit
def advance(model, t, cohort, condition, state, health, wanted, assignment, draw):
    """Move all patients: resource states by assignment, health by random draw."""
    top = model.reward.shape[2] - 1
    for n in range(len(condition)):
        c, s, h = condition[n], state[n], health[n]
        if cohort.arrival[n] > t or (model.lethal and h == 0):
            continue
        then = model.after_wait[c, s]
        if assignment[n] >= 0:
            then = model.after_win[c, s, need_won(wanted[n], assignment[n])]
        task = model.held[c, s] + 1
        down, stay = model.move[c, task, h, 0], model.move[c, task, h, 1]
        state[n] = then
        if model.finished[c, then]:
            health[n] = top
        elif draw[n] < down:
            health[n] = h - 1
        elif draw[n] >= down + stay:
            health[n] = min(h + 1, top)


@njit
def play(model, cohort, horizon, luck, rule, values, never, record):
    """Simulate one episode under a bidding rule with the auction.

    :param model: the conditions
    :param cohort: the patients
    :param horizon: T
    :param luck: random draws, see :class:`~echo_env.pathways.instance.instance.Luck`
    :param rule: bidding rule
    :param values: (T + 1, M, S, H) from :func:`~echo_env.pathways.compiled.mdp.solve`; used by value-based rules only
    :param never: (T + 1, M, S, H) from :func:`~echo_env.pathways.compiled.mdp.never_treated`
    :param record: filled; ``asked`` and ``won`` are incremented
    """
    patients, needs = len(cohort.condition), model.resource.shape[1]
    condition, health = cohort.condition.copy(), cohort.initial_health.copy()
    state = np.zeros(patients, dtype=np.int64)
    wanted = np.full((patients, needs), _NONE, dtype=np.int64)
    requested, lists = wanted.copy(), wanted.copy()
    bids, gains = np.zeros((patients, needs)), np.zeros((3, patients, needs))
    free = model.units.copy()
    for t in range(horizon):
        for n in range(patients):
            if luck.change_step[n] == t:
                change_pathway(model, n, luck.change_kind[n], condition, state, requested)
        find_wanted(model, t, cohort, condition, state, health, wanted, requested, free)
        record.condition[t], record.state[t], record.health[t] = condition, state, health
        if rule <= GAIN:
            gains = worth(model, condition, state, health, wanted, values[t + 1], never[t + 1])
        ask(rule, cohort, health, wanted, requested, luck.priority_draw[t], gains, lists, bids)
        assignment = auction(lists, bids, free)
        count_chances(lists, assignment, t, record.asked, record.won)
        advance(model, t, cohort, condition, state, health, wanted, assignment, luck.health_draw[t])
    record.condition[horizon], record.state[horizon], record.health[horizon] = condition, state, health

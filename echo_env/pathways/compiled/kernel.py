"""A whole episode, compiled: functions on arrays, no randomness. Twin of the readable simulator.

Each function here does what the method of the same name there does, and gives the same numbers to the bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.jit import njit
from echo_env.pathways.compiled.auction import auction
from echo_env.pathways.compiled.mdp import solve, worth
from echo_env.pathways.config.pathway import NONE
from echo_env.pathways.instance.instance import Luck

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

REGRET, VALUE, GAIN, BY_REQUEST, BY_ARRIVAL, SICKEST_INITIAL, SICKEST_NOW, RANDOM = range(8)
"""What is bid: see :mod:`echo_env.pathways.policies.bidding`. Those up to ``GAIN`` are about values."""

_NONE = NONE


class Cohort(NamedTuple):
    """The patients of an instance.

    :param condition: (N,)
    :param initial_health: (N,)
    :param arrival: (N,)
    """

    condition: Ints
    initial_health: Ints
    arrival: Ints


class Record(NamedTuple):
    """What happened: the state at each step, and after the last one (T + 1 rows).

    :param condition: (T + 1, N), changes before the step included
    :param state: (T + 1, N) resource state
    :param health: (T + 1, N)
    :param asked: (R, T) how many wanted a resource and went on to bid for it
    :param won: (R, T) how many of them got it
    """

    condition: Ints
    state: Ints
    health: Ints
    asked: Ints
    won: Ints


@njit
def change_pathway(model, n, kind, condition, state, requested):
    """Patient n's pathway changes; requests for needs that stay are as old as they were."""
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
    """Fill what every patient can ask for in step t, since when, and the units that can be had."""
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
    """Twin of ``BiddingPolicy.ask``: fill the lists of what patients ask for, most wanted first, and their bids.

    :param gains: (3, N, K) from :func:`~echo_env.pathways.compiled.mdp.worth`; read by the rules that are about values
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
            # Insert behind all that are wanted as much.
            place = count
            while place > 0 and rank[place - 1] < order:
                rank[place], lists[n, place], bids[n, place] = rank[place - 1], lists[n, place - 1], bids[n, place - 1]
                place -= 1
            rank[place], lists[n, place], bids[n, place] = order, wanted[n, k], bid
            count += 1


@njit
def count_chances(lists, assignment, t, asked, won):
    """Add to what was asked for and won in step t: the win, and what was wanted more than it."""
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
    """The need for which a patient has won a resource: the first that it fits."""
    for k in range(len(wanted_row)):
        if wanted_row[k] == resource:
            return k
    return _NONE


@njit
def advance(model, t, cohort, condition, state, health, wanted, assignment, draw):
    """Everyone's next state: resources as assigned, health by luck."""
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
    """One episode under a rule of bidding, with the auction.

    :param model: the conditions
    :param cohort: the patients
    :param horizon: T
    :param luck: see :class:`~echo_env.pathways.instance.instance.Luck`
    :param rule: what is bid
    :param values: (T + 1, M, S, H) from :func:`~echo_env.pathways.compiled.mdp.solve`; read by the rules that are
        about values
    :param never: (T + 1, M, S, H) from :func:`~echo_env.pathways.compiled.mdp.never_treated`
    :param record: filled; ``asked`` and ``won`` are added to
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


@njit
def learn(model, cohort, horizon, luck, rule, never, chances, rounds, step):
    """Fictitious play, see :mod:`~echo_env.pathways.compiled.learning`.

    :param luck: of all episodes of all rounds, (E, ...) each
    :param chances: (R, T) to begin with; moved
    :return: values given the chances as they are in the end
    """
    patients = len(cohort.condition)
    rows = np.zeros((horizon + 1, patients), dtype=np.int64)
    each = len(luck.health_draw) // max(rounds, 1)
    values = solve(model, chances, horizon)
    for number in range(rounds):
        asked = np.zeros(chances.shape, dtype=np.int64)
        record = Record(rows, rows.copy(), rows.copy(), asked, asked.copy())
        for e in range(number * each, (number + 1) * each):
            one = Luck(luck.health_draw[e], luck.priority_draw[e], luck.change_step[e], luck.change_kind[e])
            play(model, cohort, horizon, one, rule, values, never, record)
        for r in range(chances.shape[0]):
            for t in range(horizon):
                seen = (record.won[r, t] + 1) / (record.asked[r, t] + 2)
                chances[r, t] += step * (seen - chances[r, t])
        values = solve(model, chances, horizon)
    return values

"""A step as a sequence of single decisions: which patient gets this unit? Deterministic functions on arrays.

Resources are processed by number, and their free units one by one. A unit requested by two or more patients is a
decision; a unit requested by one patient goes to that patient, and one that nobody requests stays idle. A patient who
has won a unit requests no other in that step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.jit import njit
from echo_env.pathways.compiled.kernel import advance, change_pathway, find_wanted
from echo_env.pathways.config.pathway import NONE

Ints = NDArray[np.int64]

STEP, RESOURCE, CHOICES = range(3)
"""Indices into :attr:`Ward.clock`: step t, current resource, and number of decisions so far."""

_NONE = NONE


class Ward(NamedTuple):
    """The state of the hospital within a step, for N patients, K needs, R resources and T steps; all int64.

    :param clock: (3,) see :data:`STEP`
    :param condition: (N,)
    :param state: (N,) resource state
    :param health: (N,)
    :param wanted: (N, K) resource of each need that could be requested at the start of the step, else ``NONE``
    :param requested: (N, K) step in which each of them was first requested, or ``NONE``
    :param free: (R,) units still available in this step
    :param won: (N,) resource that each patient has won in this step, or ``NONE``
    :param record: (3, T + 1, N) condition, state and health at the start of each step and after the last one
    """

    clock: Ints
    condition: Ints
    state: Ints
    health: Ints
    wanted: Ints
    requested: Ints
    free: Ints
    won: Ints
    record: Ints


def new_ward(condition: Ints, health: Ints, needs: int, resources: int, horizon: int) -> Ward:
    """The state before the first step: see :func:`begin`.

    :param condition: (N,)
    :param health: (N,) health at arrival
    :param needs: K
    :param resources: R
    :param horizon: T
    """
    patients = len(condition)
    wanted = np.full((patients, needs), NONE, dtype=np.int64)
    return Ward(
        np.zeros(3, dtype=np.int64),
        condition.copy(),
        np.zeros(patients, dtype=np.int64),
        health.copy(),
        wanted,
        wanted.copy(),
        np.zeros(resources, dtype=np.int64),
        np.full(patients, NONE, dtype=np.int64),
        np.zeros((3, horizon + 1, patients), dtype=np.int64),
    )


@njit
def contends(wanted, won, n, resource):
    """Whether patient n requests a unit of a resource."""
    asks = False
    for k in range(wanted.shape[1]):
        asks = asks or wanted[n, k] == resource
    return asks and won[n] < 0


@njit
def find_choice(wanted, free, won, resource):
    """Allocate the units with fewer than two requests, up to the next decision.

    :param wanted: (N, K)
    :param free: (R,) updated in place
    :param won: (N,) updated in place
    :param resource: the current resource
    :return: the resource whose next unit two or more patients request; R if there is none
    """
    while resource < len(free):
        asking, one = 0, 0
        if free[resource] > 0:
            for n in range(len(won)):
                if contends(wanted, won, n, resource):
                    asking, one = asking + 1, n
        if asking > 1:
            return resource
        if asking == 1:
            give(free, won, resource, one)
        else:
            resource += 1
    return resource


@njit
def give(free, won, resource, patient):
    """Allocate one unit to a patient, or to nobody (any number from N on), which ends the resource's turn in this step.

    :param free: (R,) updated in place
    :param won: (N,) updated in place
    :return: the current resource afterwards
    """
    if patient >= len(won):
        return resource + 1
    won[patient] = resource
    free[resource] -= 1
    return resource


@njit
def begin_step(model, cohort, luck, ward):
    """Apply changes of pathways, then find the needs that can be requested."""
    t = ward.clock[STEP]
    for n in range(len(ward.won)):
        ward.won[n] = _NONE
        if luck.change_step[n] == t:
            change_pathway(model, n, luck.change_kind[n], ward.condition, ward.state, ward.requested)
    find_wanted(model, t, cohort, ward.condition, ward.state, ward.health, ward.wanted, ward.requested, ward.free)
    ward.clock[RESOURCE] = 0
    note(ward, t)


@njit
def note(ward, t):
    """Record the state at the start of step t."""
    ward.record[0, t], ward.record[1, t], ward.record[2, t] = ward.condition, ward.state, ward.health


@njit
def to_next_choice(model, cohort, luck, ward):
    """Advance to the next decision or to the end; an episode without any decision stops once, in its last step.

    :return: sum of the healths after each step that has passed, over patients who had arrived
    """
    total, horizon = 0, len(luck.health_draw)
    while True:
        clock = ward.clock
        clock[RESOURCE] = find_choice(ward.wanted, ward.free, ward.won, clock[RESOURCE])
        last = clock[STEP] == horizon - 1 and clock[CHOICES] == 0
        if clock[RESOURCE] < len(ward.free) or last:
            return total
        t = clock[STEP]
        advance(model, t, cohort, ward.condition, ward.state, ward.health, ward.wanted, ward.won, luck.health_draw[t])
        for n in range(len(ward.won)):
            if cohort.arrival[n] <= t:
                total += ward.health[n]
        clock[STEP] = t + 1
        if t + 1 == horizon:
            ward.wanted[:] = _NONE
            note(ward, horizon)
            return total
        begin_step(model, cohort, luck, ward)


@njit
def begin(model, cohort, luck, ward):
    """Begin an episode; returns as :func:`to_next_choice`."""
    begin_step(model, cohort, luck, ward)
    return to_next_choice(model, cohort, luck, ward)


@njit
def decide(model, cohort, luck, ward, patient):
    """Allocate the current unit to a patient or to nobody; returns as :func:`to_next_choice`."""
    clock = ward.clock
    clock[RESOURCE] = give(ward.free, ward.won, clock[RESOURCE], patient)
    clock[CHOICES] += 1
    return to_next_choice(model, cohort, luck, ward)

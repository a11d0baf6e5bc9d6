"""A step taken apart into single decisions: who gets this unit? Functions on arrays, no randomness.

Resources come up by number, and of each its free units one after the other. A unit that two or more ask for is a
choice; what only one asks for goes to that one, what nobody asks for to nobody. Whoever has won a unit asks for
nothing more in that step.
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
"""Places in :attr:`Ward.clock`: step t, resource that comes up, and how many choices there have been."""

_NONE = NONE


class Ward(NamedTuple):
    """The hospital in the middle of a step, for N patients, K needs, R resources and T steps.

    :param clock: (3,) see :data:`STEP`
    :param condition: (N,)
    :param state: (N,) resource state
    :param health: (N,)
    :param wanted: (N, K) the resource of each need that could be asked for when the step began, else ``NONE``
    :param requested: (N, K) step since which
    :param free: (R,) units that can still be had in this step
    :param won: (N,) the resource that each patient has won in this step, or ``NONE``
    :param record: (3, T + 1, N) condition, state and health in which each step began, and the last one ended
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
    """An episode that has not begun: see :func:`begin`.

    :param condition: (N,)
    :param health: (N,) at arrival
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
    """Whether patient n asks for a unit of a resource."""
    asks = False
    for k in range(wanted.shape[1]):
        asks = asks or wanted[n, k] == resource
    return asks and won[n] < 0


@njit
def find_choice(wanted, free, won, resource):
    """Give away the units that fewer than two ask for, up to the next choice.

    :param wanted: (N, K)
    :param free: (R,) moved
    :param won: (N,) moved
    :param resource: the one that comes up
    :return: the resource of which two or more ask for the next unit; R once there is none
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
    """One unit goes to a patient; to nobody, a number beyond the last, and then no more units of it in this step.

    :param free: (R,) moved
    :param won: (N,) moved
    :return: the resource that comes up then
    """
    if patient >= len(won):
        return resource + 1
    won[patient] = resource
    free[resource] -= 1
    return resource


@njit
def begin_step(model, cohort, luck, ward):
    """Pathways change; then find out who can ask for what."""
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
    """Enter the state of step t into the record."""
    ward.record[0, t], ward.record[1, t], ward.record[2, t] = ward.condition, ward.state, ward.health


@njit
def to_next_choice(model, cohort, luck, ward):
    """Go on until two or more ask for a unit, or to the end; an episode without any choice stops in its last step.

    :return: sum of the healths after the steps that have passed, over patients who had arrived
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
    """Begin an episode, see :func:`to_next_choice`."""
    begin_step(model, cohort, luck, ward)
    return to_next_choice(model, cohort, luck, ward)


@njit
def decide(model, cohort, luck, ward, patient):
    """The unit that comes up goes to a patient, or to nobody; then see :func:`to_next_choice`."""
    clock = ward.clock
    clock[RESOURCE] = give(ward.free, ward.won, clock[RESOURCE], patient)
    clock[CHOICES] += 1
    return to_next_choice(model, cohort, luck, ward)

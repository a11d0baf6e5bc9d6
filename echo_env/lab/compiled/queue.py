"""Who waits: for each class a linked list, longest wait first.

Whoever leaves a list is its first: starts take the longest wait of a class, and early patients of a type become on time
in the order in which they wait. Joining and leaving thus take no time that grows with the number of those who wait.
"""

from __future__ import annotations

from echo_env.common.jit import njit
from echo_env.lab.compiled.layout import (
    ARRIVAL,
    AT_HEAD,
    AT_PATIENTS,
    AT_TAIL,
    BEFORE,
    BEHIND,
    BY_READY,
    CLASS,
    CLASSES_PER_TYPE,
    COMERS,
    COUNTS,
    DUE,
    EARLY,
    KINDS,
    MINUTE,
    NEXT_READY,
    OF_MARGIN,
    PATIENT_COLUMNS,
    READY,
    SCHEDULED,
    SINCE,
    TYPE,
)
from echo_env.lab.config.plan import NEVER
from echo_env.lab.simulation.patient import class_of, on_time_from, waits_since

# The rules of the hospital, compiled.
_class_of = njit(class_of)
_on_time_from = njit(on_time_from)
_waits_since = njit(waits_since)


@njit
def join(p, kind, cell, rule):
    """A patient joins the queue of a class, behind whoever has waited longer or as long and has a lower number."""
    at, tail = rule[AT_PATIENTS], rule[AT_TAIL] + kind
    own = at + PATIENT_COLUMNS * p
    since = cell[own + SINCE]
    behind, before = -1, cell[tail]
    while before >= 0:
        other = cell[at + PATIENT_COLUMNS * before + SINCE]
        if other < since or (other == since and before < p):
            break
        behind, before = before, cell[at + PATIENT_COLUMNS * before + BEFORE]
    cell[own + CLASS], cell[own + BEFORE], cell[own + BEHIND] = kind, before, behind
    if before >= 0:
        cell[at + PATIENT_COLUMNS * before + BEHIND] = p
    else:
        cell[rule[AT_HEAD] + kind] = p
    if behind >= 0:
        cell[at + PATIENT_COLUMNS * behind + BEFORE] = p
    else:
        cell[tail] = p
    cell[COUNTS + kind] += 1


@njit
def leave(kind, cell, rule):
    """The first of a class leaves its queue; returns who that is."""
    at, head = rule[AT_PATIENTS], rule[AT_HEAD] + kind
    p = cell[head]
    behind = cell[at + PATIENT_COLUMNS * p + BEHIND]
    cell[head] = behind
    if behind >= 0:
        cell[at + PATIENT_COLUMNS * behind + BEFORE] = -1
    else:
        cell[rule[AT_TAIL] + kind] = -1
    cell[COUNTS + kind] -= 1
    return p


@njit
def welcome(cell, rule):
    """Whoever is ready joins the queue, by minute and number; early patients whose time has come become on time."""
    minute, at = cell[MINUTE], rule[AT_PATIENTS]
    while cell[NEXT_READY] < cell[COMERS]:
        p = cell[at + PATIENT_COLUMNS * cell[NEXT_READY] + BY_READY]
        own = at + PATIENT_COLUMNS * p
        if cell[own + READY] > minute:
            break
        kind, arrival = cell[own + TYPE], cell[own + ARRIVAL]
        cell[own + SINCE] = _waits_since(cell[own + SCHEDULED], arrival)
        join(p, _class_of(kind, cell[own + DUE], arrival, minute, rule[rule[OF_MARGIN] + kind]), cell, rule)
        cell[NEXT_READY] += 1
    for k in range(rule[KINDS]):
        early = CLASSES_PER_TYPE * k + EARLY
        while cell[COUNTS + early]:
            p = cell[rule[AT_HEAD] + early]
            if _on_time_from(cell[at + PATIENT_COLUMNS * p + DUE], rule[rule[OF_MARGIN] + k]) > minute:
                break
            leave(early, cell, rule)
            join(p, early - EARLY, cell, rule)


@njit
def waiting_types(cell, rule):
    """Bit set of the types of those who wait."""
    types = 0
    for kind in range(rule[KINDS]):
        c = COUNTS + CLASSES_PER_TYPE * kind
        if cell[c] or cell[c + 1] or cell[c + 2]:
            types |= 1 << kind
    return types


@njit
def next_in_queue(cell, rule):
    """The next minute in which somebody is ready or becomes on time."""
    soonest, at = NEVER, rule[AT_PATIENTS]
    if cell[NEXT_READY] < cell[COMERS]:
        p = cell[at + PATIENT_COLUMNS * cell[NEXT_READY] + BY_READY]
        soonest = min(soonest, cell[at + PATIENT_COLUMNS * p + READY])
    for k in range(rule[KINDS]):
        early = CLASSES_PER_TYPE * k + EARLY
        if cell[COUNTS + early]:
            p = cell[rule[AT_HEAD] + early]
            soonest = min(soonest, _on_time_from(cell[at + PATIENT_COLUMNS * p + DUE], rule[rule[OF_MARGIN] + k]))
    return soonest

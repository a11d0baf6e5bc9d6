"""Who waits: for each class a linked list, longest wait first.

Whoever leaves a list is its first: starts take the longest wait of a class, and early patients of a type become on time
in the order in which they wait. Joining and leaving thus take no time that grows with the number of those who wait.
"""

from __future__ import annotations

from echo_env.common.jit import njit
from echo_env.lab.compiled.layout import (
    ARRIVAL,
    BEFORE,
    BEHIND,
    BY_READY,
    CLASS,
    CLASSES_PER_TYPE,
    COMERS,
    COUNTS,
    DUE,
    EARLY,
    MINUTE,
    NEXT_READY,
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
def join(p, kind, lab, patients, rules):
    """A patient joins the queue of a class, behind whoever has waited longer or as long and has a lower number."""
    since = patients[p, SINCE]
    behind, before = -1, lab[rules.at.tail + kind]
    while before >= 0:
        other = patients[before, SINCE]
        if other < since or (other == since and before < p):
            break
        behind, before = before, patients[before, BEFORE]
    patients[p, CLASS], patients[p, BEFORE], patients[p, BEHIND] = kind, before, behind
    if before >= 0:
        patients[before, BEHIND] = p
    else:
        lab[rules.at.head + kind] = p
    if behind >= 0:
        patients[behind, BEFORE] = p
    else:
        lab[rules.at.tail + kind] = p
    lab[COUNTS + kind] += 1


@njit
def leave(kind, lab, patients, rules):
    """The first of a class leaves its queue; returns who that is."""
    p = lab[rules.at.head + kind]
    behind = patients[p, BEHIND]
    lab[rules.at.head + kind] = behind
    if behind >= 0:
        patients[behind, BEFORE] = -1
    else:
        lab[rules.at.tail + kind] = -1
    lab[COUNTS + kind] -= 1
    return p


@njit
def welcome(lab, patients, rules):
    """Whoever is ready joins the queue, by minute and number; early patients whose time has come become on time."""
    minute = lab[MINUTE]
    while lab[NEXT_READY] < lab[COMERS]:
        p = patients[lab[NEXT_READY], BY_READY]
        if patients[p, READY] > minute:
            break
        kind, arrival = patients[p, TYPE], patients[p, ARRIVAL]
        patients[p, SINCE] = _waits_since(patients[p, SCHEDULED], arrival)
        join(p, _class_of(kind, patients[p, DUE], arrival, minute, rules.margin[kind]), lab, patients, rules)
        lab[NEXT_READY] += 1
    for k in range(rules.at.kinds):
        early = CLASSES_PER_TYPE * k + EARLY
        while lab[COUNTS + early]:
            p = lab[rules.at.head + early]
            if _on_time_from(patients[p, DUE], rules.margin[k]) > minute:
                break
            leave(early, lab, patients, rules)
            join(p, early - EARLY, lab, patients, rules)


@njit
def next_in_queue(lab, patients, rules):
    """The next minute in which somebody is ready or becomes on time."""
    soonest = NEVER
    if lab[NEXT_READY] < lab[COMERS]:
        soonest = min(soonest, patients[patients[lab[NEXT_READY], BY_READY], READY])
    for k in range(rules.at.kinds):
        early = CLASSES_PER_TYPE * k + EARLY
        if lab[COUNTS + early]:
            p = lab[rules.at.head + early]
            soonest = min(soonest, _on_time_from(patients[p, DUE], rules.margin[k]))
    return soonest

"""Many labs stepped at once: the compiled counterpart of the stepping in :class:`~echo_env.lab.envs.env.EchoLabEnv`."""

from __future__ import annotations

from echo_env.common.jit import njit
from echo_env.lab.compiled import kernel
from echo_env.lab.decisions.actions import DIGITS, MOST_PER_CLASS, PLACE_VALUES
from echo_env.lab.simulation.patient import PatientClass

_CLASSES = len(PatientClass)
_PLACES = tuple(int(value) for value in PLACE_VALUES)


@njit
def begin_labs(which, labs, rules, idling, event_clock, mask, size, first):
    """Go to the first choice of days that have just begun.

    :param which: (n,) int64, which labs
    :param labs: their arrays
    :param rules: what is the same in all of them
    :param idling: whether masks include idling actions
    :param event_clock: whether to stop only where there is a choice
    :param mask: (B, 729) bool, filled with the action masks
    :param size: (B,) int64, filled with how many actions are feasible
    :param first: (B,) int64, filled with the lowest of them
    """
    last = rules.whole[kernel.END] - 1
    for b in which:
        lab, patients, queue, staff = labs.lab[b], labs.patients[b], labs.queue[b], labs.staff[b]
        kernel.catch_up(lab, patients, queue, staff, labs.rooms[b], labs.break_draw[b], labs.breaks[b], rules)
        size[b], first[b] = _to_next_choice(b, labs, rules, idling, event_clock, last, mask[b])


@njit
def step_labs(actions, labs, rules, idling, event_clock, mask, size, first):
    """Carry out a joint action in every lab, and go on to its next choice. Parameters as in :func:`begin_labs`.

    :param actions: (B,) int64, each feasible in its lab
    """
    end = rules.whole[kernel.END]
    for b in range(len(actions)):
        lab, patients, queue, staff = labs.lab[b], labs.patients[b], labs.queue[b], labs.staff[b]
        rooms, draw, breaks, rows = labs.rooms[b], labs.break_draw[b], labs.breaks[b], labs.rows[b]
        if actions[b]:
            kernel.start_action(actions[b], lab, patients, queue, staff, rooms, labs.exams[b], rules)
        limit = end if event_clock else lab[kernel.MINUTE] + 1
        kernel.advance(limit, lab, patients, queue, staff, rooms, draw, breaks, rows, rules)
        size[b], first[b] = _to_next_choice(b, labs, rules, idling, event_clock, end, mask[b])


@njit
def _to_next_choice(b, labs, rules, idling, event_clock, latest, mask):
    """Counterpart of ``EchoLabEnv._to_next_choice``."""
    end = rules.whole[kernel.END]
    lab, patients, queue, staff = labs.lab[b], labs.patients[b], labs.queue[b], labs.staff[b]
    rooms, draw, breaks, rows = labs.rooms[b], labs.break_draw[b], labs.breaks[b], labs.rows[b]
    while True:
        if lab[kernel.MINUTE] >= end:
            for k in range(len(mask)):
                mask[k] = k == 0
            return 1, 0
        size, first = kernel.offer(lab, idling, mask)
        if not event_clock or size > 1 or lab[kernel.MINUTE] == latest:
            return size, first
        if first:
            kernel.start_action(first, lab, patients, queue, staff, rooms, labs.exams[b], rules)
        kernel.advance(latest, lab, patients, queue, staff, rooms, draw, breaks, rows, rules)


@njit
def rule_actions(labs, scratch, rules, tiers, mask, size, first, out):
    """What a rule of tiers does now, as joint actions: counterpart of ``EchoLabEnv.rule_actions``.

    :param labs: the arrays; they stay as they are
    :param scratch: arrays of one lab
    :param rules: what is the same in all of them
    :param tiers: (6,) int64, the rule
    :param mask: (B, 729) bool, action masks
    :param size: (B,) int64, how many actions are feasible
    :param first: (B,) int64, the lowest of them
    :param out: (B,) int64, filled
    """
    lab, patients, queue, staff = scratch.lab[0], scratch.patients[0], scratch.queue[0], scratch.staff[0]
    rooms, exams = scratch.rooms[0], scratch.exams[0]
    for b in range(len(out)):
        out[b] = first[b]
        if size[b] == 1:
            continue
        # What a decision does not touch need not be copied.
        lab[:], patients[:], queue[:], staff[:] = labs.lab[b], labs.patients[b], labs.queue[b], labs.staff[b]
        rooms[:] = labs.rooms[b]
        kernel.start_tiers(tiers, lab, patients, queue, staff, rooms, exams, rules)
        wanted = 0
        for kind in range(_CLASSES):
            begun = labs.lab[b, kernel.COUNTS + kind] - lab[kernel.COUNTS + kind]
            wanted += min(begun, MOST_PER_CLASS) * _PLACES[kind]
        out[b] = _nearest_on_offer(wanted, mask[b])


@njit
def _nearest_on_offer(action, mask):
    """Counterpart of ``wrappers.nearest_feasible``."""
    if mask[action]:
        return action
    nearest, fewest = -1, DIGITS.size
    for other in range(len(mask)):
        if mask[other]:
            starts = 0
            for kind in range(_CLASSES):
                starts += abs(DIGITS[other, kind] - DIGITS[action, kind])
            if starts < fewest:
                nearest, fewest = other, starts
    return nearest

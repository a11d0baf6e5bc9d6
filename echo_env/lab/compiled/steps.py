"""Many labs stepped at once: the compiled counterpart of the stepping in :class:`~echo_env.lab.envs.env.EchoLabEnv`."""

from __future__ import annotations

from echo_env.common.jit import njit
from echo_env.lab.compiled import kernel
from echo_env.lab.compiled.layout import CLASSES_PER_TYPE, COUNTS, END, KINDS, MINUTE
from echo_env.lab.compiled.offers import carry_out, offer, offer_none
from echo_env.lab.compiled.starts import first_of_tier, open_types, start_tiers
from echo_env.lab.decisions.actions import CLASSES, DIGITS, MOST_PER_CLASS, PLACE_VALUES

_PLACES = tuple(int(value) for value in PLACE_VALUES)


@njit
def begin_labs(which, labs, rules, joint, idling, event_clock, mask, size, first):
    """Go to the first choice of days that have just begun.

    :param which: (n,) int64, which labs
    :param labs: their arrays
    :param rules: what is the same in all of them
    :param joint: whether actions are joint ones; else single starts
    :param idling: whether masks include idling actions
    :param event_clock: whether to stop only where there is a choice
    :param mask: (B, actions) bool, filled with the action masks
    :param size: (B,) int64, filled with how many actions are feasible
    :param first: (B,) int64, filled with the lowest of them
    """
    rule, odds = rules.numbers, rules.odds
    for b in which:
        cell, draw = labs.lab[b], labs.break_draw[b]
        kernel.catch_up(cell, rule, draw, odds)
        latest = rule[END] - 1
        size[b], first[b] = _to_next_choice(cell, rule, draw, odds, joint, idling, event_clock, latest, mask[b])


@njit
def step_labs(actions, labs, rules, joint, idling, event_clock, mask, size, first):
    """Carry out an action in every lab, and go on to its next choice. Parameters as in :func:`begin_labs`.

    :param actions: (B,) int64, each feasible in its lab
    """
    rule, odds = rules.numbers, rules.odds
    for b in range(len(actions)):
        cell, draw = labs.lab[b], labs.break_draw[b]
        if carry_out(joint, actions[b], cell, rule):
            kernel.advance(rule[END] if event_clock else cell[MINUTE] + 1, cell, rule, draw, odds)
        size[b], first[b] = _to_next_choice(cell, rule, draw, odds, joint, idling, event_clock, rule[END], mask[b])


@njit
def _to_next_choice(cell, rule, draw, odds, joint, idling, event_clock, latest, mask):
    """Counterpart of ``EchoLabEnv._to_next_choice``."""
    while True:
        if cell[MINUTE] >= rule[END]:
            return offer_none(joint, rule, mask)
        size, first = offer(joint, idling, cell, rule, mask)
        if not event_clock or size > 1 or cell[MINUTE] == latest:
            return size, first
        if carry_out(joint, first, cell, rule):
            kernel.advance(latest, cell, rule, draw, odds)


@njit
def rule_actions(labs, scratch, rules, joint, tiers, mask, size, first, out):
    """What a rule of tiers does now, as actions: counterpart of ``EchoLabEnv.rule_actions``.

    :param labs: the arrays; they stay as they are
    :param scratch: arrays of one lab
    :param rules: what is the same in all of them
    :param joint: whether actions are joint ones
    :param tiers: (3 K,) int64, the rule
    :param mask: (B, actions) bool, action masks
    :param size: (B,) int64, how many actions are feasible
    :param first: (B,) int64, the lowest of them
    :param out: (B,) int64, filled
    """
    rule = rules.numbers
    for b in range(len(out)):
        out[b] = first[b]
        if size[b] == 1:
            continue
        if joint:
            out[b] = _rule_jointly(labs.lab[b], scratch.lab[0], rule, tiers, mask[b])
        else:
            wanted = _first_start(labs.lab[b], rule, tiers)
            if mask[b, wanted]:
                out[b] = wanted


@njit
def _first_start(cell, rule, tiers):
    """The class that a rule of tiers starts first, or stop."""
    possible = open_types(cell, rule)
    for tier in range(len(tiers)):
        kind = first_of_tier(tier, tiers, possible, cell, rule)
        if kind >= 0:
            return kind
    return CLASSES_PER_TYPE * rule[KINDS]


@njit
def _rule_jointly(cell, copy, rule, tiers, mask):
    """The feasible joint action nearest to what a rule of tiers starts."""
    # A copy keeps no rows of a trace.
    copy[:] = cell[: len(copy)]
    start_tiers(tiers, copy, rule)
    wanted = 0
    for kind in range(CLASSES):
        begun = cell[COUNTS + kind] - copy[COUNTS + kind]
        wanted += min(begun, MOST_PER_CLASS) * _PLACES[kind]
    return _nearest_feasible(wanted, mask)


@njit
def _nearest_feasible(action, mask):
    """Counterpart of ``actions.nearest_feasible``."""
    if mask[action]:
        return action
    nearest, fewest = -1, DIGITS.size
    for other in range(len(mask)):
        if mask[other]:
            starts = 0
            for kind in range(CLASSES):
                starts += abs(DIGITS[other, kind] - DIGITS[action, kind])
            if starts < fewest:
                nearest, fewest = other, starts
    return nearest

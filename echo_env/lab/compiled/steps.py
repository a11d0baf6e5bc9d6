"""Many labs stepped at once: the compiled counterpart of the stepping in :class:`~echo_env.lab.envs.env.EchoLabEnv`."""

from __future__ import annotations

from echo_env.common.jit import njit
from echo_env.lab.compiled import kernel
from echo_env.lab.compiled.layout import CLASSES_PER_TYPE, COUNTS, MINUTE, one_of
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
    for b in which:
        one = one_of(labs, b)
        kernel.catch_up(one, rules)
        size[b], first[b] = _to_next_choice(one, rules, joint, idling, event_clock, rules.whole.end - 1, mask[b])


@njit
def step_labs(actions, labs, rules, joint, idling, event_clock, mask, size, first):
    """Carry out an action in every lab, and go on to its next choice. Parameters as in :func:`begin_labs`.

    :param actions: (B,) int64, each feasible in its lab
    """
    end = rules.whole.end
    for b in range(len(actions)):
        one = one_of(labs, b)
        if carry_out(joint, actions[b], one, rules):
            kernel.advance(end if event_clock else one.lab[MINUTE] + 1, one, rules)
        size[b], first[b] = _to_next_choice(one, rules, joint, idling, event_clock, end, mask[b])


@njit
def _to_next_choice(one, rules, joint, idling, event_clock, latest, mask):
    """Counterpart of ``EchoLabEnv._to_next_choice``."""
    end = rules.whole.end
    while True:
        if one.lab[MINUTE] >= end:
            return offer_none(joint, mask)
        size, first = offer(joint, idling, one, rules, mask)
        if not event_clock or size > 1 or one.lab[MINUTE] == latest:
            return size, first
        if carry_out(joint, first, one, rules):
            kernel.advance(latest, one, rules)


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
    for b in range(len(out)):
        out[b] = first[b]
        if size[b] == 1:
            continue
        if joint:
            out[b] = _rule_jointly(one_of(labs, b), one_of(scratch, 0), rules, tiers, mask[b])
        else:
            wanted = _first_start(one_of(labs, b), rules, tiers)
            if mask[b, wanted]:
                out[b] = wanted


@njit
def _first_start(one, rules, tiers):
    """The class that a rule of tiers starts first, or stop."""
    possible = open_types(one, rules)
    for tier in range(len(tiers)):
        kind = first_of_tier(tier, tiers, possible, one.lab, one.patients, rules)
        if kind >= 0:
            return kind
    return CLASSES_PER_TYPE * rules.at.kinds


@njit
def _rule_jointly(one, copy, rules, tiers, mask):
    """The feasible joint action nearest to what a rule of tiers starts."""
    copy_state(one, copy)
    start_tiers(tiers, copy, rules)
    wanted = 0
    for kind in range(CLASSES):
        begun = one.lab[COUNTS + kind] - copy.lab[COUNTS + kind]
        wanted += min(begun, MOST_PER_CLASS) * _PLACES[kind]
    return _nearest_feasible(wanted, mask)


@njit
def copy_state(one, copy):
    """Copy what decisions and the rest of the day depend on, but draws of breaks; records are only written."""
    copy.lab[:], copy.left[:], copy.patients[:], copy.pending[:] = one.lab, one.left, one.patients, one.pending
    copy.staff[:], copy.rooms[:], copy.idle[:], copy.ends[:] = one.staff, one.rooms, one.idle, one.ends


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

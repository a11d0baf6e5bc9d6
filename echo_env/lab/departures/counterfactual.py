"""Counterfactual decisions: where two policies differ in the same state, and what that saves (section 6.0.5).

The compiled counterpart of :mod:`~echo_env.lab.departures.state_by_state`, on many days at once. One policy plays the
days; in every state on its path the other policy's decision is computed too. Where the two differ, a copy of the lab
takes the other's decision, once, and is played to the end of the same day under the first policy: common random
numbers. The copy's penalty minus the penalty paid is what the departure saved. The copy lives through the day as it
came, arrivals and durations included, so this is a report on past days and nothing a policy may use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.jit import njit
from echo_env.lab.compiled import batch, continuation, kernel, layout, offers
from echo_env.lab.compiled.batch import TierTable
from echo_env.lab.compiled.layout import Labs, Rules
from echo_env.lab.compiled.starts import start_tiers, starts_left_of
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Days
from echo_env.lab.simulation.penalty import penalty_points
from echo_env.lab.simulation.policy import ChoosingPolicy, Policy, TieredPolicy, is_memoryless

Ints = NDArray[np.int64]

_COPIES = 5000
"""Copies of labs that are played on in one batch."""


class Decisions(NamedTuple):
    """The n decisions with a choice on D days of the followed policy, and what these days cost.

    :param day: (n,) int64, number of the day among those played
    :param minute: (n,) int64, since opening
    :param waiting: (n, 3 K) int64, patients waiting, by class
    :param free: (n, groups) int64, free rooms and then free members of staff, by group in the plan's order of columns
    :param followed: (n, 3 K) int64, exams of each class that the followed policy begins
    :param other: (n, 3 K) int64, exams of each class that the other policy would begin
    :param saved: (n,) float64, points by the end of the day: penalty with the other's decision here, minus penalty
        paid; 0 where they agree
    :param penalty: (D,) float64, points of each whole day under the followed policy
    """

    day: Ints
    minute: Ints
    waiting: Ints
    free: Ints
    followed: Ints
    other: Ints
    saved: NDArray[np.float64]
    penalty: NDArray[np.float64]


def follow(config: Lab, followed: Policy, other: Policy, days: Days) -> Decisions:
    """Play days under one policy, and evaluate in copies the decisions in which another policy differs.

    Both decide in every minute in which an exam could begin, one of single starts on all of the minute's. There is a
    choice if one of the policies ever idles, or if more than one set of patients could begin to which nobody could be
    added. Two decisions are the same if they begin as many patients of each class: within a class those who have
    waited longest always begin.

    :param config: the lab
    :param followed: plays the days
    :param other: its decisions are carried out in copies only
    :param days: the days
    :raises ValueError: a policy is not one for which :func:`~echo_env.lab.simulation.policy.is_memoryless` holds
    """
    own, another = _decider(config, followed, days), _decider(config, other, days)
    labs = batch.make_labs(config, len(days))
    batch.begin_days(config, labs, np.arange(len(days)), days)
    rules, idling = batch.rules_of(config), own.idling or another.idling
    parts: list[_Part] = []
    tried = _Tried(config, own)
    _to_next_decision(labs, rules, True)
    while len(playing := np.flatnonzero(labs.lab[:, layout.MINUTE] < config.hours.end_min)):
        now = continuation.copy_labs(labs, playing)
        choice = np.full(len(playing), idling)
        if not idling:
            _find_choices(continuation.copy_labs(now, np.arange(len(playing))), rules, choice)
        after, instead = own.decide(now), another.decide(now)
        ours, theirs = _begun(config, now, after), _begun(config, now, instead)
        differ = (ours != theirs).any(axis=1)
        parts.append(_Part(playing, now.lab, ours, theirs, differ).select(choice | differ))
        tried.add(continuation.copy_labs(instead, np.flatnonzero(differ)))
        _put_back(labs, playing, after)
        _to_next_decision(labs, rules, False)
    return _decisions(config, labs, _Part._make(map(np.concatenate, zip(*parts, strict=True))), tried.penalty())


def _put_back(labs: Labs, which: Ints, copies: Labs) -> None:
    arrays: Sequence[NDArray[Any]] = labs
    for old, new in zip(arrays, copies, strict=True):
        old[which] = new


class _Part(NamedTuple):
    """Decisions of one step: lab number, its state, exams that either policy begins, whether they differ."""

    day: Ints
    lab: layout.Ints
    followed: Ints
    other: Ints
    differ: NDArray[np.bool_]

    def select(self, which: NDArray[np.bool_] | Ints) -> _Part:
        return _Part._make(array[which] for array in self)


class _Tried:
    """Copies of labs that took the other policy's decision, played to the end of their days.

    :param config: the lab
    :param own: the policy from then on
    """

    def __init__(self, config: Lab, own: _TieredDecider | _ChoosingDecider) -> None:
        self._config, self._own = config, own
        self._waiting: list[Labs] = []
        self._penalty: list[NDArray[np.float64]] = [np.zeros(0)]

    def add(self, copies: Labs) -> None:
        """Add copies: batched for inference, and played on whenever there are many, to bound memory."""
        self._waiting.append(copies)
        if sum(len(labs.lab) for labs in self._waiting) >= _COPIES:
            self._play_on()

    def penalty(self) -> NDArray[np.float64]:
        """(n,) penalty points of their whole days, in the order in which they were added."""
        self._play_on()
        return np.concatenate(self._penalty)

    def _play_on(self) -> None:
        if not self._waiting:
            return
        labs = Labs._make(map(np.concatenate, zip(*self._waiting, strict=True)))
        self._waiting = []
        if len(labs.lab):
            _to_next_decision(labs, batch.rules_of(self._config), False)
            self._penalty.append(_points(self._config, self._own.play_on(labs)))


def _points(config: Lab, units: NDArray[Any]) -> NDArray[np.float64]:
    """Units (n, 7) -> penalty points (n,)."""
    return np.asarray(penalty_points(config, units.T).total, dtype=np.float64)


def _decisions(config: Lab, labs: Labs, part: _Part, tried: NDArray[np.float64]) -> Decisions:
    """Decisions sorted by day and minute, with what each departure saved."""
    penalty = _points(config, labs.lab[:, layout.PAID])
    saved = np.zeros(len(part.day))
    saved[part.differ] = tried - penalty[part.day[part.differ]]
    # Collected minute by minute across all days.
    order = np.lexsort((part.lab[:, layout.MINUTE], part.day))
    part, lab = part.select(order), part.lab[order].astype(np.int64)
    rule = batch.rules_of(config).numbers
    rooms, away = rule[layout.AT_FREE_ROOMS], rule[layout.AT_AWAY]
    waiting, free = lab[:, layout.COUNTS : rooms], lab[:, rooms:away]
    minute = lab[:, layout.MINUTE]
    return Decisions(part.day, minute, waiting, free, part.followed, part.other, saved[order], penalty)


def _begun(config: Lab, before: Labs, after: Labs) -> Ints:
    """(n, 3 K), how many of each class a decision began."""
    counts = slice(layout.COUNTS, layout.COUNTS + layout.CLASSES_PER_TYPE * len(config.plan.types))
    return (before.lab[:, counts] - after.lab[:, counts]).astype(np.int64)


def _decider(config: Lab, policy: Policy, days: Days) -> _TieredDecider | _ChoosingDecider:
    if isinstance(policy, TieredPolicy):
        return _TieredDecider(config, policy)
    if isinstance(policy, ChoosingPolicy) and is_memoryless(policy):
        return _ChoosingDecider(config, policy, days)
    raise ValueError(
        f"policy {policy.name!r} cannot be compared decision by decision: only trained agents can, those with "
        "reservations excepted, and rules that serve by class, such as policy_2 and fetal_first"
    )


class _TieredDecider:
    """Carries out the decisions of a rule that serves by class, for a batch of labs."""

    def __init__(self, config: Lab, policy: TieredPolicy) -> None:
        self._rules, self._tiers = batch.rules_of(config), batch.tiers_of(policy.tiers, len(config.plan.types))
        # A rule that does not serve every class leaves resources idle while somebody waits.
        self.idling = bool((self._tiers < 0).any())

    def decide(self, labs: Labs) -> Labs:
        """Copies of the labs in which the decision has been carried out; no time has passed."""
        after = Labs._make(array.copy() for array in labs)
        _start_by_tiers(after, self._rules, self._tiers)
        return after

    def play_on(self, labs: Labs) -> Ints:
        """(n, 7) penalty units of the whole day, with this policy from now on."""
        every = np.arange(len(labs.lab))
        first = np.full(len(every), continuation.THE_RULE)
        return continuation.continue_under_rule(labs, every, first, self._rules, True, self._tiers)


class _ChoosingDecider:
    """The same for a memoryless policy that chooses joint actions or single starts."""

    def __init__(self, config: Lab, policy: ChoosingPolicy, days: Days) -> None:
        self._rules, self.idling, self._joint = batch.rules_of(config), policy.idling, policy.actions == "joint"
        self._choose = policy.chooser(config, days)

    def decide(self, labs: Labs) -> Labs:
        """As in :class:`_TieredDecider`; single starts are asked for until the policy stops."""
        after = Labs._make(array.copy() for array in labs)
        playing = np.arange(len(labs.lab))
        while len(playing):
            now = continuation.copy_labs(after, playing)
            over = np.zeros(len(playing), dtype=np.bool_)
            _carry_out(self._joint, self._actions(now), now, self._rules, over)
            _put_back(after, playing, now)
            playing = playing[~over]
        return after

    def play_on(self, labs: Labs) -> Ints:
        """As in :class:`_TieredDecider`."""
        units = labs.lab[:, layout.PAID].astype(np.int64)
        going = np.flatnonzero(labs.lab[:, layout.MINUTE] < self._rules.numbers[layout.END])
        first = self._actions(continuation.copy_labs(labs, going))

        def choose(playing: Labs, mask: NDArray[np.bool_]) -> Ints:
            return self._choose(playing, np.arange(len(mask)), mask)

        units[going] = continuation.continue_under_choices(
            labs, going, first, self._rules, self._joint, self.idling, choose
        )
        return units

    def _actions(self, labs: Labs) -> Ints:
        """(n,) actions; where only one is feasible, that one without a call of the chooser."""
        mask = np.zeros((len(labs.lab), offers.action_count(self._rules, self._joint)), dtype=np.bool_)
        size, actions = np.zeros((2, len(mask)), dtype=np.int64)
        _offer_each(labs, self._rules, self._joint, self.idling, mask, size, actions)
        choices = np.flatnonzero(size > 1)
        if len(choices):
            actions[choices] = self._choose(labs, choices, mask[choices])
        return actions


@njit
def _offer_each(
    labs: Labs, rules: Rules, joint: bool, idling: bool, mask: NDArray[np.bool_], size: Ints, first: Ints
) -> None:
    for b in range(len(mask)):
        size[b], first[b] = offers.offer(joint, idling, labs.lab[b], rules.numbers, mask[b])


@njit
def _find_choices(labs: Labs, rules: Rules, choice: NDArray[np.bool_]) -> None:
    """Whether more than one set of patients could begin to which nobody could be added; the labs are used up.

    There is one such set only if, with anybody served, of each class as many begin as could if it came first.
    """
    classes = layout.CLASSES_PER_TYPE * rules.numbers[layout.KINDS]
    anybody = np.zeros(classes, np.int64)
    fewest = np.empty(classes, np.int64)
    for b in range(len(choice)):
        cell = labs.lab[b]
        for kind in range(classes):
            left = starts_left_of(kind // layout.CLASSES_PER_TYPE, cell, rules.numbers)
            fewest[kind] = cell[layout.COUNTS + kind] - min(cell[layout.COUNTS + kind], left)
        start_tiers(anybody, cell, rules.numbers)
        for kind in range(classes):
            choice[b] |= cell[layout.COUNTS + kind] > fewest[kind]


@njit
def _start_by_tiers(labs: Labs, rules: Rules, tiers: TierTable) -> None:
    for b in range(len(labs.lab)):
        start_tiers(tiers, labs.lab[b], rules.numbers)


@njit
def _carry_out(joint: bool, actions: Ints, labs: Labs, rules: Rules, over: NDArray[np.bool_]) -> None:
    """Begin the exams of an action in every lab, and say where the minute's decision is complete."""
    for b in range(len(actions)):
        cell, rule = labs.lab[b], rules.numbers
        over[b] = offers.carry_out(joint, actions[b], cell, rule) or not kernel.can_start(cell, rule)


@njit
def _to_next_decision(labs: Labs, rules: Rules, begins: bool) -> None:
    """Advance to the next minute in which an exam could begin, or to the end of the day.

    :param labs: the arrays
    :param rules: what is the same in all labs
    :param begins: whether the day is just beginning; otherwise this minute's decision has been carried out
    """
    rule, odds = rules.numbers, rules.odds
    for b in range(len(labs.lab)):
        cell, draw, decided = labs.lab[b], labs.break_draw[b], not begins
        if begins:
            kernel.catch_up(cell, rule, draw, odds)
        while cell[layout.MINUTE] < rule[layout.END] and (decided or not kernel.can_start(cell, rule)):
            kernel.advance(rule[layout.END], cell, rule, draw, odds)
            decided = False

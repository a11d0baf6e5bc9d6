"""Where a policy decides otherwise than another one, and what that saves, on many days at once (section 6.0.5).

The compiled companion of :mod:`~echo_env.lab.departures.state_by_state`. One policy is followed through its days; the
other is asked about every state on the way. Wherever the two differ, a copy of the lab does what the other one says,
once, and is then played on to the end of the very same day by the policy that is followed. What the copy pays more is
what the departure saved. The copy knows no more than the policies do, but its day is the one that really came: this is
a report about days that are over, and nothing a policy could use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.jit import njit
from echo_env.lab.compiled import batch, continuation, kernel
from echo_env.lab.compiled import steps as batch_steps
from echo_env.lab.compiled.batch import TierTable
from echo_env.lab.compiled.kernel import Labs, Rules
from echo_env.lab.config import LabConfig
from echo_env.lab.day import Days
from echo_env.lab.decisions.actions import ACTIONS, CLASSES
from echo_env.lab.decisions.observation import observation_fields
from echo_env.lab.policies.agent import AgentPolicy
from echo_env.lab.policies.on_the_fly import TierPolicy
from echo_env.lab.simulation.penalty import penalty_points
from echo_env.lab.simulation.policy import Policy

Ints = NDArray[np.int64]

_COPIES = 5000
"""Copies of labs that are played on at a time."""


class Decisions(NamedTuple):
    """n decisions with a choice, along the days of the policy that was followed, and what D whole days cost.

    :param day: (n,) int64, number of the day among those played
    :param minute: (n,) int64, since opening
    :param waiting: (n, 6) int64, patients waiting, by class
    :param free: (n, 4) int64, free rooms (non-fetal, fetal-capable), then free sonographers (the same)
    :param followed: (n, 6) int64, how many of each class the policy that is followed begins
    :param other: (n, 6) int64, how many the other one would
    :param saved: (n,) float64, points by the end of the day: the penalty had the other one decided here, minus what
        was paid; 0 where they agree
    :param penalty: (D,) float64, points of each whole day under the policy that was followed
    """

    day: Ints
    minute: Ints
    waiting: Ints
    free: Ints
    followed: Ints
    other: Ints
    saved: NDArray[np.float64]
    penalty: NDArray[np.float64]


def can_be_followed(policy: Policy) -> bool:
    """Whether a policy is one that :func:`follow` takes: what it does depends on the state of the lab alone."""
    return isinstance(policy, (TierPolicy, AgentPolicy))


def follow(config: LabConfig, followed: Policy, other: Policy, days: Days) -> Decisions:
    """Follow a policy through days, ask another one about every state, and try out what it would have done.

    Both are asked in every minute in which anybody could begin. A decision has a choice if there is more than one
    joint action; if neither policy ever leaves idle what could be used, of those that do not either. Two decisions
    are the same if they begin as many patients of each class: within a class it is always those who have waited
    longest.

    :param config: the lab
    :param followed: decides what happens
    :param other: is asked, and obeyed in copies only
    :param days: the days
    :raises ValueError: a policy is not one for which :func:`can_be_followed` holds
    """
    own, another = _asked(config, followed), _asked(config, other)
    labs = batch.make_labs(config, len(days))
    batch.begin_days(config, labs, np.arange(len(days)), days)
    rules, idling = batch.rules_of(config), own.idling or another.idling
    parts: list[_Part] = []
    tried = _Tried(config, own)
    _to_next_decision(labs, rules, True)
    while len(playing := np.flatnonzero(labs.lab[:, kernel.MINUTE] < config.hours.end_min)):
        now = continuation.copy_labs(labs, playing)
        _, size, _ = _offers(now, idling)
        after, instead = own.decide(now), another.decide(now)
        ours, theirs = _begun(now, after), _begun(now, instead)
        differ = (ours != theirs).any(axis=1)
        parts.append(_Part(playing, now.lab, ours, theirs, differ).select((size > 1) | differ))
        tried.add(continuation.copy_labs(instead, np.flatnonzero(differ)))
        _put_back(labs, playing, after)
        _to_next_decision(labs, rules, False)
    return _decisions(config, labs, _Part._make(map(np.concatenate, zip(*parts, strict=True))), tried.penalty())


def _put_back(labs: Labs, which: Ints, copies: Labs) -> None:
    arrays: Sequence[NDArray[Any]] = labs
    for old, new in zip(arrays, copies, strict=True):
        old[which] = new


class _Part(NamedTuple):
    """Some decisions: which lab, its counts and clocks, what either policy begins, and whether that differs."""

    day: Ints
    lab: kernel.Ints
    followed: Ints
    other: Ints
    differ: NDArray[np.bool_]

    def select(self, which: NDArray[np.bool_] | Ints) -> _Part:
        return _Part._make(array[which] for array in self)


class _Tried:
    """Copies of labs in which the other policy has decided, played on to the end of their days.

    :param config: the lab
    :param own: who decides from then on
    """

    def __init__(self, config: LabConfig, own: _Rule | _Agent) -> None:
        self._config, self._own = config, own
        self._waiting: list[Labs] = []
        self._penalty: list[NDArray[np.float64]] = [np.zeros(0)]

    def add(self, copies: Labs) -> None:
        """Take some; play on once there are many, for an agent is asked best about many, but memory is finite."""
        self._waiting.append(copies)
        if sum(len(labs.lab) for labs in self._waiting) >= _COPIES:
            self._play_on()

    def penalty(self) -> NDArray[np.float64]:
        """(n,) points of their whole days, in the order in which they were added."""
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


def _points(config: LabConfig, units: NDArray[Any]) -> NDArray[np.float64]:
    """Units (n, 4) -> penalty points (n,)."""
    return np.asarray(penalty_points(config, units.T).total, dtype=np.float64)


def _decisions(config: LabConfig, labs: Labs, part: _Part, tried: NDArray[np.float64]) -> Decisions:
    """Put together what was gathered along the days, once they are over."""
    penalty = _points(config, labs.lab[:, kernel.UNITS :])
    saved = np.zeros(len(part.day))
    saved[part.differ] = tried - penalty[part.day[part.differ]]
    # Day by day: along the way all days were asked in turn.
    order = np.lexsort((part.lab[:, kernel.MINUTE], part.day))
    part, lab = part.select(order), part.lab[order].astype(np.int64)
    waiting, free = lab[:, kernel.COUNTS : kernel.FREE], lab[:, kernel.FREE : kernel.ON_BREAK]
    minute = lab[:, kernel.MINUTE]
    return Decisions(part.day, minute, waiting, free, part.followed, part.other, saved[order], penalty)


def _begun(before: Labs, after: Labs) -> Ints:
    """(n, 6), how many of each class a decision began."""
    counts = slice(kernel.COUNTS, kernel.COUNTS + CLASSES)
    return (before.lab[:, counts] - after.lab[:, counts]).astype(np.int64)


def _asked(config: LabConfig, policy: Policy) -> _Rule | _Agent:
    if isinstance(policy, TierPolicy):
        return _Rule(config, policy)
    if isinstance(policy, AgentPolicy):
        return _Agent(config, policy)
    raise ValueError(
        f"policy {policy.name!r} cannot be compared decision by decision: only trained agents can, and rules that "
        "serve by class, such as policy_2 and fetal_first"
    )


class _Rule:
    """A rule that serves by class, asked about many labs at once."""

    def __init__(self, config: LabConfig, policy: TierPolicy) -> None:
        self._rules, self._tiers = batch.rules_of(config), batch.tiers_of(policy.tiers)
        # Who does not serve every class leaves resources idle while somebody waits.
        self.idling = bool((self._tiers < 0).any())

    def decide(self, labs: Labs) -> Labs:
        """Copies of the labs in which the decision has been carried out; no time has passed."""
        after = Labs._make(array.copy() for array in labs)
        _start_by_tiers(after, self._rules, self._tiers)
        return after

    def play_on(self, labs: Labs) -> Ints:
        """(n, 4) penalty units of the whole day, decided from now on by this policy."""
        every = np.arange(len(labs.lab))
        first = np.full(len(every), continuation.THE_RULE)
        return continuation.continue_under_rule(labs, every, first, self._rules, self._tiers)


class _Agent:
    """The same for an agent."""

    def __init__(self, config: LabConfig, policy: AgentPolicy) -> None:
        self._policy, self._rules, self.idling = policy, batch.rules_of(config), policy.idling
        self._scale = np.array([field.scale for field in observation_fields(policy.observation, config)])

    def decide(self, labs: Labs) -> Labs:
        """As in :class:`_Rule`."""
        after = Labs._make(array.copy() for array in labs)
        _start_actions(self._actions(labs), after, self._rules)
        return after

    def play_on(self, labs: Labs) -> Ints:
        """As in :class:`_Rule`."""
        return continuation.continue_under_choices(
            labs,
            np.arange(len(labs.lab)),
            self._actions(labs),
            self._rules,
            self.idling,
            self._observe,
            self._policy.choose,
        )

    def _actions(self, labs: Labs) -> Ints:
        """(n,) the agent's joint actions; the only one, unasked, where there is but one."""
        mask, size, actions = _offers(labs, self.idling)
        choices = np.flatnonzero(size > 1)
        if len(choices):
            shown = self._observe(continuation.copy_labs(labs, choices))
            actions[choices] = self._policy.choose(shown, mask[choices])
        return actions

    def _observe(self, labs: Labs) -> NDArray[np.float32]:
        shown: NDArray[np.float32] = np.zeros((len(labs.lab), len(self._scale)), dtype=np.float32)
        batch_steps.observe_labs(labs, self._rules, self._scale, self._policy.observation == "rich", shown)
        return shown


def _offers(labs: Labs, idling: bool) -> tuple[NDArray[np.bool_], Ints, Ints]:
    """What is on offer in each lab: (n, 729) bool, how many joint actions that is, and the lowest of them."""
    mask = np.zeros((len(labs.lab), ACTIONS), dtype=np.bool_)
    size, first = np.zeros((2, len(mask)), dtype=np.int64)
    _offer_each(labs, idling, mask, size, first)
    return mask, size, first


@njit
def _offer_each(labs: Labs, idling: bool, mask: NDArray[np.bool_], size: Ints, first: Ints) -> None:
    for b in range(len(mask)):
        size[b], first[b] = kernel.offer(labs.lab[b], idling, mask[b])


@njit
def _start_by_tiers(labs: Labs, rules: Rules, tiers: TierTable) -> None:
    for b in range(len(labs.lab)):
        patients, queue, staff, rooms = labs.patients[b], labs.queue[b], labs.staff[b], labs.rooms[b]
        kernel.start_tiers(tiers, labs.lab[b], patients, queue, staff, rooms, labs.exams[b], rules)


@njit
def _start_actions(actions: Ints, labs: Labs, rules: Rules) -> None:
    for b in range(len(actions)):
        patients, queue, staff, rooms = labs.patients[b], labs.queue[b], labs.staff[b], labs.rooms[b]
        kernel.start_action(actions[b], labs.lab[b], patients, queue, staff, rooms, labs.exams[b], rules)


@njit
def _to_next_decision(labs: Labs, rules: Rules, begins: bool) -> None:
    """Go on to the next minute in which anybody could begin, or to the end of the day.

    :param labs: the arrays
    :param rules: what is the same in all of them
    :param begins: whether nothing of the day has happened yet; else this minute's decision has been carried out
    """
    end = rules.whole[kernel.END]
    for b in range(len(labs.lab)):
        lab, patients, queue, staff = labs.lab[b], labs.patients[b], labs.queue[b], labs.staff[b]
        rooms, draw, breaks, rows = labs.rooms[b], labs.break_draw[b], labs.breaks[b], labs.rows[b]
        decided = not begins
        if begins:
            kernel.catch_up(lab, patients, queue, staff, rooms, draw, breaks, rules)
        while lab[kernel.MINUTE] < end and (decided or not kernel.can_start(lab)):
            kernel.advance(end, lab, patients, queue, staff, rooms, draw, breaks, rows, rules)
            decided = False

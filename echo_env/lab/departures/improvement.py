"""How much one step of lookahead gains over a policy, decision by decision (needs numba).

The improved policy simulates: where more than one action is feasible, the rest of the day is redrawn several times
given what the staff know, each action is tried on these draws with the base policy deciding from then on, and the best
one is taken if it beats the base policy's by more than a standard error (rollout: Bertsekas, Tsitsiklis and Wu, 1997).

What it gains is measured by the performance-difference lemma (Kakade and Langford, 2002): the difference between two
policies' expected costs is the expected sum, along days played by the improved policy, of the base policy's advantages
of its actions. Each advantage is estimated on redraws of the future that are independent of those that chose the
action: on the same redraws it would be too large, since the best of several noisy means was taken. Futures that both
share cancel out, so that the interval is several times narrower than that of paired days.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.stats import Estimate, estimate
from echo_env.lab.compiled import batch, continuation, layout
from echo_env.lab.compiled import steps as batch_steps
from echo_env.lab.compiled.layout import Labs
from echo_env.lab.compiled.offers import action_count
from echo_env.lab.compiled.redraw import FutureSampler
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Days, sample_days
from echo_env.lab.decisions.actions import DIGITS
from echo_env.lab.simulation.penalty import penalty_points
from echo_env.lab.simulation.policy import ChoosingPolicy, Policy, TieredPolicy

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SAMPLES = 64
"""Redraws that choose an action, and as many that judge it."""
MARGIN = 1.0
"""Standard errors of the paired difference by which an action must beat the base policy's."""
_CHUNK = 50
"""Days that are played together."""
_CHOOSING, _JUDGING = 4, 5
"""Streams of redraws, apart from those of the days."""


class Improvement(NamedTuple):
    """What the improved policy did otherwise on D days, and what that gains.

    :param base: name of the base policy
    :param config: the lab
    :param samples: redraws that judged each departure
    :param gain: (D,) float64, points that the improved policy gains on each day, summed over its decisions
    :param choices: (D,) int64, decisions of each day in which more than one action was feasible
    :param day: (n,) int64, of each departure
    :param minute: (n,) int64, since opening
    :param waiting: (n, 3 K) int64, patients waiting, by class
    :param free: (n, groups) int64, free rooms and then free members of staff, by group in the plan's order of columns
    :param usual: (n, 3 K) int64, exams of each class that the base policy would begin
    :param better: (n, 3 K) int64, exams that the improved policy begins
    :param promised: (n,) float64, points gained on the draws that chose the action: too many
    :param saved: (n,) float64, points gained on draws of their own
    :param error: (n,) float64, standard error of ``saved``
    """

    base: str
    config: Lab
    samples: int
    gain: Floats
    choices: Ints
    day: Ints
    minute: Ints
    waiting: Ints
    free: Ints
    usual: Ints
    better: Ints
    promised: Floats
    saved: Floats
    error: Floats

    def per_day(self) -> Estimate:
        """Points that the improved policy gains a day."""
        return estimate(self.gain)


def find_improvement(
    config: Lab,
    base: Policy,
    days: int,
    seed: int,
    progress: Callable[[int], None] | None = None,
    samples: int = SAMPLES,
    fresh: bool = True,
) -> Improvement:
    """Play the first days of a seed under the policy improved by one step of lookahead.

    :param config: the lab
    :param base: a memoryless policy: a rule that serves by class, or a trained agent
    :param days: number of days, at least 1
    :param seed: of the days
    :param progress: called with a number of days whenever these have been played
    :param samples: redraws that choose, and as many that judge, at least 2
    :param fresh: whether other draws judge than those that chose; without, the gain is biased upwards
    :raises ValueError: no day, too few samples, or a policy that is not memoryless
    """
    if days < 1:
        raise ValueError(f"days of an improvement is {days}, but must be at least 1")
    if samples < 2:
        raise ValueError(f"samples is {samples}, but must be at least 2")
    parts = []
    for first in range(0, days, _CHUNK):
        chunk = sample_days(config, min(_CHUNK, days - first), seed, first)
        part = _Lookahead(config, base, chunk, (seed, first), samples, fresh).play()
        parts.append(part._replace(day=part.day + first))
        if progress:
            progress(len(chunk))
    arrays = [np.concatenate(values) for values in zip(*(part[3:] for part in parts), strict=True)]
    return Improvement(base.name, config, samples, *arrays)


class _Lookahead:
    """The improved policy on some days, all played at once."""

    def __init__(self, config: Lab, base: Policy, days: Days, seed: tuple[int, int], samples: int, fresh: bool) -> None:
        self._config, self._name, self._samples, self._fresh = config, base.name, samples, fresh
        self._rules, self._future = batch.rules_of(config), FutureSampler(config)
        self._base = _base_of(config, base, days)
        self._draws = [np.random.default_rng([*seed, stream]) for stream in (_CHOOSING, _JUDGING)]
        self._days = days

    def play(self) -> Improvement:
        """Play the days to their end."""
        count, base = len(self._days), self._base
        labs = batch.make_labs(self._config, count)
        batch.begin_days(self._config, labs, np.arange(count), self._days)
        mask = np.zeros((count, action_count(self._rules, base.joint)), dtype=np.bool_)
        size, first, choices = np.zeros((3, count), dtype=np.int64)
        options = (labs, self._rules, base.joint, base.idling, True, mask, size, first)
        batch_steps.begin_labs(np.arange(count), *options)
        gain, found = np.zeros(count), []
        while (labs.lab[:, layout.MINUTE] < self._rules.numbers[layout.END]).any():
            deciding, actions = np.flatnonzero(size > 1), first.copy()
            if len(deciding):
                choices[deciding] += 1
                now = continuation.copy_labs(labs, deciding)
                usual = base.actions(now, mask[deciding], size[deciding], first[deciding])
                chosen, promised = self._choose(now, mask[deciding], usual)
                actions[deciding] = chosen
                which = np.flatnonzero(chosen != usual)
                found.append(self._departures(now, which, deciding, usual, chosen, promised))
                np.add.at(gain, found[-1].day, found[-1].saved)
            batch_steps.step_labs(actions, *options)
        return self._joined(gain, choices, found)

    def _choose(self, now: Labs, mask: Bools, usual: Ints) -> tuple[Ints, Floats]:
        """The improved policy's actions in some labs, and what they promise."""
        lab, action = np.nonzero(mask)
        other = action != usual[lab]
        lab, action = lab[other], action[other]
        self._kept = self._redrawn(now, np.arange(len(usual)), self._draws[0])
        gains = self._gains(self._kept, lab, action, usual[lab])
        mean, error = gains.mean(axis=1), gains.std(axis=1, ddof=1) / np.sqrt(self._samples)
        chosen, promised = usual.copy(), np.zeros(len(usual))
        # The last one of a lab is its best.
        for k in np.lexsort((mean, lab)):
            chosen[lab[k]] = action[k] if mean[k] > MARGIN * error[k] else usual[lab[k]]
            promised[lab[k]] = mean[k]
        return chosen, promised

    def _redrawn(self, now: Labs, which: Ints, rng: np.random.Generator) -> Labs:
        """As many copies of each lab as there are samples, with the rest of the day redrawn."""
        labs = continuation.copy_labs(now, np.repeat(which, self._samples))
        self._future.redraw(labs, rng)
        return labs

    def _gains(self, redrawn: Labs, lab: Ints, action: Ints, usual: Ints) -> Floats:
        """(n, samples) points by which actions in labs beat the usual ones, on the same draws.

        :param redrawn: copies of the labs, as many of each as there are samples
        :param lab: (n,) number of the lab
        :param action: (n,)
        :param usual: (n,)
        """
        copies = lab[:, None] * self._samples + np.arange(self._samples)
        # The usual action is tried once in each lab that is asked about.
        asked, place = np.unique(lab, return_index=True)
        once = asked[:, None] * self._samples + np.arange(self._samples)
        which = np.concatenate([copies.ravel(), once.ravel()])
        first = np.repeat(np.concatenate([action, usual[place]]), self._samples)
        units = self._base.play_on(redrawn, which, first)
        points = np.asarray(penalty_points(self._config, units.T).total).reshape(-1, self._samples)
        gains: Floats = points[len(lab) :][np.searchsorted(asked, lab)] - points[: len(lab)]
        return gains

    def _departures(
        self, now: Labs, which: Ints, deciding: Ints, usual: Ints, chosen: Ints, promised: Floats
    ) -> Improvement:
        """The departures in one step, judged; ``gain`` and ``choices`` are filled in at the end."""
        if self._fresh:
            redrawn, lab = self._redrawn(now, which, self._draws[1]), np.arange(len(which))
        else:
            redrawn, lab = self._kept, which
        gains = self._gains(redrawn, lab, chosen[which], usual[which])
        error = gains.std(axis=1, ddof=1) / np.sqrt(self._samples)
        rule, cells = self._rules.numbers, now.lab[which].astype(np.int64)
        rooms, away = rule[layout.AT_FREE_ROOMS], rule[layout.AT_AWAY]
        return Improvement(
            self._name, self._config, self._samples, np.zeros(0), np.zeros(0, dtype=np.int64), deciding[which],
            cells[:, layout.MINUTE], cells[:, layout.COUNTS : rooms], cells[:, rooms:away],
            self._begun(usual[which]), self._begun(chosen[which]), promised[which], gains.mean(axis=1), error,
        )  # fmt: skip

    def _begun(self, actions: Ints) -> Ints:
        """(n, 3 K), exams of each class that actions begin."""
        if self._base.joint:
            return DIGITS[actions].astype(np.int64)
        classes = layout.CLASSES_PER_TYPE * len(self._config.plan.types)
        return np.eye(classes + 1, dtype=np.int64)[actions][:, :classes]

    def _joined(self, gain: Floats, choices: Ints, found: list[Improvement]) -> Improvement:
        every = np.arange(len(self._days))[:0]
        nothing = batch.make_labs(self._config, 0)
        found = found or [self._departures(nothing, every, every, every, every, np.zeros(0))]
        arrays = [np.concatenate(values) for values in zip(*(part[5:] for part in found), strict=True)]
        return Improvement(self._name, self._config, self._samples, gain, choices, *arrays)


def _base_of(config: Lab, base: Policy, days: Days) -> _TieredBase | _ChoosingBase:
    if isinstance(base, TieredPolicy):
        return _TieredBase(config, base)
    if isinstance(base, ChoosingPolicy) and base.memoryless:
        return _ChoosingBase(config, base, days)
    raise ValueError(
        f"policy {base.name!r} cannot be improved by lookahead: only trained agents can, and rules that serve by "
        "class, such as policy_2 and fetal_first"
    )


class _TieredBase:
    """A rule that serves by class, on single starts."""

    joint = False

    def __init__(self, config: Lab, policy: TieredPolicy) -> None:
        self._rules, self._tiers = batch.rules_of(config), batch.tiers_of(policy.tiers, len(config.plan.types))
        # A rule that does not serve every class leaves resources idle while somebody waits.
        self.idling = bool((self._tiers < 0).any())

    def actions(self, labs: Labs, mask: Bools, size: Ints, first: Ints) -> Ints:
        """(n,) what the rule does in some labs."""
        actions, scratch = np.zeros(len(mask), dtype=np.int64), continuation.copy_labs(labs, np.zeros(1, np.int64))
        batch_steps.rule_actions(labs, scratch, self._rules, self.joint, self._tiers, mask, size, first, actions)
        return actions

    def play_on(self, labs: Labs, which: Ints, first: Ints) -> Ints:
        """(n, 7) penalty units of whole days that begin with an action and go on under the rule."""
        return continuation.continue_under_rule(labs, which, first, self._rules, self.joint, self._tiers)


class _ChoosingBase:
    """A memoryless policy that chooses, on its own actions."""

    def __init__(self, config: Lab, policy: ChoosingPolicy, days: Days) -> None:
        self._rules, self.joint, self.idling = batch.rules_of(config), policy.actions == "joint", policy.idling
        self._chooser = policy.chooser(config, days)

    def _ask(self, labs: Labs, mask: Bools) -> Ints:
        return self._chooser(labs, np.arange(len(mask)), mask)

    def actions(self, labs: Labs, mask: Bools, size: Ints, first: Ints) -> Ints:
        """As in :class:`_TieredBase`."""
        return self._ask(labs, mask)

    def play_on(self, labs: Labs, which: Ints, first: Ints) -> Ints:
        """As in :class:`_TieredBase`."""
        return continuation.continue_under_choices(labs, which, first, self._rules, self.joint, self.idling, self._ask)

"""What the alternatives to a decision would be expected to cost.

The unknown rest of the day is drawn again many times, given what the board shows: see
:mod:`~echo_env.lab.compiled.redraw`. On the same draws each alternative is played to the end of the day, with a rule
that serves by class deciding afterwards.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.stats import Estimate, paired_difference
from echo_env.lab.advice.deciding import Decision, Step
from echo_env.lab.advice.state import Standing
from echo_env.lab.policies.base import make_policy
from echo_env.lab.policies.rule_action import compiled_rule
from echo_env.lab.simulation.allocation import named
from echo_env.lab.simulation.patient import CLASSES_PER_TYPE, WaitingPatient
from echo_env.lab.simulation.penalty import penalty_points
from echo_env.lab.simulation.policy import Policy, TieredPolicy
from echo_env.lab.simulation.view import LabView
from echo_env.lab.simulation.whiteboard import Whiteboard

if TYPE_CHECKING:
    from echo_env.lab.compiled.layout import Labs

Floats = NDArray[np.float64]

WORK = 40_000
"""Patients still to be examined, times days played: about what a tenth of a second of a processor suffices for."""
FEWEST, MOST = 32, 400
"""Draws of the rest of the day."""
AFTERWARDS = "scarce_first"
"""The rule that decides after an alternative, unless the policy is such a rule itself."""


class Alternative(NamedTuple):
    """What could be decided instead.

    :param entry: the patient whose exam would begin first
    :param gain: penalty points by which the decision is better, mean over the draws with its 95 % interval; negative
        if it is worse
    :param same: whether both cost the same in every draw
    """

    entry: WaitingPatient
    gain: Estimate
    same: bool


class Ranking(NamedTuple):
    """The alternatives to each decision.

    :param alternatives: for each step, the best one first
    :param draws: how often the rest of the day was drawn; 0 if there was nothing to compare
    :param afterwards: name of the rule that decides afterwards
    """

    alternatives: list[list[Alternative]]
    draws: int
    afterwards: str


def rank(standing: Standing, policy: Policy, decision: Decision, seed: int = 0, draws: int = 0) -> Ranking:
    """Compare each step of a decision with its alternatives.

    :param standing: the state
    :param policy: what decided; one that serves by class decides afterwards as well
    :param decision: what it does
    :param seed: of the draws
    :param draws: how many, or 0 for as many as a tenth of a second of a processor suffices for
    :raises ValueError: numba is missing
    """
    rule = policy if isinstance(policy, TieredPolicy) else make_policy(AFTERWARDS, standing.config)
    others = [_others(step) for step in decision.steps]
    if not any(others):
        return Ranking([[] for _ in others], 0, rule.name)
    plays = sum(len(own) + 1 for own in others if own)
    patients = sum(1 for patient in range(LabView(standing.whiteboard).patients) if not _is_over(standing, patient))
    number = draws or int(np.clip(WORK / (plays * max(patients, 1)), FEWEST, MOST))
    lookahead = _Lookahead(standing, rule, number, seed)
    found = []
    for step, own in zip(decision.steps, others, strict=True):
        found.append(lookahead.compare(step, own) if own else [])
        lookahead.go_on(step)
    return Ranking(found, number, rule.name)


def load_kernels(standing: Standing) -> None:
    """Load what is compiled, from disk if it has been compiled before, so that advice takes no longer the first time.

    :param standing: of the lab
    :raises ValueError: numba is missing
    """
    from echo_env.lab.compiled.continuation import THE_RULE

    lookahead = _Lookahead(standing, make_policy(AFTERWARDS, standing.config), 2, 0)
    lookahead.play(lookahead.drawn(standing.whiteboard), THE_RULE)


def _is_over(standing: Standing, patient: int) -> bool:
    board = standing.whiteboard
    return board.arrival[patient] is not None and patient not in board.waiting and patient not in board.preparing


def _others(step: Step) -> list[WaitingPatient]:
    """The longest-waiting patient of each class who could begin in place of what was decided."""
    board = step.before
    first = [queue[0] for queue in board.queues if queue]
    chosen = step.entry.patient if step.entry else -1
    able = (entry for entry in first if board.can_start_type(entry.exam_type))
    return sorted(entry for entry in able if entry.patient != chosen)


class _Lookahead:
    """Redrawn days at one point of a decision.

    :param standing: the state
    :param rule: decides afterwards
    :param draws: how many
    :param seed: of the draws
    :raises ValueError: numba is missing
    """

    def __init__(self, standing: Standing, rule: Policy, draws: int, seed: int) -> None:
        if importlib.util.find_spec("numba") is None:
            raise ValueError(
                "expected costs come from the compiled engine, but numba is missing: pip install 'echo-lab-rl[fast]'"
            )
        # Imported here: who only reads boards needs no compiler.
        from echo_env.lab.compiled import batch, redraw

        self._standing, self._draws, self._seed = standing, draws, seed
        config = standing.config
        self._tiers = compiled_rule(config, rule, "the rule that decides afterwards")
        self._rules = batch.rules_of(config)
        self._future = redraw.FutureSampler(config)
        self._stop = CLASSES_PER_TYPE * len(config.plan.types)
        self._labs = self.drawn(standing.whiteboard)

    def compare(self, step: Step, others: list[WaitingPatient]) -> list[Alternative]:
        """The alternatives to a step, the best one first.

        :param step: the next one
        :param others: who would begin first instead
        """
        from echo_env.lab.compiled.continuation import THE_RULE

        if step.stops or _is_usual(step):
            first = self._stop if step.entry is None else step.entry.patient_class
            chosen = self.play(self._labs, first)
        else:
            chosen = self.play(self.drawn(step.after), THE_RULE)
        found = []
        for entry in others:
            points = self.play(self._labs, entry.patient_class)
            found.append(Alternative(entry, paired_difference(points, chosen), bool((points == chosen).all())))
        return sorted(found, key=lambda own: own.gain.mean)

    def go_on(self, step: Step) -> None:
        """Go to the point after a step."""
        if step.stops:
            return
        if not _is_usual(step):
            self._labs = self.drawn(step.after)
            return
        from echo_env.lab.compiled.offers import carry_out

        assert step.entry is not None
        for cell in self._labs.lab:
            carry_out(False, step.entry.patient_class, cell, self._rules.numbers)

    def drawn(self, whiteboard: Whiteboard) -> Labs:
        """Days whose rest has been drawn given a state; the same draws each time."""
        from echo_env.lab.compiled import batch, layout

        labs = self._future.labs_of(LabView(whiteboard), self._draws)
        self._future.redraw(labs, np.random.default_rng(self._seed))
        staff = layout.parts_of(labs.lab, self._rules).staff
        for member, minute in self._standing.back_min.items():
            staff[:, member, layout.UNTIL] = minute
        # Longer than the lab knows: ends any minute now.
        away = np.isin(staff[..., layout.STATUS], (layout.IN_EXAM, layout.ON_A_BREAK, layout.AT_LUNCH))
        late = away & (staff[..., layout.UNTIL] <= whiteboard.minute)
        staff[..., layout.UNTIL][late] = whiteboard.minute + 1
        batch.settle_labs(np.arange(self._draws), labs, self._rules)
        return labs

    def play(self, labs: Labs, first: int) -> Floats:
        """(draws,) penalty points from now to the end of the day after a first action, but those for idle resources."""
        from echo_env.lab.compiled.continuation import continue_under_rule

        which, actions = np.arange(self._draws), np.full(self._draws, first)
        units = continue_under_rule(labs, which, actions, self._rules, False, self._tiers)
        parts = penalty_points(self._standing.config, units.T)
        return np.asarray(parts.total - parts.idle, dtype=np.float64)


def _is_usual(step: Step) -> bool:
    """Whether a start is the one that the compiled engine makes for its class."""
    if step.entry is None:
        return False
    queue = step.before.queues[step.entry.patient_class]
    if queue[0].patient != step.entry.patient:
        return False
    if step.entry in step.after.pending:
        return True
    usual = named(LabView(step.before), [step.entry])[0]
    begun = step.after.running.get(usual.sonographer)
    return begun is not None and (begun.patient, begun.room) == (usual.patient, usual.room)

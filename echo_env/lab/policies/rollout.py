"""One step of lookahead by simulation on top of a rule: the rollout algorithm."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.lab import Lab
from echo_env.lab.decisions.actions import DIGITS, decode_starts, offered_now
from echo_env.lab.decisions.starts import StartActions
from echo_env.lab.policies.base import make_policy, register_policy
from echo_env.lab.policies.rule_action import compiled_rule
from echo_env.lab.simulation.allocation import assign
from echo_env.lab.simulation.patient import Start, as_starts
from echo_env.lab.simulation.penalty import penalty_points
from echo_env.lab.simulation.policy import Keep, Policy
from echo_env.lab.simulation.view import LabView


class RolloutPolicy:
    """Follows a base rule, except where simulation finds a better action.

    Where a joint action other than the rule's is feasible (idling excluded), or a single start in labs that have no
    joint ones, the rest of the day is sampled several times, given what the staff know: see
    :class:`~echo_env.lab.compiled.redraw.FutureSampler`. On these common random numbers each action is evaluated with
    the rule deciding afterwards, against the rule throughout. The action with the lowest mean penalty is taken if it
    beats the rule by more than ``margin`` standard errors of the paired difference.

    This is rollout in the sense of Bertsekas, Tsitsiklis and Wu, "Rollout algorithms for combinatorial
    optimization" (1997): one step of policy improvement, in the states that occur.

    :param config: the lab
    :param base: the base rule, one that serves by class
    :param samples: number of sampled futures, at least 2
    :param margin: standard errors of the paired difference by which an action must beat the rule
    :raises ValueError: an argument out of range, a base rule without ``tiers``, or numba is missing
    """

    name = "rollout"
    _joint = True

    def __init__(self, config: Lab, base: str = "scarce_first", samples: int = 64, margin: float = 1.0) -> None:
        if samples < 2:
            raise ValueError(f"policy 'rollout' has samples={samples}, but samples must be at least 2")
        if not margin >= 0:
            raise ValueError(f"policy 'rollout' has margin={margin}, but margin must be at least 0")
        if importlib.util.find_spec("numba") is None:
            raise ValueError(
                "policy 'rollout' simulates on the compiled engine, but numba is missing: "
                "pip install 'echo-lab-rl[fast]'"
            )
        # Imported here: other policies need no compiler.
        from echo_env.lab.compiled import batch, redraw

        self._config, self._samples, self._margin = config, samples, margin
        self._base = make_policy(base, config)
        self._tiers = compiled_rule(config, self._base, "base")
        self._rules = batch.rules_of(config)
        self._future = redraw.FutureSampler(config)
        self._rng = np.random.default_rng(0)

    def begin_day(self, view: LabView, seed: int) -> None:
        """Seed the day's generator."""
        self._rng = np.random.default_rng(seed)
        self._base.begin_day(view, seed)

    def decide(self, view: LabView) -> list[Start]:
        """The rule's starts, or those of a better action."""
        usual = as_starts(self._base.decide(view))
        better = self._better(view, self._other_actions(view, usual))
        return usual if better is None else decode_starts(better, view)

    def _better(self, view: LabView, others: NDArray[np.int64]) -> int | None:
        """The best of some actions if it beats the rule."""
        if not len(others):
            return None
        gains = self._gains(view, others)
        best = int(gains.mean(axis=1).argmax())
        error = gains[best].std(ddof=1) / math.sqrt(self._samples)
        return int(others[best]) if gains[best].mean() > self._margin * error else None

    def _other_actions(self, view: LabView, usual: list[Start]) -> NDArray[np.int64]:
        """(n,) feasible joint actions other than the rule's."""
        offered = offered_now(view, idling=False)
        classes = {entry.patient: entry.patient_class for entry in view.waiting()}
        digits = np.bincount([classes[start.patient] for start in usual], minlength=DIGITS.shape[1])
        actions = np.flatnonzero(offered.mask)
        return actions[(DIGITS[actions] != digits).any(axis=1)]

    def _gains(self, view: LabView, actions: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n, samples) penalty points by which actions beat the rule, paired on the same futures."""
        from echo_env.lab.compiled import continuation

        labs = self._future.labs_of(view, self._samples)
        self._future.redraw(labs, self._rng)
        tried = np.concatenate([[continuation.THE_RULE], actions])
        which, first = np.tile(np.arange(self._samples), len(tried)), np.repeat(tried, self._samples)
        units = continuation.continue_under_rule(labs, which, first, self._rules, self._joint, self._tiers)
        points = np.asarray(penalty_points(self._config, units.T).total).reshape(len(tried), self._samples)
        return points[0] - points[1:]


class StartRolloutPolicy(RolloutPolicy):
    """The same of single starts, for any lab, and of reservations: the rule goes on beside what is kept.

    Parameters as :class:`RolloutPolicy`, and:

    :param reservations: minutes for which the last who can do a type may be kept; see
        :mod:`~echo_env.lab.decisions.starts`
    """

    _joint = False

    def __init__(
        self,
        config: Lab,
        base: str = "scarce_first",
        samples: int = 64,
        margin: float = 1.0,
        reservations: Sequence[int] = (),
    ) -> None:
        super().__init__(config, base, samples, margin)
        from echo_env.lab.compiled import batch

        self._actions = StartActions(config.plan, reservations)
        self.reservations = self._actions.reservations
        self._rules = batch.rules_of(config, self.reservations)

    def next_class(self, view: LabView) -> int | Keep | None:
        """The class that the rule starts next, or a better one, or a reservation that is better."""
        offered = self._actions.offered(view, idling=False)
        classes = {entry.patient: entry.patient_class for entry in view.waiting()}
        usual = [classes[start.patient] for start in as_starts(self._base.decide(view))]
        others = np.flatnonzero(offered.mask)
        better = self._better(view, others[others != (usual[0] if usual else self._actions.stop)])
        chosen = better if better is not None else usual[0] if usual else None
        return None if chosen is None else self._actions.step_of(chosen)

    def decide(self, view: LabView) -> list[Start]:
        """The next start alone."""
        step = self.next_class(view)
        return [] if step is None or isinstance(step, Keep) else assign(view, view.waiting(step)[:1])


@register_policy("rollout")
def rollout(
    config: Lab, base: str = "scarce_first", samples: int = 64, margin: float = 1.0, reserve_min: int = 0
) -> Policy:
    """One step of lookahead on joint actions where these are, else on single starts: see :class:`RolloutPolicy`.

    :param reserve_min: if not 0, single starts and reservations in any lab: of so many minutes, and of an eighth, a
        quarter and half of it
    :raises ValueError: an argument out of range
    """
    if reserve_min < 0:
        raise ValueError(f"policy 'rollout' has reserve_min={reserve_min}, but reserve_min must be at least 0")
    if reserve_min:
        lengths = sorted({max(reserve_min // part, 1) for part in (8, 4, 2, 1)})
        return StartRolloutPolicy(config, base, samples, margin, lengths)
    made = RolloutPolicy if config.plan.nested_pair else StartRolloutPolicy
    return made(config, base, samples, margin)

"""An agent that follows a rule, and departs from it only where it is sure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Days
from echo_env.lab.policies.agent import StartAgentPolicy
from echo_env.lab.policies.rule_action import compiled_rule, rule_action
from echo_env.lab.simulation.policy import BatchChooser, TieredPolicy
from echo_env.lab.simulation.view import LabView

if TYPE_CHECKING:
    from echo_env.lab.compiled.layout import Labs


class FollowingAgent(StartAgentPolicy):
    """A trained agent of single starts that does what a rule does, unless it gives another action the better score.

    What a network has not learned exactly costs most where a rule is hard to beat: there its departures are worth
    little, and as often wrong as right. Parameters as :class:`~echo_env.lab.policies.agent.AgentPolicy`.
    """

    _rule: TieredPolicy
    _margin: float

    def follow(self, rule: TieredPolicy, margin: float) -> None:
        """Say which rule, and what it takes to depart from it. To be called before any decision.

        :param rule: the rule
        :param margin: how much higher the score of another action has to be, in units of the model's
            ``action_scores(observations, masks)``, (n, actions): of MaskablePPO log-probabilities
        :raises ValueError: the model gives no scores
        """
        if not hasattr(self._model, "action_scores"):
            raise ValueError(f"{self.name} cannot follow {rule.name} within a margin: its actions have no scores")
        self._rule, self._margin = rule, margin

    def _action(self, view: LabView) -> int:
        offered = self._set.offered(view, self.idling)
        if offered.size == 1:
            return offered.first
        wanted = np.array([rule_action(self._rule, view, offered, self._set)])
        return int(self._departing(self._observe(view)[None], offered.mask[None].copy(), wanted)[0])

    def _departing(
        self, observations: NDArray[np.float32], masks: NDArray[np.bool_], wanted: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """(n,) the rule's actions, or better ones."""
        scores = self._model.action_scores(observations, masks)  # type: ignore[attr-defined]
        every, best = np.arange(len(scores)), np.where(masks, scores, -np.inf).argmax(axis=1)
        return np.where(scores[every, best] - scores[every, wanted] < self._margin, wanted, best)

    def chooser(self, config: Lab, days: Days) -> BatchChooser:
        """The agent's actions in a batch of labs of the compiled engine (needs numba).

        :param config: the lab
        :param days: of the labs, one each
        """
        from echo_env.lab.compiled import batch, continuation, steps
        from echo_env.lab.compiled.observations import BatchObservation

        observe, rules = BatchObservation(self.observation, config), batch.rules_of(config)
        tiers = compiled_rule(config, self._rule, "rule")

        def choose(labs: Labs, which: NDArray[np.int64], masks: NDArray[np.bool_]) -> NDArray[np.int64]:
            shown = continuation.copy_labs(labs, which)
            size, first = masks.sum(axis=1), masks.argmax(axis=1)
            wanted, scratch = np.zeros(len(which), dtype=np.int64), continuation.copy_labs(labs, which[:1])
            steps.rule_actions(shown, scratch, rules, False, tiers, masks, size, first, wanted)
            return self._departing(observe(shown), masks, wanted)

        return choose

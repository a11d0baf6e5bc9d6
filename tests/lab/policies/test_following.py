"""An agent that follows a rule: what it does at both ends of its margin, and on both engines."""

from __future__ import annotations

import numpy as np
import pytest
from test_padded_agents import LongestWait

from echo_env.lab import Lab, evaluate, load_lab, make_policy
from echo_env.lab.policies.agent import agent_policy
from echo_env.lab.policies.following import FollowingAgent
from echo_env.lab.policies.padded import fitted
from echo_env.lab.simulation.policy import TieredPolicy

pytest.importorskip("numba")


class ScoredWait(LongestWait):
    """Its score of a feasible action is what its row says of the longest wait."""

    def action_scores(self, observation: np.ndarray, action_masks: np.ndarray) -> np.ndarray:
        """As MaskablePPO."""
        return np.where(action_masks, observation[:, :, 4], -1e8)


def following(config: Lab, rule: str, margin: float) -> FollowingAgent:
    """An agent of a lab that follows a rule."""
    policy = FollowingAgent("following", fitted(ScoredWait(), config), config, "rows_wide", False)
    made = make_policy(rule, config)
    assert isinstance(made, TieredPolicy)
    policy.follow(made, margin)
    return policy


@pytest.mark.parametrize("preset", ["scarce", "mri_unit"])
def test_the_margin_leads_from_the_agent_to_the_rule(preset: str) -> None:
    """Within no margin it is the agent, within an endless one the rule, and between them neither."""
    config = load_lab(preset)
    alone = agent_policy("alone", fitted(ScoredWait(), config), config, "rows_wide", False)
    found = [evaluate(config, [following(config, "scarce_first", margin)], 12, 3) for margin in (0, 0.3, np.inf)]
    played = [own.values["following"]["waiting_penalty"] for own in found]
    others = evaluate(config, [alone, "scarce_first"], 12, 3).values
    assert np.array_equal(played[0], others["alone"]["waiting_penalty"])
    assert np.array_equal(played[2], others["scarce_first"]["waiting_penalty"])
    assert not np.array_equal(played[1], played[0])
    assert not np.array_equal(played[1], played[2])


@pytest.mark.parametrize("preset", ["scarce", "mri_unit", "walk_in_clinic"])
def test_both_engines_agree(preset: str) -> None:
    """The same days cost the same on SimPy and compiled."""
    config = load_lab(preset)
    days = [
        evaluate(config, [following(config, "policy_2", 0.3)], 12, 3, engine=engine).values["following"]
        for engine in ("simpy", "compiled")
    ]
    assert all(np.array_equal(days[0][name], days[1][name], equal_nan=True) for name in days[0])


def test_a_model_without_scores_is_refused() -> None:
    """One sentence names the agent and the rule."""
    config = load_lab("scarce")
    policy = FollowingAgent("dqn", fitted(LongestWait(), config), config, "rows_wide", False)
    rule = make_policy("policy_2", config)
    assert isinstance(rule, TieredPolicy)
    with pytest.raises(ValueError, match="dqn cannot follow policy_2 within a margin: its actions have no scores"):
        policy.follow(rule, 1.0)

"""Advice on the boards of simulated days: what the policy does there, with reasons that agree with the engine."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from benchmarks.advice_times import stopped_days
from echo_env.lab import load_lab, make_policy
from echo_env.lab.advice import Standing, advice_lines, advise, as_json, read_standing
from echo_env.lab.advice.deciding import Decision, decide, memory_note
from echo_env.lab.config.lab import Lab
from echo_env.lab.decisions.action_sets import make_actions
from echo_env.lab.decisions.observation import make_observation
from echo_env.lab.policies.agent import agent_policy

FAST = (("scarce", "policy_2"), ("mri_unit", "scarce_first"), ("walk_in_clinic", "policy_1"))
LABS = ("baseline", "scarce", "abundant", "echo_week", "mri_unit", "walk_in_clinic")
ANY_LAB = ("policy_1", "policy_2", "scarce_first", "urgent_first")
OF_THE_PAPER = ("policy_5_case_4", "policy_6_case_7", "policy_3(hand_back=scheduled)")


def starts_of(standing: Standing, decision: Decision) -> Counter[tuple[str, str, str]]:
    """(patient, room, member), ids on the board."""
    starts = decision.starts.values()
    return Counter(
        (standing.patients[patient], standing.rooms[room], standing.staff[member]) for patient, room, member in starts
    )


def agree(config: Lab, name: str, count: int, seed: int) -> int:
    """Check boards of days; returns on how many of them somebody begins."""
    policy, begins = make_policy(name, config), 0
    for own in stopped_days(config, policy, count, seed):
        standing = read_standing(own.board, config, own.minute)
        assert standing.config is config
        assert starts_of(standing, decide(standing, policy)) == Counter(own.starts), (name, own.minute, own.board)
        begins += bool(own.starts)
    return begins


@pytest.mark.parametrize(("lab", "rule"), FAST)
def test_advice_is_what_the_policy_does_in_the_simulator(lab: str, rule: str) -> None:
    """On boards of stopped days the starts are those that the policy makes there, room and member included."""
    assert agree(load_lab(lab), rule, 12, 5) >= 6


@pytest.mark.slow
@pytest.mark.parametrize("lab", LABS)
def test_advice_is_what_the_policy_does_on_a_thousand_boards(lab: str) -> None:
    """The same on 1,000 boards in all, over the paper's labs and three foreign ones."""
    config = load_lab(lab)
    rules = [*ANY_LAB, *(OF_THE_PAPER if lab in LABS[:3] else ())]
    begun = [agree(config, rule, 1200 // (len(LABS) * len(rules)) + 1, 100 + n) for n, rule in enumerate(rules)]
    assert sum(begun) >= 100


class Whimsical:
    """A trained agent in all but training: a feasible action that depends on every number it observes."""

    def __init__(self, config: Lab, observation: str, actions: str) -> None:
        self.observation_space = make_observation(observation, config)[0]
        self.action_space = gym.spaces.Discrete(make_actions(actions, config).size)

    def predict(self, observation: Any, deterministic: bool = False, action_masks: Any = None) -> tuple[Any, None]:
        """As models of SB3."""
        whim = np.cos(np.outer(observation.reshape(len(observation), -1).sum(axis=1), np.arange(action_masks.shape[1])))
        return np.where(action_masks, whim, -2).argmax(axis=1), None


@pytest.mark.parametrize(
    ("lab", "observation", "actions"),
    [("scarce", "paper", "joint"), ("scarce", "rich", "start"), ("walk_in_clinic", "rows", "start")],
)
def test_an_agent_advises_what_it_does_in_the_simulator(lab: str, observation: str, actions: str) -> None:
    """An agent sees on a board what it sees in the simulator, and so begins the same exams."""
    config = load_lab(lab)
    policy = agent_policy("agent", Whimsical(config, observation, actions), config, observation, True)
    for own in stopped_days(config, policy, 12, 9):
        standing = read_standing(own.board, config, own.minute)
        assert starts_of(standing, decide(standing, policy)) == Counter(own.starts)


@pytest.mark.slow
@pytest.mark.parametrize(("env", "lab"), [("agent", "baseline"), ("agent", "scarce"), ("generalist", "mri_unit")])
def test_agents_that_ship_advise_what_they_do_in_the_simulator(env: str, lab: str) -> None:
    """The same of the agents that ship."""
    pytest.importorskip("rl_zoo3")
    import evaluate  # noqa: F401  provides the plug-ins of a clone
    from echo_env.commands.players.policies import find_policies

    config = load_lab(lab)
    try:
        policy = find_policies([env], config, {})[env]
    except ValueError as error:
        pytest.skip(str(error))
    for own in stopped_days(config, policy, 40, 9):
        standing = read_standing(own.board, config, own.minute)
        assert starts_of(standing, decide(standing, policy)) == Counter(own.starts)


@pytest.mark.parametrize("lab", ["scarce", "mri_unit"])
def test_the_same_board_gives_the_same_advice(lab: str) -> None:
    """Advice on a board repeats to the bit, and the decision depends on neither seed nor draws."""
    pytest.importorskip("numba")
    config = load_lab(lab)
    policy = make_policy("policy_2", config)
    own = max(stopped_days(config, policy, 12, 3), key=lambda day: len(day.starts))
    standing = read_standing(own.board, config, own.minute)
    first, again, other = (advise(standing, policy, seed, 8) for seed in (0, 0, 1))
    assert as_json(first) == as_json(again)
    assert first.decision.starts == other.decision.starts


def test_expected_costs_are_those_of_the_days_played_on() -> None:
    """An alternative's cost is the mean of redrawn days played on by the rule after that start."""
    pytest.importorskip("numba")
    from echo_env.lab.compiled import batch, continuation, redraw
    from echo_env.lab.simulation.penalty import penalty_points
    from echo_env.lab.simulation.view import LabView

    config = load_lab("scarce")
    policy = make_policy("policy_2", config)
    compared = 0
    for own in stopped_days(config, policy, 40, 21):
        standing = read_standing(own.board, config, own.minute)
        ranking, decision = (found := advise(standing, policy, 4, 30)).ranking, found.decision
        if not ranking.draws:
            continue
        sampler, rules = redraw.FutureSampler(config), batch.rules_of(config)
        labs = sampler.labs_of(LabView(standing.whiteboard), 30)
        sampler.redraw(labs, np.random.default_rng(4))
        tiers = batch.tiers_of(policy.tiers)  # type: ignore[attr-defined]

        def points(kind: int) -> np.ndarray:
            actions = np.full(30, kind)
            units = continuation.continue_under_rule(labs, np.arange(30), actions, rules, False, tiers)  # noqa: B023
            parts = penalty_points(config, units.T)
            return np.asarray(parts.total - parts.idle)

        entry = decision.steps[0].entry
        assert entry is not None
        for other in ranking.alternatives[0]:
            difference = points(other.entry.patient_class) - points(entry.patient_class)
            assert other.gain.mean == pytest.approx(difference.mean(), abs=1e-9)
            assert other.same == (difference == 0).all()
            compared += 1
    assert compared >= 5


def test_policies_that_may_remember_are_said_to_begin_now() -> None:
    """A note says of a policy that may go by what it did before that the board does not show that."""
    config = load_lab("scarce")
    assert memory_note(make_policy("policy_2", config)) == ""
    assert "earlier in the day" in memory_note(make_policy("policy_3", config))


def test_reasons_are_sentences() -> None:
    """Each start has room, member, patient and wait, and says by how much it is better or worse, or that nobody else
    could begin."""
    pytest.importorskip("numba")
    config = load_lab("scarce")
    policy = make_policy("policy_2", config)
    lines = [
        line
        for own in stopped_days(config, policy, 40, 21)
        for line in advice_lines(advise(read_standing(own.board, config, own.minute), policy, 0, 16))
    ]
    reasons = (r"on average [\d.]+ points (better|worse) than patient \d+ first, between [\d.]+ and [\d.]+$",)
    reasons += (
        r"nobody else who waits could begin instead$",
        r"no clear difference to patient \d+ first",
        "the same in",
    )
    starts = [line for line in lines if line.startswith("Room")]
    assert len(starts) >= 10
    for line in starts:
        head = r"Room \d+ and sonographer \d+ for patient \d+, who (has waited|is) \d+ min( early)?: "
        assert re.match(head, line), line
        assert any(re.search(reason, line) for reason in reasons), line
    assert any("better than" in line for line in lines)

"""Departures in labs of any exam types: words, columns, savings, and agents of single starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from general_days import day_of, general_lab

from echo_env.lab import Lab, LabConfig, Policy, load_lab, make_policy, sample_days, simulate
from echo_env.lab.decisions.observation import make_observation
from echo_env.lab.departures.state_by_state import state_by_state
from echo_env.lab.departures.words import free_in_words, kind_in_words, place_in_words, waiting_in_words
from echo_env.lab.policies.agent import agent_policy
from echo_env.lab.simulation.policy import SequentialPolicy
from echo_env.lab.simulation.view import LabView

pytest.importorskip("pandas")

CLINIC = load_lab("walk_in_clinic")
MRI = load_lab("mri_unit")


class Whimsical:
    """An agent of single starts whose choice is a hash of the whole observation, the same in any batch."""

    def __init__(self, config: Lab) -> None:
        self.observation_space = make_observation("rows", config)[0]
        self.action_space = gym.spaces.Discrete(3 * len(config.plan.types) + 1)

    def predict(self, observation: np.ndarray, deterministic: bool, action_masks: np.ndarray) -> tuple[Any, None]:
        """A feasible action picked by the hash."""
        whim = np.rint(1000 * observation.reshape(len(observation), -1).astype(np.float64)).astype(np.int64).sum(axis=1)
        places = [np.flatnonzero(mask) for mask in action_masks]
        return np.array([place[n % len(place)] for n, place in zip(whim, places, strict=True)]), None


def whimsical(config: Lab, idling: bool = False) -> Policy:
    """The agent in a lab."""
    return agent_policy("whimsical", Whimsical(config), config, "rows", idling)


class Detour:
    """Decides one start at a time like a policy, and in one minute like another."""

    name = "detour"

    def __init__(self, followed: Policy, other: Policy, minute: int) -> None:
        self._followed, self._other, self._minute = followed, other, minute

    def begin_day(self, view: LabView, seed: int) -> None:
        """Nothing to prepare."""

    def next_class(self, view: LabView) -> int | None:
        """The class that is started next: a rule's first start, if it decides on the whole minute."""
        policy = self._other if view.minute == self._minute else self._followed
        if isinstance(policy, SequentialPolicy):
            return policy.next_class(view)
        starts = policy.decide(view)
        classes = {entry.patient: entry.patient_class for entry in view.waiting()}
        return classes[starts[0][0]] if starts else None

    def decide(self, view: LabView) -> Sequence[tuple[int, int, int]]:
        """Simulators ask for classes."""
        raise NotImplementedError


def test_states_and_differences_in_words() -> None:
    """Types and groups have their own names; the paper's lab has the paper's words."""
    assert waiting_in_words(CLINIC, (2, 0, 0, 0, 0, 0, 0, 1, 0)) == "2 booked on time, 1 urgent late"
    assert kind_in_words(CLINIC, (-1, 0, 0, 1, 0, 0, 1, 0, 0), "policy_2") == (
        "serves an on-time walk-in patient and an on-time urgent patient where policy_2 serves an on-time booked one"
    )
    assert free_in_words(CLINIC, (1, 2, 0, 1, 0)) == "rooms: 1 consulting, 2 treatment; staff: 1 nurses"
    assert free_in_words(CLINIC, (0, 0, 0, 0, 2)) == "staff: 2 physicians"
    assert free_in_words(LabConfig.load("scarce"), (0, 1, 2, 0)) == "1 fetal room, 2 non-fetal sonographers"
    assert place_in_words(MRI, 1, 0) == "magnets without injector room, early staff"


def test_state_by_state_of_a_hand_made_day() -> None:
    """Minutes, patients and penalties of a difference worked out by hand: a type's weight and staff overtime count."""
    # Patient 0 (b) is in the first room from 0 to 80 with the early member, whose shift ends at 40. Patient 1 (b) is in
    # the other room from 0 to 50. Then c waits since 10, and a since 20 with three times the weight: whoever begins,
    # the overtime of the early member is 1 point, and the one who starts c leaves 3 x 4 points, the other 4.
    kinds = {"a": {"appointments": [20], "weight": 3}, "b": {"appointments": [0, 0]}, "c": {"appointments": [10]}}
    staff = {
        "early": {"count": 1, "shift": {"from_min": 0, "until_min": 40, "starts_past_end": True}},
        "late": {"count": 1},
    }
    config = general_lab(kinds, {"rooms": {"count": 2}}, staff, penalty={"staff_overtime": 1.0})
    day = day_of(config, [0, 0, 10, 20], [80, 50, 9, 9])

    class Prefers:
        """Starts patients of one type before all others."""

        def __init__(self, kind: int) -> None:
            self.name, self._kind = f"prefers_{kind}", kind

        def begin_day(self, view: LabView, seed: int) -> None:
            """Nothing to prepare."""

        def next_class(self, view: LabView) -> int | None:
            """That type, then the others by number."""
            order = sorted(view.waiting(), key=lambda entry: (entry.exam_type != self._kind, entry.exam_type))
            return next((entry.patient_class for entry in order if view.can_start_type(entry.exam_type)), None)

        def decide(self, view: LabView) -> Sequence[tuple[int, int, int]]:
            """Simulators ask for classes."""
            raise NotImplementedError

    rows = state_by_state(config, day, Prefers(2), Prefers(0))
    shown = ["minute", "waiting", "free", "followed_begins", "other_begins", "followed_penalty", "other_penalty"]
    assert rows[shown].to_numpy().tolist() == [
        [50, "1 a on time, 1 c on time", "rooms: 1 rooms; staff: 1 late", "c on time #2", "a on time #3", 13.0, 5.0]
    ]


@pytest.mark.slow
@pytest.mark.parametrize("config", [MRI, CLINIC], ids=lambda config: config.name)
def test_departures_and_savings_are_those_of_days_played_again(config: Lab) -> None:
    """In any lab the compiled report finds the rows of the SimPy one, and savings are those of days played again."""
    pytest.importorskip("numba")
    from echo_env.lab.departures.departures import columns_of, find_departures

    pairs = [
        (make_policy("scarce_first", config), make_policy("policy_2", config)),
        (whimsical(config), make_policy("policy_2", config)),
        (make_policy("policy_1", config), whimsical(config, idling=True)),
    ]
    for followed, other in pairs:
        found = find_departures(config, followed, other, 4, seed=5)
        assert tuple(found.decisions.columns) == columns_of(config).every
        rows = found.departures
        days = sample_days(config, 4, seed=5)
        assert found.penalty.tolist() == [simulate(config, day, followed).penalty.total for day in days]
        for number, day in enumerate(days):
            by_hand = state_by_state(config, day, followed, other)
            ours = by_hand["followed_begins"].str.replace(r" \(.*?\)", "", regex=True)
            theirs = by_hand["other_begins"].str.replace(r" \(.*?\)", "", regex=True)
            # Where only rooms or members differ, as many of each class begin.
            minutes = by_hand.loc[ours != theirs, "minute"].tolist()
            assert rows.loc[rows["day"] == number, "minute"].tolist() == minutes
        again = [
            simulate(config, days[number], Detour(followed, other, minute)).penalty.total - found.penalty[number]
            for number, minute in zip(rows["day"].head(20), rows["minute"].head(20), strict=True)
        ]
        assert rows["saved"].head(20).tolist() == again

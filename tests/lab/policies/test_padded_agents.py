"""A generalist in one lab: padding changes nothing, and both engines agree."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from echo_env.lab import evaluate, load_lab
from echo_env.lab.decisions.padding import Padding
from echo_env.lab.policies.agent import agent_policy
from echo_env.lab.policies.padded import PaddedPredictor, fitted

pytest.importorskip("numba")


class LongestWait:
    """Takes the feasible row whose first patient has waited longest: a model of any lab."""

    def __init__(self, reservations: tuple[int, ...] = ()) -> None:
        padding = Padding(reservations)
        self.observation_space, self.action_space = padding.space(), gym.spaces.Discrete(padding.actions)
        self.env_spec = {"id": "EchoLabAny-v0", "kwargs": {"reservations": reservations}}

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = False,
        action_masks: Any = None,
    ) -> tuple[Any, Any]:
        """As models of SB3."""
        assert observation.shape[1:] == self.observation_space.shape
        return np.where(action_masks, observation[:, :, 4], -1).argmax(axis=1), state


@pytest.mark.parametrize("preset", ["scarce", "mri_unit", "walk_in_clinic"])
@pytest.mark.parametrize("reservations", [(), (10, 30)])
def test_a_generalist_plays_any_lab_equally_on_both_engines(preset: str, reservations: tuple[int, ...]) -> None:
    """The same days cost the same on SimPy and compiled, with and without reservations."""
    config = load_lab(preset)
    model = fitted(LongestWait(reservations), config)
    assert isinstance(model, PaddedPredictor)
    shown = model.env_spec["kwargs"]["observation"]
    policy = agent_policy("g", model, config, shown, False, reservations)
    points = [evaluate(config, [policy], 12, 3, engine=engine).values["g"] for engine in ("simpy", "compiled")]
    assert np.array_equal(points[0]["penalty"], points[1]["penalty"])


def test_other_models_are_left_alone() -> None:
    """A model of the lab's own spaces is not padded."""
    config = load_lab("scarce")
    model = LongestWait()
    model.action_space = gym.spaces.Discrete(7)
    assert fitted(model, config) is model

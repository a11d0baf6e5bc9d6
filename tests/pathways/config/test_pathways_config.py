"""Descriptions of hospitals: the preset, files, and errors that a person can act on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_hospitals import make_condition, make_instance

from echo_env.pathways import ConfigError, PathwaysConfig
from echo_env.pathways.config import preset_names

BASELINE = PathwaysConfig.load("baseline")


def test_numbers_stand_in_the_preset_alone() -> None:
    """A hospital cannot be made without saying all of it."""
    assert preset_names() == ["baseline"]
    with pytest.raises(ConfigError, match="name is missing; give it, or replace fields of a preset"):
        PathwaysConfig()  # type: ignore[call-arg]


def test_a_file_says_what_differs(tmp_path: Path) -> None:
    """A file holds what differs from its base."""
    path = tmp_path / "mine.yaml"
    path.write_text("base: baseline\nname: mine\nunits: [1, 2, 1, 1]\npathway: [[], [0], [0], [1, 2]]\n")
    assert PathwaysConfig.load(path) == BASELINE.replace(
        name="mine", units=(1, 2, 1, 1), pathway=((), (0,), (0,), (1, 2))
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"needs": 5}, "needs is 5, but must be at most 4, which is resources"),
        ({"needs": 9, "resources": 9}, "needs is 9, but must be a whole number from 1 to 8"),
        ({"patients": 21}, "patients is 21, but must be at most 20, which is max_patients"),
        ({"patients": 0}, "patients is 0, but must be a whole number from 1 to 9999"),
        ({"pathway": [[1], [0], [], []]}, r"pathway is \[\[1\], \[0\], \[\], \[\]\], but needs 0, 1 wait"),
        ({"pathway": "linar"}, "pathway is 'linar', but must be one of linear, partial, unordered"),
        ({"pathway": [[], [0]]}, "must be a list of predecessors for each of 4 needs"),
        ({"prior__holding_mean": [0.1, 0.5, 0.5]}, "prior.holding_mean is .* sums to 1.1, but must sum to 1"),
        ({"prior__waiting_mean": [0.6, 0.3, 0.1]}, "prior.waiting_mean .* severities reach 2"),
        ({"reward": "health"}, "reward is 'health', but must be one of success, completion"),
        ({"units": [1, 1]}, "units is .* but must be a list of 4 entries"),
        ({"units": 0}, "units is 0, but must be a whole number from 1"),
        ({"initial_health": [3, 1]}, "initial_health is 1, but must be a whole number from 3 to 4"),
        ({"durations": 2}, "durations is 2, but must be a list of 2 entries"),
        ({"last_arrival": 30}, "last_arrival is 30, but must be a whole number from 0 to 29"),
        ({"changes__disappear_rate": 1.5}, "changes.disappear_rate is 1.5"),
        ({"gamma": -1}, "gamma is -1, but must be a number from 0 to 1"),
        ({"nurses": 3}, "nurses is no field"),
        ({"learning__speed": 3}, "learning.speed is no field"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(changes: dict[str, Any], message: str) -> None:
    """Each impossible hospital is refused in one sentence that names the field."""
    with pytest.raises(ConfigError, match=message) as error:
        BASELINE.replace(**changes)
    assert "\n" not in str(error.value)


def test_unknown_fields_of_a_file_are_named(tmp_path: Path) -> None:
    """An unknown field of a file is refused with the nearest name."""
    path = tmp_path / "mine.yaml"
    path.write_text("base: baseline\npatient: 3\n")
    with pytest.raises(ConfigError, match=r"patient is no known field \(did you mean patients\?\)"):
        PathwaysConfig.load(path)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"waiting": (0.5, 0.4, 0.0)}, r"waiting has the row \[0.5, 0.4, 0.0\], which sums to 0.9, but must be"),
        ({"holding": (-0.5, 0.5, 1.0)}, "holding has the row .* of at least 0"),
        ({"order": ((1,), (0,))}, "order is .* in a circle"),
        ({"durations": (1, 0)}, "durations is 0, but must be a whole number of at least 1"),
        ({"durations": (1, 1, 1)}, "durations is .* must have 2 entries"),
    ],
)
def test_impossible_conditions_are_refused(fields: dict[str, Any], message: str) -> None:
    """Conditions whose probabilities do not sum to 1, or whose needs can never be met, are refused."""
    with pytest.raises(ConfigError, match=message):
        make_condition(**fields)


def test_instances_that_do_not_fit_are_refused() -> None:
    """Conditions, health and resources outside the hospital's are refused."""
    condition = make_condition()
    with pytest.raises(ConfigError, match=r"condition is .* one entry from 0 to 0"):
        make_instance([condition], [(1, 0)])
    with pytest.raises(ConfigError, match=r"initial_health is .* one entry from 0 to 2"):
        make_instance([condition], [(0, 3)])
    with pytest.raises(ConfigError, match=r"resources has 1, but must have numbers from 0 to 0"):
        make_instance([condition], [(0, 1)], resources=1)
    with pytest.raises(ConfigError, match=r"arrival is .* ascending"):
        make_instance([condition], [(0, 1), (0, 1)], arrival=np.array([2, 1]))

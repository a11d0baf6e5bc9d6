"""All decisions at once: the file that is written says what was played, whatever is decided together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from echo_env.common.config_file import with_changes
from echo_env.lab import GeneralLabConfig, as_general, load_lab
from echo_env.lab.config.plan import NEVER, LabPlan
from echo_env.lab.optimise import absence_plan, breaks, roster, template
from echo_env.lab.optimise.levers import Choice, Values

LABS = ("scarce", "echo_week", "mri_unit", "walk_in_clinic")


def random_values(choice: Choice, rng: np.random.Generator) -> Values:
    """Values that fit: today's with each lever drawn anew in turn, most of them left as they are."""
    values = choice.first
    for lever, own in enumerate(choice.levers):
        if rng.random() < 0.15:
            drawn = (*values[:lever], int(rng.choice(own.allowed)), *values[lever + 1 :])
            values = drawn if choice.fits(drawn) else values
    return values


def rebooking_somebody(plan: LabPlan) -> LabPlan:
    """The plan without mention of patients who are never rebooked, which a file has not."""
    types = []
    for own in plan.types:
        last = max((place for place, absent in enumerate(own.rebook_from) if absent < NEVER), default=-1)
        types.append(replace(own, rebook_from=own.rebook_from[: last + 1]))
    return replace(plan, types=tuple(types))


@pytest.mark.parametrize("name", LABS)
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 1, 0, 3)])
def test_the_file_says_what_was_played(name: str, order: tuple[int, ...], tmp_path: Path) -> None:
    """The lab that is read from the changed file has the plan of the values, whichever of the decisions is first."""
    config = as_general(load_lab(name))
    assert isinstance(config, GeneralLabConfig)
    staff = roster(config, extra=2, on_call=2, trained=2, rooms=2)
    decisions = (template(config), staff, breaks(config), absence_plan(config))
    choice = Choice(config, tuple(decisions[place] for place in order))
    text = yaml.safe_dump(config.as_file(), sort_keys=False)
    rng = np.random.default_rng(5)
    file = tmp_path / "better.yaml"
    for _ in range(8):
        values = random_values(choice, rng)
        file.write_text(with_changes(text, {(*place,): value for place, value in choice.in_file(values).items()}))
        assert rebooking_somebody(load_lab(file).plan) == rebooking_somebody(choice.lab(values).plan)
        assert choice.changes(values)

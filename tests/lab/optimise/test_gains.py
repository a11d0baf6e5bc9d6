"""Who gains and who loses, decisions alone and together, and the report of a proposal."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from echo_env.common.stats import Estimate
from echo_env.lab import LabConfig, load_lab

pytest.importorskip("numba")
pytest.importorskip("matplotlib")

from echo_env.lab.day import sample_days
from echo_env.lab.evaluation.engines import play_days
from echo_env.lab.optimise import Budget, Choice, Proposal, optimise, template
from echo_env.lab.optimise.gains import Gain, gains_of
from echo_env.lab.optimise.interactions import interactions
from echo_env.lab.optimise.levers import changed, seats_of
from echo_env.lab.optimise.optimise import _chosen
from echo_env.lab.optimise.proposal import Step
from echo_env.lab.optimise.report.folder import file_names, write_report
from echo_env.lab.optimise.report.tables import grids
from echo_env.lab.optimise.search import WAITING, Objective
from echo_env.lab.policies.base import make_policy
from echo_env.lab.simulation.metrics import metrics_table

DAYS = 300


@pytest.fixture(scope="module")
def choice() -> Choice:
    """The scarce lab's book."""
    config = load_lab("scarce")
    return Choice(config, (template(config),))


@pytest.fixture(scope="module")
def proposal() -> Proposal:
    """At most two moves of a lab with six appointments, three of them at the same time."""
    config = load_lab("baseline").replace(
        name="small",
        appointments__fetal=(0, 0, 0),
        appointments__non_fetal=(60, 180, 300),
        rooms__fetal=1,
        rooms__non_fetal=0,
        sonographers__fetal=1,
        sonographers__non_fetal=0,
        sonographers__always_present_fetal=1,
        sonographers__always_present_non_fetal=0,
    )
    budget = Budget(seconds=60, starts=1, days=200, world_days=20)
    return optimise(config, [template(config, 60, 480)], most_changes=2, budget=budget)


def total(gains: tuple[Gain, ...]) -> float:
    """Minutes a day that these patients wait more."""
    return sum(gain.patients * gain.change.mean for gain in gains)


def test_gains_add_up_to_the_change_of_all_waits(choice: Choice) -> None:
    """Summed over types, and over hours, minutes gained are the difference of the metric for everybody who came."""
    values = changed(changed(choice.today, 0, 0), 20, 300)
    found = gains_of(choice, values, "scarce_first", 7, 0, DAYS)
    waits = []
    for own in (choice.today, values):
        lab = choice.lab(own)
        days = sample_days(lab, DAYS, 7)
        table = metrics_table(lab, play_days(lab, make_policy("scarce_first", lab), days), None)
        came = (days.arrival >= 0).sum(axis=1)
        waits.append(float((table["overall_wait_min"] * came).mean()))
    assert total(found.by_type) == pytest.approx(waits[1] - waits[0])
    assert total(found.by_hour) == pytest.approx(waits[1] - waits[0])


def test_who_moves_is_told_apart_from_who_stays(choice: Choice) -> None:
    """One fetal appointment that moves is the only patient with another time."""
    seat = next(place for place, own in enumerate(seats_of(choice.config.plan)) if own.kind == 0)
    found = gains_of(choice, changed(choice.today, seat, 5), "scarce_first", 7, 0, 50)
    moved = [gain for gain in found.by_type if gain.moved]
    assert [gain.who for gain in moved] == ["fetal"]
    assert 0 < moved[0].patients <= 1
    assert sum(gain.patients for gain in found.by_type) == pytest.approx(sum(found.before.patients))


def test_nobody_gains_where_nothing_changes(choice: Choice) -> None:
    """The lab as it is against itself: all changes are 0."""
    found = gains_of(choice, choice.today, "scarce_first", 7, 0, 50)
    assert {gain.change.mean for gain in (*found.by_type, *found.by_hour)} == {0.0}
    assert found.before == found.after


def test_decisions_alone_and_together(choice: Choice) -> None:
    """Of two decisions, each is compared with the lab as it is, and with the rest of the proposal."""
    config: LabConfig = choice.config  # type: ignore[assignment]
    both = Choice(
        config, (template(config, held=frozenset(range(120))), template(config, held=frozenset(range(120, 541))))
    )
    size = len(both.today) // 2
    late = next(k for k, lever in enumerate(both.levers) if len(lever.allowed) > 1 and k < size)
    early = next(k for k, lever in enumerate(both.levers) if len(lever.allowed) > 1 and k >= size)
    alone = changed(both.today, late, 0)
    proposed = changed(alone, early, 300)
    objective = Objective(config, WAITING, (), "scarce_first", 1)
    found = interactions(objective, both, proposed, [alone], 0, 100)
    assert [(own.decision, own.proposed, len(own.changes)) for own in found] == [("template", True, 1)] * 2

    def cost(values: tuple[int, ...]) -> float:
        return float(np.mean(objective.scores(both.lab(values), 0, 100).objective))

    assert found[0].alone.mean == pytest.approx(cost(alone) - cost(both.today))
    assert found[1].together.mean == pytest.approx(cost(proposed) - cost(alone))


def test_the_report_has_what_it_says(proposal: Proposal, tmp_path: Path) -> None:
    """All files are written, numbers are those of the proposal, and each step of the front is a sentence."""
    write_report(tmp_path, proposal, "echo-lab optimise scarce", "name: better\n")
    assert {path.name for path in tmp_path.iterdir()} == set(file_names())
    numbers = json.loads((tmp_path / "proposal.json").read_text())
    assert numbers["gains"]["by_type"][0]["patients"] == proposal.gains.by_type[0].patients  # type: ignore[union-attr]
    text = (tmp_path / "report.md").read_text()
    step = proposal.step
    assert step is not None
    for change in step.changes:
        assert f"1. {change.sentence}" in text
    assert text.count("waiting per patient (") >= len(proposal.front)


def test_tables_leave_out_what_is_not_there(proposal: Proposal) -> None:
    """Without several decisions there is no table of decisions alone and together."""
    titles = [grid.title for grid in grids(proposal)]
    assert "who gains and who loses" in titles
    assert not any(title.startswith("each kind of decision") for title in titles)
    for grid in grids(proposal):
        assert all(len(row) == len(grid.heads) for row in grid.rows)


@pytest.mark.parametrize(("harm", "chosen"), [((0.0, 0.0, 0.0), 0), ((0.1, 0.0, 0.0), 2), ((0.1, 0.1, 0.1), 0)])
def test_what_held_out_days_show_to_harm_gives_way(harm: tuple[float, ...], chosen: int, choice: Choice) -> None:
    """The selected step is proposed unless it harms; then the best harmless one is, if there is one."""

    def about(mean: float) -> Estimate:
        return Estimate(mean, mean - 0.05, mean + 0.05, 100)

    steps = [
        Step((), (), 1, {"waiting_penalty": about(gain), "turned_away": about(rise)})
        for gain, rise in zip((-3.0, -1.0, -2.0), harm, strict=True)
    ]
    objective = Objective(choice.config, WAITING, ("turned_away",), "scarce_first", 0)
    assert _chosen(steps, None, objective, "waiting_penalty") == chosen

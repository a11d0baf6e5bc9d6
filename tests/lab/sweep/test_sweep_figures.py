"""Figures of a sweep: complete names, and data at the right places."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("pandas")

from echo_env.lab import LabConfig, make_policy
from echo_env.lab.sweep import Player, SweepResults, make_sweep, play_sweep, plots, tasks_of
from echo_env.lab.sweep.figures import sweep_figures, write_figures
from echo_env.lab.sweep.labels import in_words

SCARCE = LabConfig.load("scarce")
METRICS = ("penalty", "wait_fetal_min")


def played(wanted: list[str], mode: str = "grid", rules: tuple[str, ...] = ("policy_2", "fetal_first")) -> SweepResults:
    """A small sweep."""
    sweep = make_sweep(SCARCE, wanted, mode)
    tasks = tasks_of(sweep, lambda config: [make_policy(rule, config) for rule in rules], 8, 3)
    return play_sweep(sweep, tasks, Player(8, 3, None), 3)


@pytest.fixture(scope="module")
def grid() -> SweepResults:
    """Two numeric fields and a word."""
    return played(["rooms.non_fetal=2:4", "sonographers.absence_rate=0,0.1,0.3", "penalty.idle_rule=none,every_pair"])


def test_every_panel_has_names_with_units(grid: SweepResults) -> None:
    """Every panel has a title and units, also for one policy, words, and lists of times."""
    alone = played(
        ["hours.closing=16:30,17:30", "appointments.fetal=[08:15],[09:15,10:15]"], "one_at_a_time", ("policy_2",)
    )
    for results in (grid, alone):
        for name, figure in sweep_figures(results, METRICS).items():
            with warnings.catch_warnings():
                # Matplotlib warns if labels leave no room for the data.
                warnings.simplefilter("error")
                figure.draw_without_rendering()
            shown = [ax for ax in figure.axes if ax.axison]
            assert shown
            for ax in shown:
                assert ax.get_title(), name
            assert figure.get_suptitle()
            words = [ax.get_ylabel() for ax in shown] + [figure.get_supxlabel()]
            assert any("(points)" in text or "(minutes)" in text for text in words), name


def test_which_figures_there_are(grid: SweepResults, tmp_path: Path) -> None:
    """There is a figure for each field, each pair of fields and each metric."""
    names = {path.stem for path in write_figures(tmp_path, grid, METRICS[:1])}
    assert names == {
        "response_rooms_non_fetal", "response_sonographers_absence_rate", "response_penalty_idle_rule",
        "penalty_rooms_non_fetal_by_sonographers_absence_rate", "penalty_rooms_non_fetal_by_penalty_idle_rule",
        "penalty_sonographers_absence_rate_by_penalty_idle_rule", "tornado_penalty",
    }  # fmt: skip
    assert {path.suffix for path in tmp_path.iterdir()} == {".png", ".pdf"}


def test_curves_go_through_the_means(grid: SweepResults) -> None:
    """Curves show the means and paired differences of their cells."""
    axis = grid.sweep.axes[0]
    ax = plots.response_curve(grid, axis, "penalty")
    cells = grid.sweep.along(axis)
    drawn = {line.get_label(): line for line in ax.lines if line.get_label() in grid.policies}
    for policy, line in drawn.items():
        assert np.array_equal(line.get_xdata(), [2, 3, 4])
        assert np.allclose(line.get_ydata(), [grid.mean(cell, policy, "penalty").mean for cell in cells])
    assert set(drawn) == set(grid.policies)
    assert [line for line in ax.lines if list(line.get_xdata()) == [3, 3]]
    (line,) = (
        line for line in plots.response_difference(grid, axis, "penalty").lines if line.get_label() == "fetal_first"
    )
    assert np.allclose(line.get_ydata(), [grid.minus_reference(cell, "fetal_first", "penalty").mean for cell in cells])


def test_two_fields_at_once(grid: SweepResults) -> None:
    """Each line shows the cells of its label."""
    rooms, absence, _ = grid.sweep.axes
    ax = plots.curves_of_two(grid, rooms, absence, "policy_2", "penalty")
    lines = {line.get_label(): line for line in ax.lines}
    worst = next(c for c in grid.sweep.cells if tuple(c.values.values()) == (2, 0.3, "every_pair"))
    drawn = lines["sonographers.absence_rate=0.3"]
    assert drawn.get_ydata()[0] == pytest.approx(grid.mean(worst, "policy_2", "penalty").mean)
    assert len(drawn.get_xdata()) == 3


def bars(ax: Any) -> list[tuple[float, float]]:
    """Left and right end of each bar."""
    return [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]


def test_tornado_reaches_from_the_lowest_to_the_highest() -> None:
    """Bars extend from the lowest to the highest mean and are ordered by the reference's spans."""
    results = played(["rooms.non_fetal=3:4", "exam.mean_min=40,45,60", "rooms.fetal=1:2"], "one_at_a_time")
    ax = plots.tornado(results, "fetal_first", "penalty")
    effects = results.effects("policy_2", "penalty")
    labels = [tick.get_text() for tick in ax.get_yticklabels()]
    assert labels == [f"{in_words(own.axis.field)}: {own.axis.label(own.axis.own)}" for own in effects]
    assert labels[0] == "exam: mean (minutes): 45"
    effect = results.effect(effects[0].axis, "fetal_first", "penalty")
    ends = [results.minus_base(cell, "fetal_first", "penalty").mean for cell in (effect.lowest, effect.highest)]
    assert bars(ax)[:2] == [(pytest.approx(ends[0]), 0), (0, pytest.approx(ends[1]))]
    # A third non-fetal room beside three sonographers helps nobody.
    assert [text.get_text() for text in ax.texts].count("no difference") >= 1


def test_a_tornado_says_what_its_colours_mean() -> None:
    """The legend names the colours that bars have, and no other; labels stand outside all whiskers."""
    both = played(["exam.mean_min=40,45,60"], "one_at_a_time", ("policy_2",))
    ax = plots.tornado(both, "policy_2", "penalty")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [words for _, words in plots.SIDES]
    figure = sweep_figures(both, METRICS[:1])["tornado_penalty"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [words for _, words in plots.SIDES]
    ax.figure.draw_without_rendering()
    whiskers = [ax.transData.transform(own.get_paths()[0].vertices)[:, 0] for own in ax.collections]
    low, high = min(ends.min() for ends in whiskers), max(ends.max() for ends in whiskers)
    for text in ax.texts:
        box = text.get_window_extent()
        assert box.x1 < low or box.x0 > high
    worse = plots.tornado(played(["exam.mean_min=45,60"], "one_at_a_time", ("policy_2",)), "policy_2", "penalty")
    assert [text.get_text() for text in worse.get_legend().get_texts()] == ["higher than in the base lab"]


def test_tornado_away_from_the_base_lab_does_not_reach_to_it() -> None:
    """If all cells lie above the base lab, bars start at the lowest cell."""
    results = played(["rooms.non_fetal=2", "sonographers.absence_rate=0.6,0.9"])
    ax = plots.tornado(results, "policy_2", "penalty")
    low, high = (results.minus_base(cell, "policy_2", "penalty").mean for cell in results.sweep.cells[1:])
    assert 0 < low < high
    assert bars(ax) == [(pytest.approx(low), pytest.approx(high))]


def test_tornado_of_nothing_has_a_scale() -> None:
    """Without any effect the axis keeps a scale of at least one point."""
    results = played(["rooms.non_fetal=3:4"], rules=("policy_2",))
    low, high = plots.tornado(results, "policy_2", "penalty").get_xlim()
    assert low <= -1
    assert high >= 1

"""Learning curves and minute-by-minute penalties: the data of their artists."""

from __future__ import annotations

import numpy as np
import pytest

from echo_env.lab import LabConfig, make_policy, sample_days, simulate

pytest.importorskip("matplotlib")
pytest.importorskip("pandas")

from echo_env.lab import plots
from echo_env.lab.departures.plots import penalties_of_the_day
from echo_env.lab.departures.state_by_state import state_by_state
from echo_env.lab.plots.by_minute import penalties


def test_a_learning_curve_has_the_logarithm_and_the_rate() -> None:
    """The line is log of the mean of up to 50 days, days without a penalty are marked, the rate has its own axis."""
    penalty = np.concatenate([np.full(60, np.e), np.zeros(60), np.full(10, 5.0)])
    rate = np.linspace(0.8, 0.1, 130)
    ax = plots.learning_curve(penalty, rate, "title", restarts=(20,))
    line, marks, restart = ax.lines
    assert line.get_ydata()[:60] == pytest.approx(1.0)
    assert np.isnan(line.get_ydata()[109:120]).all()
    assert marks.get_xdata().tolist() == list(range(110, 121))
    assert restart.get_xdata()[0] == 20
    rates = ax.figure.axes[1]
    np.testing.assert_array_equal(rates.lines[0].get_ydata(), rate)
    labels = [text.get_text() for text in ax.figure.legends[0].get_texts()]
    assert labels == [
        "log(-R), 50-day mean", "no penalty in 50 days", "exploration begins anew", "absence rate (right)"
    ]  # fmt: skip


def test_a_curve_without_any_penalty_is_drawn() -> None:
    """A training that never paid anything has marks and no line."""
    ax = plots.learning_curve(np.zeros(5), np.full(5, 0.1), "title")
    assert np.isnan(ax.lines[0].get_ydata()).all()
    assert len(ax.lines[1].get_xdata()) == 5


def test_what_has_accrued_is_the_sum_of_the_minutes() -> None:
    """The last point of penalty_since_opening is the mean penalty of the days."""
    config = LabConfig.load("scarce")
    traces = [simulate(config, day, make_policy("policy_2", config)) for day in sample_days(config, 3, seed=4)]
    ax = plots.penalty_since_opening({"policy_2": traces})
    assert ax.lines[0].get_ydata()[-1] == pytest.approx(np.mean([trace.penalty.total for trace in traces]))


def test_both_penalties_are_drawn_at_every_minute() -> None:
    """The followed policy's line is its own day; the other's differs where it would have acted differently."""
    config = LabConfig.load("scarce")
    day = sample_days(config, 1, seed=4)[0]
    followed, other = make_policy("policy_2", config), make_policy("fetal_first", config)
    trace, differences = simulate(config, day, followed), state_by_state(config, day, followed, other)
    ax = penalties_of_the_day(trace, differences)
    theirs, ours, marks = ax.lines[:3]
    np.testing.assert_array_equal(ours.get_ydata(), penalties([trace])[0])
    minute = differences["minute"].to_numpy()
    assert len(minute)
    assert marks.get_xdata().tolist() == minute.tolist()
    assert theirs.get_ydata()[minute].tolist() == differences["other_penalty"].tolist()
    same = np.setdiff1d(np.arange(config.hours.end_min), minute)
    np.testing.assert_array_equal(theirs.get_ydata()[same], ours.get_ydata()[same])


def test_bands_are_intervals_or_standard_deviations() -> None:
    """A band of kind sd is as wide as the days differ, whatever their number."""
    config = LabConfig.load("scarce")
    traces = [simulate(config, day, make_policy("policy_2", config)) for day in sample_days(config, 5, seed=4)]
    counts = np.stack([trace.minutes for trace in traces])[:, 300, 0]
    ax = plots.waiting_by_class(traces, band="sd")
    xy = ax.collections[0].get_paths()[0].vertices
    edges = np.unique(xy[xy[:, 0] == 300, 1])
    assert np.ptp(edges) == pytest.approx(2 * counts.std(ddof=1))
    assert "one standard deviation" in ax.get_title()

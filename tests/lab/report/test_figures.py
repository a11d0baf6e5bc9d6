"""The figures that are written for a comparison."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from echo_env.lab import LabConfig, evaluate, load_lab, make_policy, sample_days, simulate

pytest.importorskip("matplotlib")
pytest.importorskip("pandas")

from echo_env.lab.report import figures

NAMES = {
    "appointments", "arrival_offsets", "arrivals_of_a_day", "exam_durations", "waiting_by_class",
    "free_rooms", "free_sonographers", "penalty_by_minute", "running_mean_penalty", "waiting_time",
    "waiting_time_fetal", "workload", "paired_differences", "one_day", "same_day_fetal_first",
    "state_by_state_fetal_first",
}  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    """All figures of a small comparison, the second policy being the reference."""
    config = LabConfig.load("scarce")
    policies = [make_policy(name, config) for name in ("fetal_first", "policy_2")]
    comparison = evaluate(config, policies, days=6, seed=3, engine="simpy", reference="policy_2")
    folder = tmp_path_factory.mktemp("figures") / "new"
    return folder, figures.write_figures(folder, comparison, config, policies, seed=3)


def small_figure() -> Any:
    """The quickest of the figures."""
    comparison = evaluate(LabConfig.load("scarce"), ["policy_2"], days=4, seed=3, engine="simpy")
    return figures.comparison_figures(comparison, LabConfig.load("scarce"))["running_mean_penalty"]


@cache
def all_figures(lab: str, policies: tuple[str, ...], days: int) -> dict[str, Any]:
    """The figures of a comparison, not written."""
    config = load_lab(lab)
    made = [make_policy(name, config) for name in policies]
    drawn = sample_days(config, days, seed=3)
    traces = {policy.name: [simulate(config, day, policy) for day in drawn] for policy in made}
    comparison = evaluate(config, made, days=days, seed=3, engine="simpy")
    return {
        **figures.lab_figures(config, seed=3),
        **figures.day_figures(traces),
        **figures.comparison_figures(comparison, config),
        **figures.pair_figures(config, drawn, traces, made, policies[0]),
    }


def test_every_figure_is_written_as_png_and_pdf(written: tuple[Path, list[Path]]) -> None:
    """Every figure is a PNG and a PDF under its name."""
    folder, paths = written
    assert {path.name for path in paths} == {f"{name}.png" for name in NAMES}
    assert {path.name for path in folder.iterdir()} == {f"{n}.{end}" for n in NAMES for end in ("png", "pdf")}
    for path in paths:
        assert path.read_bytes().startswith(b"\x89PNG")
        pdf = path.with_suffix(".pdf").read_bytes()
        assert pdf.startswith(b"%PDF")
        assert b"%%EOF" in pdf[-10:]


@pytest.mark.parametrize(
    ("lab", "policies", "days"),
    [
        ("scarce", ("policy_2", "random"), 4),
        ("abundant", ("policy_2", "policy_1"), 1),
        ("baseline", ("policy_1",), 2),
        ("mri_unit", ("policy_2", "scarce_first"), 3),
    ],
)
def test_every_axis_has_a_name_with_its_unit(lab: str, policies: tuple[str, ...], days: int) -> None:
    """Every axis has a title and labels with units, also in a lab without penalties and for one day."""
    drawn = all_figures(lab, policies, days)
    alone = len(policies) == 1
    assert alone == ("paired_differences" not in drawn)
    for name, figure in drawn.items():
        for ax in figure.axes:
            if not ax.axison:
                continue
            assert ax.get_title(), name
            for axis, labels in ((ax.xaxis, ax.get_shared_x_axes()), (ax.yaxis, ax.get_shared_y_axes())):
                words = [getattr(a, f"get_{axis.axis_name}label")() for a in labels.get_siblings(ax)]
                assert any("(" in word and ")" in word for word in words), (name, axis.axis_name, words)
            low, high = ax.get_ylim()
            assert np.isfinite([low, high]).all(), name
            assert low != high, name


def test_panels_share_a_scale_that_holds_them_all() -> None:
    """Panels share a y axis that holds all curves."""
    figure = all_figures("scarce", ("policy_2", "random"), 4)["waiting_by_class"]
    left, right = figure.axes
    top = max(line.get_ydata().max() for ax in (left, right) for line in ax.lines[:6])
    assert left.get_ylim() == right.get_ylim()
    assert left.get_ylim()[1] > top
    assert [ax.get_title() for ax in (left, right)] == ["policy_2", "random"]
    assert [text.get_text() for text in figure.legends[0].get_texts()][:2] == ["fetal on time", "fetal late"]


def test_two_policies_are_drawn_on_the_same_day() -> None:
    """The day of two policies is drawn for the same day, each with its own penalty."""
    config = LabConfig.load("scarce")
    day = sample_days(config, 1, seed=3)[0]
    names = ("policy_2", "fetal_first")
    traces = {name: simulate(config, day, make_policy(name, config)) for name in names}
    figure = figures.two_days(traces)
    titles = [ax.get_title() for ax in figure.axes]
    expected = [f"{trace.penalty.total:,.0f} points" for trace in traces.values()]
    assert all(title.startswith(f"{name}, scarce") and points in title
               for title, name, points in zip(titles, names, expected, strict=True))  # fmt: skip
    assert [ax.get_legend() is not None for ax in figure.axes] == [False, True]


def test_the_same_figure_is_the_same_file(tmp_path: Path) -> None:
    """A figure is written to the same bytes each time."""
    for folder in ("a", "b"):
        figures.write_figure(small_figure(), tmp_path / folder, "small")
    for end in ("png", "pdf"):
        assert (tmp_path / "a" / f"small.{end}").read_bytes() == (tmp_path / "b" / f"small.{end}").read_bytes()


def test_policies_of_another_comparison_are_refused(tmp_path: Path) -> None:
    """Policies other than those compared are refused, and nothing is written."""
    config = LabConfig.load("scarce")
    comparison = evaluate(config, ["policy_1", "policy_2"], days=1, seed=1, engine="simpy")
    policies = [make_policy(name, config) for name in ("policy_2", "policy_1")]
    with pytest.raises(ValueError, match="policies are policy_2, policy_1, but those compared are policy_1, policy_2"):
        figures.write_figures(tmp_path, comparison, config, policies, seed=1)
    assert list(tmp_path.iterdir()) == []


def test_a_figure_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A figure is written whole or not at all."""
    figure = small_figure()

    def fail(file: Any, **options: Any) -> None:
        file.write(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(figure, "savefig", fail)
    with pytest.raises(OSError, match="no space left"):
        figures.write_figure(figure, tmp_path, "learning")
    assert list(tmp_path.iterdir()) == []


def test_figures_of_a_lab_of_three_types(tmp_path: Path) -> None:
    """A comparison in any lab has a figure of waiting for each exam type, and one of patients without appointment."""
    config = load_lab("walk_in_clinic")
    policies = [make_policy(name, config) for name in ("policy_2", "scarce_first")]
    comparison = evaluate(config, policies, days=4, seed=3, engine="simpy")
    files = {path.stem for path in figures.write_figures(tmp_path / "new", comparison, config, policies, seed=3)}
    own = {"waiting_by_type", "unscheduled_by_hour", "waiting_time_booked", "waiting_time_walk_in",
           "waiting_time_urgent"}  # fmt: skip
    renamed = {name.replace("fetal_first", "scarce_first") for name in NAMES}
    assert files == renamed - {"waiting_by_class", "waiting_time_fetal"} | own

"""Figures: the data of their artists, not their pixels."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import nan
from typing import Any

import numpy as np
import pytest
from scipy import integrate

from echo_env.common.figures import off_the_scale
from echo_env.common.stats import estimate
from echo_env.lab import Day, LabConfig, evaluate, make_policy, sample_days, simulate
from echo_env.lab.day import NO_SHOW, TURNED_AWAY
from echo_env.lab.report.figures import comparison_figures
from echo_env.lab.simulation.patient import PatientClass
from echo_env.lab.simulation.trace import Trace, count_names

pytest.importorskip("matplotlib")
pd = pytest.importorskip("pandas")

from echo_env.common.stats import mean_and_half_width  # noqa: E402
from echo_env.lab import plots  # noqa: E402
from echo_env.lab.day.laws import duration_density, duration_probability, offset_probability  # noqa: E402
from echo_env.lab.departures import plots as state_table  # noqa: E402
from echo_env.lab.evaluation import plots as by_policy  # noqa: E402
from echo_env.lab.plots.bars import ABSENT, BREAK, NOT_READY, Bar, day_bars, rows_of  # noqa: E402

Lab = Callable[..., LabConfig]
DayMaker = Callable[..., Day]


@pytest.fixture(scope="module")
def scarce() -> LabConfig:
    """The lab in which policies differ."""
    return LabConfig.load("scarce")


@pytest.fixture(scope="module")
def traces(scarce: LabConfig) -> list[Trace]:
    """Twelve days under policy 2."""
    policy = make_policy("policy_2", scarce)
    return [simulate(scarce, day, policy) for day in sample_days(scarce, 12, seed=3)]


@pytest.fixture(scope="module")
def comparison(scarce: LabConfig) -> Any:
    """Three policies on 40 days."""
    return evaluate(scarce, ["policy_2", "fetal_first", "random"], days=40, seed=3, engine="simpy")


def line(ax: Any, label: str) -> Any:
    """The line with a label."""
    return next(line for line in ax.lines if line.get_label() == label)


def band(ax: Any, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper edge of a band, by its place."""
    xy = ax.collections[number].get_paths()[0].vertices
    by_x = {x: xy[xy[:, 0] == x, 1] for x in np.unique(xy[:, 0])}
    return np.array([y.min() for y in by_x.values()]), np.array([y.max() for y in by_x.values()])


def rectangles(ax: Any) -> set[tuple[float, float, float]]:
    """(begin, end, middle row) of every bar drawn, whatever its colour."""
    paths = [path.vertices for bars in ax.collections for path in bars.get_paths() if len(path.vertices) == 5]
    return {(xy[:, 0].min(), xy[:, 0].max(), round(float(np.ptp(xy[:4, 1]) / 2 + xy[:, 1].min()), 6)) for xy in paths}


def test_bands_are_the_intervals_of_the_tables() -> None:
    """Bands are the intervals of the tables."""
    values = np.random.default_rng(0).gamma(2.0, size=(17, 5))
    mean, half = mean_and_half_width(values)
    for column in range(5):
        expected = estimate(values[:, column])
        assert mean[column] == pytest.approx(expected.mean, rel=1e-12)
        assert half[column] == pytest.approx(expected.half_width, rel=1e-12)
    mean, half = mean_and_half_width(values[:1])
    np.testing.assert_array_equal(mean, values[0])
    assert np.isnan(half).all()


def test_waiting_lines_are_means_over_days(traces: list[Trace]) -> None:
    """Lines of waiting patients are means over days."""
    ax = plots.waiting_by_class(traces)
    counts = np.array([trace.minutes for trace in traces])
    for kind in PatientClass:
        mean = counts[:, :, kind].mean(axis=0)
        np.testing.assert_array_equal(line(ax, kind.label).get_ydata(), mean)
        low, high = band(ax, kind)
        half = mean_and_half_width(counts[:, :, kind])[1]
        np.testing.assert_allclose(low, (mean - half), atol=1e-12)
        np.testing.assert_allclose(high, (mean + half), atol=1e-12)
    # No two classes look alike where colours are lost.
    assert len({(line(ax, k.label).get_linestyle(), line(ax, k.label).get_marker()) for k in PatientClass}) == 6


@pytest.mark.parametrize("what", ["rooms", "sonographers"])
def test_free_resources_are_means_over_days(traces: list[Trace], what: str) -> None:
    """Lines of free resources are means over days, by kind."""
    ax = getattr(plots, f"free_{what}")(traces)
    for kind, label in (("fetal", "fetal-capable"), ("non_fetal", "non-fetal only")):
        column = count_names(traces[0].config).index(f"free_{what}_{kind}")
        expected = np.mean([trace.minutes[:, column] for trace in traces], axis=0)
        np.testing.assert_array_equal(line(ax, label).get_ydata(), expected)


def test_penalty_by_minute_adds_up_to_the_day(traces: list[Trace]) -> None:
    """The penalty by minute adds up to the day's penalty."""
    ax = plots.penalty_by_minute({"policy_2": traces})
    assert line(ax, "policy_2").get_ydata().sum() == pytest.approx(np.mean([trace.penalty.total for trace in traces]))


def test_clock_times_on_the_axis(tiny_lab: Lab, tiny_day: DayMaker) -> None:
    """Clock times stand at the right minutes, whenever the lab opens."""
    config = tiny_lab(non_fetal=(0,), hours__opening_min=450)
    ax = plots.arrivals_of_a_day(config, tiny_day(config, (5,), (30,)))
    assert ax.get_xticks()[:2].tolist() == [30, 150]
    assert [tick.get_text() for tick in ax.get_xticklabels()][:2] == ["08:00", "10:00"]


def test_law_of_arrival_in_closed_form(scarce: LabConfig) -> None:
    """The curve is the law that days are drawn from."""
    e = np.exp
    offsets = [-60.0, -5.0, 0.0, 10.0, 1e9]
    expected = [0.0, 0.2 * (e(-1) - e(-12)) / (1 - e(-12)), 0.2, 0.2 + 0.8 * (1 - e(-1)), 1.0]
    np.testing.assert_allclose(offset_probability(scarce.arrival, offsets), expected, atol=1e-12)
    days = sample_days(scarce, 400, seed=1)
    offset = (days.arrival - days.scheduled)[:, 5:30][days.arrival[:, 5:30] >= 0]
    # 9,000 patients: the share is within 4 standard errors.
    for minute in (-8, -1, 3, 12, 30):
        p = float(offset_probability(scarce.arrival, minute))
        assert abs((offset <= minute).mean() - p) < 4 * np.sqrt(p * (1 - p) / len(offset))


def test_law_of_exams_is_a_density_with_the_days_mean(scarce: LabConfig) -> None:
    """The curve is the law that days are drawn from."""
    law = scarce.exam
    total, _ = integrate.quad(lambda x: float(duration_density(law, x)), 20, 150)
    # Exams take whole minutes, rounded up.
    mean = 20 + sum(1 - float(duration_probability(law, minute)) for minute in range(20, 150))
    assert total == pytest.approx(1, rel=1e-8)
    assert duration_density(law, [19.9, 150.1]).tolist() == [0, 0]
    drawn = sample_days(scarce, 300, seed=1).exam_min.ravel()
    assert abs(drawn.mean() - mean) < 4 * drawn.std() / np.sqrt(len(drawn))


def test_histograms_hold_every_patient_in_percent(scarce: LabConfig) -> None:
    """Histograms hold every patient, in per cent like the law."""
    days = sample_days(scarce, 40, seed=1)
    ax = plots.arrival_offsets(scarce, days)
    heights = {round(bar.get_x() + bar.get_width() / 2): bar.get_height() for bar in ax.patches}
    offset = (days.arrival - days.scheduled)[days.arrival >= 0]
    assert heights[3] == pytest.approx(100 * (offset == 3).mean())
    assert sum(heights.values()) == pytest.approx(100 * (offset <= max(heights)).mean())
    values, edges, _ = plots.exam_durations(scarce, days).patches[0].get_data()
    assert (values * np.diff(edges)).sum() == pytest.approx(100)


def test_appointments_at_the_same_time_stand_on_each_other(tiny_lab: Lab) -> None:
    """Appointments at the same time are stacked."""
    bars = plots.appointment_schedule(tiny_lab(fetal=(30,), non_fetal=(30, 30))).patches
    assert [(bar.get_y(), bar.get_height()) for bar in bars] == [(0, 2), (2, 1)]


def test_arrivals_of_a_day_count_up(tiny_lab: Lab, tiny_day: DayMaker) -> None:
    """Arrivals count up at the minutes in which patients come."""
    config = tiny_lab(fetal=(60,), non_fetal=(0, 30, 530))
    ax = plots.arrivals_of_a_day(config, tiny_day(config, (0, NO_SHOW, 40, TURNED_AWAY), (9, 9, 9, 9)))
    came = line(ax, "non-fetal: arrived (1)").get_ydata()
    assert came.tolist() == [1] * 661
    fetal = line(ax, "fetal: arrived (1)").get_ydata()
    assert (fetal[39], fetal[40]) == (0, 1)
    due = line(ax, "non-fetal: appointments (3)").get_ydata()
    assert due[[0, 29, 30, 529, 530]].tolist() == [1, 1, 2, 2, 3]


def test_violins_stand_on_the_days_values(comparison: Any) -> None:
    """Violins show each policy's days, with median and mean; days without a value are left out."""
    values = comparison.values["fetal_first"]["wait_fetal_min"]
    values[3] = np.nan
    ax = by_policy.daily_violins(comparison, "wait_fetal_min")
    seen = values[~np.isnan(values)]
    assert ax.lines[1].get_ydata()[0] == seen.mean()
    medians = [bars for bars in ax.collections if len(bars.get_paths()) == 1 and len(bars.get_paths()[0].vertices) == 2]
    assert medians[1].get_paths()[0].vertices[0, 1] == np.median(seen)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["policy_2", "fetal_first", "random"]
    values[:] = np.nan
    assert len(by_policy.daily_violins(comparison, "wait_fetal_min").lines) == 2


def test_running_means_are_the_means_so_far(comparison: Any) -> None:
    """Running means end at the number in the table."""
    ax = by_policy.running_mean(comparison)
    values = comparison.values["random"]["penalty"]
    shown = line(ax, "random").get_ydata()
    low, high = band(ax, 2)
    for n in (2, 17, 40):
        expected = estimate(values[:n])
        assert shown[n - 1] == pytest.approx(expected.mean)
        # The band begins with the second day.
        assert (low[n - 2], high[n - 2]) == pytest.approx((expected.low, expected.high))
    difference = line(by_policy.running_difference(comparison), "random").get_ydata()
    assert difference[-1] == pytest.approx(comparison.paired("random", "penalty").mean)


def test_paired_differences_are_those_of_the_table(comparison: Any) -> None:
    """Paired differences and their intervals are those of the table."""
    ax = by_policy.paired_differences(replace(comparison, reference="fetal_first"))
    for row, name in enumerate(("policy_2", "random")):
        expected = estimate(comparison.values[name]["penalty"] - comparison.values["fetal_first"]["penalty"])
        assert ax.texts[row].get_text().startswith(f"{expected.mean:+,.1f} ± {expected.half_width:,.1f}")
        if name == "policy_2":
            ends = ax.collections[0].get_paths()[0].vertices
            np.testing.assert_allclose(ends, [(expected.low, row), (expected.high, row)])
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["policy_2", "random"]


def far_away(comparison: Any, metric: str = "penalty", times: float = 1000.0) -> Any:
    """The same days, but random's are so many times as dear."""
    values = {name: dict(own) for name, own in comparison.values.items()}
    values["random"][metric] = values["random"][metric] * times
    return replace(comparison, values=values)


def test_the_zero_line_strikes_through_no_label(comparison: Any) -> None:
    """Numbers of differences stand apart from the zero line, from the data and from each other."""
    for shown in (comparison, far_away(comparison)):
        ax = by_policy.paired_differences(shown)
        ax.figure.draw_without_rendering()
        boxes = [text.get_window_extent() for text in ax.texts]
        assert len(boxes) == len(comparison.others)
        zero = ax.transData.transform((0, 0))[0]
        inside, whole = ax.get_window_extent(), ax.figure.bbox
        assert inside.x0 < zero < inside.x1
        for number, box in enumerate(boxes):
            assert inside.x1 < box.x0
            assert box.x1 <= whole.x1
            assert not any(box.overlaps(other) for other in boxes[:number])


def test_what_would_squash_the_rest_leaves_the_scale(comparison: Any) -> None:
    """A policy far from all others is named with its value, and the others keep the scale that they had without it."""
    shown, two = far_away(comparison), comparison.part(("policy_2", "fetal_first"))
    mean = shown.paired("random", "penalty").mean
    ax, alone = by_policy.paired_differences(shown), by_policy.paired_differences(two)
    assert ax.get_xlim() == alone.get_xlim()
    assert f"{mean:+,.1f} ± " in ax.texts[1].get_text()
    assert ax.texts[1].get_text().endswith(", off the scale")
    for draw in (by_policy.running_mean, by_policy.running_difference):
        ax, alone = draw(shown), draw(two)
        assert ax.get_ylim() == alone.get_ylim()
        assert any("off the scale" in text.get_text() for text in ax.get_legend().get_texts())
        assert not any("off the scale" in text.get_text() for text in alone.get_legend().get_texts())
    ax, alone = by_policy.daily_violins(shown, "penalty"), by_policy.daily_violins(two, "penalty")
    assert ax.get_ylim() == alone.get_ylim()
    assert [text.get_text()[:6] for text in ax.texts] == ["\u2191 mean"]


def test_off_the_scale_by_hand() -> None:
    """One range among near ones is off; a base keeps its place; the last one is never off."""
    assert off_the_scale({"a": (0, 1), "b": (0.5, 2), "c": (0, 17)}) == ["c"]
    assert off_the_scale({"a": (0, 1), "b": (0.5, 2), "c": (0, 16)}) == []
    assert off_the_scale({"a": (-1, -1), "b": (90, 100)}, base=(0.0,)) == ["b"]
    assert off_the_scale({"b": (90, 100)}, base=(0.0,)) == []
    assert off_the_scale({"a": (0, 1), "b": (nan, nan), "c": (0, 1e6), "d": (0, 1e3)}) == ["c", "d"]


def test_a_metric_without_values_has_no_figure(comparison: Any) -> None:
    """What no day has a value of is said to be empty."""
    values = {name: {**own, "wait_min": np.full(comparison.days, nan)} for name, own in comparison.values.items()}
    empty = replace(comparison, values=values)
    assert by_policy.has_values(comparison, "wait_min")
    assert not by_policy.has_values(empty, "wait_min")
    said: list[str] = []
    figures = comparison_figures(empty, LabConfig.load("scarce"), said.append)
    assert "waiting_time" not in figures
    assert said == ["No figure waiting_time: no day has a value of mean waiting time of patients served."]


def test_the_legend_of_a_day_names_what_it_shows(traces: list[Trace]) -> None:
    """A Gantt chart's legend has an entry for each kind of bar that the day has, and for no other."""
    for trace in traces[:6]:
        bars = {name for name, own in day_bars(trace).items() if own}
        told = {text.get_text() for text in plots.gantt(trace).get_legend().get_texts()}
        for words, there in {
            "on time": any("on time" in name for name in bars),
            "late (L)": any("late" in name for name in bars),
            "early (E)": any("early" in name for name in bars),
            "break": "break" in bars,
            "absent": "absent" in bars,
            "not ready yet": "not ready yet" in bars,
            "was not examined": bool((trace.day.arrival < 0).any()),
        }.items():
            assert (words in told) == there, words


def test_an_unknown_metric_is_named(comparison: Any) -> None:
    """An unknown metric is refused; the message lists the known ones."""
    with pytest.raises(ValueError, match="metric is 'waits', but must be one of penalty, "):
        by_policy.daily_violins(comparison, "waits")


def test_gantt_of_a_hand_made_day(tiny_lab: Lab, tiny_day: DayMaker) -> None:
    """Bars of a day worked out by hand."""
    # Room 0 is fetal-capable, room 1 not; sonographer 0 is, sonographers 1 and 2 are not; 2 is absent.
    # Patient 0 (non-fetal, 08:00) begins at 0 in room 1 with sonographer 1, until 50; two breaks until 80.
    # Patient 1 (fetal, 08:15) comes at 20 and is examined from 20 to 60 in room 0 with sonographer 0.
    # Patient 2 (non-fetal, 08:55) comes at 30, early; on time from 45; both sonographers are busy until 60 (the
    # other one on break): begins at 60 in room 1 with sonographer 0, until 90. Patient 3 (fetal, 09:00) comes at 75,
    # late, and waits for sonographer 0 until 90: room 0 until 100. Patient 4 does not come.
    config = tiny_lab(fetal=(15, 60), non_fetal=(0, 55, 120), rooms__non_fetal=1, sonographers__fetal=1,
                      sonographers__non_fetal=2)  # fmt: skip
    day = tiny_day(config, (0, 20, 30, 75, NO_SHOW), (50, 40, 30, 10, 9), absence_draw=np.array([1.0, 1.0, -1.0]))
    draws = day.break_draw.copy()
    draws[1, 0] = 0.1
    trace = simulate(config, replace(day, break_draw=draws), make_policy("policy_2", config))
    rows = rows_of(config)
    staff, wait = rows.sonographer, rows.patient
    bars = day_bars(trace)
    high = 0.8 * rows.patient_height
    assert {name: sorted(own) for name, own in bars.items()} == {
        "fetal on time": [Bar(0, 20, 60, 0.84), Bar(staff(0), 20, 60, 0.84)],
        "fetal late": [Bar(0, 90, 100, 0.84), Bar(staff(0), 90, 100, 0.84), Bar(wait(3), 75, 90, high)],
        "fetal early": [],
        "non-fetal on time": [Bar(1, 0, 50, 0.84), Bar(1, 60, 90, 0.84), Bar(staff(0), 60, 90, 0.84),
                              Bar(staff(1), 0, 50, 0.84), Bar(wait(2), 45, 60, high)],
        "non-fetal late": [],
        "non-fetal early": [Bar(wait(2), 30, 45, high)],
        BREAK: [Bar(staff(1), 50, 80, 0.5)],
        ABSENT: [Bar(staff(2), 0, 660, 0.84)],
        NOT_READY: [],
    }  # fmt: skip
    ax = plots.gantt(trace)
    assert rectangles(ax) == {(bar.begin, bar.end, round(bar.row, 6)) for kind in bars.values() for bar in kind}
    crosses = next(line for line in ax.lines if line.get_marker() == "x")
    assert crosses.get_xydata().tolist() == [[120, wait(4)]]
    # Waiting: patient 2 on time for 15 minutes at 4, patient 3 late for 15 at 2: 90. Idle pairs: one from 0 to 20,
    # from 80 to 90 and from 90 to 100, two from 100 to 660: 1,160.
    assert ax.get_title() == "tiny, one day: penalty 1,250 points, of which 90 for waiting"


def test_gantt_up_to_a_minute_keeps_the_rest_to_itself(traces: list[Trace]) -> None:
    """A chart up to a minute shows nothing of what comes after it."""
    trace, now = traces[0], 300
    running = [exam for exam in trace.exams if exam.start_min < now < exam.end_min]
    assert running
    # What has happened by then, as the simulator would have it.
    so_far = replace(
        trace,
        exams=[exam for exam in trace.exams if exam.start_min < now],
        breaks=[pause for pause in trace.breaks if pause.start_min < now],
    )
    ax = plots.gantt(so_far, until=now)
    ends = [end for begin, end, row in rectangles(ax)]
    assert max(ends) == now
    assert not next(line for line in ax.lines if line.get_marker() == "x").get_xdata()
    whole = {(begin, min(end, now), row) for begin, end, row in rectangles(plots.gantt(trace)) if begin < now}
    assert rectangles(ax) == whole


def test_every_exam_and_wait_of_a_day_is_drawn(traces: list[Trace]) -> None:
    """Every exam and every wait of a day is drawn."""
    for trace in traces[:4]:
        bars = day_bars(trace)
        minutes = sum(bar.end - bar.begin for kind in PatientClass for bar in bars[kind.label])
        exams = sum(2 * (exam.end_min - exam.start_min) for exam in trace.exams)
        assert minutes == exams + trace.minutes[:, :6].sum()


def test_appointments_are_the_labs(scarce: LabConfig) -> None:
    """Appointments are those of the lab (figure 1)."""
    ax = plots.appointment_schedule(scarce)
    bars = sorted((bar.get_x() + bar.get_width() / 2, bar.get_height()) for bar in ax.patches)
    book = scarce.appointments
    assert [minute for minute, count in bars for _ in range(int(count))] == sorted(book.fetal + book.non_fetal)


def differences(count: int) -> Any:
    """Rows as state_by_state gives them."""
    row = {"time": "08:30", "waiting": "2 fetal on time, 1 fetal late, 1 non-fetal late", "free": "rooms",
           "followed": "policy_2", "other": "agent", "followed_begins": "non-fetal late #3",
           "other_begins": "nobody", "followed_penalty": 4.0, "other_penalty": 6.5, "by_the_end": -50.0}  # fmt: skip
    return pd.DataFrame([{"minute": 30 + k, **row} for k in range(count)])


def test_table_of_differences_says_what_it_leaves_out(scarce: LabConfig) -> None:
    """A shortened table says how many minutes there are in all."""
    ax = state_table.difference_table(differences(7), most=3)
    words = [text.get_text() for text in ax.texts]
    assert words.count("08:30") == 3
    assert words[-1] == "7 minutes in all; the first 3 are shown"
    assert "2 fetal on time, 1\nfetal late, 1 non-fetal\nlate" in words
    assert words[:5] == ["Time", "Waiting", "Free", "policy_2 begins", "agent begins"]
    titles = [" ".join(title.split()) for title in words[5:8]]
    assert titles[:2] == ["policy_2 this minute (points)", "agent this minute (points)"]
    assert titles[2] == "agent by the end of the day (points)"
    assert state_table.difference_table(differences(1)).texts[-1].get_text() == "1 minute in all"
    ax = state_table.immediate_penalties(differences(2), scarce.hours)
    assert line(ax, "policy_2 (plays the day)").get_ydata().tolist() == [4, 4]
    assert line(ax, "agent (compared)").get_xydata().tolist() == [[30, 6.5], [31, 6.5]]


def test_consequences_are_shown_beside_the_minutes_penalty(scarce: LabConfig) -> None:
    """Where the other's decision is dearer in the minute and cheaper by the end, both can be read off."""
    rows = differences(3)
    rows.loc[1, "by_the_end"], rows.loc[2, "by_the_end"] = 20.0, 0.0
    ax = state_table.consequences(rows, scarce.hours)
    assert line(ax, "agent's decision is cheaper (1)").get_xydata().tolist() == [[30, -50]]
    assert line(ax, "agent's decision is dearer (1)").get_xydata().tolist() == [[31, 20]]
    assert line(ax, "no difference (1)").get_xydata().tolist() == [[32, 0]]
    words = [text.get_text() for text in state_table.difference_table(rows).texts]
    assert {"-50", "+20", "+0"} <= set(words)
    only = state_table.consequences(differences(2), scarce.hours).get_legend()
    assert [text.get_text() for text in only.get_texts()] == ["agent's decision is cheaper (2)"]


def test_axes_given_are_the_axes_drawn_on(traces: list[Trace]) -> None:
    """Axes that are given are drawn on, and returned."""
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert plots.gantt(traces[0], ax) is ax
    assert plots.waiting_by_class(traces, ax) is ax


def test_figures_need_no_pyplot_and_work_in_threads(traces: list[Trace]) -> None:
    """Figures work without pyplot, in several threads."""
    import matplotlib.pyplot as plt

    with ThreadPoolExecutor(4) as pool:
        axes = list(pool.map(lambda trace: plots.gantt(trace), traces[:8]))
    for ax, trace in zip(axes, traces, strict=False):
        assert rectangles(ax) == rectangles(plots.gantt(trace))
    assert plt.get_fignums() == []


@pytest.mark.parametrize("missing", ["matplotlib", "pandas"])
def test_a_missing_library_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """A missing library is named with its pip install line."""
    for name in [name for name in sys.modules if name.startswith("echo_env.lab.plots")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(
        ModuleNotFoundError, match=rf"figures need {missing}.*pip install 'echo-lab-rl\[plots\]'"
    ) as told:
        importlib.import_module("echo_env.lab.plots")
    assert told.value.name == missing

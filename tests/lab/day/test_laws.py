"""Laws beside the paper's: arrivals as they were seen, and exams of fetal patients by a law of their own."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from own_dice import OwnDice
from scipy import stats

from echo_env.common.config_file import read_layers
from echo_env.lab import ConfigError, Day, LabConfig, Simulator, evaluate, make_policy, sample_days
from echo_env.lab.config import ExamLaw
from echo_env.lab.day import NO_SHOW, TURNED_AWAY, draw_days
from echo_env.lab.day.expectations import ExpectedExam
from echo_env.lab.day.laws import duration_density, duration_probability, exam_minutes, whole_minute_table

Lab = Callable[..., LabConfig]
DayMaker = Callable[..., Day]

OFFSETS = (-30, -10, -10, 0, 5, 40, 90)
LONG = ExamLaw(shape=6.0, mean_min=60.0, shortest_min=30.0, longest_min=120.0)
BASELINE = LabConfig.load("baseline")
SEEN = BASELINE.replace(arrival__model="empirical", arrival__offsets_min=OFFSETS, exam__fetal=LONG)

LEAST_P = 1e-3
"""Samples count as of a law unless they are rarer than this. Seeds are fixed, so it holds or not."""


def write(folder: Path, text: str) -> Path:
    """A config file."""
    path = folder / "lab.yaml"
    path.write_text(text)
    return path


def test_a_file_may_name_both_laws(tmp_path: Path) -> None:
    """A YAML file may give empirical arrivals and a law of fetal exams."""
    text = (
        "base: baseline\narrival: {model: empirical, offsets_min: [90, 40, -10, 5, 0, -30, -10]}\n"
        "exam: {fetal: {shape: 6, mean_min: 60, shortest_min: 30, longest_min: 120}}"
    )
    assert LabConfig.load(write(tmp_path, text)) == SEEN
    assert SEEN.exam.law_of(fetal=True) == LONG
    of_all = ExamLaw(shape=12, mean_min=45, shortest_min=20, longest_min=150)
    assert SEEN.exam.law_of(fetal=False) == BASELINE.exam.law_of(fetal=True) == of_all


def test_complete_files_from_before_these_laws_still_load() -> None:
    """A complete file written before these laws existed loads, with the paper's laws."""
    raw = read_layers("echo_env.lab", "baseline").data
    assert "model" not in raw["arrival"]
    assert "fetal" not in raw["exam"]
    assert (BASELINE.arrival.model, BASELINE.arrival.offsets_min, BASELINE.exam.fetal) == ("exponential", (), None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("arrival: {model: normal}", "arrival.model is 'normal', but must be one of exponential, empirical"),
        ("arrival: {model: empirical}", "arrival.offsets_min is empty, but arrival.model 'empirical' draws from it"),
        ("arrival: {offsets_min: 3}", "arrival.offsets_min is 3, but must be a list of minutes"),
        ("arrival: {offsets_min: [1.5]}", "arrival.offsets_min is 1.5, but must be a whole number from -1440"),
        ("exam: {fetal: 60}", "exam.fetal is 60, but must be a section"),
        ("exam: {fetal: {shape: 6}}", "exam.fetal.mean_min is missing"),
        (
            "exam: {fetal: {shape: 0, mean_min: 60, shortest_min: 30, longest_min: 120}}",
            "exam.fetal.shape is 0, but must be a number from 1e-06 to 1000000",
        ),
        (
            "exam: {fetal: {shape: 6, mean_min: 60, shortest_min: 30, longest_min: 20}}",
            "exam.fetal.longest_min is 20, but must be above shortest_min",
        ),
        ("rooms: {fetal: 0}", "no fetal patient could ever be examined"),
        ("sonographers: {fetal: 0, always_present_fetal: 0}", "no fetal patient could ever be examined"),
    ],
)
def test_laws_that_cannot_be_are_refused(tmp_path: Path, text: str, message: str) -> None:
    """An impossible law is refused at loading, by field, value and what is allowed."""
    with pytest.raises(ConfigError, match=re.escape(message)):
        LabConfig.load(write(tmp_path, f"base: baseline\n{text}"))


def test_arrivals_are_as_often_as_they_were_seen() -> None:
    """Empirical arrivals are drawn with the frequencies of the observed offsets."""
    days = sample_days(SEEN, 3000, seed=41)
    # Between 09:00 and 15:00 nobody is before opening or after closing.
    inner = (days.scheduled > 60) & (days.scheduled < 420)
    arrival = days.arrival[:, inner]
    assert abs((arrival == NO_SHOW).mean() - 0.1) < 4 * np.sqrt(0.09 / arrival.size)
    offset = (arrival - days.scheduled[inner])[arrival >= 0]
    minutes, expected = np.unique(OFFSETS, return_counts=True)
    assert set(offset.tolist()) == set(minutes.tolist())
    observed = [(offset == minute).sum() for minute in minutes]
    assert stats.chisquare(observed, expected / expected.sum() * len(offset)).pvalue > LEAST_P


def test_who_comes_before_opening_or_after_closing() -> None:
    """Arrivals before opening move to minute 0; those after closing are turned away."""
    days = sample_days(SEEN, 300, seed=42)
    assert set(days.arrival[:, 0].tolist()) == {NO_SHOW, 0, 5, 40, 90}
    assert TURNED_AWAY in days.arrival[:, -1]
    assert days.arrival.max() <= 540


def test_a_law_of_ones_own_moves_only_its_own_quantity() -> None:
    """A law of one's own changes its own quantity and leaves all others equal (common random numbers)."""
    one, other = (sample_days(config, 20, seed=43) for config in (BASELINE, SEEN))
    fetal = one.fetal
    assert np.array_equal(one.exam_min[:, ~fetal], other.exam_min[:, ~fetal])
    assert np.array_equal(one.break_draw, other.break_draw)
    assert np.array_equal(one.arrival == NO_SHOW, other.arrival == NO_SHOW)
    # Longer on the whole, though some of the whole minutes are the same.
    assert (one.exam_min[:, fetal] != other.exam_min[:, fetal]).mean() > 0.8


def test_fetal_exams_follow_their_own_truncated_gamma() -> None:
    """Fetal exams follow the law of ``exam.fetal``, non-fetal ones that of ``exam``."""
    days = sample_days(SEEN, 500, seed=44)
    for fetal, law in ((True, LONG), (False, SEEN.exam)):
        minutes = days.exam_min[:, days.fetal == fetal].ravel()
        # Lengths rounded up: all of them above an edge of a cell and up to the next one.
        edges = np.array([law.shortest_min, *range(32, 80, 3), law.longest_min])
        share = np.diff(stats.gamma(law.shape, scale=law.mean_min / law.shape).cdf(edges))
        observed = np.histogram(minutes, bins=edges + 0.5)[0]
        assert observed.sum() == len(minutes)
        assert stats.chisquare(observed, share / share.sum() * len(minutes)).pvalue > LEAST_P


SHAPES, INTERVALS = (0.3, 1.0, 12.0, 100.0, 1e6), ((20.0, 150.0), (0.0, 150.0), (1.0, 2.0), (20.0, 1440.0))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ends", INTERVALS)
def test_lengths_grow_smoothly_with_the_mean(shape: float, ends: tuple[float, float]) -> None:
    """Lengths at fixed draws grow with the mean before truncation, far below the interval as far above it."""
    draws = (np.arange(200) + 0.5) / 200
    means = np.concatenate([np.geomspace(1e-6, 1, 100), np.arange(1.25, 150, 0.25), np.geomspace(150, 14_400, 100)])
    laws = [ExamLaw(shape, float(mean), *ends) for mean in means]
    minutes = np.array([exam_minutes(law, draws) for law in laws])
    assert np.diff(minutes, axis=0).min() >= -1e-4
    assert np.diff(minutes.mean(axis=1)).min() > 0
    # Every 0.25 minutes of mean move no length by more than the untruncated law's quantile would.
    middle = (means >= 1) & (means <= 150)
    steps = np.diff(minutes[middle], axis=0) / 0.25
    assert steps.max() <= stats.gamma(shape, scale=1 / shape).ppf(0.9999999)
    assert minutes[0] == pytest.approx(np.full(200, ends[0]), abs=1e-3)


def test_a_mean_below_the_shortest_length_gives_short_exams() -> None:
    """The mean length of 20 to 150 minutes is continuous and grows over means of 1 to 150 minutes."""
    draws = (np.arange(5000) + 0.5) / 5000
    means = np.arange(1, 150.1, 0.1)
    laws = [ExamLaw(12.0, float(mean), 20.0, 150.0) for mean in means]
    got = np.array([exam_minutes(law, draws).mean() for law in laws])
    assert got[0] == pytest.approx(20.09, abs=0.01)
    assert np.diff(got).min() > 0
    assert np.diff(got).max() < 0.11


@pytest.mark.parametrize("mean", [1e-3, 0.1, 0.35, 1.0, 5.0, 12.0, 45.0, 200.0, 2000.0, 14_000.0])
@pytest.mark.parametrize("shape", [0.3, 1.0, 12.0, 300.0])
def test_quantiles_distribution_and_density_agree(shape: float, mean: float) -> None:
    """Wherever the gamma's mass lies, distribution, density and table say what the lengths that are drawn do."""
    law, draws = ExamLaw(shape, mean, 20.0, 150.0), np.linspace(0.01, 0.9, 1781)
    minutes = exam_minutes(law, draws)
    assert duration_probability(law, minutes) == pytest.approx(draws, abs=1e-8)
    assert duration_probability(law, [0, 20, 150, 200]) == pytest.approx([0, 0, 1, 1])
    between = (minutes[1:] + minutes[:-1]) / 2
    assert duration_density(law, between) * np.diff(minutes) == pytest.approx(np.diff(draws), rel=1e-3)
    assert duration_density(law, [19.9, 150.1]) == pytest.approx([0, 0])
    table, low, high = whole_minute_table(law)
    assert (table[20:] - low) / (high - low) == pytest.approx(duration_probability(law, np.arange(20, 151)), abs=1e-9)
    assert 1 <= ExpectedExam(law).rest(0) <= 151


def test_far_tails_are_those_of_the_gamma_in_high_precision() -> None:
    """Where the distribution function of a double rounds to 1, or underflows, lengths are still those of the gamma."""
    # Integrals of the density in logarithms over a fine grid, which neither round nor underflow.
    for law in (ExamLaw(12.0, 1.0, 20.0, 150.0), ExamLaw(12.0, 0.2, 20.0, 150.0), ExamLaw(300.0, 2000.0, 20.0, 150.0)):
        minutes = exam_minutes(law, np.array([0.001, 0.999]))
        grid = np.linspace(law.shortest_min, law.longest_min, 1_000_001)
        if law.mean_min < 20:
            grid = np.linspace(law.shortest_min, law.shortest_min + 40 * law.mean_min / law.shape, 1_000_001)
        log_density = (law.shape - 1) * np.log(grid) - grid * law.shape / law.mean_min
        share = np.cumsum(np.exp(log_density - log_density.max()))
        assert np.interp(minutes, grid, share / share[-1]) == pytest.approx([0.001, 0.999], abs=1e-4)


def test_exams_shorter_than_their_shortest_length_keep_both_engines_equal() -> None:
    """Both engines agree where the mean lies below the shortest length, and so do redraws of exams under way."""
    pytest.importorskip("numba")
    config = LabConfig.load("scarce").replace(exam__mean_min=3)
    one, other = (evaluate(config, ["policy_2"], days=10, seed=7, engine=name) for name in ("simpy", "compiled"))
    assert one.mean("policy_2", "penalty") == other.mean("policy_2", "penalty")
    from echo_env.lab.compiled.redraw import ExamTable

    lengths = ExamTable(config.exam).minutes(np.zeros(1000, dtype=np.int64), np.linspace(0, 0.999, 1000))
    assert set(lengths.tolist()) == {21, 22}


def test_engines_agree_under_these_laws() -> None:
    """Both engines give the same traces, to the bit, under these laws too."""
    pytest.importorskip("numba")
    config = LabConfig.load("scarce").replace(
        arrival__model="empirical", arrival__offsets_min=OFFSETS, exam__fetal=LONG
    )
    one, other = (
        evaluate(config, ["policy_2", "fetal_first"], days=25, seed=7, engine=name) for name in ("simpy", "compiled")
    )
    for policy in ("policy_2", "fetal_first"):
        for metric, values in one.values[policy].items():
            np.testing.assert_array_equal(values, other.values[policy][metric])


def patients_of(config: LabConfig, labs: Any) -> Any:
    """The patients of labs of the compiled engine."""
    from echo_env.lab.compiled import batch, layout

    return layout.parts_of(labs.lab, batch.rules_of(config)).patients


class TestRedrawn:
    """The rest of a day, drawn again, given what is known."""

    @pytest.fixture(autouse=True)
    def _needs_numba(self) -> None:
        pytest.importorskip("numba")

    def test_with_the_days_own_dice_it_is_the_day_itself(self) -> None:
        """Redrawn at opening with the day's own uniform numbers, a lab holds that very day."""
        from echo_env.lab.compiled import batch, continuation, layout
        from echo_env.lab.compiled.redraw import FutureSampler

        days = draw_days(SEEN, [np.random.default_rng(seed) for seed in range(10)])
        labs = batch.make_labs(SEEN, len(days))
        batch.begin_days(SEEN, labs, np.arange(len(days)), days)
        later = days.scheduled > 30  # nobody is earlier by more
        for b in range(len(days)):
            one = continuation.copy_labs(labs, np.array([b]))
            FutureSampler(SEEN).redraw(one, OwnDice(SEEN, np.random.default_rng(b)))
            drawn, held = patients_of(SEEN, one), patients_of(SEEN, labs)
            assert np.array_equal(drawn[0, later, layout.ARRIVAL], days.arrival[b, later])
            assert np.array_equal(drawn[0, :, layout.EXAM_MIN], held[b, :, layout.EXAM_MIN])

    def test_arrivals_given_that_they_are_still_to_come_by_hand(self, tiny_lab: Lab, tiny_day: DayMaker) -> None:
        """Conditional arrivals equal those worked out by hand."""
        from echo_env.lab.compiled import layout
        from echo_env.lab.compiled.redraw import FutureSampler

        # Due at 10, 300 and 400, none has come by 40. Of 4 offsets only +40 and +90 are left to the first, so it is
        # a no-show with 0.2 / (0.2 + 0.8 / 2) = 1 / 3, else comes at 50 or 100, each as likely. -300 is past for the
        # second, who would have come at opening; for the third it is 100.
        config = tiny_lab(
            non_fetal=(10, 300, 400), arrival__no_show_rate=0.2, arrival__model="empirical",
            arrival__offsets_min=(40, 90, -300, 5),
        )  # fmt: skip
        lab, rule = Simulator(config, tiny_day(config, (NO_SHOW,) * 3, (30,) * 3)), make_policy("policy_2", config)
        lab.start(rule.decide(lab.view))
        lab.advance(40)
        count, sampler = 20_000, FutureSampler(config)
        labs = sampler.labs_of(lab.view, count)
        sampler.redraw(labs, np.random.default_rng(1))
        for patient, law in enumerate((
            {NO_SHOW: 1 / 3, 50: 1 / 3, 100: 1 / 3},
            {NO_SHOW: 0.25, 305: 0.25, 340: 0.25, 390: 0.25},
            {NO_SHOW: 0.2, 100: 0.2, 405: 0.2, 440: 0.2, 490: 0.2},
        )):  # fmt: skip
            arrival = patients_of(config, labs)[:, patient, layout.ARRIVAL]
            assert set(arrival.tolist()) == set(law)
            expected = [count * p for p in law.values()]
            assert stats.chisquare([(arrival == minute).sum() for minute in law], expected).pvalue > LEAST_P

    def test_who_cannot_come_any_more_is_a_no_show(self, tiny_lab: Lab, tiny_day: DayMaker) -> None:
        """A patient later than every observed offset is redrawn as a no-show."""
        from echo_env.lab.compiled import layout
        from echo_env.lab.compiled.redraw import FutureSampler

        config = tiny_lab(non_fetal=(10, 20), arrival__model="empirical", arrival__offsets_min=(-5, 12))
        lab, rule = Simulator(config, tiny_day(config, (NO_SHOW,) * 2, (30,) * 2)), make_policy("policy_2", config)
        lab.start(rule.decide(lab.view))
        lab.advance(22)
        labs = FutureSampler(config).labs_of(lab.view, 200)
        FutureSampler(config).redraw(labs, np.random.default_rng(2))
        assert set(patients_of(config, labs)[:, 0, layout.ARRIVAL].tolist()) == {NO_SHOW}
        assert set(patients_of(config, labs)[:, 1, layout.ARRIVAL].tolist()) == {NO_SHOW, 32}

    @pytest.mark.parametrize("now", [0, 45])
    def test_exams_under_way_follow_the_law_of_their_kind(self, tiny_lab: Lab, tiny_day: DayMaker, now: int) -> None:
        """A fetal exam under way is redrawn from the fetal law, given how long it has lasted."""
        from echo_env.lab.compiled import layout
        from echo_env.lab.compiled.redraw import FutureSampler

        config = tiny_lab((0,), (0,), exam__fetal=LONG)
        lab, rule = Simulator(config, tiny_day(config, (0, 0), (119, 149))), make_policy("policy_2", config)
        lab.start(rule.decide(lab.view))
        if now:
            lab.advance(now)
        count, sampler = 4000, FutureSampler(config)
        labs = sampler.labs_of(lab.view, count)
        sampler.redraw(labs, np.random.default_rng(3))
        for patient, law in enumerate((LONG, config.exam)):
            gamma = stats.gamma(law.shape, scale=law.mean_min / law.shape)
            ends = np.unique([max(now, law.shortest_min), 50, 60, 75, law.longest_min])
            part = np.diff(gamma.cdf(ends))
            minutes = patients_of(config, labs)[:, patient, layout.EXAM_MIN]
            observed = np.histogram(minutes, bins=ends + 0.5)[0]
            assert observed.sum() == count
            assert stats.chisquare(observed, part / part.sum() * count).pvalue > LEAST_P


def test_plots_of_inputs_read_these_laws() -> None:
    """Figures of the inputs draw the lab's own laws."""
    pytest.importorskip("matplotlib")
    from echo_env.lab import plots
    from echo_env.lab.day.laws import offset_probability

    law = SEEN.arrival
    assert offset_probability(law, [-31, -30, -10, 4.9, 90]).tolist() == pytest.approx([0, 1 / 7, 3 / 7, 4 / 7, 1])
    days = sample_days(SEEN, 200, seed=45)
    x, y = next(line for line in plots.arrival_offsets(SEEN, days).lines if line.get_label() == "law").get_data()
    assert x.tolist() == sorted(set(OFFSETS))
    assert y.sum() == pytest.approx(100)
    ax = plots.exam_durations(SEEN, days)
    curve = next(line for line in ax.lines if str(line.get_label()).startswith("laws of fetal"))
    x, y = curve.get_data()
    assert np.trapezoid(y, x) == pytest.approx(100, rel=0.01)
    bars = next(patch for patch in ax.patches if "drawn" in str(patch.get_label())).get_data()
    drawn = (bars.values * np.diff(bars.edges))[bars.edges[:-1] >= 70].sum()
    assert np.trapezoid(y[x >= 70], x[x >= 70]) == pytest.approx(drawn, rel=0.05)


def test_fetal_appointments_stand_on_others_at_the_same_time(tiny_lab: Lab) -> None:
    """Simultaneous appointments of both kinds are stacked bars, and none is cut off."""
    pytest.importorskip("matplotlib")
    from echo_env.lab import plots

    ax = plots.appointment_schedule(tiny_lab((15, 75), (15, 15, 15)))
    tops = [bar.get_y() + bar.get_height() for bar in ax.patches]
    assert max(tops) == 4
    assert ax.get_ylim()[1] > 4

"""The paper's figures and findings, with a rule in the place of its agent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from echo_env.common.stats import Estimate
from echo_env.lab import LabConfig, make_policy, sample_days, simulate

pytest.importorskip("numba")
pytest.importorskip("matplotlib")

from echo_env.lab.plots.learning import log_penalty, moving_mean
from echo_env.lab.policies.on_the_fly import TierPolicy
from echo_env.lab.report.paper import choices, figures, findings, pages, rule_findings, verdicts
from echo_env.lab.report.paper.drawn import Drawn
from echo_env.lab.report.paper.rules import RuleStudy, play_rules, rule_figures
from echo_env.lab.report.paper.runs import PaperRun
from echo_env.lab.report.paper.study import AGENT, LabStudy, play_study, representative_days
from echo_env.lab.simulation.patient import LATE, ON_TIME

LABS = {"baseline": "EchoLab-v0", "abundant": "EchoLabAbundant-v0", "scarce": "EchoLabScarce-v0"}
DAYS, YEAR = 30, 20


def make_study(lab: str) -> LabStudy:
    """A study in which a rule that serves late patients first and early ones never stands for the agent, with a
    learning curve that is made up."""
    config = LabConfig.load(lab)
    agent = TierPolicy(AGENT, (LATE, ON_TIME))
    penalty = np.linspace(9000.0, 2000.0, 200) * (lab != "abundant")
    rate = np.interp(np.arange(200), [60, 120], [0.8, 0.1])
    run = PaperRun(Path("run"), LABS[lab], Path("run.zip"), True, penalty, rate, 60, 120, (120,))
    others = [make_policy("policy_2", config)]
    others[0].name = "twin"
    return play_study(run, config, agent, others, DAYS, seed=5, year=YEAR, minutes=lab == "baseline")


@pytest.fixture(scope="module")
def studies() -> dict[str, LabStudy]:
    """Of all three labs."""
    return {lab: make_study(lab) for lab in LABS}


@pytest.fixture(scope="module")
def rules() -> RuleStudy:
    """Some days of the paper's rules."""
    return play_rules(LabConfig.load("baseline"), 8, seed=5)


@pytest.fixture(scope="module")
def drawn(studies: dict[str, LabStudy]) -> dict[str, Drawn]:
    """Every figure by its name."""
    return {own.name: own for own in figures.paper_figures(studies)}


def test_every_figure_of_the_paper_is_drawn_with_its_numbers(
    studies: dict[str, LabStudy], drawn: dict[str, Drawn], rules: RuleStudy, tmp_path: Path
) -> None:
    """Figures 4 to 24, four of number 17, as PNG and PDF with a CSV each, all of them named by the index."""
    found = [*rule_findings.rule_findings(rules), *findings.find_all(studies)]
    every = {**drawn, **{own.name: own for own in rule_figures(rules)}}
    pages.write_pages(tmp_path, list(every.values()), found, studies, "command")
    assert {path.name for path in tmp_path.iterdir()} == set(pages.file_names())
    index = (tmp_path / "index.md").read_text()
    for own in every.values():
        assert f"]({own.name}.png)" in index
        assert f"]({own.name}.csv)" in index
    assert [own.caption.number for own in drawn.values()] == [12, 13, 14, 15, 16, 17, 17, 17, 17, *range(18, 25)]


def test_every_axis_has_a_name_with_its_unit(drawn: dict[str, Drawn]) -> None:
    """Every axis is named with its unit, and every figure carries the paper's number in a title."""
    for name, own in drawn.items():
        shown = [ax for ax in own.figure.axes if ax.axison]
        assert any(f"Figure {own.caption.number}" in ax.get_title() for ax in shown), name
        for ax in shown:
            for axis, shared in ((ax.xaxis, ax.get_shared_x_axes()), (ax.yaxis, ax.get_shared_y_axes())):
                labels = [getattr(a, f"get_{axis.axis_name}label")() for a in [*shared.get_siblings(ax)]]
                assert any("(" in label for label in labels), (name, labels)


def test_a_year_has_all_its_days(studies: dict[str, LabStudy], drawn: dict[str, Drawn]) -> None:
    """Violins have each day of the year, the same days as the running means, and all five policies."""
    study = studies["baseline"]
    table = drawn["figure_15"].tables[""]
    assert list(table) == ["day", "policy_1", "policy_2", "policy_3", "policy_4", AGENT]
    assert len(table) == YEAR
    np.testing.assert_array_equal(table["policy_2"], study.long.values["policy_2"]["wait_min"][:YEAR])
    assert list(drawn["figure_24"].tables[""]) == ["day", "policy_1", "policy_2", AGENT]


def test_the_minutes_of_the_year_sum_to_its_days(studies: dict[str, LabStudy], drawn: dict[str, Drawn]) -> None:
    """What has accrued at the end of the day in figure 13 is the mean penalty of the year's days."""
    last = drawn["figure_13"].tables[""].iloc[-1]
    for name in ("policy_1", "policy_2", AGENT):
        assert last[f"{name}_since_opening"] == pytest.approx(studies["baseline"].year.mean(name, "penalty").mean)


def test_running_means_end_at_the_mean(studies: dict[str, LabStudy], drawn: dict[str, Drawn]) -> None:
    """The last row of figure 22 is the comparison's mean and paired difference, with their intervals."""
    last, long = drawn["figure_22"].tables[""].iloc[-1], studies["scarce"].long
    mean, paired = long.mean(AGENT, "penalty"), long.paired(AGENT, "penalty")
    found = [last[f"{AGENT}{end}"] for end in ("", "_half_width", "_minus_policy_2", "_minus_policy_2_half_width")]
    assert found == pytest.approx([mean.mean, mean.half_width, paired.mean, paired.half_width])


def test_state_by_state_has_both_penalties_at_every_minute(
    studies: dict[str, LabStudy], drawn: dict[str, Drawn]
) -> None:
    """Policy 2's column is its own day; the agent's differs from it in the listed minutes at most."""
    study = studies["baseline"]
    for letter, day in zip("abcd", study.state_days, strict=True):
        table, differ = drawn[f"figure_17{letter}"].tables[""], day.differences
        trace = simulate(
            study.config, sample_days(study.config, YEAR, 5)[day.number], make_policy("policy_2", study.config)
        )
        assert table["policy_2"].sum() == pytest.approx(trace.penalty.total)
        assert set(np.flatnonzero(table["policy_2"] != table[AGENT])) <= set(differ["minute"])
        assert table[AGENT][differ["minute"]].tolist() == differ["other_penalty"].tolist()
        assert table["policy_2"][differ["minute"]].tolist() == differ["followed_penalty"].tolist()


def test_days_shown_are_near_the_median(studies: dict[str, LabStudy]) -> None:
    """No other day with a difference is nearer to the median number of differing minutes than those shown."""
    made = studies["baseline"].decisions
    assert made is not None
    differ = (made.followed != made.other).any(axis=1)
    count = np.bincount(made.day[differ], minlength=YEAR)
    off = np.abs(count - np.median(count[count > 0]))
    shown = representative_days(made)
    others = [day for day in np.flatnonzero(count) if day not in shown]
    assert len(shown) == 4
    assert off[shown].max() <= off[others].min()


def test_immediate_penalties_are_those_of_the_day(studies: dict[str, LabStudy]) -> None:
    """The penalty after policy 2's own decisions is that of the minute in its trace."""
    study = studies["baseline"]
    made = study.decisions
    assert made is not None
    found = choices._immediate(study, made, made.followed)
    traces = [figures_minutes(trace) for trace in study.traces["policy_2"]]
    expected = [traces[day][minute] for day, minute in zip(made.day, made.minute, strict=True)]
    np.testing.assert_allclose(found, expected)


def figures_minutes(trace) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Points of each minute."""
    return np.diff(trace.cumulated_penalty)


def test_findings_have_figures_and_verdicts(studies: dict[str, LabStudy]) -> None:
    """Late first is worse in scarce, as the paper finds, pays 0 in abundant, as it does not, and never serves early
    patients."""
    found = {own.paper: own for own in findings.find_all(studies)}
    assert len(found) == len(findings.find_all(studies)) - 1
    worse = found["The agent gives a significantly higher average daily penalty than both rules."]
    assert (worse.verdict, worse.value.n) == (verdicts.HOLDS, DAYS)
    assert worse.value.low > 0
    assert found["The agent's mean daily penalty is not exactly zero."].verdict == verdicts.FAILS
    assert found["Rules on the fly always suffice: policies 1 and 2 pay nothing."].verdict == verdicts.HOLDS
    tie = found["The mean daily penalties are quite close: a comparable performance."]
    assert (tie.verdict, tie.value.n) == (verdicts.HOLDS, DAYS)
    early = found["The agent does not tend to serve early patients, whose waiting costs nothing."]
    assert (early.verdict, early.value.mean) == (verdicts.HOLDS, 100.0)
    table = pages.findings_table(list(found.values()))
    assert set(table["verdict"]) <= {verdicts.HOLDS, verdicts.FAILS, verdicts.OPEN}
    assert "| The agent is lazy about late patients. |" in "\n".join(
        pages.grid_lines(pages.findings_grid(list(found.values())))
    )


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((1.0, 2.0), ("holds", "does not hold", "holds")),
        ((-2.0, -1.0), ("does not hold", "holds", "holds")),
        ((-1.0, 1.0), ("not decided", "not decided", "holds")),
        ((0.0, 0.0), ("does not hold", "does not hold", "holds")),
        ((6.0, 7.0), ("holds", "does not hold", "does not hold")),
        ((4.0, 6.0), ("holds", "does not hold", "not decided")),
    ],
)
def test_verdicts_follow_the_interval(ends: tuple[float, float], expected: tuple[str, str, str]) -> None:
    """Above 0, below 0, and within 5 are decided by the side on which the interval lies."""
    value = Estimate(sum(ends) / 2, *ends, 10)
    assert (verdicts.above(value), verdicts.below(value), verdicts.within(value)) == expected


def test_several_must_all_hold() -> None:
    """One that fails decides, else one that is open."""
    assert verdicts.together(["holds", "not decided", "does not hold"]) == "does not hold"
    assert verdicts.together(["holds", "not decided"]) == "not decided"
    assert verdicts.together(["holds"]) == "holds"


def test_moving_mean_and_its_logarithm() -> None:
    """The mean of up to so many days before, and its natural logarithm, -inf where nothing was paid."""
    values = np.array([1.0, 3.0, 5.0, 0.0, 0.0])
    assert moving_mean(values, 2).tolist() == [1.0, 2.0, 4.0, 2.5, 0.0]
    np.testing.assert_allclose(log_penalty(values, 2), [0.0, np.log(2), np.log(4), np.log(2.5), -np.inf])


def test_labs_without_an_agent_are_left_out(studies: dict[str, LabStudy], tmp_path: Path) -> None:
    """Figures of one lab alone are written, and the index names those left out."""
    one = {"scarce": studies["scarce"]}
    own = figures.paper_figures(one)
    assert [entry.caption.number for entry in own] == [21, 22, 23, 24]
    pages.write_pages(tmp_path, own, findings.find_all(one), one, "command")
    assert "figures 12 (baseline), 13 (baseline)" in (tmp_path / "index.md").read_text()
    assert len(pd.read_csv(tmp_path / "figure_22.csv")) == DAYS


def test_an_average_day_has_the_band_of_its_caption(rules: RuleStudy) -> None:
    """Figures 6 and 7 have standard deviations over days, as their captions say, the others intervals of the mean."""
    every = {own.caption.number: own for own in rule_figures(rules)}
    counts = np.stack([trace.minutes for trace in rules.traces["policy_3"]]).astype(float)
    table = every[6].tables[""]
    np.testing.assert_allclose(table["waiting_fetal_on_time"], counts[:, :, 0].mean(axis=0))
    np.testing.assert_allclose(table["waiting_fetal_on_time_sd"], counts[:, :, 0].std(axis=0, ddof=1))
    assert "one standard deviation" in every[6].figure.get_suptitle()
    assert "95 % band" in every[5].figure.get_suptitle()
    assert "waiting_fetal_on_time_half_width" in every[5].tables[""]


def test_rules_are_judged_by_who_waits(rules: RuleStudy) -> None:
    """Findings about the rules are paired differences of the mean numbers waiting."""
    found = {own.paper: own for own in rule_findings.rule_findings(rules)}
    fewer = found["Dedicated resources leave fewer fetal patients waiting."]
    expected = [
        np.mean([trace.minutes[:, :3].sum(axis=1).mean() for trace in rules.traces[name]])
        for name in ("policy_3", "policy_1")
    ]
    assert fewer.value.mean == pytest.approx(expected[0] - expected[1])
    assert found["Most patients are examined by the end of the day under all rules."].verdict == verdicts.HOLDS
    assert len(found) == 14

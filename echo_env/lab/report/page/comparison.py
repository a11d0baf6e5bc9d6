"""A comparison of rules as a page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from echo_env.common.tables import Grid
from echo_env.lab.config.lab import Lab
from echo_env.lab.evaluation.comparison import Comparison
from echo_env.lab.evaluation.input_uncertainty import InputUncertainty
from echo_env.lab.evaluation.tables import HEADLINE
from echo_env.lab.report.page.charts import Mark, intervals, panels, without_far
from echo_env.lab.report.page.day_chart import day_charts, typical_day
from echo_env.lab.report.page.page import Chart, Experiment, Page, Section
from echo_env.lab.report.page.words import (
    COMPARED,
    LOWER_IS_BETTER,
    WATCHED,
    changed,
    label,
    listed,
    scaled,
    spoken,
    with_interval,
)
from echo_env.lab.simulation.policy import Policy
from echo_env.lab.simulation.simulator import simulate

WAIT = "overall_wait_min"
NOT_CHECKED = (
    "This page does not say whether the simulated lab behaves like yours: no record of visits was part of this command. "
    "Before anything is decided, hold the lab against your own sheet: echo-lab validate LAB SHEET --report check.html."
)


def comparison_page(
    comparison: Comparison,
    config: Lab,
    policies: Sequence[Policy],
    command: str,
    lab: str,
    uncertainty: InputUncertainty | None = None,
) -> Page:
    """The page.

    :param comparison: what the policies did
    :param config: the lab it was in
    :param policies: the policies of the comparison
    :param command: the command line
    :param lab: what the command calls the lab
    :param uncertainty: the policies in labs that it might be as well
    """
    reference, best = comparison.reference, best_of(comparison)
    names = list(comparison.values)
    sections = [_compared(comparison), _who_gains(comparison)]
    if uncertainty is not None:
        told = tuple(uncertainty.sentence(name) for name in (WAIT, HEADLINE))
        sections.append(Section("uncertainty", "What if the lab is not exactly so?", (), told))
    sections.append(_one_day(config, comparison, policies))
    one = f"How long do patients wait under {spoken(reference)} in the lab {config.name}?"
    several = f"Who should be examined next in the lab {config.name}: which of {len(names)} rules makes patients wait least?"
    return Page(
        title=f"{config.name}: rules compared on {comparison.days:,} simulated days",
        question=several if comparison.others else one,
        answer=_answer(comparison, best),
        picture=_picture(comparison),
        config=config,
        experiment=Experiment(
            purpose="To compare rules by which exams begin, and what they do to patients' waits.",
            command=command,
            lab=lab,
            days=comparison.days,
            seed=comparison.seed,
            scenarios=tuple(spoken(name) for name in names),
            outputs="Waits of patients, shares begun in time, overtime, patients sent home or left waiting, and cost where "
            "the lab has prices.",
            estimation="Means over days with Student's 95 % intervals; differences are paired by day, on common random "
            "numbers.",
            data=f"The lab file {lab}.",
            engine=listed([f"{engine} ({spoken(name)})" for name, engine in comparison.engines.items()]),
        ),
        likeness=Section("likeness", "Does this lab behave like yours?", (NOT_CHECKED,)),
        sections=tuple(sections),
        rules=tuple(names),
        warnings=_warnings(comparison, best),
    )


def best_of(comparison: Comparison) -> str:
    """The policy with the fewest points for waiting, if that is no chance; else the reference.

    :param comparison: what the policies did
    """
    better = [name for name in comparison.others if comparison.paired(name, HEADLINE).high < 0]
    return min(better, key=lambda name: comparison.mean(name, HEADLINE).mean, default=comparison.reference)


def _answer(comparison: Comparison, best: str) -> tuple[str, str]:
    days, reference = f"{comparison.days:,} simulated days", comparison.reference
    wait = with_interval(comparison.mean(best, WAIT))
    if not comparison.others:
        p90, in_time = (with_interval(comparison.mean(best, name), unit) for name, unit in (("p90_wait_min", ""), ("within_30_min", "share")))
        return (
            f"Under {spoken(best)} patients wait {wait} minutes on average over {days}; in brackets the 95 % interval.",
            f"Nine of ten patients of a day wait at most {p90} minutes, and {in_time} of the exams begin within 30 minutes.",
        )
    if best == reference:
        return (
            f"None of the other rules can be shown to be better than {spoken(reference)}, under which patients wait {wait} "
            f"minutes on average over {days} (in brackets the 95 % interval).",
            _closest(comparison),
        )
    shift = comparison.paired(best, WAIT)
    points, base = comparison.paired(best, HEADLINE), comparison.mean(reference, HEADLINE)
    share = f"{-100 * points.mean / base.mean:.1f} %" if base.mean else "all"
    return (
        f"{_capital(spoken(best))} is best: patients wait {wait} minutes on average, against {spoken(reference)} "
        f"{changed(shift, 'minutes')}; in brackets the 95 % intervals, over {days}.",
        f"The points for waiting, by which rules are ranked, are {share} fewer than under {spoken(reference)} "
        f"({with_interval(points, '', '+')} a day; {LOWER_IS_BETTER}); {_paid_with(comparison, best)}.",
    )


def _closest(comparison: Comparison) -> str:
    name = min(comparison.others, key=lambda own: comparison.mean(own, HEADLINE).mean)
    return (
        f"The closest is {spoken(name)}, with {changed(comparison.paired(name, WAIT), 'minutes')} of waiting for each patient "
        "on the same days."
    )


def _paid_with(comparison: Comparison, best: str) -> str:
    watched = [name for name in WATCHED if name in comparison.metrics]
    worse = [name for name in watched if comparison.paired(best, name).low > 0]
    if worse:
        return "but there is more of: " + listed([label(name, comparison.metrics[name]) for name in worse])
    return "patients sent home, patients still waiting at the end of the day, and overtime do not rise beyond chance"


def _warnings(comparison: Comparison, best: str) -> tuple[str, ...]:
    found = []
    if comparison.days < 100:
        found.append(f"These are only {comparison.days} days; small differences need hundreds (--days).")
    if best != comparison.reference and comparison.paired(best, WAIT).low > 0:
        found.append(
            "The rule with the fewest points makes the average patient wait longer: points charge nothing for early "
            "patients, and less for late ones."
        )
    return tuple(found)


def _picture(comparison: Comparison) -> Chart:
    reference = comparison.reference
    if not comparison.others:
        metrics = [name for name in (WAIT, "wait_on_time_min", "wait_late_min", "p90_wait_min") if name in comparison.metrics]
        marks = [Mark(label(name, comparison.metrics[name]), comparison.mean(reference, name)) for name in metrics]
        return _chart_of(marks, "Minutes", "Minutes waited", "means with 95 % intervals")
    marks = [Mark(spoken(name), comparison.paired(name, WAIT)) for name in comparison.others]
    drawn, far = without_far(marks)
    note = f"Each patient's wait minus that under {spoken(reference)}, on the same days: {LOWER_IS_BETTER}. Lines are 95 % intervals."
    if far:
        out = listed([f"{mark.row} ({with_interval(mark.value, '', '+')} minutes)" for mark in far])
        note += f" Too far out for this picture: {out}."
    title = f"Minutes waited, difference to {spoken(reference)}"
    return Chart(
        title=title,
        alt=f"{title}: " + "; ".join(f"{mark.row} {with_interval(mark.value, '', '+')}" for mark in marks) + ".",
        figure=intervals(drawn, f"Minutes per patient, minus {spoken(reference)} ({LOWER_IS_BETTER})", zero=True),
        table=_marks_grid(title, marks, "difference (95 % interval)", "+"),
        note=note,
    )


def _chart_of(marks: list[Mark], axis: str, title: str, note: str) -> Chart:
    told = "; ".join(f"{mark.row} {with_interval(mark.value)}" for mark in marks)
    return Chart(title, f"{title}: {told}.", intervals(marks, axis), _marks_grid(title, marks, axis), note)


def _marks_grid(title: str, marks: Sequence[Mark], head: str, sign: str = "") -> Grid:
    return Grid(title, ("", head), [(mark.row, with_interval(mark.value, "", sign)) for mark in marks])


def _compared(comparison: Comparison) -> Section:
    metrics = [name for name in COMPARED if name in comparison.metrics]
    # A metric that is nothing on every day under every rule says nothing, but that it is nothing is worth a word.
    nothing = [name for name in metrics if not any(np.nan_to_num(own[name]).any() for own in comparison.values.values())]
    shown = [name for name in metrics if name not in nothing]
    points = [f"{_capital(label(name, comparison.metrics[name]))}: none under any rule." for name in nothing]
    charts = [
        intervals(
            [Mark(spoken(rule), scaled(comparison.mean(rule, name), comparison.metrics[name].unit)) for rule in comparison.values],
            _axis(name, comparison),
            width=250,
        )
        for name in shown
    ]  # fmt: skip
    grid = Grid(
        "every rule",
        ("", *(spoken(rule) for rule in comparison.values)),
        [(_axis(name, comparison), *(with_interval(comparison.mean(rule, name), comparison.metrics[name].unit) for rule in comparison.values)) for name in shown],
        f"Mean over {comparison.days:,} days, in brackets the 95 % interval.",
    )  # fmt: skip
    chart = Chart(
        "Every rule, measure by measure",
        "A small chart for each measure, with a mark for each rule; the table below has the same numbers.",
        panels(charts),
        grid,
        "Marks are means over days, lines their 95 % intervals. The intervals of two rules may overlap although one is surely "
        "better: the differences below are taken day by day on the same days, and are far more exact.",
    )
    return Section("comparison", "The comparison", (), tuple(points), (chart,), _differences(comparison, shown))


def _differences(comparison: Comparison, shown: Sequence[str]) -> tuple[Grid, ...]:
    if not comparison.others:
        return ()
    rows = [
        (_axis(name, comparison), *(with_interval(comparison.paired(rule, name), comparison.metrics[name].unit, "+") for rule in comparison.others))
        for name in shown
    ]  # fmt: skip
    heads = ("", *(f"{spoken(rule)} minus {spoken(comparison.reference)}" for rule in comparison.others))
    caption = "Paired by day. Lower is better, but for the shares begun within 15 and 30 minutes."
    return (Grid(f"differences to {spoken(comparison.reference)}", heads, rows, caption),)


def _axis(name: str, comparison: Comparison) -> str:
    metric = comparison.metrics[name]
    words = _capital(label(name, metric))
    return f"{words} (%)" if metric.unit == "share" else words


def _who_gains(comparison: Comparison) -> Section:
    types = [name.removeprefix("overall_wait_").removesuffix("_min") for name in comparison.metrics
             if name.startswith("overall_wait_") and name != WAIT]  # fmt: skip
    measured = {spoken(name): f"overall_wait_{name}_min" for name in types if len(types) > 1}
    measured |= {"on time when examined": "wait_on_time_min", "late when examined": "wait_late_min"}
    if not comparison.others:
        marks = [Mark(who, comparison.mean(comparison.reference, name)) for who, name in measured.items()]
        chart = _chart_of(marks, "Minutes waited", "Minutes waited by exam and punctuality", "Means with 95 % intervals.")
        return Section("gains", "Who waits", (), (), (chart,))
    marks = [Mark(who, comparison.paired(rule, name), spoken(rule)) for who, name in measured.items() for rule in comparison.others]
    drawn, far = without_far(marks)
    title = f"Who gains and who loses: minutes waited, difference to {spoken(comparison.reference)}"
    rows = [(who, with_interval(comparison.mean(comparison.reference, name)), *(with_interval(comparison.paired(rule, name), "", "+") for rule in comparison.others)) for who, name in measured.items()]  # fmt: skip
    heads = ("patients", spoken(comparison.reference), *(f"{spoken(rule)}, difference" for rule in comparison.others))
    out = sorted({f"{mark.series} ({mark.row})" for mark in far})
    chart = Chart(
        title,
        f"{title}. " + "; ".join(f"{mark.row} under {mark.series} {with_interval(mark.value, '', '+')}" for mark in marks) + ".",
        intervals(drawn, f"Minutes per patient, minus {spoken(comparison.reference)} ({LOWER_IS_BETTER})", zero=True),
        Grid(title, heads, rows),
        "Left of the line they wait less, right of it longer." + (f" Too far out for this picture: {listed(out)}." if out else ""),
    )
    text = _gain_words(comparison, measured)
    return Section("gains", "Who gains and who loses", (text,) if text else (), (), (chart,))


def _gain_words(comparison: Comparison, measured: dict[str, str]) -> str:
    best = best_of(comparison)
    if best == comparison.reference:
        return ""
    told = {who: comparison.paired(best, name) for who, name in measured.items()}
    gain = [f"{who} ({-own.mean:.1f} min)" for who, own in told.items() if own.high < 0]
    lose = [f"{who} ({own.mean:.1f} min)" for who, own in told.items() if own.low > 0]
    parts = [f"wait less: {listed(gain)}"] if gain else []
    parts += [f"wait longer: {listed(lose)}"] if lose else ["nobody can be shown to wait longer"]
    return f"Under {spoken(best)}, against {spoken(comparison.reference)}, {'; '.join(parts)}."


def _one_day(config: Lab, comparison: Comparison, policies: Sequence[Policy]) -> Section:
    by_name = {policy.name: policy for policy in policies}
    shown = list(dict.fromkeys((comparison.reference, best_of(comparison))))
    if len(shown) == 1 and comparison.others:
        shown.append(min(comparison.others, key=lambda name: comparison.mean(name, HEADLINE).mean))
    days, number = typical_day(config, by_name[comparison.reference], comparison.seed)
    named = [(spoken(name), simulate(config, days[number], by_name[name])) for name in shown]
    text = (
        "A simulated day with a middling amount of waiting. Every bar can be pointed at. Rooms and members of staff come first, "
        "then a line for each patient, where a bar is waiting. The dotted line is closing."
    )
    return Section("day", "One day replayed", (text,), (), day_charts(named))


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]

"""A comparison of rules as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from echo_env.common.stats import Estimate
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import sample_days
from echo_env.lab.evaluation.comparison import Comparison
from echo_env.lab.evaluation.input_uncertainty import InputUncertainty
from echo_env.lab.evaluation.tables import HEADLINE
from echo_env.lab.report.page.charts import Mark
from echo_env.lab.report.page.day_chart import day_section, middling
from echo_env.lab.report.page.measures import WAIT, best_of, compared, interval_chart, paid_with, who_gains
from echo_env.lab.report.page.moving_day import moving_day
from echo_env.lab.report.page.page import Chart, Experiment, Page, Section
from echo_env.lab.report.page.words import LOWER_IS_BETTER, changed, label, listed, spoken, with_interval
from echo_env.lab.simulation.policy import Policy
from echo_env.lab.simulation.simulator import simulate

NOT_CHECKED = Section(
    "likeness",
    "Does this lab behave like yours?",
    (
        "This page does not say whether the simulated lab behaves like yours: no record of visits was part of this "
        "command. Before anything is decided, hold the lab against your own sheet: echo-lab validate LAB SHEET "
        "--report check.html.",
    ),
)


def comparison_page(
    comparison: Comparison,
    config: Lab,
    policies: Sequence[Policy],
    command: str,
    lab: str,
    uncertainty: InputUncertainty | None = None,
    animation: bool = False,
) -> Page:
    """The page.

    :param comparison: what the policies did
    :param config: the lab it was in
    :param policies: the policies of the comparison
    :param command: the command line
    :param lab: what the command calls the lab
    :param uncertainty: the policies in labs that it might be as well
    :param animation: show the day as a moving floor plan too (needs the extra ``video``)
    """
    reference, best = comparison.reference, best_of(comparison)
    names = list(comparison.values)
    sections = [compared(comparison), who_gains(comparison)]
    if uncertainty is not None:
        told = tuple(uncertainty.sentence(name) for name in (WAIT, HEADLINE))
        sections.append(Section("uncertainty", "What if the lab is not exactly so?", (), told))
    sections.append(_day(config, comparison, policies, animation))
    one = f"How long do patients wait under {spoken(reference)} in the lab {spoken(config.name)}?"
    several = (
        f"Who should be examined next in the lab {spoken(config.name)}: which of {len(names)} rules makes patients "
        "wait least?"
    )
    return Page(
        title=f"{spoken(config.name)}: rules compared on {comparison.days:,} simulated days",
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
            outputs=(
                "Waits of patients, shares begun in time, overtime, patients sent home or left waiting, and cost "
                "where the lab has prices."
            ),
            estimation="Means over days with Student's 95 % intervals; differences are paired by day, on common random "
            "numbers.",
            data=f"The lab file {lab}.",
            engine=listed([f"{engine} ({spoken(name)})" for name, engine in comparison.engines.items()]),
        ),
        likeness=NOT_CHECKED,
        sections=tuple(sections),
        rules=tuple(names),
        warnings=_warnings(comparison, best),
    )


def _answer(comparison: Comparison, best: str) -> tuple[str, str]:
    days, reference = f"{comparison.days:,} simulated days", comparison.reference
    wait = with_interval(comparison.mean(best, WAIT))
    if not comparison.others:
        p90, in_time = (
            with_interval(comparison.mean(best, name), unit)
            for name, unit in (("p90_wait_min", ""), ("within_30_min", "share"))
        )
        return (
            f"Under {spoken(best)} patients wait {wait} minutes on average over {days}; in brackets the 95 % interval.",
            f"Nine of ten patients of a day wait at most {p90} minutes, and {in_time} of the exams begin within 30 "
            "minutes.",
        )
    if best == reference:
        return (
            f"None of the other rules can be shown to be better than {spoken(reference)}, under which patients wait "
            f"{wait} minutes on average over {days} (in brackets the 95 % interval).",
            _closest(comparison),
        )
    shift = comparison.paired(best, WAIT)
    points, base = comparison.paired(best, HEADLINE), comparison.mean(reference, HEADLINE)
    share = f"{-100 * points.mean / base.mean:.1f} %" if base.mean else "all"
    change = changed(shift, "minutes")
    against = f"which is {change} than under" if shift.excludes_zero else f"which is {change} against"
    return (
        f"Under {spoken(best)} patients wait {wait} minutes on average, {against} {spoken(reference)}, over {days}; in "
        "brackets the 95 % intervals.",
        f"The points for waiting, by which rules are ranked, are {share} fewer than under {spoken(reference)} "
        f"({_span(points)} a day); {paid_with(comparison, best)}.",
    )


def _span(points: Estimate) -> str:
    """From the smaller to the larger gain that is likely."""
    low, high = sorted((abs(points.low), abs(points.high)))
    return f"{low:,.0f} to {high:,.0f} points"


def _closest(comparison: Comparison) -> str:
    name = min(comparison.others, key=lambda own: comparison.mean(own, HEADLINE).mean)
    change = with_interval(comparison.paired(name, WAIT), "", "+")
    return (
        f"Under the closest of them, {spoken(name)}, the wait changes by {change} minutes per patient, on the same "
        "days."
    )


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
        metrics = [
            name for name in (WAIT, "wait_on_time_min", "wait_late_min", "p90_wait_min") if name in comparison.metrics
        ]
        marks = [Mark(label(name, comparison.metrics[name]), comparison.mean(reference, name)) for name in metrics]
        return interval_chart(marks, "Minutes", "Minutes waited", "Means with 95 % intervals.")
    marks = [Mark(spoken(name), comparison.paired(name, WAIT)) for name in comparison.others]
    note = (
        f"Each patient's wait minus that under {spoken(reference)}, on the same days: {LOWER_IS_BETTER}. Lines are 95 "
        "% intervals."
    )
    axis = f"Minutes per patient, minus {spoken(reference)} ({LOWER_IS_BETTER})"
    return interval_chart(
        marks, axis, f"Minutes waited, difference to {spoken(reference)}", note, zero=True, all_drawn=False
    )


def _day(config: Lab, comparison: Comparison, policies: Sequence[Policy], animation: bool) -> Section:
    by_name = {policy.name: policy for policy in policies}
    shown = list(dict.fromkeys((comparison.reference, best_of(comparison))))
    if len(shown) == 1 and comparison.others:
        shown.append(min(comparison.others, key=lambda name: comparison.mean(name, HEADLINE).mean))
    number = middling(comparison.values[comparison.reference][HEADLINE])
    (day,) = sample_days(config, 1, comparison.seed, number)
    named = {spoken(name): simulate(config, day, by_name[name]) for name in shown}
    section = day_section(list(named.items()))
    return replace(section, video=moving_day(named)) if animation else section

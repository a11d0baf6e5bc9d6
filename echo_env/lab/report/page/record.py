"""A lab held against a hospital's record, as a page.

Nothing of the record gets onto it but numbers over several visits, and the names of exam types: no text of a cell, no
name of a sheet, of a patient or of a member of staff, and no date.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from echo_env.common.stats import Estimate
from echo_env.common.tables import Grid
from echo_env.lab.calibration.calibration import Calibration
from echo_env.lab.calibration.checks import CHECKS, Finding
from echo_env.lab.calibration.fitting.estimates import Fitted
from echo_env.lab.calibration.report.words import interval_text
from echo_env.lab.calibration.validation import Validation
from echo_env.lab.calibration.validation.exams import Exams
from echo_env.lab.calibration.validation.levers import CAPACITY, Levers
from echo_env.lab.calibration.validation.plots import by_hour
from echo_env.lab.calibration.validation.predictive import Check
from echo_env.lab.calibration.validation.verdict import Answer, unexplained_sentences, value_text
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config.clock import clock_text
from echo_env.lab.config.lab import Lab
from echo_env.lab.policies.base import make_policy
from echo_env.lab.report.page.charts import Mark, Point, lines
from echo_env.lab.report.page.day_chart import day_section, typical_day
from echo_env.lab.report.page.measures import interval_chart
from echo_env.lab.report.page.page import Chart, Experiment, Page, Section
from echo_env.lab.report.page.words import LOWER_IS_BETTER, capital, listed, spoken, with_interval
from echo_env.lab.simulation.simulator import simulate

_USES = {
    "waits": "how long patients wait",
    "delays": "how late exams begin",
    "days": "how many patients a day has and when it ends",
    "load": "how busy rooms are",
    "flow": "what check-in times and preparation do to waits",
    "capacity": "how many rooms and staff are needed, or which rule is best",
}
_GOOD = {True: "good enough", False: "do not use it for this", None: "not shown"}
_RULE = "policy_2"
"""The rule of the day that is shown where no validation says which one fits best."""


def validation_page(
    found: Validation, config: Lab, findings: Sequence[Finding], command: str, lab: str, data: str
) -> Page:
    """The page of ``validate``.

    :param found: the validation
    :param config: the lab
    :param findings: of the checks of the record and the lab
    :param command: the command line
    :param lab: what the command calls the lab
    :param data: what the record is, without any of its contents
    """
    return _page(found, config, findings, command, lab, data, ())


def calibration_page(found: Calibration, command: str, lab: str) -> Page:
    """The page of ``calibrate``.

    :param found: the calibration
    :param command: the command line
    :param lab: the file that the lab is written to
    """
    fitted, visits = found.fitted, found.visits
    data = record_words(visits)
    config = next(iter(fitted.weekdays.values())) if fitted.weekdays else fitted.config
    return _page(found.validation, config, found.findings, command, lab, data, (_fitted(fitted, data),))


def _page(
    found: Validation | None,
    config: Lab,
    findings: Sequence[Finding],
    command: str,
    lab: str,
    data: str,
    more: tuple[Section, ...],
) -> Page:
    rule = _RULE if found is None else found.rule
    sections: list[Section] = []
    if found is not None:
        sections = [_compared(found), _levers(found)]
    sections += [*more, *_checked(findings), _day(config, rule, 0 if found is None else found.seed)]
    return Page(
        title=f"{spoken(config.name)}: a lab and a record",
        question=f"Does the simulated lab {spoken(config.name)} behave like the recorded days?",
        answer=_not_checked(data) if found is None else _answer(found),
        picture=None if found is None else _waits_by_hour(found),
        config=config,
        experiment=Experiment(
            purpose="To hold a simulated lab against a hospital's own record, and to say what it may be used for.",
            command=command,
            lab=lab,
            days=0 if found is None else found.days,
            seed=0 if found is None else found.seed,
            scenarios=("recorded days", "the same days played again in the lab", "simulated days"),
            outputs=(
                "Waits from check-in, delays after the appointment, patients a day, end of the last exam, use of rooms."
            ),
            estimation=(
                "Intervals of the record are over its days. A difference counts if it matters and hardly any set of "
                "as many simulated days is so far out (posterior predictive checks, shared error of 5 %)."
            ),
            data=data,
        ),
        likeness=_not_validated() if found is None else _likeness(found),
        sections=tuple(sections),
        rules=tuple(dict.fromkeys((rule, *(() if found is None else (fit.rule for fit in found.fits))))),
    )


def _answer(found: Validation) -> tuple[str, str]:
    every = found.fits[0].every
    shift = every.difference
    lasts = (
        f"{abs(shift.mean):.1f} minutes {'less' if shift.mean < 0 else 'more'}"
        if abs(shift.mean) >= 0.05
        else "the same"
    )
    span = "" if np.isnan(shift.low) else f", 95 % interval of the difference {shift.low:+.1f} to {shift.high:+.1f}"
    head = "Nothing in the record contradicts it" if found.accepted else "Not in everything"
    first = (
        f"{head}: when the recorded days are played again with their own patients, rooms and staff, {every.n} patients "
        f"wait {every.simulated_wait:.1f} minutes from check-in to exam, against {every.seen_wait:.1f} in the record "
        f"({lasts}{span})."
    )
    uses: dict[bool | None, list[str]] = {True: [], False: [], None: []}
    for answer in found.verdict:
        uses[answer.good].append(_use(answer))
    parts = [f"good enough for {listed(uses[True])}"] if uses[True] else []
    parts += [f"not to be used for {listed(uses[False])}"] if uses[False] else []
    parts += [f"not shown to be good enough for {listed(uses[None])}"] if uses[None] else []
    return first, f"The lab is {'; it is '.join(parts)}."


def _use(answer: Answer) -> str:
    known = _USES.get(answer.question)
    return known or f"how long {spoken(answer.question.removeprefix('waits_'))} patients wait"


def _not_checked(data: str) -> tuple[str, str]:
    return "A lab was fitted, but nobody knows yet: it was not held against the record (--days 0).", data


def _not_validated() -> Section:
    text = "The lab was not held against the record: --days says how many days are simulated for that."
    return Section("likeness", "Does this lab behave like yours?", (text,))


def _likeness(found: Validation) -> Section:
    rows = [(_use(answer), _GOOD[answer.good], _why(answer)) for answer in found.verdict]
    grid = Grid("what the lab may be used for", ("use", "verdict", "why"), rows)
    left = unexplained_sentences(found.evidence)
    return Section("likeness", "Does this lab behave like yours?", (), left, (), (grid,))


def _why(answer: Answer) -> str:
    """The reasons alone: the use and the verdict stand beside them."""
    after = "because " if answer.good is False else ": "
    told = answer.sentence.partition(after)[2] or answer.sentence
    return capital(told)


def _waits_by_hour(found: Validation) -> Chart:
    points, cells = [], {}
    series = (("recorded", found.recorded), ("simulated", found.simulated))
    hours = by_hour(found.recorded)[0].tolist()
    for name, exams in series:
        own = _of_hours(exams)
        cells[name] = own
        points += [Point(clock_text(60 * hour), own[hour], name) for hour in hours if hour in own]
    rows = [
        (clock_text(60 * hour), *(with_interval(own[hour]) if hour in own else "-" for own in cells.values()))
        for hour in hours
    ]
    title = "Minutes from check-in to exam, by the hour of check-in"
    alt = (
        f"{title}: "
        + "; ".join(f"{hour}: {seen} recorded, {simulated} simulated" for hour, seen, simulated in rows)
        + "."
    )
    note = (
        "From check-in, or from the expected check-in if that is later. Lines are 95 % intervals; hours with few "
        "patients have none."
    )
    return Chart(
        title,
        alt,
        lines(points, "Hour of check-in", "Minutes waited", least=0),
        Grid(title, ("hour", *cells), rows),
        note,
    )


def _of_hours(exams: Exams) -> dict[int, Estimate]:
    hours, means = by_hour(exams)
    return {
        hour: Estimate(mean, low, high, 0)
        for hour, (mean, low, high) in zip(hours.tolist(), means.tolist(), strict=True)
    }


def _compared(found: Validation) -> Section:
    rows = [(_check(check)) for check in found.checks]
    heads = ("a day", "recorded", "simulated", "as many simulated days lie between", "p")
    caption = "p is how often simulated days are as far out as the recorded ones; small values speak against the lab."
    days = [
        (
            f"day {number}",
            str(day.n),
            f"{day.seen_wait:.1f}",
            f"{day.low:.1f} to {day.high:.1f}",
            "yes" if day.inside else "no",
        )
        for number, day in enumerate(found.left_out, 1)
    ]
    grids = [Grid("recorded days against simulated ones", heads, rows, caption)]
    folded = []
    if days:
        head = ("day left out", "exams", "wait seen (min)", "the lab without it expects", "inside")
        folded.append(Grid("Each day against a lab that was fitted without it", head, days))
    return Section("comparison", "The comparison", (), (), (), tuple(grids), tuple(folded))


def _check(check: Check) -> tuple[str, ...]:
    def text(value: float) -> str:
        return value_text(check.number.unit, value)

    if np.isnan(check.p):
        return check.number.words, text(check.recorded.mean), text(check.simulated.mean), "-", "-"
    between = f"{text(check.low)} to {text(check.high)}"
    return check.number.words, text(check.recorded.mean), text(check.simulated.mean), between, f"{check.p:.2f}"


def _levers(found: Validation) -> Section:
    marks = [_mark(own.words, own.difference) for own in found.levers.changes]
    doubt = any(answer.question == "capacity" and not answer.good for answer in found.verdict)
    text = (
        f"In the lab patients wait {with_interval(found.levers.wait)} minutes from check-in. Each change was tried by "
        "itself, on the same simulated days."
    )
    if doubt:
        names = [own.words for own in found.levers.changes if own.kind == CAPACITY]
        text += f" What the record cannot confirm: {listed(names)}." if names else ""
    note = "Left of the line patients wait less. Lines are 95 % intervals."
    chart = interval_chart(
        marks, f"Minutes from check-in to exam, difference ({LOWER_IS_BETTER})", _title(found.levers), note, zero=True
    )
    return Section("gains", "What would shorten waits", (text,), (), (chart,))


def _title(levers: Levers) -> str:
    return (
        "What would shorten waits"
        if any(own.difference.high < 0 for own in levers.changes)
        else "Nothing that was tried shortens waits"
    )


def _mark(words: str, difference: Estimate) -> Mark:
    return Mark(spoken(words), difference)


def _fitted(fitted: Fitted, data: str) -> Section:
    rows = [
        (spoken(one.words), f"{one.value:.4g}", interval_text(one), str(one.rows or "")) for one in fitted.estimates
    ]
    grid = Grid("what was fitted", ("number", "value", "95 % interval", "rows"), rows)
    return Section(
        "fitted",
        "What was fitted to the record",
        (data,),
        folded=(grid._replace(title="Every number that was fitted"),),
    )


def _checked(findings: Sequence[Finding]) -> list[Section]:
    """The findings by what their checks look for: their own sentences quote cells."""
    counts: Counter[str] = Counter()
    for finding in findings:
        counts[finding.check] += finding.count
    if not counts:
        return []
    text = (
        "The command names on the terminal what was found in which cell; this page does not, since cells can tell of "
        "people."
    )
    points = tuple(f"{capital(CHECKS[check])} ({count})." for check, count in counts.items())
    return [Section("findings", "What the checks of the record found", (text,), points)]


def record_words(visits: Visits) -> str:
    """What a record is, without anything that a cell of it says.

    :param visits: the record
    """
    cells = ", ".join(f"{count} {action}" for action, count in visits.log.by_action().items())
    days = f"{len(visits.days)} day{'s' if len(visits.days) > 1 else ''}"
    return f"A record of {len(visits.table)} visits on {days}; cells: {cells}; SHA-256 of the file {visits.sha256}."


def _day(config: Lab, rule: str, seed: int) -> Section:
    policy = make_policy(rule, config)
    day, _ = typical_day(config, policy, seed)
    return day_section([(f"{spoken(rule)}, simulated", simulate(config, day, policy))])

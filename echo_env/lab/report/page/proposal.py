"""A proposal of ``optimise`` as a page."""

from __future__ import annotations

from collections import Counter

from echo_env.common.tables import Grid
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import sample_days
from echo_env.lab.evaluation.comparison import Comparison
from echo_env.lab.evaluation.engines import play_days
from echo_env.lab.optimise.gains import MOVED, Gain, Waits
from echo_env.lab.optimise.optimise import HELD_OUT_FIRST
from echo_env.lab.optimise.proposal import WAIT, Proposal, Step
from echo_env.lab.optimise.report.tables import counted, grids
from echo_env.lab.optimise.report.words import verdict
from echo_env.lab.policies.base import make_policy
from echo_env.lab.report.page.charts import Mark, Point, counts, lines
from echo_env.lab.report.page.comparison import NOT_CHECKED
from echo_env.lab.report.page.day_chart import day_section, typical_day
from echo_env.lab.report.page.measures import compared, interval_chart, who_gains
from echo_env.lab.report.page.page import Chart, Experiment, Page, Section
from echo_env.lab.report.page.words import LABELS, LOWER_IS_BETTER, changed, listed, spoken, with_interval
from echo_env.lab.simulation.metrics import metrics_of, metrics_table
from echo_env.lab.simulation.simulator import simulate

TODAY, PROPOSED = "today", "the proposal"
_DECIDED = {"template": "appointment book", "absence_plan": "plan for absences"}
"""Kinds of decisions that have plainer names."""
_MOST_DAYS = 2000
"""Held-out days that are played again for measures that the search does not look at."""
_MOST_LISTED = 60
_WORLDS = "the proposal in other worlds"
"""Title of that table."""


def proposal_page(proposal: Proposal, rule: str, seed: int, command: str, lab: str) -> Page:
    """The page.

    :param proposal: what was found
    :param rule: name of the policy by which exams begin
    :param seed: of the days
    :param command: the command line
    :param lab: what the command calls the lab
    """
    step, decided = proposal.step, listed([_DECIDED.get(name, spoken(name)) for name in proposal.choice.names])
    sections = [_said(proposal)]
    if step is not None:
        comparison = _comparison(proposal, step, rule, seed)
        sections += [
            compared(comparison, "Today and the proposal, measure by measure"),
            who_gains(comparison),
            *_gains(proposal),
        ]
        sections += [_elsewhere(proposal), _day(proposal, step, rule, seed)]
    return Page(
        title=f"{spoken(proposal.config.name)}: what would be best",
        question=(
            f"Which changes of the {decided} would make patients wait less in the lab {spoken(proposal.config.name)}?"
        ),
        answer=_answer(proposal),
        picture=None if step is None else _front(proposal),
        config=proposal.config,
        experiment=Experiment(
            purpose=f"To find better decisions ({decided}), and to measure what they are worth.",
            command=command,
            lab=lab,
            days=proposal.days,
            seed=seed,
            scenarios=("the lab as it is", *(f"{counted(own.number)}" for own in proposal.front)),
            outputs="Waits of patients, and what may not get worse: "
            f"{listed([LABELS.get(name, spoken(name)) for name in proposal.protected] or ['nothing'])}.",
            estimation=(
                f"Measured on {proposal.days:,} days that the search has not seen; differences are paired by day, and "
                "their 95 % intervals hold for all numbers of changes and all measures together."
            ),
            data=f"The lab file {lab}. Exams begin by the rule {spoken(rule)}.",
            engine="compiled",
        ),
        likeness=NOT_CHECKED,
        sections=tuple(sections),
        rules=(rule,),
    )


def _answer(proposal: Proposal) -> tuple[str, str]:
    said, step = [spoken(own) for own in verdict(proposal)], proposal.step
    if step is None or not proposal.recommended:
        return said[0], said[1] if said[1:] else f"{proposal.searched:,} variants of the lab were tried."
    wait, today = step.effects[WAIT], proposal.today[WAIT]
    one = step.number == len(step.changes) == 1
    done = spoken(step.changes[0].sentence[:-1]) if one else f"Make the {step.number} changes that are listed below"
    first = (
        f"{done}: patients would then wait {changed(wait, 'minutes')} than the {today.mean:.1f} minutes of today, on "
        f"{proposal.days:,} simulated days; in brackets the 95 % interval."
    )
    names = listed([LABELS.get(name, spoken(name)) for name in proposal.protected]) if proposal.protected else ""
    second = f"Nothing that is protected gets worse beyond chance: {names}." if names else "Nothing was protected."
    smallest = proposal.smallest
    if smallest is not None and smallest.number < step.number:
        part = smallest.effects[WAIT]
        second = (
            f"Just {counted(smallest.number)} would already bring {changed(part, 'minutes')}; "
            f"{second[0].lower()}{second[1:]}"
        )
    return first, second


def _said(proposal: Proposal) -> Section:
    step = proposal.step
    done = [spoken(change.sentence) for change in step.changes[:_MOST_LISTED]] if step is not None else []
    if step is not None and len(step.changes) > _MOST_LISTED:
        done.append(f"... and {len(step.changes) - _MOST_LISTED} more, which are in the file of --output.")
    texts = [spoken(own) for own in verdict(proposal) if spoken(own) not in done]
    tables = tuple(own for own in grids(proposal) if own.title != _WORLDS)
    return Section("changes", "What would have to be done", tuple(texts), tuple(done), folded=tables)


def _front(proposal: Proposal) -> Chart:
    points = [Point(step.number, step.effects[WAIT]) for step in proposal.front]
    title = "Minutes of waiting saved by number of changes"
    rows = [
        (
            counted(step.number) + (" (proposed)" if number == proposal.chosen else ""),
            with_interval(step.effects[WAIT], "", "+"),
        )
        for number, step in enumerate(proposal.front)
    ]
    axis = f"Change of the wait, minutes per patient ({LOWER_IS_BETTER})"
    chart = lines(
        [Point(0, proposal.today[WAIT]._replace(mean=0.0, low=0.0, high=0.0)), *points], "Number of changes", axis
    )
    told = "; ".join(f"{name} {number}" for name, number in rows)
    note = "Below 0 patients wait less than today. Intervals hold for all numbers of changes together, at 95 %."
    return Chart(title, f"{title}: {told}.", chart, Grid(title, ("changes", axis), rows), note)


def _comparison(proposal: Proposal, step: Step, rule: str, seed: int) -> Comparison:
    """Every measure of the lab as it is and as proposed, on the first of the held-out days."""
    number = min(proposal.days, _MOST_DAYS)
    values, metrics = {}, metrics_of(proposal.lab)
    for name, levers in ((TODAY, proposal.choice.today), (PROPOSED, step.values)):
        lab = proposal.choice.lab(levers)
        played = play_days(lab, make_policy(rule, lab), sample_days(lab, number, seed, HELD_OUT_FIRST))
        values[name] = metrics_table(lab, played)
    common = {name: own for name, own in metrics.items() if all(name in table for table in values.values())}
    return Comparison(proposal.config.name, seed, values, dict.fromkeys(values, "compiled"), TODAY, common)


def _gains(proposal: Proposal) -> list[Section]:
    gains = proposal.gains
    if gains is None:
        return []
    by_type = [(f"{spoken(gain.who)}{MOVED[gain.moved]}", gain) for gain in gains.by_type]
    charts = [
        _changes(
            by_type, "Change of the wait by exam type, for those whose appointment moves and those whose does not"
        ),
        _changes([(gain.who, gain) for gain in gains.by_hour], "Change of the wait by the hour of today's appointment"),
        _by_hour(proposal.config, gains.before, gains.after),
        *_books(proposal),
    ]
    return [
        Section(
            "who",
            "Who gains and who loses, patient by patient",
            (),
            (),
            tuple(chart for chart in charts if chart is not None),
        )
    ]


def _changes(named: list[tuple[str, Gain]], title: str) -> Chart | None:
    marks = [Mark(f"{name} ({gain.patients:.1f} a day)", gain.change) for name, gain in named]
    if not marks:
        return None
    note = "Patient by patient on the same days. Left of the line they wait less."
    return interval_chart(marks, f"Minutes for one patient ({LOWER_IS_BETTER})", title, note, zero=True)


def _by_hour(config: Lab, before: Waits, after: Waits) -> Chart:
    points, rows = [], []
    for begin, old, new in zip(before.begins, before.wait, after.wait, strict=True):
        hour = config.hours.clock(begin)
        points += [Point(hour, own, name) for own, name in ((old, TODAY), (new, PROPOSED)) if own.mean == own.mean]
        rows.append((hour, with_interval(old), with_interval(new)))
    points.sort(key=lambda point: point.series != TODAY)
    title = "Minutes waited by the hour in which patients come"
    alt = f"{title}: " + "; ".join(f"{hour} {old} {TODAY}, {new} {PROPOSED}" for hour, old, new in rows) + "."
    return Chart(
        title,
        alt,
        lines(points, "Hour of arrival", "Minutes waited", least=0),
        Grid(title, ("hour", TODAY, PROPOSED), rows),
    )


def _books(proposal: Proposal) -> list[Chart]:
    assert proposal.step is not None
    labs = {TODAY: proposal.choice.lab(proposal.choice.today), PROPOSED: proposal.choice.lab(proposal.step.values)}
    hours = {
        name: Counter(minute // 60 for kind in lab.plan.types for minute in kind.scheduled if minute is not None)
        for name, lab in labs.items()
    }
    if hours[TODAY] == hours[PROPOSED]:
        return []
    clock, used = (
        proposal.config.hours.clock,
        range(min(min(own) for own in hours.values()), max(max(own) for own in hours.values()) + 1),
    )
    points = [(clock(60 * hour), name, float(own[hour])) for hour in used for name, own in hours.items()]
    rows = [(clock(60 * hour), *(str(own[hour]) for own in hours.values())) for hour in used]
    title = "Appointments in each hour"
    alt = f"{title}: " + "; ".join(f"{hour} {old} {TODAY}, {new} {PROPOSED}" for hour, old, new in rows) + "."
    return [Chart(title, alt, counts(points, "Hour", "Appointments"), Grid(title, ("hour", *hours), rows))]


def _elsewhere(proposal: Proposal) -> Section:
    text = (
        "The proposal was also played in labs that differ from this one: with more or fewer late patients, longer or "
        "shorter exams, more or fewer no-shows and absences. What holds only in the lab as it was written down is "
        "worth "
        "little."
    )
    tables = tuple(own for own in grids(proposal) if own.title == _WORLDS)
    return Section("worlds", "Would it hold if the lab were otherwise?", (text,), grids=tables)


def _day(proposal: Proposal, step: Step, rule: str, seed: int) -> Section:
    today, then = (proposal.choice.lab(values) for values in (proposal.choice.today, step.values))
    _, number = typical_day(today, make_policy(rule, today), seed)
    named = []
    for name, lab in (("today's plan", today), (PROPOSED, then)):
        (day,) = sample_days(lab, 1, seed, number)
        named.append((name, simulate(lab, day, make_policy(rule, lab))))
    return day_section(named)

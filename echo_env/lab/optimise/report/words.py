"""A proposal in sentences and tables."""

from __future__ import annotations

from dataclasses import asdict

from rich.console import Console
from rich.markup import escape

from echo_env.common.stats import Estimate
from echo_env.common.tables import cell, new_console, new_table, print_table
from echo_env.lab.optimise.proposal import WAIT, Proposal, Step
from echo_env.lab.simulation.metrics import metric_labels, metrics_of

_MOST_SENTENCES = 12


def waiting_sentence(step: Step) -> str:
    """What a step does to the waiting of patients.

    :param step: the step
    """
    wait = step.effects[WAIT]
    word = "less" if wait.mean < 0 else "more"
    low, high = sorted((abs(wait.low), abs(wait.high))) if wait.excludes_zero else (wait.low, wait.high)
    return f"{abs(wait.mean):.1f} minutes {word} waiting per patient ({low:.1f} to {high:.1f})"


def verdict(proposal: Proposal) -> list[str]:
    """What is proposed, or why nothing is, in sentences.

    :param proposal: the proposal
    """
    ended = ["Time ended the search: with more of it (--seconds), more may be found."] if proposal.cut else []
    return [*_proposed(proposal), *ended]


def _proposed(proposal: Proposal) -> list[str]:
    step, config = proposal.step, proposal.config
    labels = metric_labels(config)
    if step is None:
        return ["Nothing was found that is better than the lab as it is."]
    effect = step.effects[proposal.objective]
    if proposal.harms:
        worse = "; ".join(f"{labels[name]} {_signed(step.effects[name])}" for name in proposal.harms)
        return [
            f"Nothing is recommended: the best that was found would make something worse that is protected ({worse})."
        ]
    if not proposal.recommended:
        return [f"Nothing is recommended: the gain cannot be told from chance ({_signed(effect)})."]
    said = [f"Recommended: {_counted(step.number)}, {waiting_sentence(step)}."]
    if step.number <= _MOST_SENTENCES:
        said += [change.sentence for change in step.changes]
    for name in proposal.warnings:
        rise, unit = step.effects[name], metrics_of(config)[name].unit
        said.append(
            f"Warning: this raises what is not protected: {labels[name]} by {rise.mean:.2f} {unit} "
            f"({rise.low:.2f} to {rise.high:.2f})."
        )
    smallest = proposal.smallest
    if smallest is not None and smallest.number < step.number:
        share = min(100, round(100 * smallest.effects[proposal.objective].mean / effect.mean))
        few = smallest.number <= _MOST_SENTENCES
        sentences = ": " + " ".join(change.sentence for change in smallest.changes) if few else "."
        said.append(f"Just {_counted(smallest.number)} would bring {share} % of the gain{sentences}")
    lost = [world.name for world in proposal.worlds if world.effects[proposal.objective].high >= 0]
    if lost:
        said.append(f"The gain is not sure in a world with {', '.join(lost)}.")
    elif proposal.worlds:
        said.append(f"It wins in all {len(proposal.worlds)} other worlds that were tried.")
    if proposal.unknown:
        part, (wins, labs) = proposal.unknown[proposal.objective], proposal.wins
        larger = "not knowing the lab" if part.dominated_by_lab else "the number of days"
        said.append(
            f"In {wins} of {labs} labs that the record would bear as well it wins; its gain is {part.mean:+.2f} "
            f"± {part.simulation:.2f} for the number of days and ± {part.lab:.2f} for not knowing the lab: {larger} "
            "is the larger part."
        )
    return said


def print_proposal(proposal: Proposal, console: Console | None = None) -> None:
    """Print the front, the other worlds, and the verdict.

    :param proposal: the proposal
    :param console: console to print to; by default standard output
    """
    console = console or new_console()
    names = list(next(iter(proposal.front)).effects) if proposal.front else [proposal.objective]
    labels = metric_labels(proposal.config)
    together = "95 % intervals that hold for all rows and columns together" if proposal.front else ""
    table = new_table(f"{proposal.config.name}: gain by number of changes, {proposal.days} held-out days", together)
    table.add_column("")
    for name in names:
        table.add_column(escape(labels.get(name, name)), justify="right")
    table.add_row("as it is", *(cell(proposal.today[name]) for name in names if name in proposal.today))
    for number, step in enumerate(proposal.front):
        mark = " (proposed)" if number == proposal.chosen else ""
        head = f"{_counted(step.number)}{mark}"
        table.add_row(head, *(cell(step.effects[name], sign="+") for name in names))
    print_table(console, table)
    if proposal.worlds:
        other = new_table("the proposal in other worlds", "95 % intervals, each by itself")
        other.add_column("world")
        for name in names:
            other.add_column(escape(labels.get(name, name)), justify="right")
        for world in proposal.worlds:
            other.add_row(world.name, *(cell(world.effects[name], sign="+") for name in names))
        print_table(console, other)
    for sentence in verdict(proposal):
        console.print(f"- {escape(sentence)}", highlight=False)


def _signed(effect: Estimate) -> str:
    return f"{effect.mean:+.2f}, {effect.low:+.2f} to {effect.high:+.2f}"


def _counted(number: int) -> str:
    return f"{number} change{'s' if number > 1 else ''}"


def as_json(proposal: Proposal) -> dict[str, object]:
    """The proposal as a JSON object.

    :param proposal: the proposal
    """
    selection = proposal.selection
    known = metrics_of(proposal.config)

    def effects(of: dict[str, Estimate]) -> dict[str, object]:
        return {name: own.as_json() for name, own in of.items()}

    return {
        "lab": proposal.config.name,
        "objective": proposal.objective,
        "protected": list(proposal.protected),
        "allowance": proposal.allowance,
        "units": {name: known[name].unit for name in proposal.today if name in known},
        "days": proposal.days,
        "played_in_the_search": proposal.searched,
        "time_ended_the_search": proposal.cut,
        "today": effects(proposal.today),
        "front": [
            {
                "number_of_changes": step.number,
                "changes": [change._asdict() for change in step.changes],
                "values": list(step.values),
                "effects": effects(step.effects),
            }
            for step in proposal.front
        ],
        "proposed": proposal.chosen if proposal.front else None,
        "recommended": proposal.recommended,
        "selection": None if selection is None else asdict(selection),
        "other_worlds": [{"world": world.name, "effects": effects(world.effects)} for world in proposal.worlds],
        "input_uncertainty": {name: part.as_json() for name, part in proposal.unknown.items()},
        "wins_in_labs": list(proposal.wins),
        "verdict": verdict(proposal),
    }

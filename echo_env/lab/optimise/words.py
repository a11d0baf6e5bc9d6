"""A proposal in sentences and tables."""

from __future__ import annotations

from dataclasses import asdict

from rich.console import Console
from rich.markup import escape

from echo_env.common.stats import Estimate
from echo_env.common.tables import cell, new_console, new_table, print_table
from echo_env.lab.config import Hours
from echo_env.lab.optimise.books import Move
from echo_env.lab.optimise.proposal import Proposal, Step
from echo_env.lab.simulation.metrics import metric_labels, metrics_of

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
WAIT = "overall_wait_min"
_MOST_SENTENCES = 12


def move_sentence(move: Move, hours: Hours) -> str:
    """``Move one 10:30 non_fetal appointment to 08:00.``

    :param move: the move
    :param hours: of the lab
    """
    number = _NUMBERS[move.number] if move.number < len(_NUMBERS) else str(move.number)
    plural = "s" if move.number > 1 else ""
    return f"Move {number} {hours.clock(move.old)} {move.kind} appointment{plural} to {hours.clock(move.new)}."


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
    step, config = proposal.step, proposal.config
    labels = metric_labels(config)
    if step is None:
        return ["No book was found that is better than today's."]
    effect = step.effects[proposal.objective]
    if proposal.harms:
        worse = "; ".join(f"{labels[name]} {_signed(step.effects[name])}" for name in proposal.harms)
        return [f"Nothing is recommended: the best book found would make something worse that is protected ({worse})."]
    if not proposal.recommended:
        return [f"Nothing is recommended: the gain cannot be told from chance ({_signed(effect)})."]
    said = [f"Recommended: {step.changes} of {len(proposal.seats)} appointments move, {waiting_sentence(step)}."]
    if step.changes <= _MOST_SENTENCES:
        said += [move_sentence(move, config.hours) for move in step.moves]
    for name in proposal.warnings:
        rise, unit = step.effects[name], metrics_of(config)[name].unit
        said.append(
            f"Warning: this raises what is not protected: {labels[name]} by {rise.mean:.2f} {unit} a day "
            f"({rise.low:.2f} to {rise.high:.2f})."
        )
    smallest = proposal.smallest
    if smallest is not None and smallest.changes < step.changes:
        share = smallest.effects[proposal.objective].mean / effect.mean
        moves = " ".join(move_sentence(move, config.hours) for move in smallest.moves)
        number = f"{smallest.changes} change{'s' if smallest.changes > 1 else ''}"
        said.append(f"As few as {number} would bring {100 * share:.0f} % of the gain: {moves}")
    lost = [world.name for world in proposal.worlds if world.effects[proposal.objective].high >= 0]
    if lost:
        said.append(f"The gain is not sure in a world with {', '.join(lost)}.")
    elif proposal.worlds:
        said.append(f"It wins in all {len(proposal.worlds)} other worlds that were tried.")
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
    table.add_column("book")
    for name in names:
        table.add_column(escape(labels.get(name, name)), justify="right")
    table.add_row("today's", *(cell(proposal.today[name]) for name in names if name in proposal.today))
    for number, step in enumerate(proposal.front):
        mark = " (proposed)" if number == proposal.chosen else ""
        head = f"{step.changes} moved{mark}"
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


def _as_json(move: Move, hours: Hours) -> dict[str, object]:
    times = {"from": hours.clock(move.old), "to": hours.clock(move.new)}
    return {"type": move.kind, **times, "count": move.number}


def as_json(proposal: Proposal) -> dict[str, object]:
    """The proposal as a JSON object.

    :param proposal: the proposal
    """
    hours, selection = proposal.config.hours, proposal.selection
    known = metrics_of(proposal.config)

    def effects(of: dict[str, Estimate]) -> dict[str, object]:
        return {name: own.as_json() for name, own in of.items()}

    return {
        "lab": proposal.config.name,
        "objective": proposal.objective,
        "protected": list(proposal.protected),
        "units": {name: known[name].unit for name in proposal.today if name in known},
        "days": proposal.days,
        "books_played": proposal.searched,
        "today": effects(proposal.today),
        "front": [
            {
                "changes": step.changes,
                "moves": [_as_json(move, hours) for move in step.moves],
                "effects": effects(step.effects),
            }
            for step in proposal.front
        ],
        "proposed": proposal.chosen if proposal.front else None,
        "recommended": proposal.recommended,
        "selection": None if selection is None else asdict(selection),
        "other_worlds": [{"world": world.name, "effects": effects(world.effects)} for world in proposal.worlds],
        "verdict": verdict(proposal),
    }

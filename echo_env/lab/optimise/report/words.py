"""A proposal in sentences and tables."""

from __future__ import annotations

from dataclasses import asdict

from rich.console import Console
from rich.markup import escape

from echo_env.common.stats import Estimate
from echo_env.common.tables import new_console, print_grid
from echo_env.lab.optimise.gains import Gain, Gains, Waits
from echo_env.lab.optimise.interactions import Interaction
from echo_env.lab.optimise.proposal import WAIT, Proposal, Step
from echo_env.lab.optimise.report.tables import counted, grids
from echo_env.lab.simulation.metrics import metric_labels, metrics_of

_MOST_SENTENCES = 12


def effect_sentence(step: Step) -> str:
    """What a step does to the waiting of patients, and to how many are examined where that is the aim.

    :param step: the step
    """
    served = step.effects.get("served")
    if served is None:
        return _waiting(step)
    word = "more" if served.mean >= 0 else "fewer"
    low, high = sorted((abs(served.low), abs(served.high))) if served.excludes_zero else (served.low, served.high)
    return f"{abs(served.mean):.1f} {word} patients examined a day ({low:.1f} to {high:.1f}), {_waiting(step)}"


def _waiting(step: Step) -> str:
    wait = step.effects[WAIT]
    word = "less" if wait.mean < 0 else "more"
    low, high = sorted((abs(wait.low), abs(wait.high))) if wait.excludes_zero else (wait.low, wait.high)
    return f"{abs(wait.mean):.1f} minutes {word} waiting per patient ({low:.1f} to {high:.1f})"


def step_sentence(step: Step) -> str:
    """A step of the front: what has to be done, and what that does to the waiting of patients.

    :param step: the step
    """
    few = len(step.changes) <= _MOST_SENTENCES
    done = " ".join(change.sentence for change in step.changes) if few else f"{counted(step.number)}."
    return f"{done[:-1]}: {effect_sentence(step)}."


def verdict(proposal: Proposal) -> list[str]:
    """What is proposed, or why nothing is, in sentences.

    :param proposal: the proposal
    """
    ended = []
    if proposal.interrupted:
        ended = ["The search was interrupted: with a journal (--journal), the same command goes on from there."]
    elif proposal.cut:
        ended = ["Time ended the search: with more of it (--seconds), more may be found."]
    return [*_proposed(proposal), *ended]


def _proposed(proposal: Proposal) -> list[str]:
    step, config = proposal.step, proposal.lab
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
    said = [f"Recommended: {counted(step.number)}, {effect_sentence(step)}."]
    if step.number <= _MOST_SENTENCES:
        said += [change.sentence for change in step.changes]
    said += _costs(proposal, step)
    said += [_warning(proposal, name, step.effects[name]) for name in proposal.warnings]
    smallest = proposal.smallest
    if smallest is not None and smallest.number < step.number:
        share = min(100, round(100 * smallest.effects[proposal.objective].mean / effect.mean))
        few = smallest.number <= _MOST_SENTENCES
        sentences = ": " + " ".join(change.sentence for change in smallest.changes) if few else "."
        said.append(f"Just {counted(smallest.number)} would bring {share} % of the gain{sentences}")
    said += [_alone_and_together(own) for own in proposal.interactions if own.turns or own.fades or own.needs_the_rest]
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


def _warning(proposal: Proposal, name: str, rise: Estimate) -> str:
    """What nobody wants, is not protected, and rises."""
    span = f"({rise.low:.2f} to {rise.high:.2f}), which is not protected"
    if name == "turned_away":
        return f"Warning: {rise.mean:.2f} more patients a day would be sent home {span}."
    label, unit = metric_labels(proposal.lab)[name], metrics_of(proposal.lab)[name].unit
    return f"Warning: {label} would rise by {rise.mean:.2f} {unit} {span}."


def _costs(proposal: Proposal, step: Step) -> list[str]:
    """What a proposal costs that is no harm to those who come."""
    said = []
    for name in ("paid_h", "cost"):
        own = step.effects.get(name)
        if own is not None and own.excludes_zero:
            allowed = proposal.allowance.get(name, 0.0)
            label = metric_labels(proposal.lab)[name]
            most = f"; {allowed:g} more are allowed" if name in proposal.protected and own.mean > 0 else ""
            said.append(f"It changes {label} by {own.mean:+.2f} a day ({own.low:+.2f} to {own.high:+.2f}{most}).")
    rebooked = step.effects.get("rebooked")
    if rebooked is not None and rebooked.excludes_zero:
        said.append(
            f"It rebooks {abs(rebooked.mean):.2f} {'more' if rebooked.mean > 0 else 'fewer'} patients a day on average "
            f"({rebooked.low:+.2f} to {rebooked.high:+.2f}). They need appointments on other days, and what they add "
            "there is not in these numbers."
        )
    return said


def _alone_and_together(own: Interaction) -> str:
    """A change that does one thing by itself, and another with the rest of the proposal."""
    few = len(own.changes) <= _MOST_SENTENCES
    changes = " ".join(change.sentence for change in own.changes) if few else f"{counted(len(own.changes))}."
    does = "makes things worse" if own.needs_the_rest else "helps"
    ends = "helps" if own.needs_the_rest else "makes things worse" if own.turns else "adds nothing beyond chance"
    return (
        f"By itself a change of the {own.decision.replace('_', ' ')} {does} ({_signed(own.alone)}), but with the rest "
        f"of the proposal in place it {ends} ({_signed(own.together)}): {changes}"
    )


def print_proposal(proposal: Proposal, console: Console | None = None) -> None:
    """Print all tables, and the verdict.

    :param proposal: the proposal
    :param console: console to print to; by default standard output
    """
    console = console or new_console()
    for grid in grids(proposal):
        print_grid(console, grid)
    for sentence in verdict(proposal):
        console.print(f"- {escape(sentence)}", highlight=False)


def _signed(effect: Estimate) -> str:
    return f"{effect.mean:+.2f}, {effect.low:+.2f} to {effect.high:+.2f}"


def as_json(proposal: Proposal) -> dict[str, object]:
    """The proposal as a JSON object.

    :param proposal: the proposal
    """
    selection = proposal.selection
    known = metrics_of(proposal.lab)

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
        "interactions": [
            {
                "decision": own.decision,
                "proposed": own.proposed,
                "changes": [change._asdict() for change in own.changes],
                "alone": own.alone.as_json(),
                "together": own.together.as_json(),
            }
            for own in proposal.interactions
        ],
        "gains": None if proposal.gains is None else _gains(proposal.gains),
        "verdict": verdict(proposal),
    }


def _gains(gains: Gains) -> dict[str, object]:
    def each(some: tuple[Gain, ...]) -> list[dict[str, object]]:
        return [{**own._asdict(), "change": own.change.as_json()} for own in some]

    def by_arrival(waits: Waits) -> list[dict[str, object]]:
        hours = zip(waits.begins, waits.patients, waits.wait, strict=True)
        return [{"minute": begin, "patients": number, "wait": own.as_json()} for begin, number, own in hours]

    return {
        "by_type": each(gains.by_type),
        "by_hour": each(gains.by_hour),
        "by_hour_of_arrival_today": by_arrival(gains.before),
        "by_hour_of_arrival_proposed": by_arrival(gains.after),
    }

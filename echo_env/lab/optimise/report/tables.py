"""The tables of a proposal, as texts: for the terminal and for the report."""

from __future__ import annotations

from collections.abc import Sequence

from echo_env.common.stats import Estimate
from echo_env.common.tables import Grid, cell
from echo_env.lab.optimise.gains import MOVED
from echo_env.lab.optimise.proposal import Proposal
from echo_env.lab.simulation.metrics import metric_labels


def grids(proposal: Proposal) -> list[Grid]:
    """The front, other worlds, decisions alone and together, and who gains: those that there is something to say of.

    :param proposal: the proposal
    """
    tables = [_front(proposal), _worlds(proposal), _interactions(proposal), _gains(proposal)]
    return [table for table in tables if table.rows]


def counted(number: int) -> str:
    """``1 change``, ``2 changes``.

    :param number: at least 0
    """
    return f"{number} change{'' if number == 1 else 's'}"


def _front(proposal: Proposal) -> Grid:
    names = list(next(iter(proposal.front)).effects) if proposal.front else list(proposal.today)
    rows = [("as it is", *(cell(proposal.today[name]) for name in names))]
    for number, step in enumerate(proposal.front):
        mark = " (proposed)" if number == proposal.chosen else ""
        rows.append((f"{counted(step.number)}{mark}", *_effects(step.effects, names)))
    together = "95 % intervals that hold for all rows and columns together" if proposal.front else ""
    title = f"{proposal.config.name}: gain by number of changes, {proposal.days} held-out days"
    return Grid(title, ("", *_labels(proposal, names)), rows, together)


def _worlds(proposal: Proposal) -> Grid:
    names = list(proposal.today)
    rows = [(world.name, *_effects(world.effects, names)) for world in proposal.worlds]
    caption = "95 % intervals, each by itself"
    return Grid("the proposal in other worlds", ("world", *_labels(proposal, names)), rows, caption)


def _interactions(proposal: Proposal) -> Grid:
    rows = [
        (own.decision, "yes" if own.proposed else "no", counted(sum(change.number for change in own.changes)),
         cell(own.alone, sign="+"), cell(own.together, sign="+"))
        for own in proposal.interactions
    ]  # fmt: skip
    heads = ("decision", "proposed", "changes", "alone", "with the rest of the proposal")
    label = metric_labels(proposal.lab).get(proposal.objective, proposal.objective)
    return Grid(f"each kind of decision alone and together: {label}", heads, rows, "95 % intervals, each by itself")


def _gains(proposal: Proposal) -> Grid:
    if proposal.gains is None:
        return Grid("", (), ())
    named = [(f"{gain.who}{MOVED[gain.moved]}", gain) for gain in proposal.gains.by_type]
    named += [(gain.who, gain) for gain in proposal.gains.by_hour]
    rows = [(name, f"{gain.patients:.1f}", f"{gain.today:.1f}", cell(gain.change, sign="+")) for name, gain in named]
    heads = ("patients", "a day", "wait as it is (min)", "change (min)")
    caption = "hours are those of today's appointments; 95 % intervals, each by itself"
    return Grid("who gains and who loses", heads, rows, caption)


def _labels(proposal: Proposal, names: Sequence[str]) -> list[str]:
    labels = metric_labels(proposal.lab)
    return [labels.get(name, name) for name in names]


def _effects(effects: dict[str, Estimate], names: Sequence[str]) -> list[str]:
    return [cell(effects[name], sign="+") for name in names]

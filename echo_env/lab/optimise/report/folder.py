"""A proposal as a folder: report, figures, all numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from matplotlib.figure import Figure

from echo_env.common.figures import write_figure
from echo_env.common.files import written_whole
from echo_env.common.tables import grid_lines
from echo_env.lab.optimise.proposal import Proposal
from echo_env.lab.optimise.report import plots
from echo_env.lab.optimise.report.tables import grids
from echo_env.lab.optimise.report.words import as_json, step_sentence, verdict

REPORT, NUMBERS, LAB = "report.md", "proposal.json", "better.yaml"
FIGURES = {
    "front": "What each number of changes is worth.",
    "books": "The appointment book as it is, and as proposed.",
    "waits_by_hour": "How long patients wait who arrive in each hour.",
    "who_gains": "Who waits less and who waits longer.",
}
"""Name of each figure -> what it shows."""


def file_names() -> list[str]:
    """All files that a report may have."""
    return [REPORT, NUMBERS, LAB, *(f"{name}.{ending}" for name in FIGURES for ending in ("png", "pdf"))]


def write_report(folder: Path, proposal: Proposal, command: str, better: str | None) -> None:
    """Write the report and its files into a folder.

    :param folder: the folder to fill
    :param proposal: the proposal
    :param command: command to record
    :param better: text of the lab file with the proposed changes; None where nothing is recommended
    """
    figures = _figures(proposal)
    for name, figure in figures.items():
        write_figure(figure, folder, name)
    if better is not None:
        with written_whole(folder / LAB) as file:
            file.write(better)
    with written_whole(folder / NUMBERS) as file:
        json.dump({"command": command, **as_json(proposal)}, file, indent=2, allow_nan=False)
    with written_whole(folder / REPORT) as file:
        file.write("\n".join(markdown(proposal, command, list(figures), better is not None)) + "\n")


def markdown(proposal: Proposal, command: str, figures: Sequence[str], has_lab: bool) -> list[str]:
    """The lines of ``report.md``.

    :param proposal: the proposal
    :param command: command to record
    :param figures: names of those that were drawn
    :param has_lab: whether there is a file of the lab with the proposed changes
    """
    lines = [f"# {proposal.config.name}: what would be best", ""]
    lines += [f"- {sentence}" for sentence in verdict(proposal)]
    lines += ["", f"Made by `{command}`.", ""]
    if has_lab:
        lines += [f"The lab with these changes: [{LAB}]({LAB}).", ""]
    step = proposal.step
    if step is not None:
        lines += ["## What has to be done", "", *(f"1. {change.sentence}" for change in step.changes), ""]
        lines += ["## What each number of changes is worth", ""]
        lines += [f"- {_step(proposal, number)}" for number in range(len(proposal.front))]
        lines += [""]
    for name in figures:
        lines += [f"![{FIGURES[name]}]({name}.png)", ""]
    for grid in grids(proposal):
        lines += grid_lines(grid)
    return lines


def _step(proposal: Proposal, number: int) -> str:
    return step_sentence(proposal.front[number]) + (" **(proposed)**" if number == proposal.chosen else "")


def _figures(proposal: Proposal) -> dict[str, Figure]:
    """Name of the file, without an ending -> figure, of those that there is something to draw for."""
    step, config, choice = proposal.step, proposal.config, proposal.choice
    if step is None:
        return {}
    found = {"front": cast(Figure, plots.front(proposal).figure)}
    old, new = choice.lab(choice.today), choice.lab(step.values)
    if [own.scheduled for own in old.plan.types] != [own.scheduled for own in new.plan.types]:
        found["books"] = cast(Figure, plots.books(config, old, new).figure)
    if proposal.gains is not None:
        found["waits_by_hour"] = cast(Figure, plots.waits_by_hour(config, proposal.gains).figure)
        found["who_gains"] = plots.who_gains(config, proposal.gains)
    return found

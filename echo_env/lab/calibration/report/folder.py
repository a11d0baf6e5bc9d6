"""A calibration as a folder: report, figures, table of visits, log of cells, and all numbers; and on a terminal."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from rich.console import Console

from echo_env.common.files import text_cells, written_whole
from echo_env.common.tables import Grid, grid_lines, new_console, new_table, print_table
from echo_env.lab.calibration.calibration import Calibration
from echo_env.lab.calibration.fitting.book import appointment_times
from echo_env.lab.calibration.fitting.lab_file import lab_sections, provenance
from echo_env.lab.calibration.reading.cells import clock
from echo_env.lab.calibration.report.rows import cell_rows, estimate_rows, tables
from echo_env.lab.calibration.report.words import not_identified, sentences
from echo_env.lab.calibration.validation import results
from echo_env.lab.calibration.visits import MINUTES
from echo_env.lab.plots.style import type_looks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REPORT, NUMBERS, TABLE, CELLS = "report.md", "calibration.json", "patients.csv", "cells.csv"
FIGURES = ("arrival_offsets", "exam_lengths", "exam_lengths_by_type", "appointments")
_MOST_LINES = 12
"""Days in the figure of appointments."""


def file_names() -> set[str]:
    """All files that a report may have."""
    figures = {f"{name}.{ending}" for name in FIGURES for ending in ("png", "pdf")}
    return {REPORT, NUMBERS, TABLE, CELLS, *figures, *results.file_names()}


def write_report(folder: Path, found: Calibration, today: dt.date, command: str) -> None:
    """Write the report and its files into a folder.

    :param folder: the folder to fill
    :param found: the calibration
    :param today: date to record
    :param command: command to record
    """
    from echo_env.common.figures import write_figure

    said = said_of(found, today, command)
    figures = _figures(found)
    for name, figure in figures.items():
        write_figure(figure, folder, name)
    if found.validation is not None:
        results.write_validation(folder, found.validation, said)
    table = found.visits.table.copy()
    for column in MINUTES:
        table[column] = table[column].map(lambda minute: clock(int(minute)), na_action="ignore")
    for name, rows in ((TABLE, table), (CELLS, found.visits.log.to_pandas())):
        with written_whole(folder / name) as file:
            text_cells(rows).to_csv(file, index=False, lineterminator="\n")
    with written_whole(folder / NUMBERS) as file:
        json.dump(numbers(found, said), file, indent=2, allow_nan=False)
    with written_whole(folder / REPORT) as file:
        file.write("\n".join(markdown(found, said, list(figures))) + "\n")


def said_of(found: Calibration, today: dt.date, command: str) -> list[str]:
    """Lines of provenance, with the findings that were accepted.

    :param found: the calibration
    :param today: date to record
    :param command: command to record
    """
    accepted = [f"accepted {finding.check}: {finding.sentence}" for finding in found.findings]
    return [*provenance(found.visits, found.fitted, today, command), *accepted]


def print_summary(found: Calibration, console: Console | None = None) -> None:
    """Print the estimates, the counts of cells by action, and the findings.

    :param found: the calibration
    :param console: console to print to; by default standard output
    """
    console = console or new_console()
    own = estimate_rows(found)
    table = new_table(f"{found.visits.name}: {len(found.visits.table)} visits")
    for number, heading in enumerate(own.heads):
        table.add_column(heading, justify="right" if 0 < number < 4 else "left", max_width=None if number else 40)
    for row in own.rows:
        table.add_row(*row)
    print_table(console, table)
    counts = ", ".join(f"{count} {action}" for action, count in found.visits.log.by_action().items())
    console.print(f"cells: {counts}", highlight=False)
    for sentence in sentences(found):
        console.print(f"- {sentence}", highlight=False, markup=False)


def markdown(found: Calibration, said: Sequence[str], figures: Sequence[str]) -> list[str]:
    """The lines of ``report.md``.

    :param found: the calibration
    :param said: lines of provenance
    :param figures: names of those that were drawn
    """
    name = found.fitted.config.name
    lines = [f"# {name}: a lab fitted to {found.visits.name}", "", *(f"- {line}" for line in said), ""]
    lines += ["## In short", "", *(f"- {sentence}" for sentence in sentences(found)), ""]
    if found.validation is not None:
        lines += [f"How far the lab behaves like the record: [{results.MARKDOWN}]({results.MARKDOWN}).", ""]
    lines += ["## Where each part of the lab is from", "", *(f"- {line}" for line in not_identified(found.fitted)), ""]
    for rows in tables(found):
        lines += _section(rows)
    for figure in figures:
        lines += [f"![{figure.replace('_', ' ')}]({figure}.png)", ""]
    lines += [
        "Intervals: Wilson for shares of patients, otherwise percentiles of the bootstrap. P-values are of a "
        "parametric bootstrap: the distribution is fitted again to each sample drawn from it.", "",
    ]  # fmt: skip
    cells = f"{CELLS} lists each of these cells. Cells that feed the lab are those in the columns it is fitted to."
    return [*lines, *_section(cell_rows(found.visits.log)), cells]


def _section(grid: Grid) -> list[str]:
    return grid_lines(grid) if grid.rows else []


def _figures(found: Calibration) -> dict[str, Figure]:
    """Name of the file, without an ending -> figure, of those that there is something to draw for."""
    from echo_env.lab.calibration.report import plots

    fitted, visits = found.fitted, found.visits
    laws, types = fitted.laws, visits.types
    looks = dict(zip((kind.name for kind in fitted.config.plan.types), type_looks(fitted.config), strict=True))
    minutes = {
        name: visits.table.loc[visits.table["type"] == name, "exam_min"].dropna().to_numpy(dtype=np.int64)
        for name in types
    }
    by_type = {name: laws[f"exam_{name}"].law for name in types if f"exam_{name}" in laws}
    axes = {}
    if "arrival" in laws:
        axes["arrival_offsets"] = plots.fitted_arrivals(laws["arrival"].sample, laws["arrival"].law)
    axes["exam_lengths"] = plots.fitted_exams(laws["exam"].sample, laws["exam"].law)
    if len(types) > 1:
        axes["exam_lengths_by_type"] = plots.fitted_exams_by_type(minutes, by_type, laws["exam"].law, looks)
    books = _books(found)
    if any(len(times) for kinds in books.values() for times in kinds.values()):
        axes["appointments"] = plots.fitted_appointments(books, fitted.config.hours, looks)
    return {name: cast("Figure", ax.figure) for name, ax in axes.items()}


def _books(found: Calibration) -> dict[str, dict[str, Any]]:
    """Day -> exam type -> appointments, and those of the lab last."""
    fitted, visits = found.fitted, found.visits
    leads = {kind.name: kind.check_in_lead_min for kind in fitted.config.plan.types}
    booked = visits.table[visits.table["booked"] == "yes"]
    booked = booked.assign(time=appointment_times(booked, leads)).dropna(subset=["time"])
    days = {
        str(day): {name: own.loc[own["type"] == name, "time"].to_numpy(dtype=np.int64) for name in visits.types}
        for day, own in booked.groupby("day", sort=False)
    }
    books = fitted.weekday_books or {fitted.config.name: fitted.book}
    lab = {
        f"lab {name}": {kind: np.array(book.times.get(kind, ()), dtype=np.int64) for kind in visits.types}
        for name, book in books.items()
    }
    shown = list(days.items())[: max(1, _MOST_LINES - len(lab))]
    return {**dict(shown), **lab}


def numbers(found: Calibration, said: Sequence[str]) -> dict[str, Any]:
    """The content of ``calibration.json``; None for what is not known.

    :param found: the calibration
    :param said: lines of provenance
    """
    fitted = found.fitted
    return {
        "provenance": list(said),
        "sha256": found.visits.sha256,
        "estimates": [{key: _known(value) for key, value in one._asdict().items()} for one in fitted.estimates],
        "no_shows": {"count": fitted.no_show.count, "of": fitted.no_show.of},
        "fits": {
            name: {
                "rows": len(fit.sample), "mean": float(fit.sample.mean()),
                "sd": float(fit.sample.std(ddof=1)) if len(fit.sample) > 1 else None,
                "distance": fit.fit.distance, "p": fit.fit.p,
            }
            for name, fit in fitted.laws.items()
        },
        "types_differ_p": fitted.types_differ_p,
        "accepted": [{"check": own.check, "sentence": own.sentence} for own in found.findings],
        "cells": found.visits.log.counts(),
        "lab": lab_sections(fitted),
        "sources": fitted.sources,
        "validation": None if found.validation is None else results.numbers(found.validation),
        "sentences": sentences(found),
    }  # fmt: skip


def _known(value: Any) -> Any:
    if isinstance(value, float):
        return None if math.isnan(value) else float(value)
    return value

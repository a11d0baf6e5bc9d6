"""A calibration as a folder: report, figures, tidy table, log of cells, and all numbers (needs pandas, matplotlib and
rich)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from echo_env.common.files import text_cells, written_whole
from echo_env.common.tables import new_console, print_table
from echo_env.lab.calibration import findings
from echo_env.lab.calibration.calibration import PAPER, Calibration
from echo_env.lab.calibration.fits import Fit
from echo_env.lab.calibration.lab_file import lab_sections, provenance
from echo_env.lab.calibration.markdown import CELLS, COMPARED, compared_rows, markdown
from echo_env.lab.calibration.reading.cells import clock
from echo_env.lab.calibration.typical_day import KINDS
from echo_env.lab.config import LabConfig

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REPORT, NUMBERS, TABLE = "report.md", "calibration.json", "patients.csv"
FIGURES = ("arrival_offsets", "arrival_distribution", "exam_durations", "exam_durations_by_kind", "appointments")


def file_names() -> set[str]:
    """All files of a report."""
    return {REPORT, NUMBERS, TABLE, CELLS, *(f"{name}.{ending}" for name in FIGURES for ending in ("png", "pdf"))}


def write_report(folder: Path, found: Calibration, today: dt.date, command: str) -> None:
    """Write the report and its files into a folder.

    :param folder: the folder to fill
    :param found: the calibration
    :param today: date to record
    :param command: command to record
    """
    from echo_env.common.figures import write_figure

    said = provenance(found, today, command)
    for name, figure in _figures(found).items():
        write_figure(figure, folder, name)
    table = found.table.copy()
    for column in ("expected", "actual", "scheduled", "vitals_in", "vitals_out", "echo_in", "echo_out"):
        table[column] = table[column].map(lambda minute: clock(int(minute)), na_action="ignore")
    for name, rows in ((TABLE, table), (CELLS, found.log.to_pandas())):
        with written_whole(folder / name) as file:
            text_cells(rows).to_csv(file, index=False, lineterminator="\n")
    with written_whole(folder / NUMBERS) as file:
        json.dump(_numbers(found, said), file, indent=2, allow_nan=False)
    with written_whole(folder / REPORT) as file:
        file.write("\n".join(markdown(found, said)) + "\n")


def print_summary(found: Calibration, console: Console | None = None) -> None:
    """Print the estimates beside the paper's values, the counts of cells by action, and the warnings.

    :param found: the calibration
    :param console: console to print to; by default standard output
    """
    console = console or new_console()
    table = Table(title=f"{found.spreadsheet.name}: {len(found.table)} visits", box=box.SIMPLE_HEAD)
    for number, heading in enumerate(COMPARED):
        table.add_column(heading, justify="left" if number in (0, 4) else "right")
    for row in compared_rows(found):
        table.add_row(*row)
    print_table(console, table)
    counts = ", ".join(f"{count} {action}" for action, count in found.log.by_action().items())
    console.print(f"cells: {counts}", highlight=False)
    for warning in findings.warnings_of(found):
        console.print(f"- {warning}", highlight=False)


def _figures(found: Calibration) -> dict[str, Figure]:
    """Name of the file, without an ending -> figure."""
    from echo_env.lab.calibration import plots

    paper, arrival, exam = LabConfig.load(PAPER), found.arrival, found.exam
    minutes = {
        kind: found.table.loc[found.table["kind"] == kind, "exam_min"].dropna().to_numpy(dtype=np.int64)
        for kind in KINDS
    }
    laws = {kind: fit.law for kind, fit in found.exam_by_kind.items()}
    scheduled = found.table[(found.table["has_echo"] == "yes") & found.table["expected"].notna()]
    days = {
        sheet: {kind: rows.loc[rows["kind"] == kind, "expected"].to_numpy(dtype=np.int64) for kind in KINDS}
        for sheet, rows in scheduled.groupby("sheet", sort=False)
    }
    own = {kind: np.array(found.day.times[kind], dtype=np.int64) for kind in KINDS}
    axes = (
        plots.fitted_arrivals(arrival.sample, arrival.law, paper.arrival),
        plots.fitted_arrivals_cumulative(arrival.sample, arrival.law, paper.arrival),
        plots.fitted_exams(exam.sample, exam.law, paper.exam),
        plots.fitted_exams_by_kind(minutes, laws, exam.law),
        plots.fitted_appointments(days | {f"lab {found.config.name}": own}, found.config.hours),
    )
    return {name: cast("Figure", ax.figure) for name, ax in zip(FIGURES, axes, strict=True)}


def _numbers(found: Calibration, said: Sequence[str]) -> dict[str, Any]:
    """The content of ``calibration.json``."""
    fits: dict[str, Fit[Any]] = {"arrival": found.arrival, "exam": found.exam}
    fits |= {f"exam_{kind}": fit for kind, fit in found.exam_by_kind.items()}
    return {
        "provenance": list(said),
        "sha256": found.spreadsheet.sha256,
        "compared_with_the_paper": findings.numbers(findings.compared(found)),
        "fits": {
            name: {
                "rows": len(fit.sample), "mean": float(fit.sample.mean()), "sd": float(fit.sample.std(ddof=1)),
                "law": {key: getattr(fit.law, key) for key in fit.intervals}, "ci95": fit.intervals,
                "distance": fit.fit.distance, "p": fit.fit.p,
            }
            for name, fit in fits.items()
        },
        "kinds_differ_p": found.kinds_differ_p,
        "paper": {"arrival_p": found.paper_arrival.p, "exam_p": found.paper_exam.p},
        "cells": found.log.counts(),
        "lab": lab_sections(found.config),
        "sources": found.sources,
    }  # fmt: skip

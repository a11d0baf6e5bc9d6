"""A calibration as a folder: report, figures, tidy table, log of cells, and all numbers (needs pandas, matplotlib and
rich)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from echo_env.common.files import files_in, written_whole
from echo_env.common.tables import new_console, print_table
from echo_env.lab.calibration import findings
from echo_env.lab.calibration.calibration import PAPER, Calibration
from echo_env.lab.calibration.cell_log import RULES
from echo_env.lab.calibration.cells import clock
from echo_env.lab.calibration.fits import Fit
from echo_env.lab.calibration.lab_file import lab_sections, provenance
from echo_env.lab.calibration.rows import MINUTES
from echo_env.lab.calibration.typical_day import KINDS
from echo_env.lab.config import LabConfig

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

REPORT, NUMBERS, TABLE, CELLS = "report.md", "calibration.json", "patients.csv", "cells.csv"
FIGURES = ("arrival_offsets", "arrival_distribution", "exam_durations", "exam_durations_by_kind", "appointments")


def own_files(folder: Path) -> set[str]:
    """Files of an earlier report, which may be replaced; none if the folder holds no report.

    :param folder: the folder of the report
    """
    own = {REPORT, NUMBERS, TABLE, CELLS, *(f"{name}.{ending}" for name in FIGURES for ending in ("png", "pdf"))}
    return own & files_in(folder) if (folder / NUMBERS).is_file() else set()


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
    for column in MINUTES:
        table[column] = table[column].map(lambda minute: clock(int(minute)), na_action="ignore")
    for name, rows in ((TABLE, table), (CELLS, found.log.to_pandas())):
        with written_whole(folder / name) as file:
            rows.to_csv(file, index=False, lineterminator="\n")
    with written_whole(folder / NUMBERS) as file:
        json.dump(_numbers(found, said), file, indent=2, allow_nan=False)
    with written_whole(folder / REPORT) as file:
        file.write("\n".join(_markdown(found, said)) + "\n")


def print_summary(found: Calibration, console: Console | None = None) -> None:
    """Print the estimates beside the paper's values, the counts of cells by action, and the warnings.

    :param found: the calibration
    :param console: console to print to; by default standard output
    """
    console = console or new_console()
    table = Table(title=f"{found.spreadsheet.name}: {len(found.table)} visits", box=box.SIMPLE_HEAD)
    for number, heading in enumerate(_COMPARED):
        table.add_column(heading, justify="left" if number in (0, 4) else "right")
    for row in _compared_rows(found):
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


_COMPARED = ("", "sheets", "95 % interval", "paper", "agree")


def _compared_rows(found: Calibration) -> list[tuple[str, ...]]:
    """The rows under :data:`_COMPARED`."""
    return [
        (
            row.name, f"{row.seen:.4g}", "" if np.isnan(row.low) else f"{row.low:.4g} to {row.high:.4g}",
            f"{row.paper:.4g}", "yes" if row.agrees else "no",
        )
        for row in findings.compared(found)
    ]  # fmt: skip


def _markdown(found: Calibration, said: Sequence[str]) -> list[str]:
    """The lines of ``report.md``."""
    return [
        f"# {found.config.name}: a lab fitted to {found.spreadsheet.name}", "",
        *(f"- {line}" for line in said), "",
        "## In short", "",
        *(f"- {sentence}" for sentence in findings.findings(found)), "",
        "## Estimates beside the paper's values", "",
        *_rows(_COMPARED, _compared_rows(found)),
        "Intervals: Wilson for proportions of patients, otherwise bootstrap percentiles. P-values are parametric "
        "bootstrap: the distribution is re-estimated on each sample drawn from it. Times on the sheets are whole "
        "minutes, and arrival distributions are fitted with the simulator's rounding. A value agrees if the interval "
        "contains the paper's value or, for bounds, if no observation exceeds the paper's bound.", "",
        *_picture("arrival_offsets"), *_picture("arrival_distribution"),
        *_arrival_section(found),
        *_picture("exam_durations"), *_picture("exam_durations_by_kind"),
        *_exam_section(found),
        *_day_section(found),
        "## Cells", "",
        f"{CELLS} lists each of these cells. Cells that feed the lab are those in the columns it is fitted to.", "",
        *_rows(("rule", "action", "cells", "feed the lab", "example", "meaning"), _cell_rows(found)),
    ]  # fmt: skip


def _arrival_section(found: Calibration) -> list[str]:
    other = [
        (name, str(rows), f"{law.late_share:.3f}", f"{law.late_mean_min:.1f}", f"{law.early_mean_min:.1f}")
        for name, (rows, law) in findings.arrival_sensitivity(found).items()
    ]
    absent = [
        (name, str(due), str(missing), "" if not due else f"{share:.3f}", "" if not due else f"{low:.3f} to {high:.3f}")
        for name, due, missing, share, low, high in findings.no_shows(found).itertuples(index=False)
    ]
    offsets = found.arrival.sample
    means = [f"{side.mean():.1f}" if len(side) else "-" for side in (offsets[offsets > 0], -offsets[offsets <= 0])]
    law, (low, high) = found.arrival.law, found.arrival.intervals["early_max_min"]
    return [
        "## Arrival", "",
        f"On average, patients on the late side came {means[0]} minutes after their expected check-in and the others "
        f"{means[1]} minutes before it. Leads are truncated at {law.early_max_min:g} minutes, as in "
        f"{found.choices.base} or at the next multiple of ten above the largest observation (95 % bootstrap interval: "
        f"{low:g} to {high:g}).",
        "",
        "Sensitivity to the treatment of doubtful rows:", "",
        *_rows(("check-ins", "rows", "late side", "mean delay (min)", "mean lead (min)"), other),
        "No-shows among patients with a scheduled echo:", "",
        *_rows(("", "scheduled", "no-shows", "share", "95 % interval"), absent),
    ]  # fmt: skip


def _exam_section(found: Calibration) -> list[str]:
    rows = [
        (
            name, str(len(fit.sample)), f"{fit.sample.mean():.1f}", f"{fit.sample.std(ddof=1):.1f}",
            *(f"{getattr(fit.law, key):.2f} ({low:.2f} to {high:.2f})" for key, (low, high) in fit.intervals.items()),
            f"{fit.law.shortest_min:g} to {fit.law.longest_min:g}", f"{fit.fit.p:.3f}",
        )
        for name, fit in (("all", found.exam), *found.exam_by_kind.items())
    ]  # fmt: skip
    heads = ("exams", "rows", "mean (min)", "sd (min)", "gamma shape", "mean before truncation", "truncated to", "p")
    return ["## Exams", "", *_rows(heads, rows)]


def _day_section(found: Calibration) -> list[str]:
    day = found.day
    counts = [
        (name, *(str(kinds[kind]) for kind in KINDS), "yes" if name in day.used else "no")
        for name, kinds in day.counts.items()
    ]
    counts.append((f"lab {found.config.name}", *(str(len(day.times[kind])) for kind in KINDS), ""))
    rooms = [tuple(map(str, row)) for row in findings.rooms_used(found).itertuples(index=False)]
    staff = ", ".join(f"{sheet} {count}" for sheet, count in findings.staff_used(found).items())
    return [
        "## Appointments and resources", "",
        *_rows(("scheduled echoes", *KINDS, "used"), counts),
        *_picture("appointments"),
        *(f"- {name}: {source}" for name, source in found.sources.items()), "",
        "Exams with start and end, by room:", "",
        *_rows(("room", *KINDS), rooms),
        f"Sonographers named at exams: {staff}.", "",
        *(f"- {warning}" for warning in findings.warnings_of(found)), "",
    ]  # fmt: skip


def _cell_rows(found: Calibration) -> Iterable[tuple[str, ...]]:
    """One row for each rule that was applied, with an example."""
    cells: pd.DataFrame = found.log.to_pandas()
    for rule, count in found.log.counts().items():
        one = found.log.example(rule)
        feeding = int(cells.loc[cells["rule"] == rule, "feeds_the_lab"].sum())
        becomes = f" -> {one.becomes}" if one.becomes else ""
        example = f"{one.sheet}!{one.cell}: '{one.found}'{becomes}" if one.cell else f"'{one.found}'{becomes}"
        yield rule, RULES[rule].action, str(count), str(feeding), example, RULES[rule].sentence


def _picture(name: str) -> list[str]:
    return [f"![{name.replace('_', ' ')}]({name}.png)", ""]


def _rows(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table in Markdown."""
    each = [headings, ["---"] * len(headings), *rows]
    return [*("| " + " | ".join(" ".join(c.split()).replace("|", "\\|") for c in row) + " |" for row in each), ""]

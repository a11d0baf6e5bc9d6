"""The report of a calibration as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from echo_env.lab.calibration import findings
from echo_env.lab.calibration.calibration import Calibration
from echo_env.lab.calibration.cell_log import RULES
from echo_env.lab.calibration.typical_day import KINDS

if TYPE_CHECKING:
    import pandas as pd

COMPARED = ("", "sheets", "95 % interval", "paper", "agree")
"""Headings of the comparison with the paper."""
CELLS = "cells.csv"


def compared_rows(found: Calibration) -> list[tuple[str, ...]]:
    """The rows under :data:`COMPARED`."""
    return [
        (
            row.name, f"{row.seen:.4g}", "" if np.isnan(row.low) else f"{row.low:.4g} to {row.high:.4g}",
            f"{row.paper:.4g}", "yes" if row.agrees else "no",
        )
        for row in findings.compared(found)
    ]  # fmt: skip


def markdown(found: Calibration, said: Sequence[str]) -> list[str]:
    """The lines of ``report.md``.

    :param found: the calibration
    :param said: lines of provenance
    """
    return [
        f"# {found.config.name}: a lab fitted to {found.spreadsheet.name}", "",
        *(f"- {line}" for line in said), "",
        "## In short", "",
        *(f"- {sentence}" for sentence in findings.findings(found)), "",
        "## Estimates beside the paper's values", "",
        *_rows(COMPARED, compared_rows(found)),
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

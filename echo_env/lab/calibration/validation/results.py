"""A validation on a terminal, as numbers and as files (needs rich)."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from echo_env.common.files import written_whole
from echo_env.common.stats import Estimate
from echo_env.common.tables import Grid, grid_lines, new_console, print_grid
from echo_env.lab.calibration.validation.agreement import Agreement
from echo_env.lab.calibration.validation.exams import words_of
from echo_env.lab.calibration.validation.levers import Levers
from echo_env.lab.calibration.validation.predictive import Check
from echo_env.lab.calibration.validation.verdict import value_text

if TYPE_CHECKING:
    from echo_env.lab.calibration.validation.validation import Validation

MARKDOWN, JSON, REPLAY = "validation.md", "validation.json", "replay.csv"
FIGURES = ("exams_by_time", "waits_by_hour", "replay")
"""Figures, each a PNG and a PDF."""


def file_names() -> list[str]:
    """Names of the files of a report."""
    return [MARKDOWN, JSON, REPLAY, *(f"{name}.{ending}" for name in FIGURES for ending in ("png", "pdf"))]


def grids(found: Validation) -> list[Grid]:
    """All tables.

    :param found: the validation
    """
    tables = [_replays(found), _checks(found)]
    if found.left_out:
        tables.append(_left_out(found))
    tables.append(_levers(f"what shortens waits, minutes, in {found.lab}", found.levers))
    if found.plain_levers is not None:
        title = "the same without check-in lead, preparation and waiting for the appointment"
        tables.append(_levers(title, found.plain_levers))
    return tables


def print_validation(found: Validation, console: Console | None = None) -> None:
    """Print the tables, then the verdict.

    :param found: the validation
    :param console: where; by default standard output
    """
    console = console or new_console()
    for grid in grids(found):
        print_grid(console, grid)
    for sentence in found.sentences:
        console.print(f"- {sentence}", highlight=False, markup=False)


def write_validation(folder: Path, found: Validation, said: Sequence[str] = ()) -> None:
    """Write the files of :func:`file_names`.

    :param folder: an existing folder
    :param found: the validation
    :param said: lines of provenance
    """
    from echo_env.common.figures import write_figure
    from echo_env.lab.calibration.validation import plots

    axes = (plots.exams_by_time(found), plots.waits_by_hour(found), plots.replay_scatter(found))
    for name, ax in zip(FIGURES, axes, strict=True):
        figure = ax.get_figure(root=True)
        assert figure is not None
        write_figure(figure, folder, name)
    with written_whole(folder / REPLAY) as file:
        found.replayed.to_csv(file, index=False, lineterminator="\n")
    with written_whole(folder / JSON) as file:
        json.dump({"provenance": list(said), **numbers(found)}, file, indent=2, allow_nan=False)
    with written_whole(folder / MARKDOWN) as file:
        file.write("\n".join(markdown(found, said)) + "\n")


def markdown(found: Validation, said: Sequence[str] = ()) -> list[str]:
    """The lines of ``validation.md``.

    :param found: the validation
    :param said: lines of provenance
    """
    lines = [f"# {found.lab} against {found.record}", "", *(f"- {line}" for line in said), "", "## Verdict", ""]
    lines += [*(f"- {sentence}" for sentence in found.sentences), ""]
    for grid in grids(found):
        lines += grid_lines(grid)
    return lines + [f"![{name.replace('_', ' ')}]({name}.png)" for name in FIGURES]


def numbers(found: Validation) -> dict[str, Any]:
    """Everything as nested dicts, for JSON; None for what is not known.

    :param found: the validation
    """
    return {
        "lab": found.lab,
        "record": found.record,
        "days": found.days,
        "seed": found.seed,
        "accepted": found.accepted,
        "rule": found.rule,
        "verdict": [answer._asdict() for answer in found.verdict],
        "sentences": list(found.sentences),
        "after_vitals_min": found.after_vitals_min,
        "replay": {
            fit.rule: {"all": _agreement(fit.every), **{name: _agreement(own) for name, own in fit.by_type.items()}}
            for fit in found.fits
        },
        "unexplained": {
            **found.unexplained.missing._asdict(),
            "error_min": found.unexplained.error,
            "error_with_min": found.unexplained.error_with,
        },
        "checks": {
            check.number.name: {
                "unit": check.number.unit,
                "recorded": _estimate(check.recorded),
                "simulated": _estimate(check.simulated),
                "such_days": [_known(check.low), _known(check.high)],
                "p": _known(check.p),
            }
            for check in found.checks
        },
        "left_out": [{**day._asdict(), "inside": day.inside} for day in found.left_out],
        "levers": _of_levers(found.levers),
        "levers_without_flow": None if found.plain_levers is None else _of_levers(found.plain_levers),
    }


def _replays(found: Validation) -> Grid:
    rows, alike = [], []
    for fit in found.fits:
        if fit.every == found.fits[0].every and fit is not found.fits[0]:
            alike.append(fit.rule)
            continue
        parts = {"all": fit.every, **(fit.by_type if len(fit.by_type) > 1 else {})}
        rows += [(f"{fit.rule}, {words_of(name)}", *_replay_cells(own)) for name, own in parts.items()]
    heads = ("recorded days played again", "exams", "wait seen", "simulated", "begins differ by", "correlation")
    caption = "minutes from check-in, or expected check-in if later; begins: mean absolute difference"
    if alike:
        caption += f"; the same under {', '.join(alike)}"
    return Grid(f"{found.lab} against {found.record}", heads, rows, caption)


def _replay_cells(own: Agreement) -> tuple[str, ...]:
    correlation = "-" if math.isnan(own.correlation) else f"{own.correlation:+.2f}"
    return str(own.n), f"{own.seen_wait:.1f}", f"{own.simulated_wait:.1f}", f"{own.error:.1f}", correlation


def _checks(found: Validation) -> Grid:
    heads = ("a day", "recorded", "simulated", "as many such days", "p")
    caption = (
        "as many simulated days as were recorded have 95 % of their means there; p: two-sided posterior predictive"
    )
    return Grid("recorded days against simulated ones", heads, [_check_cells(own) for own in found.checks], caption)


def _check_cells(check: Check) -> tuple[str, ...]:
    unit = check.number.unit
    head = check.number.words, _interval(check.recorded, unit), value_text(unit, check.simulated.mean)
    if math.isnan(check.p):
        return (*head, "-", "-")
    return (*head, f"{value_text(unit, check.low)} to {value_text(unit, check.high)}", f"{check.p:.2f}")


def _left_out(found: Validation) -> Grid:
    rows = [
        (
            day.day, str(day.n), f"{day.seen_wait:.1f}", f"{day.replayed_wait:.1f}", f"{day.error:.1f}",
            f"{day.low:.1f} to {day.high:.1f}", "yes" if day.inside else "no",
        )
        for day in found.left_out
    ]  # fmt: skip
    heads = ("day left out", "exams", "wait seen", "played again", "begins differ by", "days expected", "inside")
    return Grid("each day against the lab fitted without it", heads, rows, "minutes")


def _levers(title: str, found: Levers) -> Grid:
    rows = [("as it is", _interval(found.wait, "minutes"))]
    rows += [(own.words, _signed(own.difference)) for own in found.changes]
    caption = "mean wait from check-in and paired differences on the same simulated days, with 95 % intervals"
    return Grid(title, ("change", "wait"), rows, caption)


def _interval(value: Estimate, unit: str) -> str:
    mean = value_text(unit, value.mean)
    if math.isnan(value.low) or math.isnan(value.mean):
        return mean
    return f"{mean} ({value_text(unit, value.low)} to {value_text(unit, value.high)})"


def _signed(value: Estimate) -> str:
    return f"{value.mean:+.1f} ± {value.half_width:.1f}"


def _agreement(own: Agreement) -> dict[str, Any]:
    return {**own._asdict(), "difference": _estimate(own.difference), "correlation": _known(own.correlation)}


def _of_levers(found: Levers) -> dict[str, Any]:
    return {
        "wait_min": _estimate(found.wait),
        "changes": [{**own._asdict(), "difference": _estimate(own.difference)} for own in found.changes],
    }


def _estimate(value: Estimate) -> dict[str, Any]:
    return {**value.as_json(), "n": value.n}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value

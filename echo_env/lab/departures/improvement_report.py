"""What one step of lookahead gains over a policy, in sentences and a table (needs rich), and as a file."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from echo_env.common.files import written_whole
from echo_env.common.stats import Estimate, student_quantile
from echo_env.lab.departures import words

if TYPE_CHECKING:
    from rich.console import Console

    from echo_env.lab.departures.improvement import Improvement

IMPROVEMENT = "improvement.csv"
COLUMNS = ("policy", "day", "time", "waiting", "free", "policy_begins", "lookahead_begins", "saved", "standard_error")
"""Columns of ``improvement.csv``: a row for each decision in which lookahead departs."""
ROWS = 10
"""Departures shown: those that promise most."""
CAPTION = (
    "The departures that promised most when they were chosen; points saved by the end of the day, mean ± half-width "
    "of the 95 % interval, on other redraws of what was to come."
)


def check_lookahead_possible() -> None:
    """Check that the compiled engine is available.

    :raises ValueError: numba is missing
    """
    if importlib.util.find_spec("numba") is None:
        raise ValueError(
            "an improvement is found on the compiled engine, but numba is missing: pip install 'echo-lab-rl[fast]'"
        )


def describe(found: Improvement) -> list[str]:
    """What lookahead gains a day, and how often it departs, in plain sentences.

    :param found: the improvement
    """
    from echo_env.common.tables import cell

    days, gain = len(found.gain), found.per_day()
    clear = "" if gain.excludes_zero else ", not clearly different from 0"
    choices = int(found.choices.sum())
    if not len(found.day):
        return [f"Over {days:,} days lookahead never departs from {found.base} in {choices:,} decisions with a choice."]
    share = len(found.day) / choices
    return [
        f"Over {days:,} days of the lab {found.config.name!r} one step of lookahead gains {cell(gain, '+')} points a "
        f"day over {found.base}{clear}.",
        f"It departs in {100 * share:.2g} % of the {choices:,} decisions with a choice, {len(found.day) / days:.2g} "
        f"times a day; a departure saves {found.saved.mean():+.1f} points on average.",
    ]


def rows_of(found: Improvement) -> list[tuple[str, int, str, str, str, str, str, float, float]]:
    """A row for each departure, columns as in :data:`COLUMNS`, in the order of days and minutes.

    :param found: the improvement
    """
    config = found.config

    def begun(counts: Sequence[int]) -> str:
        return words.waiting_in_words(config, counts) or "nobody"

    return [
        (
            found.base,
            int(found.day[k]),
            config.hours.clock(int(found.minute[k])),
            words.waiting_in_words(config, found.waiting[k].tolist()),
            words.free_in_words(config, found.free[k].tolist()),
            begun(found.usual[k].tolist()),
            begun(found.better[k].tolist()),
            float(found.saved[k]),
            float(found.error[k]),
        )
        for k in np.lexsort((found.minute, found.day))
    ]


def print_improvement(found: Improvement, console: Console | None = None) -> None:
    """Print the sentences, and the departures that promised most.

    Sorted by what was promised, not by what was judged, so that what is shown as saved is not too large.

    :param found: the improvement
    :param console: where; by default standard output
    """
    from rich.markup import escape

    from echo_env.common.tables import cell, new_console, new_table, print_table

    console = console or new_console()
    console.print(f"\n[bold]{escape(f'What lookahead gains over {found.base}')}[/bold]")
    for sentence in describe(found):
        console.print(f"- {escape(sentence)}", highlight=False)
    if not len(found.day):
        return
    most = np.argsort(-found.promised, kind="stable")[:ROWS]
    part = found._replace(**{name: getattr(found, name)[most] for name in found._fields[5:]})
    table = new_table("Decisions with the largest promise", CAPTION)
    for heading in ("when", "waiting", f"{found.base} begins", "lookahead begins", "saved"):
        table.add_column(escape(heading), justify="right" if heading == "saved" else "left", no_wrap=heading == "when")
    half = float(student_quantile(max(found.samples - 1, 1)))
    for _, day, time, waiting, _, usual, better, saved, error in rows_of(part):
        shown = cell(Estimate(saved, saved - half * error, saved + half * error, found.samples), "+")
        table.add_row(*map(escape, (f"day {day}, {time}", waiting, usual, better, shown)))
    print_table(console, table)


def write_improvements(folder: Path, every: Sequence[Improvement]) -> None:
    """Write ``improvement.csv``, see :data:`COLUMNS`.

    :param folder: where
    :param every: the improvement over one policy or several
    """
    with written_whole(folder / IMPROVEMENT) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for found in every:
            writer.writerows(rows_of(found))

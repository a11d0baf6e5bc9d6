"""Departures of one policy from another, in sentences and tables (needs pandas and rich)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from echo_env.common.files import text_cells, written_whole
from echo_env.common.stats import Estimate
from echo_env.common.tables import cell, new_console, new_table, print_table

if TYPE_CHECKING:
    import pandas as pd

    from echo_env.lab.departures.departures import Departures

CSV, MARKDOWN = "departures.csv", "departures.md"

CAPTION = (
    "Points saved by the end of the day, compared with the other policy's decision at that moment alone: "
    "mean ± half-width of the 95 % interval."
)

KINDS_NAMED = 2
"""Kinds of departures that :func:`describe` names; the table has the others."""
ROWS = 12
"""Rows shown of a table."""


def describe(found: Departures) -> list[str]:
    """How often, what instead, what it saves, and when, in plain sentences.

    :param found: the departures
    """
    own, other, choices, rows = found.followed, found.other, len(found.decisions), found.departures
    over = f"Over {found.days:,} days of the lab {found.lab!r} (seed {found.seed})"
    if not choices:
        return [f"{over} {own} never has a choice."]
    if not len(rows):
        return [f"{over} {own} never departs from {other}: they agree in all {choices:,} decisions with a choice."]
    hours = found.by_hour()
    peak = hours.loc[hours["departures"].idxmax()]
    return [
        f"{over} {own} departs from {other} in {_percent(len(rows) / choices)} of the {choices:,} decisions with a "
        f"choice, {cell(found.per_day())} times a day.",
        f"Its days cost {_compared(found.whole_day(), other)}: {found.penalty.mean():,.1f} against "
        f"{found.other_penalty.mean():,.1f}.",
        f"A departure {_saves(found.saved())} by the end of the day; {_percent((rows['saved'] > 0).mean())} of them "
        f"save points, {_percent((rows['saved'] < 0).mean())} cost some.",
        *_kinds(found),
        f"The hour with most departures ({_percent(peak['share'])}) begins at {peak['hour']}.",
    ]


def _kinds(found: Departures) -> list[str]:
    """The most frequent kinds of departures, and what each saves."""
    sentences = []
    for number, kind in enumerate(found.by_kind().head(KINDS_NAMED).itertuples()):
        saved = Estimate(kind.saved, kind.saved_low, kind.saved_high, kind.departures)
        sentences.append(
            f"{'Also' if number else 'Most often'} ({_percent(kind.share)}) it {kind.kind}, which {_saves(saved)}."
        )
    return sentences


def _percent(share: float) -> str:
    """Two significant digits below 10 %: ``12 %``, ``0.42 %``."""
    return f"{100 * share:.0f} %" if share == 0 or share >= 0.1 else f"{100 * share:.2g} %"


def _saves(value: Estimate) -> str:
    if not value.excludes_zero:
        return f"saves {cell(value, '+')} points, not clearly different from 0"
    return f"{'saves' if value.mean > 0 else 'costs'} {cell(_positive(value))} points"


def _compared(value: Estimate, other: str) -> str:
    if not value.excludes_zero:
        return f"about the same as those of {other} ({cell(value, '+')} points less)"
    return f"{cell(_positive(value))} points {'less' if value.mean > 0 else 'more'} than those of {other}"


def _positive(value: Estimate) -> Estimate:
    return value if value.mean >= 0 else Estimate(-value.mean, -value.high, -value.low, value.n)


def shown_tables(found: Departures) -> dict[str, pd.DataFrame]:
    """Title -> table of text: by kind, by hour and by situation; the most frequent :data:`ROWS` rows.

    :param found: the departures
    """
    tables = {
        "Kinds of departures": found.by_kind().head(ROWS),
        "Hours of the day": found.by_hour(),
        "Situations": found.by_situation().head(ROWS),
    }
    return {title: _as_text(table) for title, table in tables.items()}


def _as_text(table: pd.DataFrame) -> pd.DataFrame:
    shown: dict[str, Any] = {name: table[name] for name in ("kind", "hour", "waiting", "free") if name in table}
    shown |= {name: table[name].map("{:,.0f}".format) for name in ("choices", "departures") if name in table}
    for name, heading in (("departs", "of choices"), ("share", "of departures")):
        if name in table:
            shown[heading] = table[name].map(_percent)
    each = zip(table["saved"], table["saved_low"], table["saved_high"], strict=True)
    shown["saved each"] = [cell(Estimate(mean, low, high, 0), "+") for mean, low, high in each]
    shown["saved a day"] = table["saved_per_day"].map("{:+,.1f}".format)
    return type(table)(shown)


def print_departures(found: Departures, console: Console | None = None) -> None:
    """Print the sentences, and the table of kinds.

    :param found: the departures
    :param console: where; by default standard output
    """
    console = console or new_console()
    console.print(f"\n[bold]{escape(_title(found))}[/bold]")
    for sentence in describe(found):
        console.print(f"- {escape(sentence)}", highlight=False)
    title, kinds = next(iter(shown_tables(found).items()))
    if len(kinds):
        table = new_table(title, CAPTION)
        for name in kinds:
            table.add_column(name, justify="left" if name == "kind" else "right", no_wrap=name != "kind")
        for row in kinds.itertuples(index=False):
            table.add_row(*map(escape, row))
        print_table(console, table)


def write_departures(folder: str | Path, every: Sequence[Departures]) -> None:
    """Write ``departures.md``, sentences and tables, and ``departures.csv``, a row for each departure.

    The columns of the latter are ``policy``, ``reference``, and those of
    :attr:`~echo_env.lab.departures.departures.Departures.decisions`.

    :param folder: where
    :param every: the departures of one policy or several
    """
    import pandas as pd

    with written_whole(Path(folder) / MARKDOWN) as file:
        file.write("\n".join(map(_to_markdown, every)))
    tables = [found.departures.assign(policy=found.followed, reference=found.other) for found in every]
    table = pd.concat(tables).drop(columns="departs")
    columns = ["policy", "reference", *(name for name in table if name not in ("policy", "reference"))]
    with written_whole(Path(folder) / CSV) as file:
        text_cells(table[columns]).to_csv(file, index=False, lineterminator="\n")


def _to_markdown(found: Departures) -> str:
    parts = [f"# {_title(found)}", "\n".join(f"- {sentence}" for sentence in describe(found))]
    for title, table in shown_tables(found).items():
        if len(table):
            lines = [table.columns, ["---"] * len(table.columns), *table.itertuples(index=False)]
            parts += [f"## {title}", "\n".join(f"| {' | '.join(line)} |" for line in lines)]
    return "\n\n".join([*parts, f"{CAPTION}\n"])


def _title(found: Departures) -> str:
    return f"Where {found.followed} departs from {found.other}"

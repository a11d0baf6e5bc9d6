"""Departures of one policy from another in words and tables (needs pandas and rich)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from echo_env.common.files import written_whole
from echo_env.common.stats import Estimate
from echo_env.common.tables import cell, new_console, print_table

if TYPE_CHECKING:
    import pandas as pd

    from echo_env.lab.departures.departures import Departures

CSV, MARKDOWN = "departures.csv", "departures.md"

CAPTION = (
    "Points saved by the end of the day, against doing there as the other policy would and then going on as before: "
    "mean ± half of the 95 % interval."
)

KINDS_NAMED = 3
"""Kinds of departures that :func:`describe` tells about."""
ROWS = 12
"""Rows of a table that are shown."""
COMMON = 0.05
"""Hours with a smaller part of the choices are not compared with others: by chance they would come out on top."""


def describe(found: Departures) -> list[str]:
    """What a head of department would want to know, in plain sentences.

    :param found: the departures
    """
    own, other, choices, count = found.followed, found.other, len(found.decisions), len(found.departures)
    over = f"Over {found.days:,} days of the lab {found.lab!r} (seed {found.seed})"
    if not choices:
        return [f"{over} {own} never has a choice."]
    if not count:
        return [f"{over} {own} never departs from {other}: they agree in all {choices:,} decisions with a choice."]
    on_days = found.departures["day"].nunique() / found.days
    return [
        f"{over} {own} departs from {other} in {_percent(count / choices)} of the {choices:,} decisions in which "
        f"there is a choice: {cell(found.per_day())} times a day, on {_percent(on_days)} of the days at least once.",
        f"On the whole it {_pays(found.whole_day())} a day {_than(found.whole_day(), other)}: "
        f"{found.penalty.mean():,.1f} against {found.other_penalty.mean():,.1f}.",
        *_savings(found),
        *_when_and_where(found),
    ]


def _savings(found: Departures) -> list[str]:
    """What the departures save, all of them and by kind."""
    rows, kinds = found.departures, found.by_kind()
    sentences = [
        f"A single departure {_saves(found.saved())} by the end of the day, against doing there as {found.other} would "
        f"and then going on as {found.followed} does; {_percent((rows['saved'] > 0).mean())} of them save points, "
        f"{_percent((rows['saved'] < 0).mean())} cost some."
    ]
    for number, kind in enumerate(kinds.head(KINDS_NAMED).itertuples()):
        saved = Estimate(kind.saved, kind.saved_low, kind.saved_high, kind.departures)
        begin = "Most often" if number == 0 else "Also"
        sentences.append(
            f"{begin} ({_percent(kind.share)} of its departures, {kind.per_day:,.2f} a day) it {kind.kind}; "
            f"each time that {_saves(saved)}."
        )
    costly = kinds[kinds["saved_high"] < 0]
    if len(costly):
        worst = costly.loc[costly["saved_per_day"].idxmin()]
        sentences.append(f"What costs most is where it {worst['kind']}: {-worst['saved_per_day']:,.1f} points a day.")
    else:
        sentences.append("There is no kind of departure that, on these days, clearly costs points.")
    return sentences


def _when_and_where(found: Departures) -> list[str]:
    """At which time of day, who waits then, and what is free."""
    rows, hours, situations = found.departures, found.by_hour(), found.by_situation()
    peak = hours.loc[hours["departures"].idxmax()]
    keenest = hours.loc[hours["departs"].where(hours["choices"] >= COMMON * len(found.decisions)).idxmax()]
    early, late = (rows.sort_values("minute")["time"].iloc[int(part * (len(rows) - 1))] for part in (0.25, 0.75))
    kinds = {"fetal": slice(0, 3), "non-fetal": slice(3, 6)}
    waiting = [column for column in found.decisions if column.startswith("waiting_")]
    then, always = (
        " and ".join(f"{table[waiting[part]].sum(axis=1).mean():.1f} {kind}" for kind, part in kinds.items())
        for table in (rows, found.decisions)
    )
    top = situations.iloc[0]
    return [
        f"Most departures ({_percent(peak['share'])}) fall into the hour from {peak['hour']}, and half of them between "
        f"{early} and {late}; where it has a choice it departs most readily in the hour from {keenest['hour']} "
        f"({_percent(keenest['departs'])} of its choices).",
        f"When it departs, {then} patients wait on average; at all decisions with a choice, {always}.",
        f"The most frequent situation ({_percent(top['share'])} of its departures): waiting are {top['waiting']}; free "
        f"are {top['free']}; there it departs in {_percent(top['departs'])} of its choices.",
    ]


def _percent(share: float) -> str:
    """Two digits count where there are few: ``12 %``, ``0.42 %``."""
    return f"{100 * share:.0f} %" if share == 0 or share >= 0.1 else f"{100 * share:.2g} %"


def _clear(value: Estimate) -> bool:
    """Whether the interval leaves out 0."""
    return value.low > 0 or value.high < 0


def _saves(value: Estimate) -> str:
    if not _clear(value):
        return f"neither saves nor costs anything that these days could show ({cell(value, '+')} points saved)"
    return f"{'saves' if value.mean > 0 else 'costs'} {cell(_positive(value))} points"


def _pays(value: Estimate) -> str:
    if not _clear(value):
        return f"pays much the same ({cell(value, '+')} penalty points saved)"
    return f"pays {cell(_positive(value))} penalty points {'less' if value.mean > 0 else 'more'}"


def _than(value: Estimate, other: str) -> str:
    return f"{'than' if _clear(value) else 'as'} {other}"


def _positive(value: Estimate) -> Estimate:
    return value if value.mean >= 0 else Estimate(-value.mean, -value.high, -value.low, value.n)


def shown_tables(found: Departures) -> dict[str, pd.DataFrame]:
    """Title -> table, all text: by kind, by hour and by situation; the most frequent :data:`ROWS`.

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
        table = Table(title=title, box=box.SIMPLE_HEAD, title_style="bold", title_justify="left")
        for name in kinds:
            table.add_column(name, justify="left" if name == "kind" else "right", no_wrap=name != "kind")
        for row in kinds.itertuples(index=False):
            table.add_row(*map(escape, row))
        table.caption, table.caption_justify = CAPTION, "left"
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
        table[columns].to_csv(file, index=False, lineterminator="\n")


def _to_markdown(found: Departures) -> str:
    parts = [f"# {_title(found)}", "\n".join(f"- {sentence}" for sentence in describe(found))]
    for title, table in shown_tables(found).items():
        if len(table):
            lines = [table.columns, ["---"] * len(table.columns), *table.itertuples(index=False)]
            parts += [f"## {title}", "\n".join(f"| {' | '.join(line)} |" for line in lines)]
    return "\n\n".join([*parts, f"{CAPTION}\n"])


def _title(found: Departures) -> str:
    return f"Where {found.followed} departs from {found.other}"

"""The console of all commands, and what the tables of all packages share (needs rich)."""

from __future__ import annotations

import codecs
import copy
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from echo_env.common.stats import Estimate

PIPE_WIDTH = 100
"""Columns of output that goes to a file or a pipe."""

ASCII = {"±": "+-", "…": "...", "→": "->", "≤": "<=", "≥": ">="}
"""What is printed instead where the terminal's encoding lacks a character; any other becomes a question mark."""


class PlainConsole(Console):
    """A console that prints :data:`ASCII` in place of what its file cannot encode, before columns are aligned."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Turn markup into text."""
        return super().render_str(encodable(text, self.encoding), **options)


def encodable(text: str, encoding: str) -> str:
    """The text with every character that the encoding lacks replaced, see :data:`ASCII`."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError as error:
        bad = text[error.start]
        return encodable(text.replace(bad, ASCII.get(bad, "?")), encoding)
    return text


def _replace(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return "".join(ASCII.get(char, "?") for char in error.object[error.start : error.end]), error.end


def make_output_encodable() -> None:
    """Have standard output and error replace what their encoding lacks, where they would raise an error."""
    codecs.register_error("echo_lab", _replace)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and getattr(stream, "errors", None) == "strict":
            reconfigure(errors="echo_lab")


def new_console(stderr: bool = False) -> Console:
    """A console as wide as its terminal, or :data:`PIPE_WIDTH` columns; colours obey ``NO_COLOR``.

    :param stderr: print to standard error
    """
    console = PlainConsole(stderr=stderr)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


PROGRESS_FILE = "ECHO_LAB_PROGRESS"
"""Environment variable: a file that is told how far a command is, for a program that waits for it."""


@contextmanager
def progress_bar(what: str, total: int, completed: int = 0) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error while the block runs, if that is a terminal; gives what advances it.

    Where :data:`PROGRESS_FILE` is set, a file takes the place of the terminal: a line of JSON with ``what``, ``done``
    and ``total``, rewritten each time.

    :param what: the unit counted, in the plural
    :param total: how many there are
    :param completed: how many are done already
    """
    if os.environ.get(PROGRESS_FILE):
        yield _progress_in(os.environ[PROGRESS_FILE], what, total, completed)
        return
    from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    console = new_console(stderr=True)
    if not console.is_terminal:
        # Even a disabled bar of older versions of rich prints an empty line.
        yield lambda number: None
        return
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total, completed=completed)
        yield lambda number: bar.advance(task, number)


def _progress_in(path: str, what: str, total: int, completed: int) -> Callable[[int], None]:
    done = completed

    def advance(number: int) -> None:
        nonlocal done
        done += number
        # Renamed, so that nobody reads half of it.
        Path(f"{path}.new").write_text(json.dumps({"what": what, "done": done, "total": total}), encoding="utf8")
        os.replace(f"{path}.new", path)

    advance(0)
    return advance


def new_table(title: str, caption: str | None = None) -> Table:
    """An empty table in the common style."""
    look: dict[str, Any] = {"box": box.SIMPLE_HEAD, "title_justify": "left", "caption_justify": "left"}
    return Table(title=escape(title), caption=caption, title_style="bold", **look)


def cell(value: Estimate, sign: str = "") -> str:
    """``1,234.5 ± 6.7``: two significant digits of the half-width, one decimal at least.

    :param value: mean and interval
    :param sign: ``+`` to show the sign of positive means too
    """
    if math.isnan(value.mean):
        return "-"
    half = value.half_width
    # Equal numbers may differ by rounding.
    if math.isnan(half) or half <= 1e-12 * abs(value.mean):
        digits = 1 if math.isclose(value.mean, round(value.mean, 1)) else 3
    else:
        digits = min(max(1, 1 - math.floor(math.log10(half))), 6)
    mean = f"{value.mean:{sign},.{digits}f}"
    return mean if math.isnan(half) else f"{mean} ± {half:,.{digits}f}"


class Grid(NamedTuple):
    """A table of texts, for the terminal and for reports.

    :param title: what it shows
    :param heads: of its columns; the first one is of names
    :param rows: of it
    :param caption: what a reader has to know
    """

    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    caption: str = ""


def print_grid(console: Console, grid: Grid) -> None:
    """Print a table of texts, names on the left and all else on the right.

    :param console: where
    :param grid: the table
    """
    table = new_table(grid.title, escape(grid.caption) or None)
    for number, head in enumerate(grid.heads):
        table.add_column(escape(head), justify="right" if number else "left")
    for row in grid.rows:
        table.add_row(*map(escape, row))
    print_table(console, table)


def grid_lines(grid: Grid) -> list[str]:
    """A table of texts as lines of Markdown, below its title as a heading.

    :param grid: the table
    """

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"

    heading = f"## {grid.title[0].upper()}{grid.title[1:]}"
    lines = [heading, "", line(grid.heads), line(["---"] * len(grid.heads)), *map(line, grid.rows), ""]
    return [*lines, grid.caption, ""] if grid.caption else lines


def table_width(table: Table, console: Console) -> int:
    """Columns of the console that a table needs, if no cell is folded."""
    return console.measure(table, options=console.options.update(max_width=1000)).maximum


def print_table(console: Console, table: Table, heads: int = 1) -> None:
    """Print a table; one wider than the console as several, one below the other.

    :param console: where
    :param table: the table; titled once, with its caption below the last part
    :param heads: how many leading columns name the row, and are repeated in each part
    """
    for part in _parts(console, table, heads):
        console.print(part)


def _parts(console: Console, table: Table, heads: int) -> list[Table]:
    """The table split by columns, each part as wide as fits and of one column at least besides the heads."""
    parts, first = [], heads
    while first < len(table.columns):
        last = first + 1
        while last < len(table.columns) and _fits(console, _columns(table, heads, first, last + 1)):
            last += 1
        parts.append(_columns(table, heads, first, last))
        first = last
    for part in parts[1:]:
        part.title = None
    for part in parts[:-1]:
        part.caption = None
    return parts


def _fits(console: Console, table: Table) -> bool:
    return table_width(table, console) <= console.width


def _columns(table: Table, heads: int, first: int, last: int) -> Table:
    """The table with its heads and the columns from first to before last."""
    part = copy.copy(table)
    part.columns = [copy.copy(column) for column in (*table.columns[:heads], *table.columns[first:last])]
    for index, column in enumerate(part.columns):
        column._index = index
    return part

"""What the tables of all packages share (needs rich)."""

from __future__ import annotations

import math
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from echo_env.common.stats import Estimate

PIPE_WIDTH = 160
"""Columns of what is not printed to a window."""


def new_table(title: str, caption: str | None = None) -> Table:
    """An empty table in the look that all have."""
    look: dict[str, Any] = {"box": box.SIMPLE_HEAD, "title_justify": "left", "caption_justify": "left"}
    return Table(title=escape(title), caption=caption, title_style="bold", **look)


def cell(value: Estimate, sign: str = "") -> str:
    """``1,234.5 ± 6.7``: two digits of the half-width count, one decimal at least.

    :param value: mean and interval
    :param sign: ``+`` to show that of positive means too
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


def table_width(table: Table, console: Console) -> int:
    """Columns that a table needs."""
    return console.measure(table, options=console.options.update(max_width=1000)).maximum

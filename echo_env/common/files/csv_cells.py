"""Cells of CSV files: numbers that read back equal, and text that no spreadsheet takes for a formula."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""First characters of what spreadsheets run as a formula, according to OWASP's page on CSV injection."""


def number_text(value: float) -> str:
    """The shortest text that reads back as the same number; empty for nan."""
    return "" if math.isnan(value) else repr(value).removesuffix(".0")


def text_cell(text: str) -> str:
    """Text for a cell of a CSV file, with an apostrophe before what a spreadsheet would run as a formula.

    :param text: a name or label; a number in words, such as ``-3``, stays as it is
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) and not _is_number(text) else text


def text_cells(table: pd.DataFrame) -> pd.DataFrame:
    """A table with every text as :func:`text_cell` gives it, and all other values as they are."""
    escaped = table.copy()
    for name, column in table.items():
        # Not of numbers, which would lose their type.
        if column.dtype.kind == "O":
            escaped[name] = column.map(lambda value: text_cell(value) if isinstance(value, str) else value)
    return escaped


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

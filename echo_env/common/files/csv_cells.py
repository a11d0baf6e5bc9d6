"""Cells of CSV files: numbers that read back equal, and text that no spreadsheet takes for a formula."""

from __future__ import annotations

import math

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


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

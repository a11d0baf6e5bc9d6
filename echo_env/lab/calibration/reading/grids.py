"""Files of tables, whatever their format, as rows of values."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from rich.console import Console
from rich.progress import track


class SheetError(ValueError):
    """A file that cannot be read as a hospital's record of visits; the message is one sentence for its owner."""


Rows = dict[int, tuple[Any, ...]]
"""Row number, from 1, -> its values; rows without any are left out, and all have one width."""

MOST_EMPTY = 1_000
"""Empty rows in succession after which a sheet ends: a stray blank far below would make it a million rows long."""
FORMATS = "an Excel workbook (.xlsx, .xls), an OpenDocument sheet (.ods) or a table as text (.csv)"
_OTHER_WORKBOOKS = (".xls", ".xlsb", ".ods")
_TEXTS = (".csv", ".tsv", ".txt")
_WORKBOOK_STARTS = (b"PK", b"\xd0\xcf\x11\xe0", b"\x09")
"""First bytes of archives, of Excel's older files, and of its oldest ones."""
_DELIMITERS = ",;\t|"
MANY_SHEETS = 20
"""Sheets from which a progress bar is shown."""
T = TypeVar("T")


class Book(NamedTuple):
    """The contents of a file.

    :param name: name of the file
    :param sha256: digest of its bytes
    :param saved: when it was last saved
    :param typed: whether cells have types; in a file of text every time is text
    :param sheets: name of a sheet -> its rows
    """

    name: str
    sha256: str
    saved: dt.date
    typed: bool
    sheets: dict[str, Rows]


def read_book(path: str | Path, progress: bool = False) -> Book:
    """Read a file: the stored values, not the formulas (needs openpyxl or python-calamine, except for text).

    :param path: .xlsx, .xls, .xlsb, .ods, or text with any delimiter (.csv, .tsv, .txt) in UTF-8, UTF-16 or Latin-1
    :param progress: show how far it is, on a terminal
    :raises SheetError: not such a file
    :raises OSError: the file cannot be opened
    """
    path = Path(path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        # To read a pipe would wait for somebody to write into it.
        raise SheetError(f"{path} is not a regular file, but must be {FORMATS}")
    content, ending = path.read_bytes(), path.suffix.lower()
    if not content:
        raise SheetError(f"{path.name} is empty, but must be {FORMATS}")
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise SheetError(f"{path.name} is protected by a password; save it without one")
    # What systems export as .xls often is text.
    text = ending in _TEXTS or (ending == ".xls" and not content.startswith(_WORKBOOK_STARTS))
    day = dt.date.fromtimestamp(path.stat().st_mtime)
    if text:
        sheets = {path.stem: _filled(_text_rows(content))}
    else:
        try:
            saved, sheets = _calamine(content) if ending in _OTHER_WORKBOOKS else _openpyxl(content, progress)
        except ModuleNotFoundError:
            raise
        except Exception:
            # Depending on where a file is damaged, the libraries raise errors of zipfile, of an XML parser, and others.
            raise SheetError(f"{path.name} cannot be read as {FORMATS}") from None
        day = saved or day
    return Book(path.name, hashlib.sha256(content).hexdigest(), day, not text, sheets)


def shown(items: Collection[T], words: str, progress: bool, least: int) -> Iterable[T]:
    """Items with a progress bar on standard error, if that is a terminal and they are many.

    :param items: to go through
    :param words: what is done with them
    :param progress: whether a bar is wanted
    :param least: number of items from which it is shown
    """
    console = Console(stderr=True)
    if not progress or len(items) < least or not console.is_terminal:
        return items
    return track(items, words, console=console, transient=True)


def column_letters(number: int) -> str:
    """Letters of a column: 0 -> A, 26 -> AA.

    :param number: number of the column, from 0
    """
    high, low = divmod(number, 26)
    return (column_letters(high - 1) if high else "") + chr(ord("A") + low)


def text_of(value: Any) -> str:
    """A value as text without surrounding spaces; empty for None. Workbooks store 1001 as 1001.0.

    :param value: of a cell
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()


def _filled(rows: Iterable[Sequence[Any]]) -> Rows:
    """The rows that are not empty, all of one width; rows after a long run of empty ones are not read."""
    filled: dict[int, Sequence[Any]] = {}
    last = 0
    for number, values in enumerate(rows, start=1):
        width = next((k for k in range(len(values), 0, -1) if text_of(values[k - 1])), 0)
        if width:
            filled[number], last = values[:width], number
        elif number - last > MOST_EMPTY:
            break
    width = max(map(len, filled.values()), default=0)
    return {row: (*values, *(None,) * (width - len(values))) for row, values in filled.items()}


def _openpyxl(content: bytes, progress: bool) -> tuple[dt.date | None, dict[str, Rows]]:
    """Row by row, so that the size in memory is that of the text, wherever a stray blank stands.

    calamine would hold a value for every cell of the rectangle up to it, and end the process.
    """
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # formats and validations are not used here
        workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheets = {}
        for sheet in shown(workbook.worksheets, "opening sheets", progress, MANY_SHEETS):
            sheet.reset_dimensions()  # the size that a file states for a sheet may be wrong
            sheets[sheet.title] = _filled(sheet.iter_rows(values_only=True))
    saved = workbook.properties.modified
    return saved.date() if saved else None, sheets


def _calamine(content: bytes) -> tuple[dt.date | None, dict[str, Rows]]:
    from python_calamine import CalamineWorkbook

    workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
    sheets = {
        name: _filled(workbook.get_sheet_by_name(name).to_python(skip_empty_area=False))
        for name in workbook.sheet_names
    }
    return _saved_as_opendocument(content), sheets


def _saved_as_opendocument(content: bytes) -> dt.date | None:
    """When an OpenDocument file was saved; None for other files, and where it does not say."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = re.search(rb"<dc:date>(\d{4}-\d\d-\d\d)", archive.read("meta.xml"))
    except (zipfile.BadZipFile, KeyError):
        return None
    return dt.date.fromisoformat(found[1].decode()) if found else None


def _text_rows(content: bytes) -> list[list[str]]:
    """The rows of a file of text."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", errors="replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", errors="replace")
    lines = text.replace("\0", "").splitlines(keepends=True)
    return list(csv.reader(lines, delimiter=max(_DELIMITERS, key=lambda mark: _regularity(lines[:100], mark))))


def _regularity(lines: list[str], delimiter: str) -> tuple[int, int]:
    """How many lines a delimiter divides into the same number of cells, more than one; and that number."""
    counts = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter) if len(row) > 1)
    width, same = counts.most_common(1)[0] if counts else (0, 0)
    return same, width

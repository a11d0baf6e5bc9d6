"""Large tables of numbers, written in blocks of rows so that memory does not grow with them: CSV or Parquet."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo_env.common.extras import require
from echo_env.common.files.csv_cells import number_text, text_cell
from echo_env.common.files.whole import temporary_file, written_whole

CSV, PARQUET = FORMATS = ("csv", "parquet")
"""Endings of the files, by which :func:`table_written` knows what to write."""
ROWS = 20_000
"""In a block that is written at a time, at most."""

Column = str | int | NDArray[Any]
"""One value for all rows of a block, or (n,) numbers."""
Write = Callable[[Mapping[str, Column], int], None]
"""(columns, number of rows): adds rows, in blocks."""


def check_format(option: str, value: str) -> None:
    """Refuse a format that is unknown, or whose package is missing.

    :param option: names it in messages
    :param value: as typed
    :raises ValueError: no such format
    :raises ModuleNotFoundError: pyarrow is missing; says how to install it
    """
    if value not in FORMATS:
        raise ValueError(f"{option} is {value!r}, but must be {' or '.join(FORMATS)}")
    if value == PARQUET:
        require("pyarrow")


@contextmanager
def table_written(
    path: Path, texts: Sequence[str], numbers: Sequence[str], wholes: Sequence[str] = ()
) -> Iterator[Write]:
    """Write a table that takes its name only once it is complete; nan is an empty field, or null.

    :param path: the file; its ending says what kind
    :param texts: columns of text
    :param numbers: columns of numbers, float64
    :param wholes: columns of whole numbers
    :return: adds rows; their columns come in the order texts, wholes, numbers
    """
    names = [*texts, *wholes, *numbers]
    if path.suffix == f".{CSV}":
        with written_whole(path) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(names)
            yield _in_blocks(names, lambda block, rows: writer.writerows(_csv_rows(block, rows)))
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = [(texts, pa.string()), (wholes, pa.int64()), (numbers, pa.float64())]
    schema = pa.schema([(name, kind) for own, kind in kinds for name in own])
    path.parent.mkdir(parents=True, exist_ok=True)
    target = Path(os.path.realpath(path))
    with temporary_file(target) as (temporary, _):
        with pq.ParquetWriter(temporary, schema, compression="zstd") as parquet:

            def add(block: Sequence[Column], rows: int) -> None:
                arrays = [_array(column, rows, field.type) for column, field in zip(block, schema, strict=True)]
                parquet.write_table(pa.table(arrays, schema=schema))

            yield _in_blocks(names, add)
        os.replace(temporary, target)


def _in_blocks(names: Sequence[str], add: Callable[[Sequence[Column], int], None]) -> Write:
    def write(columns: Mapping[str, Column], rows: int) -> None:
        for first in range(0, rows, ROWS):
            last = min(first + ROWS, rows)
            block = [columns[name] for name in names]
            add([own[first:last] if isinstance(own, np.ndarray) else own for own in block], last - first)

    return write


def _csv_rows(block: Sequence[Column], rows: int) -> Iterator[tuple[Any, ...]]:
    def cells(column: Column) -> Sequence[Any]:
        if isinstance(column, np.ndarray):
            return [number_text(value) for value in column.tolist()]
        return [text_cell(column) if isinstance(column, str) else column] * rows

    return zip(*map(cells, block), strict=True)


def _array(column: Column, rows: int, kind: Any) -> Any:
    import pyarrow as pa

    if isinstance(column, np.ndarray):
        return pa.array(column, type=kind, from_pandas=True)
    return pa.repeat(pa.scalar(column, type=kind), rows)


def read_numbers(path: Path) -> dict[str, NDArray[np.float64]]:
    """The columns of a table of numbers, equal to the bit.

    :param path: of a file that :func:`table_written` wrote, with numbers only
    :raises ValueError: a cell is no number, rows differ in length, or it is no such file
    """
    if path.suffix == f".{CSV}":
        with open(path, encoding="utf8", newline="") as file:
            header, *rows = csv.reader(file)
        numbers = np.array([[float(text or "nan") for text in row] for row in rows]).reshape(len(rows), len(header))
        return dict(zip(header, np.ascontiguousarray(numbers.T), strict=True))
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    return {name: table[name].to_numpy().astype(np.float64) for name in table.column_names}

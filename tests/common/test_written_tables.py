"""Tables written in blocks: the same numbers from CSV and Parquet, in every library that reads them."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from echo_env.common.files import tables
from echo_env.common.files.tables import check_format, read_numbers, table_written

NUMBERS = {"penalty": np.array([1.5, np.nan, 1 / 3, -0.0, 1e300]), "wait_min": np.arange(5) / 7}


@pytest.mark.parametrize("kind", tables.FORMATS)
def test_numbers_come_back_to_the_bit(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written in several blocks is read back equal, nan included."""
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    monkeypatch.setattr(tables, "ROWS", 2)
    path = tmp_path / f"numbers.{kind}"
    with table_written(path, (), list(NUMBERS)) as write:
        write(NUMBERS, 5)
        write(NUMBERS, 5)
    found = read_numbers(path)
    assert list(found) == list(NUMBERS)
    for name, values in NUMBERS.items():
        assert np.array_equal(found[name], np.concatenate([values, values]), equal_nan=True)
        assert np.array_equal(np.signbit(found[name]), np.signbit(np.concatenate([values, values])))


def written(path: Path) -> Path:
    """A table with text, whole numbers and numbers."""
    with table_written(path, ["policy"], list(NUMBERS), ["day"]) as write:
        for policy in ("policy_2", "=own(x=1)"):
            write({"policy": policy, "day": np.arange(5), **NUMBERS}, 5)
    return path


def test_pandas_polars_and_duckdb_read_parquet(tmp_path: Path) -> None:
    """All three find the same rows; nan is null, so that means leave it out."""
    pd, pl, duckdb = (pytest.importorskip(name) for name in ("pandas", "polars", "duckdb"))
    pytest.importorskip("pyarrow")
    path = written(tmp_path / "days.parquet")
    by_pandas, by_polars = pd.read_parquet(path), pl.read_parquet(path)
    means = duckdb.sql(
        f"select policy, count(*), avg(penalty) from '{path}' group by policy order by policy"
    ).fetchall()
    expected = float(np.nanmean(NUMBERS["penalty"]))
    assert means == [("=own(x=1)", 5, expected), ("policy_2", 5, expected)]
    assert list(by_pandas.columns) == by_polars.columns == ["policy", "day", *NUMBERS]
    assert by_pandas["day"].tolist() == by_polars["day"].to_list() == [*range(5), *range(5)]
    assert by_polars["penalty"].null_count() == by_pandas["penalty"].isna().sum() == 2
    assert by_polars["penalty"].mean() == by_pandas["penalty"].mean() == expected


def test_csv_cells_are_no_formulas(tmp_path: Path) -> None:
    """Text that a spreadsheet would run has an apostrophe, and nan is an empty field."""
    lines = written(tmp_path / "days.csv").read_text().splitlines()
    assert lines[:3] == ["policy,day,penalty,wait_min", "policy_2,0,1.5,0", f"policy_2,1,,{1 / 7!r}"]
    assert lines[6].startswith("'=own(x=1),0,")


@pytest.mark.parametrize("kind", tables.FORMATS)
def test_writing_takes_no_memory_of_the_rows(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times the rows take no more memory to write."""
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    monkeypatch.setattr(tables, "ROWS", 2000)

    def peak(rows: int) -> int:
        values = np.arange(rows) / 7
        tracemalloc.start()
        with table_written(tmp_path / f"{rows}.{kind}", ["policy"], ["penalty"], ["day"]) as write:
            write({"policy": "policy_2", "day": np.arange(3), "penalty": values[:3]}, 3)
            write({"policy": "policy_2", "day": np.broadcast_to(np.int64(0), rows), "penalty": values}, rows)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(10 * tables.ROWS) < 1.5 * peak(tables.ROWS)


def half_written(path: Path) -> None:
    """Write some rows, then some without a column."""
    with table_written(path, (), list(NUMBERS)) as write:
        write(NUMBERS, 5)
        write({"penalty": NUMBERS["penalty"]}, 5)


def test_nothing_is_left_of_what_fails(tmp_path: Path) -> None:
    """A table appears whole or not at all."""
    pytest.importorskip("pyarrow")
    for kind in tables.FORMATS:
        with pytest.raises(KeyError):
            half_written(tmp_path / f"days.{kind}")
    assert list(tmp_path.iterdir()) == []


def test_other_formats_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown format is refused, and a missing package is named with its extra."""
    check_format("--format", "csv")
    with pytest.raises(ValueError, match="--format is 'xlsx', but must be csv or parquet"):
        check_format("--format", "xlsx")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pyarrow is missing: pip install 'echo-lab-rl\[parquet\]'"):
        check_format("--format", "parquet")

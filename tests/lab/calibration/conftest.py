"""Workbooks in the test's own folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("openpyxl")
pytest.importorskip("pandas")

from hospital_sheets import NOTES, made_up_visits, write_workbook


@pytest.fixture
def write_sheets(tmp_path: Path) -> Callable[..., Path]:
    """Writes a workbook, see :func:`hospital_sheets.write_workbook`."""

    def write(*arguments: Any, **more: Any) -> Path:
        return write_workbook(tmp_path / "hospital.xlsx", *arguments, **more)

    return write


@pytest.fixture(scope="session")
def made_up_week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days of 32 synthetic visits each, with notes."""
    days = {"Monday (Nov 27)": 1, "Tuesday (Nov 28)": 2, "Wednesday (Nov 29)": 3}
    sheets = {name: made_up_visits(32, seed) for name, seed in days.items()}
    return write_workbook(tmp_path_factory.mktemp("week") / "week.xlsx", sheets, notes=NOTES)

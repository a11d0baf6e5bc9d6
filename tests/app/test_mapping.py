"""What the columns of a record may hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from echo_env.app.mapping import NOT_THERE, column_map, look, map_text
from echo_env.lab.calibration.reading import load_columns
from echo_env.lab.config import ConfigError

pytest.importorskip("pandas")
CLINIC = """Datum;Termin;Anmeldung;Beginn;Ende;Raum;Kürzel
02.03.2026;08:00;07:50;08:02;08:31;1;AB
02.03.2026;08:30;08:35;08:40;09:05;1;AB
03.03.2026;08:00;07:55;08:00;08:20;2;CD
"""


def test_a_foreign_record_is_guessed_and_read_once_the_guess_is_taken(tmp_path: Path) -> None:
    """The guess is offered under the headers of the sheet, and the map that keeps it reads the record."""
    sheet = tmp_path / "praxis.csv"
    sheet.write_text(CLINIC, encoding="utf8")
    found = look(sheet, None)
    assert found.visits is None
    assert "a guess has to be confirmed" in found.problem
    assert found.headers == ["Datum", "Termin", "Anmeldung", "Beginn", "Ende", "Raum", "Kürzel"]
    assert found.columns["begin"] == "Beginn"
    assert found.rows[0]["Termin"] == "08:00"
    columns = tmp_path / "columns.yaml"
    columns.write_text(map_text({**found.columns, "patient": NOT_THERE}, {"date_order": "day_first"}), encoding="utf8")
    again = look(sheet, load_columns(columns))
    assert again.visits is not None
    assert len(again.visits.table) == 3
    assert again.problem == ""


def test_the_map_that_is_written_is_the_one_that_was_chosen() -> None:
    """Columns that are not on the sheet are left out."""
    chosen = {"begin": "Beginn", "room": NOT_THERE}
    assert column_map(chosen, {}).headers == {"begin": "Beginn"}
    assert map_text(chosen, {"all_hours": True}) == "begin: Beginn\nall_hours: true\n"


def test_a_value_that_a_map_cannot_have_is_named() -> None:
    """In the sentence of the map itself."""
    with pytest.raises(ConfigError, match=r"types\.TTE"):
        column_map({"begin": "Beginn"}, {"types": {"TTE": "adult echo!"}})

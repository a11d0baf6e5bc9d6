"""The map by which the owner of a sheet says which column holds what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from echo_env.common.config_file import load
from echo_env.common.config_model import Name, section
from echo_env.lab.calibration.reading.fields import FIELDS
from echo_env.lab.calibration.reading.words import Words

ExamTypeName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z][A-Za-z0-9]*([_-][A-Za-z0-9]+)*$",
        json_schema_extra={"x-allowed": "a name of letters, digits and single hyphens or underscores"},
    ),
]
Listed = tuple[str, ...]


@section("values")
class Values:
    """Words that a hospital writes into cells, beside the usual ones.

    :param yes: for yes
    :param no: for no
    :param no_show: in place of a time or in the status of a patient who did not come
    :param cancelled: in place of a time or in the status of an appointment that was cancelled
    """

    yes: Listed = ()
    no: Listed = ()
    no_show: Listed = ()
    cancelled: Listed = ()


@section("")
class ColumnMap:
    """Which column holds what: field -> header, as it stands on the sheets.

    :param day: date of the visit, where the sheet holds several days and times have no dates
    :param session: name or number of the day, where there are no dates
    :param patient: patient number
    :param type: exam type
    :param fetal: whether the exam is fetal, in place of a type
    :param expected: when the patient was asked to check in
    :param actual: check-in
    :param scheduled: appointment of the exam
    :param vitals_in: begin of the preparation
    :param vitals_out: end of the preparation
    :param begin: begin of the exam
    :param end: end of the exam
    :param length: length of the exam in minutes
    :param room: room of the exam
    :param staff: initials of who examined
    :param status: no-show, cancelled or other words
    :param unscheduled: whether the patient came without an appointment
    :param values: words of the hospital
    :param types: value of the column of types -> exam type as a lab file names it
    :param all_hours: whether times before 06:00 and from 20:00 on are true; by default they are slips
    :param date_order: which comes first in dates such as 03/02/2026, where the sheet does not show it
    """

    day: Name | None = None
    session: Name | None = None
    patient: Name | None = None
    type: Name | None = None
    fetal: Name | None = None
    expected: Name | None = None
    actual: Name | None = None
    scheduled: Name | None = None
    vitals_in: Name | None = None
    vitals_out: Name | None = None
    begin: Name | None = None
    end: Name | None = None
    length: Name | None = None
    room: Name | None = None
    staff: Name | None = None
    status: Name | None = None
    unscheduled: Name | None = None
    values: Values = Values()
    types: dict[str, ExamTypeName] = Field(default_factory=dict)
    all_hours: bool = False
    date_order: Literal["day_first", "month_first"] | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Field -> header, of the fields that are given."""
        return {name: header for name in FIELDS if (header := getattr(self, name)) is not None}

    def words(self) -> Words:
        """The words of the hospital."""
        own = self.values
        lower = (tuple(word.strip().lower() for word in part) for part in (own.yes, own.no, own.no_show, own.cancelled))
        return Words(*lower)


def load_columns(path: str | Path) -> ColumnMap:
    """Read a column map.

    :param path: a YAML file
    :raises ConfigError: a field or value that is not allowed; names it and its line
    :raises OSError: no such file
    """
    Path(path).read_bytes()
    return load(ColumnMap, "echo_env.lab", str(path))

"""A fitted lab as a YAML file that documents where its numbers come from."""

from __future__ import annotations

import dataclasses
import datetime as dt
import textwrap
from pathlib import Path
from typing import Any

import yaml

from echo_env.lab.calibration.calibration import Calibration
from echo_env.lab.config import LabConfig
from echo_env.lab.config.file import preset_names

FIRST_LINE = "# A lab fitted to a hospital's spreadsheet by python -m echo_env.calibrate."
EARLIER_FIRST_LINES = ("# A lab fitted to a whiteboard spreadsheet by python -m echo_env.calibrate.",)
"""First lines of files written by earlier versions."""
_WIDTH = 110
_YAML_WIDTH = 100
"""PyYAML breaks a line behind the entry that passes it."""


def check_own(path: str | Path) -> None:
    """Refuse to overwrite a file other than an earlier calibration.

    :param path: where the lab is to be written
    :raises OSError: another file or a folder is in the way
    :raises ValueError: the name of a preset, which ``--config`` would read in place of the file
    """
    target = Path(path)
    if str(path) in preset_names():
        raise ValueError(f"--output {path} is the name of a preset, which --config {path} would read instead of it")
    if target.is_dir():
        raise FileExistsError(f"{target} is in the way, because it is a folder")
    own = tuple(line.encode() for line in (FIRST_LINE, *EARLIER_FIRST_LINES))
    if target.exists() and not target.read_bytes().startswith(own):
        raise FileExistsError(f"{target} is in the way, because it was not written by an earlier calibration")


def lab_text(calibration: Calibration, today: dt.date, command: str) -> str:
    """The text of the file; :meth:`LabConfig.load` reads the calibration's config back from it.

    :param calibration: the calibration
    :param today: date to record
    :param command: command to record
    """
    config, sources = calibration.config, calibration.sources | _fit_sources(calibration)
    lines = [FIRST_LINE, *(line for said in provenance(calibration, today, command) for line in _comment(said)), ""]
    for name, section in lab_sections(config).items():
        lines += _comment(sources[name]) if name in sources else []
        flow = None if isinstance(section, dict) else False
        text = yaml.safe_dump({name: section}, sort_keys=False, width=_YAML_WIDTH, default_flow_style=flow)
        lines.append(text.rstrip())
    return "\n".join(lines) + "\n"


def provenance(calibration: Calibration, today: dt.date, command: str) -> list[str]:
    """Source file, date, command, and the numbers of rows and cells used, one line each.

    :param calibration: the calibration
    :param today: date to record
    :param command: command to record
    """
    file, table = calibration.spreadsheet, calibration.table
    return [
        f"file: {file.name}, sha256 {file.sha256}",
        f"date: {today.isoformat()}",
        f"command: {command}",
        f"rows: {len(table)} visits on {len(file.days)} sheets, {(table['has_echo'] == 'yes').sum()} with a scheduled "
        f"echo; used: {calibration.no_show.of} for no-shows, {len(calibration.arrival.sample)} for arrivals, "
        f"{len(calibration.exam.sample)} for exams",
        f"cells: {', '.join(f'{count} {action}' for action, count in calibration.log.by_action().items())}",
    ]


def lab_sections(config: LabConfig) -> dict[str, Any]:
    """A config in the form of a YAML file: clock times for hours and appointments, without empty optional fields.

    :param config: the lab
    """
    raw: dict[str, Any] = dataclasses.asdict(config)
    hours, book = config.hours, raw.pop("appointments")
    arrival, exam = raw["arrival"], raw["exam"]
    arrival["offsets_min"] = list(arrival["offsets_min"])
    if exam["fetal"] is None:
        del exam["fetal"]
    raw["hours"] = {
        "opening": hours.clock(0), "closing": hours.clock(hours.closing_min), "end": hours.clock(hours.end_min)
    }  # fmt: skip
    appointments = {
        kind: [None if minute is None else hours.clock(minute) for minute in times] for kind, times in book.items()
    }
    return {"name": raw.pop("name"), "hours": raw.pop("hours"), "appointments": appointments, **raw}


def _comment(said: str) -> list[str]:
    """Lines of a comment; line breaks quoted from the sheets become spaces, so that they cannot leave the comment."""
    return textwrap.wrap(" ".join(said.split()), _WIDTH, initial_indent="# ", subsequent_indent="#   ")


def _fit_sources(calibration: Calibration) -> dict[str, str]:
    no_show, arrival, exam = calibration.no_show, calibration.arrival, calibration.exam
    laws = "model: exponential uses the means, model: empirical uses offsets_min (minutes after expected check-in)"
    own = "one distribution for each kind" if calibration.config.exam.fetal else "one distribution for all exams"
    return {
        "arrival": f"{no_show.count} no-shows of {no_show.of}; {len(arrival.sample)} check-ins; {laws}",
        "exam": f"{len(exam.sample)} exams; {own}",
    }

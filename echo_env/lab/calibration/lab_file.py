"""A fitted lab as a YAML file that says where its numbers come from."""

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

FIRST_LINE = "# A lab fitted to a whiteboard spreadsheet by python -m echo_env.calibrate."
_WIDTH = 110


def check_own(path: str | Path) -> None:
    """Refuse to write over a file that is not a lab fitted earlier.

    :param path: where the lab is to be written
    :raises OSError: something else is in the way
    :raises ValueError: it would go by the name of a preset, which would be read in its place
    """
    target = Path(path)
    if str(path) in preset_names():
        raise ValueError(f"--output {path} is the name of a preset, which --config {path} would read instead of it")
    if target.is_dir():
        raise FileExistsError(f"{target} is in the way, because it is a folder")
    if target.exists() and not target.read_bytes().startswith(FIRST_LINE.encode()):
        raise FileExistsError(f"{target} is in the way, because it was not written by an earlier calibration")


def lab_text(calibration: Calibration, today: dt.date, command: str) -> str:
    """The text of the file; :meth:`LabConfig.load` makes the calibration's config of it.

    :param calibration: what was fitted
    :param today: the date that is put in
    :param command: the command that is put in
    """
    config, sources = calibration.config, calibration.sources | _fit_sources(calibration)
    lines = [FIRST_LINE, *(line for said in provenance(calibration, today, command) for line in _comment(said)), ""]
    for name, section in lab_sections(config).items():
        lines += _comment(sources[name]) if name in sources else []
        flow = None if isinstance(section, dict) else False
        text = yaml.safe_dump({name: section}, sort_keys=False, width=_WIDTH, default_flow_style=flow)
        lines.append(text.rstrip())
    return "\n".join(lines) + "\n"


def provenance(calibration: Calibration, today: dt.date, command: str) -> list[str]:
    """Which file, when, and from how many rows.

    :param calibration: what was fitted
    :param today: the date
    :param command: the command
    """
    file, table = calibration.spreadsheet, calibration.table
    return [
        f"file: {file.name}, sha256 {file.sha256}",
        f"date: {today.isoformat()}",
        f"command: {command}",
        f"rows: {len(table)} visits on {len(file.days)} sheets, {(table['has_echo'] == 'yes').sum()} with a scheduled "
        f"echo; used: {calibration.no_show.of} for no-shows, {len(calibration.arrival.sample)} for arrival, "
        f"{len(calibration.exam.sample)} for exams",
        f"cells: {', '.join(f'{count} {action}' for action, count in calibration.log.by_action().items())}",
    ]


def lab_sections(config: LabConfig) -> dict[str, Any]:
    """A config as a file has it: clock times for hours and appointments, no fields that say nothing.

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
    appointments = {kind: [hours.clock(minute) for minute in times] for kind, times in book.items()}
    return {"name": raw.pop("name"), "hours": raw.pop("hours"), "appointments": appointments, **raw}


def _comment(said: str) -> list[str]:
    """Lines of a comment; what was said has no line breaks of its own, whatever the sheets have."""
    return textwrap.wrap(" ".join(said.split()), _WIDTH, initial_indent="# ", subsequent_indent="#   ")


def _fit_sources(calibration: Calibration) -> dict[str, str]:
    no_show, arrival, exam = calibration.no_show, calibration.arrival, calibration.exam
    laws = "model: exponential takes the means, model: empirical takes offsets_min (minutes after expected check-in)"
    own = "fetal exams have a law of their own" if calibration.config.exam.fetal else "one law for all exams"
    return {
        "arrival": f"{no_show.count} of {no_show.of} did not come; {len(arrival.sample)} check-ins; {laws}",
        "exam": f"{len(exam.sample)} exams; {own}",
    }

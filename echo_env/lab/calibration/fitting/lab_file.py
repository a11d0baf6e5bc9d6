"""A fitted lab as a YAML file that documents where its numbers come from, and its bootstrap beside it."""

from __future__ import annotations

import datetime as dt
import json
import math
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from echo_env.lab.calibration.fitting.estimates import Estimate, Fitted
from echo_env.lab.calibration.fitting.frame import book_times
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config.file import preset_names
from echo_env.lab.config.loading import value_at

FIRST_LINE = "# A lab fitted to a hospital's recorded visits by echo-lab calibrate."
EARLIER_FIRST_LINES = (
    "# A lab fitted to a hospital's spreadsheet by python -m echo_env.calibrate.",
    "# A lab fitted to a whiteboard spreadsheet by python -m echo_env.calibrate.",
)
"""First lines of files written by earlier versions."""
_BOOTSTRAP = b'{"lab": '
"""How the file of a bootstrap begins."""
_WIDTH = 110
_YAML_WIDTH = 100
"""PyYAML breaks a line behind the entry that passes it."""
_MOST_NUMBERS = 1_000_000
"""Numbers in the file of the bootstrap: with empirical arrivals each sample has all offsets."""
_SECTION_SOURCES = {"exam_types": ("appointments",), "staff_groups": ("staff_groups", "breaks", "lunch", "shift")}
"""Section -> the sources that stand before it, by default the one of its own name."""


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


def check_own_bootstrap(path: str | Path) -> None:
    """Refuse to overwrite a file other than the bootstrap of an earlier calibration.

    :param path: where the bootstrap is to be written, beside the lab
    :raises OSError: another file or a folder is in the way
    """
    target = Path(path)
    if target.is_dir() or (target.exists() and not target.read_bytes().startswith(_BOOTSTRAP)):
        raise FileExistsError(f"{target} is in the way, because it was not written by an earlier calibration")


def lab_text(visits: Visits, fitted: Fitted, today: dt.date, command: str) -> str:
    """The text of the file; :func:`~echo_env.lab.config.loading.load_lab` reads the fitted lab back from it.

    :param visits: the visits
    :param fitted: the lab
    :param today: date to record
    :param command: command to record
    """
    lines = [FIRST_LINE, *(line for said in provenance(visits, fitted, today, command) for line in _comment(said)), ""]
    for name, section in lab_sections(fitted).items():
        lines += [line for said in _said_of(fitted, name) for line in _comment(said)]
        flow = None if isinstance(section, dict) else False
        text = yaml.safe_dump({name: section}, sort_keys=False, width=_YAML_WIDTH, default_flow_style=flow)
        lines.append(text.rstrip())
    return "\n".join(lines) + "\n"


def provenance(visits: Visits, fitted: Fitted, today: dt.date, command: str) -> list[str]:
    """Source file, date, command, and the numbers of rows and cells used, one line each.

    :param visits: the visits
    :param fitted: the lab
    :param today: date to record
    :param command: command to record
    """
    booked = int((visits.table["booked"] == "yes").sum())
    used = [f"{fitted.no_show.of} for no-shows"]
    used += [f"{len(fitted.laws[name].sample)} for {name}s" for name in ("arrival", "exam") if name in fitted.laws]
    return [
        f"file: {visits.name}, sha256 {visits.sha256}",
        f"date: {today.isoformat()}",
        f"command: {command}",
        f"rows: {len(visits.table)} visits on {len(visits.days)} days, {booked} with an appointment; used: "
        f"{', '.join(used)}",
        f"cells: {', '.join(f'{count} {action}' for action, count in visits.log.by_action().items())}",
        f"intervals: 95 %, from {len(fitted.bootstrap)} bootstrap samples of {fitted.resampled}",
    ]


def lab_sections(fitted: Fitted) -> dict[str, Any]:
    """The fields of the file: those of the lab, and ``days`` where each weekday has a book of its own.

    :param fitted: the lab
    """
    data = fitted.config.as_file()
    order = ("name", "hours", "arrival", "exam", "exam_types", "room_groups", "staff_groups", "penalty")
    sections = {name: data[name] for name in order if data.get(name)}
    if fitted.weekdays:
        sections["days"] = {
            weekday: {"exam_types": {name: {"appointments": book_times(book, name)} for name in data["exam_types"]}}
            for weekday, book in fitted.weekday_books.items()
        }
    return sections


def _said_of(fitted: Fitted, section: str) -> Iterator[str]:
    """What is said before a section: where it is from, then each number with its interval."""
    for name in _SECTION_SOURCES.get(section, (section,)):
        if name in fitted.sources:
            title = "" if name == section else f"{name.replace('_', ' ')}: "
            yield f"{title}{fitted.sources[name]}"
    for one in fitted.estimates:
        if one.path.partition(".")[0] == section:
            yield _said_of_number(one)


def _said_of_number(one: Estimate) -> str:
    interval = "" if math.isnan(one.low) else f" ({one.low:.4g} to {one.high:.4g})"
    rows = f", {one.rows} rows" if one.rows else ""
    return f"{one.path}: {one.words} {one.value:.4g}{interval}{rows}; {one.source}"


def _comment(said: str) -> list[str]:
    """Lines of a comment; line breaks quoted from the sheets become spaces, so that they cannot leave the comment."""
    return textwrap.wrap(" ".join(said.split()), _WIDTH, initial_indent="# ", subsequent_indent="#   ")


def uncertainty_text(fitted: Fitted) -> str:
    """The bootstrap as JSON, which ``--input-uncertainty`` reads, see
    :mod:`~echo_env.lab.evaluation.bootstrap_labs`.

    ``fitted`` has the value of each field in the lab file, null where the file leaves it out, so that edited ones can
    be told; each of ``samples`` has the values of these fields in a bootstrap sample, in the same order, null where it
    has none.

    :param fitted: the lab
    """
    data = fitted.config.as_file()
    values = {path: value_at(data, path) for sample in fitted.bootstrap for path in sample}
    numbers = sum(len(value) if isinstance(value, list) else 1 for value in values.values())
    most = max(_MOST_NUMBERS // max(numbers, 1), 1)
    content = {
        "lab": fitted.config.name,
        "resampled": fitted.resampled,
        "fitted": values,
        "samples": [[sample.get(path) for path in values] for sample in fitted.bootstrap[:most]],
    }
    return json.dumps(content, allow_nan=False) + "\n"

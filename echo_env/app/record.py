"""The page of the hospital's record: from a sheet to a lab that is held against it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from echo_env.app import parts
from echo_env.app.jobs import Job, State
from echo_env.app.mapping import NOT_THERE, Look, column_map, look, map_text
from echo_env.app.workspace import RECORD_ENDINGS, Workspace
from echo_env.lab.calibration.checks import CHECKS, check_visits
from echo_env.lab.calibration.reading import SheetError, load_columns
from echo_env.lab.calibration.reading.column_map import ColumnMap
from echo_env.lab.calibration.reading.fields import FIELDS
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config import ConfigError

REPORT = "calibration.html"
EXAMPLE = "example.xlsx"
_WORDS = {
    "yes": "yes",
    "no": "no",
    "no_show": "a patient who did not come",
    "cancelled": "an appointment that was cancelled",
}
"""Words of the hospital, as a map of columns has them -> for what."""


def page(space: Workspace, lab: str) -> None:
    """Show it.

    :param space: the folder
    :param lab: the lab of the sidebar, which may be held against the record too
    """
    st.title("From your record to a lab")
    st.write(
        "A table with a row for each visit: appointment, check-in, begin and end of the exam, room, staff. It stays on "
        "this computer."
    )
    _upload(space)
    path = space.record()
    if path is None:
        return
    st.header(path.name)
    found = _look(path)
    if found is None:
        return
    if found.visits is None:
        st.warning(found.problem)
    else:
        days = found.visits.table["day"].nunique()
        st.success(f"{len(found.visits.table)} visits on {days} {'days' if days > 1 else 'day'}.")
    with st.expander("Which column holds what", expanded=found.visits is None):
        columns = _columns(path)
        _mapping(columns, found, load_columns(columns) if columns.exists() else ColumnMap())
    if found.visits is not None:
        _fit(space, path, found, lab)


def _upload(space: Workspace) -> None:
    kinds = [ending.removeprefix(".") for ending in RECORD_ENDINGS]
    put_in = st.file_uploader("Your record (Excel, OpenDocument or CSV)", type=kinds, key="record")
    if put_in is not None and st.session_state.get("record kept") != put_in.file_id:
        space.keep(put_in.name, put_in.getvalue())
        st.session_state["record kept"] = put_in.file_id
    if space.record() is None and st.button("Take a made-up record of 20 days instead"):
        space.begin("example", ["template", EXAMPLE, "--example", "echo_week", "--days", "20"], [EXAMPLE])
    job = space.jobs.get("example")
    if job is not None and job.state is not State.DONE:
        parts.job_box(space, "example")


def _columns(path: Path) -> Path:
    """The map of a record's columns, beside it."""
    return path.with_suffix(".columns.yaml")


def _look(path: Path) -> Look | None:
    columns = _columns(path)
    try:
        chosen = columns.read_text(encoding="utf8") if columns.exists() else ""
        return _looked(str(path), path.stat().st_mtime_ns, chosen, str(columns))
    except (SheetError, ConfigError, OSError) as error:
        st.error(str(error))
        return None


@st.cache_resource(max_entries=2, show_spinner="Reading the record")
def _looked(path: str, changed: int, chosen: str, columns: str) -> Look:
    """A record is read once, unless the file or the map changes."""
    return look(Path(path), load_columns(columns) if chosen else None)


def _mapping(path: Path, found: Look, before: ColumnMap) -> None:
    if found.rows:
        st.write("The first rows")
        st.dataframe(found.rows, hide_index=True)
    offered = [NOT_THERE, *found.headers]
    with st.form("columns"):
        across = st.columns(3)
        columns = {}
        for number, (name, meaning) in enumerate(FIELDS.items()):
            given = found.columns.get(name, NOT_THERE)
            place = offered.index(given) if given in offered else 0
            columns[name] = across[number % 3].selectbox(meaning.words, offered, place, key=f"column {name}")
        more = _more(before)
        if not st.form_submit_button("Use these columns"):
            return
    try:
        column_map(columns, more)
    except ConfigError as error:
        st.error(str(error))
        return
    path.write_text(map_text(columns, more), encoding="utf8")
    st.rerun()


def _more(before: ColumnMap) -> dict[str, Any]:
    """What a map says besides columns, at first as it said before."""
    words = {
        name: st.text_input(f"Your words for {what}, with commas between them", ", ".join(getattr(before.values, name)))
        for name, what in _WORDS.items()
    }
    types = st.text_area(
        "Exam types under one name, a line for each: what the sheet says = name",
        "\n".join(f"{value} = {name}" for value, name in before.types.items()),
        placeholder="TTE adult = adult",
    )
    orders = [None, "day_first", "month_first"]
    order = st.selectbox(
        "Dates such as 03/02/2026",
        orders,
        orders.index(before.date_order),
        format_func=lambda order: "as the sheet shows" if order is None else order.replace("_", " "),
    )
    hours = st.checkbox("Times before 06:00 and from 20:00 on are true (by default they are slips)", before.all_hours)
    values = {name: _listed(text) for name, text in words.items() if text.strip()}
    more: dict[str, Any] = {"values": values} if values else {}
    pairs = [line.split("=", 1) for line in types.splitlines() if "=" in line]
    more |= {"types": {value.strip(): name.strip() for value, name in pairs}} if pairs else {}
    more |= {"date_order": order} if order else {}
    return more | ({"all_hours": True} if hours else {})


def _listed(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _fit(space: Workspace, path: Path, found: Look, lab: str) -> None:
    assert found.visits is not None
    accepted = _accepted(found.visits)
    name = st.text_input("Name of the lab", path.stem.replace(".", "_"))
    options = ["--columns", _columns(path).name] if _columns(path).exists() else []
    fit, hold = st.columns(2)
    if fit.button("Fit the lab, and hold it against the record", type="primary", disabled=bool(space.running())):
        _calibrate(space, path, name, options, accepted)
    if hold.button(f"Hold {lab} against the record instead", disabled=bool(space.running())):
        arguments = ["validate", lab, path.name, "--report", "validation.html", *options, *_accept(accepted)]
        space.begin("validate", arguments, ["validation.html"])
        st.rerun()
    for job in ("calibrate", "validate"):
        if job in space.jobs:
            st.header("The fitted lab" if job == "calibrate" else "The lab and the record")
            parts.job_box(space, job)
    fitted = space.jobs.get("calibrate")
    if fitted is not None and fitted.state is State.DONE:
        parts.take_once(fitted, fitted.results[0].name)
    refused = _refused(fitted)
    if refused and st.button("It is so: fit the lab all the same"):
        _calibrate(space, path, name, options, [*accepted, *refused])
    if (space.folder / f"{name}.yaml").exists():
        parts.download(space.folder / f"{name}.yaml", "Download the lab file")


def _accepted(visits: Visits) -> list[str]:
    """The checks of the record whose findings somebody accepts."""
    findings = {finding.check: finding for finding in check_visits(visits)}
    if findings:
        st.subheader("Please look at this first")
    return [
        check
        for check, finding in findings.items()
        if st.checkbox(f"{finding.sentence} It is so: go on.", key=f"accept {check}")
    ]


def _accept(checks: Sequence[str]) -> list[str]:
    return ["--accept", *checks] if checks else []


def _refused(job: Job | None) -> list[str]:
    """The checks by whose findings a fit was refused, which its message names."""
    if job is None or job.state is not State.FAILED:
        return []
    named = re.search(r"--accept ((?:[a-z_]+ ?)+)", job.error)
    return [name for name in named[1].split() if name in CHECKS] if named else []


def _calibrate(space: Workspace, path: Path, name: str, options: list[str], accepted: Sequence[str]) -> None:
    if not re.fullmatch(r"[A-Za-z][\w-]*", name):
        st.error(f"The name of the lab is {name!r}, but must begin with a letter and have letters, digits, - and _.")
        return
    results = [f"{name}.yaml", f"{name}.uncertainty.json", REPORT]
    arguments = ["calibrate", path.name, "--output", results[0], "--report", REPORT, *options, *_accept(accepted)]
    space.begin("calibrate", arguments, results)
    st.rerun()

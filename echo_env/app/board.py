"""The page at the whiteboard: the board of the day, and who could begin next."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path

import streamlit as st

from echo_env.app import parts
from echo_env.app.jobs import State
from echo_env.app.workspace import Workspace, safe_name
from echo_env.commands.players.policies import find_policies
from echo_env.lab.advice import (
    BoardError,
    Finding,
    Standing,
    advice_lines,
    advise,
    load_kernels,
    method_lines,
    read_standing,
    standing_lines,
    template,
)
from echo_env.lab.advice.board import COLUMNS, STATES
from echo_env.lab.advice.log import Done, minute_of, note_advice, note_done, summary
from echo_env.lab.config import Lab, load_lab

LOG = "advice.db"
_ENGINE = "engine"
_TABLES = {
    "patient": ("Patients", ("id", "type", "state", "scheduled", "arrived", "room", "staff", "since", "until")),
    "staff": ("Staff", ("id", "type", "state", "since", "until", "exams", "breaks", "planned_breaks", "lunch")),
    "room": ("Rooms", ("id", "type")),
}
"""Kind of row -> heading and columns of its table."""


def page(space: Workspace, lab: str) -> None:
    """Show it.

    :param space: the folder
    :param lab: the lab of the sidebar
    """
    st.title("At the whiteboard")
    st.write("Keep the board as the day goes on, and ask who could begin next. It advises; you decide.")
    config, path = load_lab(space.source(lab)), space.folder / safe_name(f"board_{lab}.csv")
    if st.button("A new day: everybody expected and present") or not path.exists():
        path.write_text(template(config), encoding="utf8")
        st.session_state["board number"] = st.session_state.get("board number", 0) + 1
    text = _edited(path, config)
    at, rule = st.columns(2)
    # The page keeps what is typed while the clock goes on.
    st.session_state.setdefault("now", _now(config))
    now = at.text_input("The time now, such as 10:40", key="now")
    names = parts.policies(config)
    policy = rule.selectbox("Advice of", names, format_func=parts.policy_words)
    if st.button("Who could begin?", type="primary"):
        st.session_state["asked"] = (lab, now, policy)
    if st.session_state.get("asked") == (lab, now, policy):
        _answer(space, config, path, text, now, policy, lab)
    with st.expander("What was done, and the day in sum"):
        _log(space, now)


def _now(config: Lab) -> str:
    """The clock time, or that of opening while the lab is closed."""
    time = dt.datetime.now()
    since = time.hour * 60 + time.minute - config.hours.opening_min
    return config.hours.clock(since if 0 <= since < config.hours.end_min else 0)


def _edited(path: Path, config: Lab) -> str:
    """The board in tables that can be edited, kept in the file; its text then."""
    number = st.session_state.get("board number", 0)
    if f"patient {number}" not in st.session_state or st.session_state.get("board of") != path:
        # The page has just been opened, or a new day begun. Else tables hold what was changed since they were read.
        number = st.session_state["board number"] = number + 1
        st.session_state["board of"] = path
        st.session_state["board"] = _rows(path.read_text(encoding="utf-8-sig"))
    plan = config.plan
    types = {
        "patient": [own.name for own in plan.types],
        "staff": [own.name for own in plan.staff_groups],
        "room": [own.name for own in plan.room_groups],
    }
    edited: list[dict[str, str]] = []
    for record, (heading, columns) in _TABLES.items():
        st.subheader(heading)
        own = [{name: row[name] for name in columns} for row in st.session_state["board"] if row["record"] == record]
        settings = {
            "type": st.column_config.SelectboxColumn(options=types[record]),
            "state": st.column_config.SelectboxColumn(options=STATES[record]),
        }
        table = st.data_editor(own, key=f"{record} {number}", num_rows="dynamic", column_config=settings)
        edited += [{"record": record, **row} for row in table if any(row.values())]
    text = _text(edited)
    path.write_text(text, encoding="utf8")
    return text


def _rows(text: str) -> list[dict[str, str]]:
    shown = [line for line in text.splitlines() if not line.startswith("#")]
    return [{name: row.get(name) or "" for name in COLUMNS} for row in csv.DictReader(shown)]


def _text(rows: list[dict[str, str]]) -> str:
    buffer = io.StringIO()
    table = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    table.writeheader()
    for row in rows:
        table.writerow({name: value or "" for name, value in row.items()})
    return buffer.getvalue()


def _answer(space: Workspace, config: Lab, path: Path, text: str, now: str, policy: str, lab: str) -> None:
    try:
        minute = minute_of(now) - config.hours.opening_min
        if not 0 <= minute < config.hours.end_min:
            last = config.hours.clock(config.hours.end_min - 1)
            raise ValueError(f"The time is {now}, but decisions are from {config.hours.clock(0)} to {last}.")
        standing = read_standing(text, config, minute, "the board")
    except BoardError as error:
        st.error("Please put this right on the board first:")
        for finding in error.findings:
            st.write(f"- {_named(finding, text)}")
        return
    except ValueError as error:
        st.error(str(error))
        return
    st.text("\n".join(standing_lines(standing)))
    question = ["--lab", lab, "--board", path.name, "--at", now, "--policy", policy]
    if _is_loaded(space, question):
        _advise(space, standing, policy)


def _named(finding: Finding, text: str) -> str:
    """What is inconsistent, with the row as the tables of the page know it."""
    lines = text.splitlines()
    if not 2 <= finding.row <= len(lines):
        return finding.sentence
    row = next(csv.DictReader([lines[0], lines[finding.row - 1]]))
    column = f", {finding.column}" if finding.column else ""
    return f"{row['record']} {row['id']}{column}: {finding.sentence}"


def _is_loaded(space: Workspace, question: list[str]) -> bool:
    """Whether the compiled engine is there. The first question is asked by a command, which compiles it beside the
    page: that takes minutes where it has never been done."""
    job = space.jobs.get(_ENGINE)
    if job is None:
        space.begin(_ENGINE, ["advise", *question])
        st.rerun()
    if job.state is State.DONE:
        return True
    st.write("The compiled engine is made ready. The very first time, this takes some minutes.")
    parts.job_box(space, _ENGINE)
    if job.state is not State.RUNNING:
        del space.jobs[_ENGINE]
    return False


def _advise(space: Workspace, standing: Standing, policy: str) -> None:
    with st.spinner("Playing the rest of the day many times"):
        if standing.whiteboard.waiting:
            load_kernels(standing)
        advice = advise(standing, find_policies([policy], standing.config, {})[policy])
    for line in advice_lines(advice):
        st.write(f"- {line.strip()}" if line.startswith(" ") else f"**{line}**")
    for line in method_lines(advice):
        st.write(line)
    said = (standing.whiteboard.minute, policy, advice_lines(advice))
    if st.session_state.get("noted") != said:
        st.session_state["noted"] = said
        note_advice(space.folder / LOG, dt.date.today().isoformat(), advice)


def _log(space: Workspace, now: str) -> None:
    log, day = space.folder / LOG, dt.date.today().isoformat()
    if not log.exists():
        st.write("Nothing has been asked yet.")
        return
    with st.form("done", clear_on_submit=True):
        patient, room, staff, begun = (
            column.text_input(label)
            for column, label in zip(st.columns(4), ("Patient", "Room", "Staff", "Began at"), strict=True)
        )
        if st.form_submit_button("Note that this exam has begun"):
            try:
                st.success(note_done(log, day, minute_of(begun or now), Done(patient, room, staff)))
            except ValueError as error:
                st.error(str(error))
    st.text("\n".join(summary(log, day)))
    parts.download(log, "Download the log (SQLite)", "application/vnd.sqlite3")

"""The page of what if: a field or several between two values each."""

from __future__ import annotations

import math

import streamlit as st

from echo_env.app import parts
from echo_env.app.asked import Asked, asked_fields, can_be_swept
from echo_env.app.workspace import Workspace
from echo_env.lab.config import Lab, load_lab
from echo_env.lab.sweep.kinds import Kind

REPORT = "what_if.html"
MOST_FIELDS, MOST_CELLS = 3, 200


def page(space: Workspace, lab: str) -> None:
    """Show it.

    :param space: the folder
    :param lab: the lab of the sidebar
    """
    st.title("What if?")
    config = load_lab(space.source(lab))
    fields = {asked.field.path: asked for asked in asked_fields(config) if can_be_swept(asked)}
    chosen = st.multiselect("What may change", list(fields), max_selections=MOST_FIELDS, key=f"fields {lab}",
                            format_func=lambda path: fields[path].label)  # fmt: skip
    ranges = [_range(fields[path], config) for path in chosen]
    names = parts.policies(config)
    run_by = st.multiselect("Policies", names, names[:1], format_func=parts.policy_words, key=f"what if by {lab}")
    days = st.number_input("Simulated days for each combination", 2, 10_000, 200, 100)
    cells = math.prod(len(values) for _, values in ranges)
    st.write(f"{cells} combination{'s' * (cells != 1)}." if ranges else "Choose a field first.")
    if cells > MOST_CELLS:
        st.warning(f"These are more than {MOST_CELLS} combinations: take fewer steps, or use the command line.")
    ready = bool(ranges and run_by) and cells <= MOST_CELLS
    if st.button("Play them", type="primary", disabled=not ready or bool(space.running())):
        sweep = [f"{path}={','.join(values)}" for path, values in ranges]
        arguments = ["sweep", *sweep, "--config", lab, "--policies", *run_by, "--days", str(days), "--report", REPORT]
        space.begin("what if", arguments, [REPORT])
        st.rerun()
    parts.job_box(space, "what if")


def _range(asked: Asked, config: Lab) -> tuple[str, list[str]]:
    """Sliders for the values of a field: path, and the values."""
    own = asked.field.own(config)
    left, right = st.columns([3, 1])
    if asked.field.kind is Kind.WHOLE:
        low, high = max(0, own - 3), own + 3
        begin, end = left.slider(asked.label, 0, max(10, 2 * own), (low, high), key=f"range {asked.field.path}")
        step = right.number_input("Step", 1, 100, 1, key=f"step {asked.field.path}")
        return asked.field.path, [str(value) for value in range(begin, end + 1, step)]
    most = 1.0 if asked.share else max(2.0 * own, 1.0)
    begin, end = left.slider(asked.label, 0.0, most, (0.0 if asked.share else own / 2, min(most, 1.5 * own or 0.2)),
                             step=most / 100, key=f"range {asked.field.path}")  # fmt: skip
    number = right.number_input("Number of values", 2, 20, 4, key=f"step {asked.field.path}")
    return asked.field.path, [f"{begin + (end - begin) * k / (number - 1):.6g}" for k in range(number)]

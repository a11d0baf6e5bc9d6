"""The page on which a search looks for a better book, roster or plan."""

from __future__ import annotations

import streamlit as st

from echo_env.app import parts
from echo_env.app.jobs import State
from echo_env.app.workspace import Workspace
from echo_env.commands.inputs.optimise_options import ABSENCE_PLAN, BREAKS, KINDS, ROSTER, TEMPLATE
from echo_env.lab.config import load_lab

REPORT, BETTER = "better.html", "better.yaml"
_WORDS = {
    TEMPLATE: "the appointment book: when patients are booked",
    ROSTER: "the roster: how many members of staff, when, and what they can do",
    BREAKS: "breaks and lunch",
    ABSENCE_PLAN: "who is rebooked on a morning with somebody absent",
}


def page(space: Workspace, lab: str) -> None:
    """Show it.

    :param space: the folder
    :param lab: the lab of the sidebar
    """
    st.title("What would be better?")
    st.write(
        "A search changes the lab so that patients wait less, without more of them sent home or left waiting, and "
        "without more overtime. What it finds is then measured on days that it has not seen."
    )
    config = load_lab(space.source(lab))
    names = [name for name in parts.policies(config, learned=False) if name in ("policy_2", "policy_1", "scarce_first")]
    with st.form("optimise"):
        decide = st.multiselect("What may be decided", KINDS, [TEMPLATE], format_func=lambda kind: _WORDS[kind])
        rule = st.selectbox("Who goes first", names, names.index("scarce_first"), format_func=parts.policy_words)
        moves = st.number_input("Changes at most", 1, 200, 5)
        seconds = st.slider("Seconds for the search", 5, 600, 30)
        begun = st.form_submit_button("Search", type="primary", disabled=bool(space.running()))
    if begun and not decide:
        st.error("Please choose what may be decided.")
    elif begun:
        arguments = ["optimise", lab, "--decide", *decide, "--policy", rule, "--most-moves", str(moves)]
        arguments += ["--seconds", str(seconds), "--output", BETTER, "--report", REPORT]
        space.begin("optimise", arguments, [REPORT, BETTER])
        st.rerun()
    parts.job_box(space, "optimise", "Stop the search, and measure what it has found")
    job = space.jobs.get("optimise")
    if job is not None and job.state is State.DONE:
        if space.folder / BETTER in job.results:
            parts.download(space.folder / BETTER, "Download the better lab")
            if lab != BETTER and st.button("Go on with the better lab"):
                parts.take(BETTER)
        else:
            st.info("Nothing is recommended, so that there is no file of a better lab.")

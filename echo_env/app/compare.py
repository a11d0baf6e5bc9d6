"""The page on which rules and agents run the same days."""

from __future__ import annotations

import streamlit as st

from echo_env.app import parts
from echo_env.app.workspace import Workspace
from echo_env.lab.config import load_lab

REPORT = "comparison.html"


def page(space: Workspace, lab: str) -> None:
    """Show it.

    :param space: the folder
    :param lab: the lab of the sidebar
    """
    st.title("Who should go first?")
    st.write("All policies run the same simulated days, so that what differs is the policy and not the day.")
    config = load_lab(space.source(lab))
    names = parts.policies(config)
    with st.form("compare"):
        chosen = st.multiselect("Policies; the first is compared with the others", names, names[:3],
                                format_func=parts.policy_words)  # fmt: skip
        days = st.number_input("Simulated days", 2, 100_000, 500, 100)
        seed = st.number_input("Seed: other days with another number", 0, 10**6, 0)
        begun = st.form_submit_button("Compare", type="primary", disabled=bool(space.running()))
    if begun and len(chosen) < 2:
        st.error("Please choose at least two policies.")
    elif begun:
        arguments = ["evaluate", "--config", lab, "--policies", *chosen, "--days", str(days), "--seed", str(seed)]
        space.begin("compare", [*arguments, "--report", REPORT], [REPORT])
        st.rerun()
    parts.job_box(space, "compare")

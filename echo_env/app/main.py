"""The script that Streamlit runs: the sidebar, and the page that was chosen."""

from __future__ import annotations

import os
from collections.abc import Callable

import streamlit as st

from echo_env.app import board, compare, lab, optimise, record, what_if
from echo_env.app.workspace import Workspace, preset_label
from echo_env.commands.showing.serve import FOLDER
from echo_env.lab.config.file import preset_names

FIRST = "baseline"
"""The lab that pages are about at first, where there is none of one's own."""
Page = Callable[[Workspace, str], None]
PAGES: dict[str, tuple[str, Page]] = {
    "record": ("Your record", record.page),
    "lab": ("The lab", lab.page),
    "compare": ("Who first?", compare.page),
    "what_if": ("What if?", what_if.page),
    "optimise": ("What would be better?", optimise.page),
    "board": ("At the whiteboard", board.page),
}
"""Address -> title and page."""


@st.cache_resource
def workspace(folder: str) -> Workspace:
    """The folder, once for all tabs.

    :param folder: path of it
    """
    return Workspace(folder)


def main() -> None:
    """Show the app."""
    st.set_page_config("echo-lab", layout="wide")
    space = workspace(os.environ[FOLDER])
    chosen = choose_lab(space)
    pages = [
        st.Page(_shown(page, space, chosen), title=title, url_path=address, default=address == "record")
        for address, (title, page) in PAGES.items()
    ]
    st.navigation(pages).run()


def _shown(page: Page, space: Workspace, chosen: str) -> Callable[[], None]:
    return lambda: page(space, chosen)


def choose_lab(space: Workspace) -> str:
    """The sidebar: which lab the pages are about, and what runs.

    :param space: the folder
    :return: the lab, as commands in the folder call it
    """
    labs = space.labs()
    if taken := st.session_state.pop("lab to take", None):
        st.session_state["lab"] = next((name for name in labs if name.partition("#")[0] == taken), None)
    if st.session_state.get("lab") not in labs:
        first = next(iter(labs))
        st.session_state["lab"] = first if labs[first] not in preset_names() else preset_label(FIRST)
    chosen = st.sidebar.selectbox("Lab", list(labs), key="lab")
    for job in space.running():
        st.sidebar.write(f"{job.name} is running.")
    st.sidebar.write(f"All files are in {space.folder}; nothing leaves this computer.")
    return labs[chosen]


if __name__ == "__main__":
    main()

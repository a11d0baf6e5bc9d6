"""The page of the lab: its fields in a form, and its whole text."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import streamlit as st

from echo_env.app import parts
from echo_env.app.asked import Asked, asked_fields
from echo_env.app.editing import edited_text, lab_of, read, written
from echo_env.app.workspace import Workspace, safe_name
from echo_env.lab.config import ConfigError, Lab, load_lab
from echo_env.lab.config.file import preset_names
from echo_env.lab.sweep.kinds import Kind


def page(space: Workspace, lab: str) -> None:
    """Show it.

    :param space: the folder
    :param lab: the lab of the sidebar
    """
    st.title("The lab")
    st.write(f"This is **{lab}**. What is changed here becomes a file of its own; the lab itself stays as it is.")
    _put_in(space)
    config = load_lab(space.source(lab))
    form, text = st.tabs(["In a form", "As text"])
    with form:
        _form(space, lab, config)
    with text:
        _text(space, lab)
    if lab not in preset_names():
        parts.download(space.folder / lab.partition("#")[0], "Download the lab file")


def _put_in(space: Workspace) -> None:
    put_in = st.file_uploader("A lab file that you have already (YAML)", type=["yaml", "yml"], key="lab file")
    if put_in is None or st.session_state.get("lab kept") == put_in.file_id:
        return
    try:
        lab_of(put_in.getvalue().decode("utf8"))
    except (ConfigError, UnicodeDecodeError) as error:
        st.error(str(error))
        return
    st.session_state["lab kept"] = put_in.file_id
    _take(space, put_in.name.rpartition(".")[0], put_in.getvalue().decode("utf8"))


def _form(space: Workspace, lab: str, config: Lab) -> None:
    fields = [asked for asked in asked_fields(config) if asked.field.kind is Kind.CLOCK or not asked.field.derived]
    with st.form(f"lab {lab}"):
        typed: dict[str, str] = {}
        for section, own in groupby(fields, key=lambda asked: asked.section):
            st.subheader(section)
            across = st.columns(3)
            for number, asked in enumerate(own):
                key = f"{lab} {asked.field.path}"
                value = written(asked, config)
                if asked.field.kind is Kind.TIMES:
                    typed[asked.field.path] = st.text_area(asked.label, value, key=key)
                else:
                    typed[asked.field.path] = across[number % 3].text_input(asked.label, value, key=key)
        name = st.text_input("Save as", f"{config.name}_changed")
        if not st.form_submit_button("Save the changed lab", type="primary"):
            return
    try:
        changes = _changes(fields, typed, config)
        text = edited_text(space.source(lab), name, changes)
        lab_of(text)
    except ConfigError as error:
        st.error(str(error))
        return
    _take(space, name, text)


def _changes(fields: list[Asked], typed: dict[str, str], config: Lab) -> dict[str, Any]:
    """What is no longer as it was."""
    changed = [asked for asked in fields if typed[asked.field.path].strip() != written(asked, config)]
    return {asked.field.path: read(asked, typed[asked.field.path]) for asked in changed}


def _text(space: Workspace, lab: str) -> None:
    path = space.folder / lab.partition("#")[0]
    old = path.read_text(encoding="utf8") if path.is_file() else f"base: {lab}\nname: {lab}_changed\n"
    with st.form(f"text {lab}"):
        text = st.text_area("All that a lab file can say is in the documentation.", old, height=500)
        name = st.text_input("Save as", f"{path.stem}_changed", key=f"name {lab}")
        if not st.form_submit_button("Save the text"):
            return
    try:
        lab_of(text)
    except ConfigError as error:
        st.error(str(error))
        return
    _take(space, name, text)


def _take(space: Workspace, name: str, text: str) -> None:
    """Keep a lab, and make it the one of the sidebar."""
    path = space.folder / safe_name(f"{name}.yaml")
    if path.exists() and path.read_text(encoding="utf8") != text:
        st.error(f"{path.name} is there already: choose another name.")
        return
    path.write_text(text, encoding="utf8")
    parts.take(path.name)

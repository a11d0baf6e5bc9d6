"""What several pages show: the lab they are about, policies, a command that runs, and its report."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import streamlit as st

from echo_env import ANY_ID, ENV_IDS
from echo_env.app.jobs import Job, State
from echo_env.app.workspace import Workspace
from echo_env.commands.players import models
from echo_env.commands.players.agent_list import read_list
from echo_env.lab.config import Lab, LabConfig
from echo_env.lab.policies import make_policy, policy_names
from echo_env.lab.policies.base import policies_of_any_lab

REPORT_PX = 900
_WORDS = {
    "policy_2": "policy_2: who is on time and has waited longest",
    "policy_1": "policy_1: who has waited longest",
    "scarce_first": "scarce_first: exams that few rooms or people can do",
    "fetal_first": "fetal_first: fetal exams",
    "random": "random",
    "agent": "agent: the trained agent that ships for this lab",
    "generalist": "generalist: the trained agent for labs of any kind",
}
"""Policy -> how a page names it: who goes first."""


def policies(config: Lab, learned: bool = True) -> list[str]:
    """The policies that can run a lab, those that are compared by default first.

    :param config: the lab
    :param learned: whether trained agents count
    """
    names = policy_names() if isinstance(config, LabConfig) else policies_of_any_lab()
    usual = [name for name in _WORDS if name in names]
    others = [name for name in names if name not in usual and "(" not in name and ".." not in name]
    agents = _agents(config) if learned else []
    return [*usual, *agents, *(name for name in others if _works(name, config))]


def _works(name: str, config: Lab) -> bool:
    try:
        make_policy(name, config)
    except (ValueError, ModuleNotFoundError):
        return False
    return True


def _agents(config: Lab) -> list[str]:
    """Trained agents that ship for a lab, where there is what plays them."""
    if importlib.util.find_spec("torch") is None:
        return []
    listed = read_list(models.AGENTS)
    own = any(ENV_IDS.get(env_id) == config.name for env_id in listed)
    return ["agent"] * own + ["generalist"] * (ANY_ID in listed)


def policy_words(name: str) -> str:
    """How a page names a policy.

    :param name: of it
    """
    return _WORDS.get(name, name)


def job_box(space: Workspace, name: str, stop: str = "Stop") -> None:
    """A command of a page: how far it is, with a button that stops it; or how it ended.

    :param space: the folder
    :param name: of the command
    :param stop: what the button says
    """
    job = space.jobs.get(name)
    if job is None:
        return
    if job.state is State.RUNNING:
        _watch(job, stop)
    elif job.state is State.FAILED:
        st.error(job.error)
    elif job.state is State.STOPPED:
        st.info("Stopped. Nothing was written.")
    else:
        _outcome(job)


@st.fragment(run_every=1.0)
def _watch(job: Job, stop: str) -> None:
    if job.state is not State.RUNNING:
        # The whole page, for what it shows of the outcome.
        st.rerun()
    progress, seconds = job.progress, f"{job.seconds:.0f} s"
    if job.is_stopping:
        st.progress(1.0, f"Stopping, {seconds}")
    elif progress is None:
        st.progress(0.0, f"Running, {seconds}")
    else:
        share = min(progress.done / max(progress.total, 1), 1.0)
        st.progress(share, f"{progress.what}: {progress.done:,} of {progress.total:,}, {seconds}")
    if st.button("End at once" if job.is_stopping else stop, key=f"stop {job.name}"):
        job.stop()
        st.rerun(scope="fragment")


def _outcome(job: Job) -> None:
    for path in job.results:
        if path.suffix == ".html":
            _report(job, path)
    with st.expander("The same on the command line"):
        st.code(job.command, language="bash")
        st.write(f"In {job.folder}; {job.seconds:.0f} s.")
        st.code(job.printed or "Nothing was printed.", language="text")


def _report(job: Job, path: Path) -> None:
    content = path.read_bytes()
    st.download_button(
        "Download the report", content, path.name, "text/html", key=f"report {job.name}", on_click="ignore"
    )
    st.iframe(path, height=REPORT_PX, tab_index=0)


def take(lab: str) -> None:
    """Make a lab of the folder the one that all pages are about.

    :param lab: name of its file
    """
    st.session_state["lab to take"] = lab
    st.rerun()


def take_once(job: Job, lab: str) -> None:
    """Do so once a command has made a lab; whoever then chooses another one keeps it.

    :param job: the command, which has ended
    :param lab: name of the file
    """
    if st.session_state.get("taken from") is not job:
        st.session_state["taken from"] = job
        take(lab)


def download(path: Path, label: str, mime: str = "application/yaml") -> None:
    """A button that downloads a file of the folder.

    :param path: the file
    :param label: what the button says
    :param mime: its type
    """
    st.download_button(label, path.read_bytes(), path.name, mime, key=f"download {path.name}", on_click="ignore")

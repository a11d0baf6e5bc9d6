"""The fitted values beside the paper's, for the record that the paper is based on and for no other."""

from __future__ import annotations

from typing import NamedTuple

from echo_env.lab.calibration.fitting.estimates import Fitted
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config import LabConfig

WEEK = "6e37a74e9f9965f67249dc1f598a0da42fb2c7fb34f84d864bffe93f897bb1df"
"""SHA-256 of the workbook that the paper is based on."""
_PAPER = "baseline"
"""The preset with the paper's values."""
_LAWS = {
    "arrival.no_show_rate": ("arrival", "no_show_rate"),
    "arrival.late_share": ("arrival", "late_share"),
    "arrival.late_mean_min": ("arrival", "late_mean_min"),
    "arrival.early_mean_min": ("arrival", "early_mean_min"),
    "exam.shape": ("exam", "shape"),
    "exam.mean_min": ("exam", "mean_min"),
}
"""Field of a lab file -> section and field of the paper's form."""


class Compared(NamedTuple):
    """A fitted value beside the paper's.

    :param words: what it is
    :param paper: the paper's value
    :param agrees: whether it lies in the interval of the record
    """

    words: str
    paper: float
    agrees: bool


def is_papers(visits: Visits) -> bool:
    """Whether a record is the one that the paper is based on.

    :param visits: the record
    """
    return visits.sha256 == WEEK


def compared(fitted: Fitted) -> dict[str, Compared]:
    """Field -> the paper's value, for the fields that the paper has.

    :param fitted: the lab that was fitted to the paper's record
    """
    paper = LabConfig.load(_PAPER)
    found = {}
    for one in fitted.estimates:
        if one.path in _LAWS:
            section, name = _LAWS[one.path]
            value = float(getattr(getattr(paper, section), name))
            found[one.path] = Compared(one.words, value, one.low <= value <= one.high)
    return found


def paper_sentences(fitted: Fitted) -> list[str]:
    """Which of the paper's values the record contradicts, and which it does not.

    :param fitted: the lab that was fitted to the paper's record
    """
    values = compared(fitted).values()
    said = []
    for agrees, words in ((False, "The record contradicts the paper's"), (True, "It is consistent with the paper's")):
        named = [f"{one.words} {one.paper:g}" for one in values if one.agrees == agrees]
        if named:
            said.append(f"{words} {', '.join(named)}.")
    return said

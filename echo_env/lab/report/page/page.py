"""What a page for people is: the question, the answer, one picture, and sections of text, charts and tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from echo_env.common.tables import Grid
from echo_env.lab.config.lab import Lab

SUFFIX = ".html"
"""What the name of a page's file ends in, in small or capital letters."""


def is_page(path: str | None) -> bool:
    """Whether what ``--report`` names is a page; anything else is a folder, where a command offers one.

    :param path: as typed
    """
    return path is not None and path.lower().endswith(SUFFIX)


@dataclass(frozen=True)
class Chart:
    """A chart that readers can point at, with the numbers behind it.

    :param title: what it shows, a heading
    :param alt: what one sees in it, for those who do not see it
    :param figure: of Altair
    :param table: its numbers
    :param note: how to read it
    """

    title: str
    alt: str
    figure: Any
    table: Grid
    note: str = ""


@dataclass(frozen=True)
class Video:
    """A moving picture, which begins when a reader starts it, and can be paused and wound by mouse and keyboard.

    :param title: what it shows, a heading
    :param alt: what one sees in it, for those who do not see it
    :param mp4: the file
    :param poster: a PNG that stands there until then, and in print
    :param size: width and height, pixels
    :param note: how to read it
    """

    title: str
    alt: str
    mp4: bytes
    poster: bytes
    size: tuple[int, int]
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A part of a page with a heading.

    :param anchor: its name in links
    :param title: its heading
    :param texts: paragraphs
    :param points: a list below them
    :param charts: below the list
    :param grids: tables below the charts
    :param folded: tables that are shown on demand
    :param video: below everything else; None if there is none
    """

    anchor: str
    title: str
    texts: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    grids: tuple[Grid, ...] = ()
    folded: tuple[Grid, ...] = ()
    video: Video | None = None


@dataclass(frozen=True)
class Experiment:
    """What was done, for the checklist and for whoever does it again.

    :param purpose: what the numbers are for
    :param command: the command line
    :param lab: what the command calls the lab
    :param days: simulated days
    :param seed: of them
    :param scenarios: what was compared
    :param outputs: what was measured
    :param estimation: how intervals were found
    :param data: where the numbers of the lab are from
    :param engine: which of the two engines played the days
    """

    purpose: str
    command: str
    lab: str
    days: int
    seed: int
    scenarios: tuple[str, ...]
    outputs: str
    estimation: str
    data: str
    engine: str = "compiled where a rule can be played on it, else SimPy; both give equal days"


@dataclass(frozen=True)
class Page:
    """One page; the renderer adds the assumptions, the glossary and how to do it again.

    :param title: of the window
    :param question: what was asked
    :param answer: two sentences, with how sure they are
    :param picture: the one picture of the first screen; None where there is nothing to draw
    :param config: the lab
    :param experiment: what was done
    :param likeness: whether the lab behaves like a hospital
    :param sections: in their order
    :param rules: names of the rules on the page, explained in the glossary
    :param warnings: what must be read with the answer
    """

    title: str
    question: str
    answer: tuple[str, str]
    picture: Chart | None
    config: Lab
    experiment: Experiment
    likeness: Section
    sections: tuple[Section, ...]
    rules: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

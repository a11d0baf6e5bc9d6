"""The pages, run by Streamlit without a browser."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("streamlit")
pytest.importorskip("numba")
from streamlit.testing.v1 import AppTest

from echo_env.app.jobs import State
from echo_env.app.workspace import Workspace
from echo_env.lab import load_lab
from echo_env.lab.advice import template

SECONDS = 300


def row(day: int, hour: int, half: int) -> str:
    """A visit of half an hour, in the first room or in the second one."""
    begin = half * 30
    times = ";".join(f"{hour:02d}:{begin + later:02d}" for later in (0, 0, 3, 25))
    return f"{day:02d}.03.2026;{times};{1 + half};{('CD', 'AB')[half]}\n"


CLINIC = "Datum;Termin;Anmeldung;Beginn;Ende;Raum;Kürzel\n" + "".join(
    row(day, hour, half) for day in (2, 3, 4, 5, 6) for hour in range(8, 14) for half in (0, 1)
)


def shown(name, space, lab):
    """The script of one page; Streamlit runs its source alone, in which no other name is known."""
    import importlib

    importlib.import_module(f"echo_env.app.{name}").page(space, lab)


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """Streamlit makes its script the main module, which processes of later tests would run when they begin."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Workspace]:
    """A folder of its own."""
    space = Workspace(tmp_path)
    yield space
    space.close()


def opened(name: str, space: Workspace, lab: str = "scarce") -> AppTest:
    """A page, run once without an error."""
    page = AppTest.from_function(shown, args=(name, space, lab), default_timeout=SECONDS).run()
    assert not page.exception, page.exception[0].value
    return page


def press(page: AppTest, label: str) -> AppTest:
    """Press a button."""
    button = next(button for button in page.button if button.label == label)
    page = button.click().run()
    assert not page.exception, page.exception[0].value
    return page


def ended(space: Workspace, name: str) -> State:
    """How a command of a page ends."""
    until = time.monotonic() + SECONDS
    while space.jobs[name].state is State.RUNNING:
        assert time.monotonic() < until
        time.sleep(0.1)
    return space.jobs[name].state


@pytest.mark.parametrize("lab", ["baseline", "echo_week", "walk_in_clinic"])
@pytest.mark.parametrize("name", ["record", "lab", "compare", "what_if", "optimise", "board"])
def test_every_page_opens_for_labs_of_every_form(name: str, lab: str, space: Workspace) -> None:
    """It has a title, and nothing runs by itself."""
    page = opened(name, space, lab)
    assert len(page.title) == 1
    assert not space.jobs


def test_the_form_of_a_lab_saves_a_changed_one_beside_it(space: Workspace) -> None:
    """The file has what was changed and its base alone; one of the same name is not overwritten."""
    page = opened("lab", space)
    rooms = next(field for field in page.text_input if field.label == "Rooms for non-fetal exams only")
    rooms.set_value("4")
    press(page, "Save the changed lab")
    saved = space.folder / "scarce_changed.yaml"
    assert saved.read_text() == "base: scarce\nname: scarce_changed\nrooms:\n  non_fetal: 4\n"
    page = opened("lab", space)
    page = press(page, "Save the changed lab")
    assert page.error[0].value == "scarce_changed.yaml is there already: choose another name."


def test_a_form_that_cannot_be_says_so_and_saves_nothing(space: Workspace) -> None:
    """In the sentence of the lab file."""
    page = opened("lab", space)
    next(field for field in page.text_input if field.label == "Opens at").set_value("soon")
    page = press(page, "Save the changed lab")
    assert "hours.opening has 'soon', but must be a clock time" in page.error[0].value
    assert not list(space.folder.glob("*.yaml"))


def test_a_foreign_sheet_is_mapped_and_read(space: Workspace) -> None:
    """The guess stands in the form, and is used when somebody says so."""
    pytest.importorskip("pandas")
    space.keep("praxis.csv", CLINIC.encode())
    page = opened("record", space)
    assert "a guess has to be confirmed" in page.warning[0].value
    assert next(box for box in page.selectbox if box.label == "begin of the exam").value == "Beginn"
    page = press(page, "Use these columns")
    assert page.success[0].value == "60 visits on 5 days."
    assert "begin: Beginn" in (space.folder / "praxis.columns.yaml").read_text(encoding="utf8")


def test_a_comparison_runs_beside_the_page_and_its_report_can_be_downloaded(space: Workspace) -> None:
    """As a command, which the page shows."""
    pytest.importorskip("altair")
    page = opened("compare", space)
    next(number for number in page.number_input if number.label == "Simulated days").set_value(20)
    press(page, "Compare")
    assert ended(space, "compare") is State.DONE, space.jobs["compare"].error
    page = opened("compare", space)
    assert (space.folder / "comparison.html").exists()
    assert page.code[0].value.startswith("echo-lab evaluate --config scarce --policies policy_2 policy_1")


def test_what_if_asks_for_the_values_of_each_lab(space: Workspace) -> None:
    """The slider of a lab begins around its own value, whatever was chosen for another one."""

    def of_the_first(space, labs):
        from echo_env.app import what_if

        what_if.page(space, labs[0])

    labs = ["abundant"]
    page = AppTest.from_function(of_the_first, args=(space, labs), default_timeout=SECONDS).run()
    for lab, rooms in (("abundant", (27, 33)), ("scarce", (0, 6))):
        labs[0] = lab
        page = page.run()
        page = page.multiselect[0].set_value(["rooms.non_fetal"]).run()
        assert not page.exception
        assert page.slider[0].value == rooms


def test_a_board_that_cannot_be_is_put_right_first(space: Workspace) -> None:
    """Each inconsistency is named, and no command begins."""
    page = opened("board", space)
    next(field for field in page.text_input if field.label.startswith("The time now")).set_value("03:00")
    page = press(page, "Who could begin?")
    assert page.error[0].value.startswith("The time is 03:00, but decisions are from 08:00")
    assert not space.jobs


def test_what_is_inconsistent_is_named_as_the_tables_name_it(space: Workspace) -> None:
    """By the kind of row, the id and the column."""
    board = template(load_lab("scarce")).replace("patient,12,non_fetal,expected,", "patient,12,non_fetal,waiting,")
    (space.folder / "board_scarce.csv").write_text(board, encoding="utf8")
    page = opened("board", space)
    next(field for field in page.text_input if field.label.startswith("The time now")).set_value("08:30")
    page = press(page, "Who could begin?")
    assert page.error[0].value == "Please put this right on the board first:"
    assert [text.value for text in page.markdown if text.value.startswith("- patient 12, arrived: ")]


@pytest.mark.slow
def test_advice_for_a_board(space: Workspace) -> None:
    """At opening nobody waits; the log keeps that it was asked."""
    page = opened("board", space)
    next(field for field in page.text_input if field.label.startswith("The time now")).set_value("08:00")
    press(page, "Who could begin?")
    assert ended(space, "engine") is State.DONE, space.jobs["engine"].error
    page = page.run()
    assert any("Nobody can begin now: nobody waits" in text.value for text in page.markdown)
    assert (space.folder / "advice.db").exists()


@pytest.mark.slow
def test_a_search_runs_beside_the_page(space: Workspace) -> None:
    """Five seconds of it give a report and a better lab."""
    page = opened("optimise", space)
    page.slider[0].set_value(5)
    press(page, "Search")
    assert ended(space, "optimise") is State.DONE, space.jobs["optimise"].error
    opened("optimise", space)
    assert (space.folder / "better.html").exists()
    assert (space.folder / "better.yaml").exists()

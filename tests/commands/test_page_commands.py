"""``--report FILE.html`` of the commands: refused before the work, written whole, and without anybody's name."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("altair")
pytest.importorskip("vl_convert")
pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")
pytest.importorskip("openpyxl")

from hospital_sheets import NOTES, made_up_visits, write_workbook

from echo_env.commands import app
from echo_env.common.files import files_in
from echo_env.lab.sweep.results import SweepResults

FEW = ("--policies", "policy_2", "policy_1", "--days", "3")
PERSON, INITIALS, NUMBER = "Zebedee Quarrel", "ZQX", "99887766"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def sheet(tmp_path: Path) -> str:
    """A workbook in which a patient's name and number stand in many places, and somebody's initials."""
    days = {"Monday (Nov 27)": 1, "Tuesday (Nov 28)": 2, "Wednesday (Nov 29)": 3}
    sheets = {name: made_up_visits(32, seed) for name, seed in days.items()}
    for rows in sheets.values():
        rows[3]["pt"] = f"{PERSON} {NUMBER}"
        rows[4]["actual"] = f"ask {PERSON}"
        rows[5]["Z"] = f"{PERSON}, {NUMBER}"
        for row in rows:
            row["who"] = INITIALS if row.get("room") == 14 else row.get("who")
    write_workbook(tmp_path / "week.xlsx", sheets, notes=[*NOTES, f"{PERSON} is always late"])
    return "week.xlsx"


def test_a_comparison_is_told_on_a_page() -> None:
    """The page has the command and the rules, and nothing else is written; a second run replaces it."""
    for _ in range(2):
        assert app.main(["evaluate", *FEW, "--report", "out.html"]) == 0
    text = Path("out.html").read_text(encoding="utf8")
    assert "echo-lab evaluate --policies policy_2 policy_1 --days 3 --report out.html" in text
    assert "policy 1 minus policy 2" in text
    assert files_in(Path()) == {"out.html"}


@pytest.mark.parametrize("mode", ["grid", "one_at_a_time"])
def test_a_sweep_is_told_on_a_page(mode: str) -> None:
    """The page names the fields, and has every lab that was played."""
    fields = ["rooms.non_fetal=3,4", "penalty.idle_rule=none,every_pair"]
    assert app.main(["sweep", *fields, "--sweep-mode", mode, *FEW, "--report", "out.html"]) == 0
    text = Path("out.html").read_text(encoding="utf8")
    assert "What would other values of rooms: non-fetal and penalty: idle rule do" in text
    assert "rooms: non-fetal 4" in text


def test_a_proposal_is_told_on_a_page(folder: Path) -> None:
    """The page says what would have to be done, and compares today with the proposal."""
    pytest.importorskip("numba")
    times = "appointments: {fetal: ['08:00', '08:00', '08:15'], non_fetal: ['08:00', '08:15', '08:30']}"
    (folder / "small.yaml").write_text(f"base: scarce\nname: small\n{times}\n")
    quick = ["--seconds", "20", "--days", "100", "--starts", "1", "--grid", "60"]
    assert app.main(["optimise", "small.yaml", *quick, "--report", "Out.HTML"]) == 0
    text = Path("Out.HTML").read_text(encoding="utf8")
    assert "What would have to be done" in text
    assert "the proposal minus today" in text


def test_nobody_of_the_sheet_is_on_the_page(sheet: str) -> None:
    """No text of a cell and no date of a visit gets onto the page of a calibration or of a validation."""
    fitted = ["calibrate", sheet, "--output", "lab.yaml", "--resamples", "20", "--days", "0"]
    assert app.main([*fitted, "--report", "fitted.html"]) == 0
    assert app.main(["validate", "lab.yaml", sheet, "--days", "5", "--report", "checked.html"]) == 0
    for name in ("fitted.html", "checked.html"):
        text = Path(name).read_text(encoding="utf8")
        assert "Does the simulated lab lab behave like the recorded days?" in text
        for secret in (*PERSON.split(), INITIALS, NUMBER, "Nov 27", "2023-11"):
            assert secret not in text, (name, secret)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["evaluate", *FEW, "--report", "out.pdf"],
            "--report is 'out.pdf', but must be the name of a page, which ends in",
        ),
        (["evaluate", *FEW, "--report", "-"], "--report is '-', but must be the name of a page"),
        (["evaluate", *FEW, "--report", ""], "--report is '', but must be the name of a page"),
        (["evaluate", *FEW, "--report", "folder.html"], "--report folder.html is a folder"),
        (["evaluate", *FEW, "--report", "out.html", "--json", "out.html"], "--report out.html is also --json"),
        (["evaluate", *FEW, "--report", "out/a.html", "--output", "out"], "--report out/a.html lies in --output"),
        (["evaluate", *FEW, "--animation"], "--animation needs --report FILE.html"),
        (
            ["sweep", "rooms.non_fetal=3,4", *FEW, "--report", "a.html", "--animation"],
            "--animation is of one lab, and does not go together with --sweep",
        ),
        (["sweep", "rooms.non_fetal=3,4", *FEW, "--report", "a.txt"], "--report is 'a.txt'"),
        (["optimise", "scarce", "--report", "folder.html"], "--report folder.html is a folder"),
        (["optimise", "scarce", "--report", "a.html", "--json", "a.html"], "--report a.html is also --json"),
        (["calibrate", "no.xlsx", "--output", "a.html", "--report", "a.html"], "--output a.html is also --report"),
        (["validate", "scarce", "no.xlsx", "--report", "a.html", "--json", "a.html"], "a.html is also"),
    ],
)
def test_a_page_that_cannot_be_written_is_refused_first(
    arguments: list[str], words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is played for a page that could not be written, and one sentence says why."""
    (folder / "folder.html").mkdir()
    assert app.main(arguments) == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.strip().splitlines()) == 1
    assert files_in(folder) == set()


def test_a_missing_package_is_named_first(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the extra, one sentence says how to install it, and nothing is played."""
    found: Callable[..., object] = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "altair" else found(name, *more)
    )
    assert app.main(["evaluate", *FEW, "--report", "out.html"]) == 2
    assert capsys.readouterr().err == "error: altair is missing: pip install 'echo-lab-rl[report]'\n"


def test_nothing_is_left_where_the_page_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page appears whole or not at all, and so does what is written beside it."""

    def fail(results: SweepResults, *arguments: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr("echo_env.lab.report.page.sweep.sweep_page", fail)
    assert app.main(["sweep", "rooms.non_fetal=3,4", *FEW, "--report", "out.html", "--json", "out.json"]) == 2
    assert files_in(Path()) == set()

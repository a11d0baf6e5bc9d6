"""Short names of books and lists of times in tables, CSV labels and figures."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from echo_env.lab import LabConfig, make_policy
from echo_env.lab.sweep import Player, SweepResults, make_sweep, play_sweep, tasks_of
from echo_env.lab.sweep.labels import changes

SCARCE = LabConfig.load("scarce")
NON_FETAL = [f"{time // 60:02d}:{time % 60:02d}" for time in sorted(480 + m for m in SCARCE.appointments.non_fetal)]


def template(folder: Path, name: str, non_fetal: list[str], fetal: str = "") -> str:
    """Write a lab with another book; gives its path."""
    path = folder / name
    quoted = ", ".join(f"'{time}'" for time in non_fetal)
    path.write_text(f"base: scarce\nappointments: {{{fetal}non_fetal: [{quoted}]}}\n", encoding="utf8")
    return str(path)


@pytest.fixture
def results(tmp_path: Path) -> SweepResults:
    """Three templates in a folder with a long name, and a list of times."""
    folder = tmp_path / "a_folder_whose_name_alone_is_longer_than_any_column"
    folder.mkdir()
    moved = ["08:00", *(time for k, time in enumerate(NON_FETAL) if k != NON_FETAL.index("10:30"))]
    paths = [
        template(folder, "early.yaml", sorted(moved)),
        template(folder, "few.yaml", NON_FETAL[:-4], "fetal: ['08:15'], "),
        template(folder, "fewer.yaml", NON_FETAL[1:-3], "fetal: ['08:15'], "),
    ]
    wanted = [f"appointments.template={','.join(paths)}", f"appointments.non_fetal=[{','.join(NON_FETAL[:-2])}]"]
    sweep = make_sweep(SCARCE, wanted, "one_at_a_time")
    tasks = tasks_of(sweep, lambda lab: [make_policy(name, lab) for name in ("policy_2", "fetal_first")], 4, 3)
    return play_sweep(sweep, tasks, Player(4, 3, None), 3)


@pytest.mark.parametrize(
    ("own", "times", "expected"),
    [
        ((480, 540), (480, 540), "own"),
        ((480, 630), (480, 480), "10:30 -> 08:00"),
        ((480, 630), (480,), "without 10:30"),
        ((480,), (480, 490, 490), "plus 08:10 08:10"),
        ((480, 490, 500, 510), (480,), "3 fewer"),
        ((480, 490, 500, 510), (485, 520), "2 fewer, 2 moved"),
        ((480, 490), (500, 510, 520), "1 more, 2 moved"),
    ],
)
def test_lists_are_named_by_their_difference(own: tuple[int, ...], times: tuple[int, ...], expected: str) -> None:
    """Up to two changed times are listed; more are counted."""
    assert changes(own, times) == expected


def test_labels_are_short_and_unique(results: SweepResults) -> None:
    """Each value has a label of its own; equal descriptions are told apart by the file's name."""
    book, times = results.sweep.axes
    assert [book.label(value) for value in book.values] == [
        "non-fetal 10:30 -> 08:00", "8 fewer fetal, 4 fewer non-fetal (few)", "8 fewer fetal, 4 fewer non-fetal (fewer)"
    ]  # fmt: skip
    last = " ".join(NON_FETAL[-2:])
    assert [times.label(value) for value in (*times.values, times.own)] == [f"without {last}", "own"]
    assert results.sweep.name(results.sweep.cells[1]) == "appointments.template=non-fetal 10:30 -> 08:00"


def test_piped_tables_have_at_most_100_columns(results: SweepResults) -> None:
    """No line of the output of a sweep over templates is wider than a pipe's 100 columns."""
    pytest.importorskip("rich")
    from rich.console import Console

    from echo_env.lab.sweep.tables import print_sweep

    file = io.StringIO()
    print_sweep(results, ["penalty", "waiting_penalty", "wait_min"], "4 days", Console(file=file, width=100))
    lines = file.getvalue().splitlines()
    assert max(map(len, lines)) <= 100
    assert "non-fetal 10:30 -> 08:00" in file.getvalue()
    assert "early.yaml." in " ".join(lines)  # the note that names the file of a label

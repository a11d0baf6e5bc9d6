"""Boards that cannot be so: each inconsistency is named by row and column, all of them at once."""

from __future__ import annotations

import pytest

from echo_env.lab import load_lab
from echo_env.lab.advice import BoardError, read_standing, template
from echo_env.lab.advice.board import Finding

# Rows 2 to 5 are rooms, 6 to 8 staff, 9 to 13 patients. It is 10:40.
HEAD = "record,id,type,state,scheduled,arrived,room,staff,since,until,exams,breaks,planned_breaks,lunch"
ROOMS = ["room,R1,fetal", "room,R2,non_fetal", "room,R3,non_fetal", "room,R4,non_fetal"]
STAFF = ["staff,A,fetal", "staff,B,fetal,break,,,,,10:30", "staff,C,non_fetal"]
PATIENTS = [
    "patient,1,fetal,in exam,09:15,09:10,R1,A,10:05",
    "patient,2,non_fetal,in exam,09:30,09:28,R2,C,10:10",
    "patient,3,non_fetal,waiting,10:00,10:02",
    "patient,4,non_fetal,done,08:30,08:20,R2,C,08:30,09:14",
    "patient,5,non_fetal,expected,11:00",
]
NOW = 160


def board(*changes: tuple[str, str], more: tuple[str, ...] = ()) -> str:
    """The board with rows replaced: (beginning of a row, what it is instead)."""
    rows = [HEAD, *ROOMS, *STAFF, *PATIENTS]
    for old, new in changes:
        (number,) = [n for n, row in enumerate(rows) if f"{row},".startswith(f"{old},")]
        rows[number] = new
    return "\n".join([*rows, *more])


def findings(text: str) -> list[Finding]:
    """What is found on a board."""
    with pytest.raises(BoardError) as caught:
        read_standing(text, load_lab("scarce"), NOW, "board.csv")
    assert str(caught.value).startswith("board.csv: row ")
    return caught.value.findings


def test_a_consistent_board_is_read() -> None:
    """The board that the others differ from has nothing to find, and says what it says."""
    standing = read_standing(board(), load_lab("scarce"), NOW)
    assert sorted(standing.patients.values()) == ["1", "2", "3", "4", "5"]
    assert [len(queue) for queue in standing.whiteboard.queues] == [0, 0, 0, 1, 0, 0]
    assert standing.whiteboard.exams_begun == [1, 0, 2]


CASES = [
    # A row replaced by another, further rows, then row and column that are named, and what is said.
    (("patient,2", "patient,2,non_fetal,in exam,09:30,09:28,R1,C,10:10"), (), 10, "room", "patient 1 of row 9 is"),
    (None, ("patient,1,fetal,in exam,09:15,09:10,R3,C,10:05",), 14, "room", "in room R1 in row 9 and in room R3"),
    (("patient,2", "patient,2,non_fetal,in exam,09:30,09:28,R9,C,10:10"), (), 10, "room", "no such row"),
    (("patient,2", "patient,2,non_fetal,in exam,09:30,09:28,R2,Z,10:10"), (), 10, "staff", "no such row"),
    (("patient,2", "patient,2,non_fetal,in exam,09:30,10:20,R2,C,10:10"), (), 10, "since", "came only at 10:20"),
    (("patient,3", "patient,3,non_fetal,waiting,10:00,10:50"), (), 11, "arrived", "is after 10:40, now"),
    (("patient,1", "patient,1,fetal,in exam,09:15,09:10,R1,B,10:05"), (), 9, "staff", "is on break according to row 7"),
    (("patient,1", "patient,1,fetal,in exam,09:15,09:10,R1,C,10:05"), (), 9, "staff", "can do no fetal exam"),
    (("patient,1", "patient,1,fetal,in exam,09:15,09:10,R3,A,10:05"), (), 9, "room", "no fetal exam can be done"),
    (("patient,3", "patient,3,non_fetal,waiting,10:00,-5"), (), 11, "arrived", "must be a clock time such as 10:40"),
    (("patient,3", "patient,3,non_fetal,waiting,ten,10:02"), (), 11, "scheduled", "must be a clock time such as 10:40"),
    (("patient,5", "patient,3,non_fetal,expected,11:00"), (), 13, "id", "patient 3 is in row 11 already"),
    (None, ("staff,D,non_fetal",), 14, "type", "the board has 2 staff non_fetal, but the lab has 1"),
    (None, ("room,R5,fetal",), 14, "type", "the board has 2 rooms fetal, but the lab has 1"),
    (("room,R4,non_fetal", "#"), (), 4, "type", "the board has 2 rooms non_fetal, but the lab has 3"),
    (("patient,3", "patient,3,cardiac,waiting,10:00,10:02"), (), 11, "type", "the exam types of the lab 'scarce' are"),
    (("patient,3", "patient,3,non_fetal,wating,10:00,10:02"), (), 11, "state", "did you mean waiting?"),
    (("patient,3", "visitor,3,non_fetal,waiting,10:00,10:02"), (), 11, "record", "must be one of patient, room, staff"),
    (("patient,3", "patient,3,non_fetal,waiting,10:00,10:02,R3"), (), 11, "room", "is waiting, not in an exam"),
    (("patient,3", "patient,3,non_fetal,waiting,10:00"), (), 11, "arrived", "is waiting and must have come"),
    (("patient,5", "patient,5,non_fetal,expected,11:00,10:30"), (), 13, "arrived", "is still expected"),
    (("patient,5", "patient,5,non_fetal,expected"), (), 13, "scheduled", "which needs an appointment"),
    (("patient,1", "patient,1,fetal,in exam,09:15,09:10,,A,10:05"), (), 9, "room", "but patient 1 is in an exam"),
    (("patient,4", "patient,4,non_fetal,done,08:30,08:20,R2,C,08:30,08:10"), (), 12, "until", "began at 08:30"),
    (("patient,4", "patient,4,non_fetal,done,08:30,08:20,R2,C,09:50,10:30"), (), 10, "room", "had patient 4 until"),
    (("patient,3", "patient,3,non_fetal,waiting,,10:02"), (), 11, "scheduled", "without an appointment at 10:02"),
    (("staff,B,fetal,break,,,,,10:30", "staff,B,fetal,break"), (), 7, "since", "give one of them"),
    (("staff,B,fetal,break,,,,,10:30", "staff,B,fetal,break,,,,,10:20,10:35"), (), 7, "until", "is back by now"),
    (("staff,B,fetal,break,,,,,10:30", "staff,B,fetal,lunch,,,,,10:30"), (), 7, "state", "has no lunch in the lab"),
    (("staff,B,fetal,break,,,,,10:30", "staff,B,fetal,break,,,,,10:30,,,5"), (), 7, "breaks", "has 2 in a day"),
    (("staff,C,non_fetal", "staff,C,non_fetal,present,,,,,,,1"), (), 8, "exams", "has begun 2 exams"),
    (("patient,3", "patient,,non_fetal,waiting,10:00,10:02"), (), 11, "id", "needs one"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "more", "row", "column", "said"), CASES, ids=range(len(CASES)))
def test_what_cannot_be_so_is_named(
    change: tuple[str, str] | None, more: tuple[str, ...], row: int, column: str, said: str
) -> None:
    """One inconsistency is named by its row and column, in one sentence."""
    rows = [HEAD, *ROOMS, *STAFF, *PATIENTS]
    change = change and (next(own for own in rows if own.startswith(change[0])), change[1])
    found = findings(board(*([change] if change else ()), more=more))
    named = [own for own in found if (own.row, own.column) == (row, column) and said in own.sentence]
    assert len(named) == 1, found
    assert "\n" not in str(named[0])


def test_several_are_named_at_once() -> None:
    """All inconsistencies of a board are found together, in the order of its rows."""
    text = board(
        (PATIENTS[0], "patient,1,fetal,in exam,09:15,09:10,R1,B,10:05"),
        (PATIENTS[2], "patient,3,non_fetal,waiting,10:00,10:50"),
        (PATIENTS[4], "patient,5,non_fetal,expected,25:00"),
    )
    assert [(own.row, own.column) for own in findings(text)] == [(9, "staff"), (11, "arrived"), (13, "scheduled")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty, but must have a line of column names"),
        ("# nothing\n", "is empty"),
        ("record,type\nroom,fetal\n", "has no column 'id'"),
        ("record,id,type,rooom\n", "did you mean room"),
        ("record,id,type,id\n", "has a column twice"),
    ],
)
def test_what_is_no_board_is_refused(text: str, said: str) -> None:
    """A file that is no such table is refused in one sentence."""
    with pytest.raises(ValueError, match=said):
        read_standing(text, load_lab("scarce"), NOW)


@pytest.mark.parametrize("lab", ["baseline", "abundant", "echo_week", "mri_unit", "walk_in_clinic"])
def test_the_template_is_a_board(lab: str) -> None:
    """The template of any lab reads back as its day at opening: nobody has come."""
    config = load_lab(lab)
    standing = read_standing(template(config), config, 0)
    assert standing.config is config
    assert not any(standing.whiteboard.queues)


def test_spreadsheets_write_boards_as_well() -> None:
    """Semicolons, a byte order mark, seconds, capitals and missing columns are read."""
    text = board().replace(",", ";").replace("10:05", "10:05:00").replace("waiting", "Waiting")
    standing = read_standing(f"\ufeff{text}", load_lab("scarce"), NOW)
    assert standing.whiteboard.running[0].start_min == 125


def test_the_appointments_of_the_board_count() -> None:
    """Where the board has another book than the lab, the lab is that of the board; else it is the lab itself."""
    config = load_lab("scarce")
    standing = read_standing(board(), config, NOW)
    assert standing.config.plan.types[0].scheduled == (75,)
    assert standing.config.plan.types[1].scheduled == (30, 90, 120, 180)
    assert standing.config.plan.room_groups == config.plan.room_groups


def test_an_appointment_of_a_general_lab_can_be_moved() -> None:
    """In a lab with exam types of its own as well."""
    config = load_lab("mri_unit")
    text = template(config).replace("expected,07:30", "expected,07:45", 1)
    moved = read_standing(text, config, 0).config
    assert moved.plan.types[0].scheduled == (0, 45, 150, 210, 240, 330, 390, 480, 510, 570)

"""A log of advice and of what was done, in one SQLite file, and what it says at the end of the day.

It holds ids as they stand on the board, and no other word of a patient.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from echo_env.lab.advice.advice import Advice
from echo_env.lab.config.clock import clock_text, read_clock
from echo_env.lab.simulation.view import LabView

_TABLES = """
CREATE TABLE IF NOT EXISTS advice (
    id INTEGER PRIMARY KEY, day TEXT NOT NULL, at INTEGER NOT NULL, lab TEXT NOT NULL, policy TEXT NOT NULL,
    waiting INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS start (
    advice INTEGER NOT NULL REFERENCES advice, place INTEGER NOT NULL, patient TEXT NOT NULL, room TEXT NOT NULL,
    staff TEXT NOT NULL, instead TEXT, better REAL, low REAL, high REAL);
CREATE TABLE IF NOT EXISTS done (
    id INTEGER PRIMARY KEY, day TEXT NOT NULL, at INTEGER NOT NULL, patient TEXT NOT NULL, room TEXT NOT NULL,
    staff TEXT NOT NULL, UNIQUE (day, patient));
"""
_NAMES = {"advice", "start", "done"}


class Done(NamedTuple):
    """An exam that has begun.

    :param patient: id on the board
    :param room: id
    :param staff: id
    """

    patient: str
    room: str
    staff: str


@contextmanager
def _opened(path: str | Path, must_exist: bool = False) -> Iterator[sqlite3.Connection]:
    """A log, with its tables; changes count once the block is left without an error.

    :raises FileNotFoundError: there is none, and there must be
    :raises ValueError: the file is something else
    """
    file = Path(path)
    if must_exist and not file.exists():
        raise FileNotFoundError(f"--log {path} is not there: echo-lab advise --board writes it")
    try:
        with closing(sqlite3.connect(file)) as connection, connection:
            found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if found and not found >= _NAMES:
                raise ValueError(f"--log {path} is a database of something else, with the table {min(found)}")
            connection.executescript(_TABLES)
            yield connection
    except sqlite3.Error as error:
        raise ValueError(f"--log {path} cannot be used as a log of advice: {error}") from None


def check_log(path: str | Path) -> None:
    """Refuse a file that is no log of advice; one that is not there yet is none.

    :param path: the file
    :raises ValueError: the file is something else
    """
    if Path(path).exists():
        with _opened(path):
            pass


def note_advice(path: str | Path, day: str, advice: Advice) -> None:
    """Write advice into a log.

    :param path: the file, made where there is none
    :param day: its date, YYYY-MM-DD
    :param advice: the advice
    :raises ValueError: the file is something else
    """
    standing = advice.standing
    at = standing.config.hours.opening_min + standing.whiteboard.minute
    waiting = sum(LabView(standing.whiteboard).waiting_counts)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with _opened(path) as log:
        own = (day, at, standing.config.name, advice.policy, waiting)
        number = log.execute("INSERT INTO advice (day, at, lab, policy, waiting) VALUES (?, ?, ?, ?, ?)", own).lastrowid
        steps = zip(advice.decision.steps, advice.ranking.alternatives, strict=True)
        for place, (step, others) in enumerate(steps, 1):
            if step.entry is None:
                continue
            start = advice.decision.starts[step.entry.patient]
            where = (standing.patients[start.patient], standing.rooms[start.room], standing.staff[start.sonographer])
            best = others[0] if others else None
            gain: tuple[str | float | None, ...] = (None, None, None, None)
            if best is not None:
                gain = (standing.patients[best.entry.patient], best.gain.mean, best.gain.low, best.gain.high)
            log.execute("INSERT INTO start VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (number, place, *where, *gain))


def note_done(path: str | Path, day: str, at: int, done: Done) -> str:
    """Write into a log that an exam has begun.

    :param path: the file
    :param day: its date
    :param at: minutes after midnight
    :param done: what was done
    :return: a sentence: whether that was advised
    :raises ValueError: it has been noted before, or the file is something else
    :raises OSError: there is no such file
    """
    with _opened(path, must_exist=True) as log:
        before = log.execute("SELECT at FROM done WHERE day = ? AND patient = ?", (day, done.patient)).fetchone()
        if before:
            raise ValueError(f"--done {done.patient} was noted at {clock_text(before[0])} already")
        log.execute("INSERT INTO done (day, at, patient, room, staff) VALUES (?, ?, ?, ?, ?)", (day, at, *done))
        advised = _advised(log, day, at, done.patient)
    said = f"noted: patient {done.patient} in room {done.room} with {done.staff} at {clock_text(at)}"
    if advised is None:
        return f"{said}, which no advice said"
    same = advised[1:] == (done.room, done.staff)
    where = "as advised" if same else f"where room {advised[1]} and {advised[2]} were advised"
    return f"{said}, {where} at {clock_text(advised[0])}"


def _advised(log: sqlite3.Connection, day: str, at: int, patient: str) -> tuple[int, str, str] | None:
    """The latest advice to begin a patient's exam by a minute: when, where and with whom."""
    found: tuple[int, str, str] | None = log.execute(
        "SELECT at, room, staff FROM start JOIN advice ON advice.id = start.advice "
        "WHERE day = ? AND at <= ? AND patient = ? ORDER BY at DESC, advice.id DESC LIMIT 1",
        (day, at, patient),
    ).fetchone()
    return found


def summary(path: str | Path, day: str) -> list[str]:
    """What a log says of a day, in lines.

    :param path: the file
    :param day: its date
    :raises ValueError: nothing is known of the day, or the file is something else
    :raises OSError: there is no such file
    """
    with _opened(path, must_exist=True) as log:
        asked, first, last = log.execute(
            "SELECT count(*), min(at), max(at) FROM advice WHERE day = ?", (day,)
        ).fetchone()
        done = log.execute("SELECT at, patient, room, staff FROM done WHERE day = ? ORDER BY at, id", (day,)).fetchall()
        if not asked and not done:
            days = [own for (own,) in log.execute("SELECT DISTINCT day FROM advice ORDER BY day DESC LIMIT 5")]
            raise ValueError(f"--log {path} has nothing of {day}; it has {', '.join(days) or 'no day'}")
        advised = {own[1]: _advised(log, day, *own[:2]) for own in done}
        gains = _latest_gains(log, day)
    followed = [own for own in done if (line := advised[own[1]]) is not None and line[1:] == own[2:]]
    elsewhere = [own for own in done if (line := advised[own[1]]) is not None and line[1:] != own[2:]]
    unasked = [own for own in done if advised[own[1]] is None]
    times = f", from {clock_text(first)} to {clock_text(last)}" if asked else ""
    lines = [f"{day}: advice was asked for {_times(asked)}{times}; {_exams(len(done))} noted as begun."]
    for own, words in (
        (followed, "as advised"),
        (elsewhere, "advised, but in another room or with another member of staff"),
        (unasked, "without advice to begin them"),
    ):
        if own:
            lines.append(f"- {len(own)} {words}: {', '.join(patient for _, patient, _, _ in own)}")
    begun = {patient for _, patient, _, _ in done}
    open_ = sorted(patient for patient in gains if patient not in begun)
    if open_:
        lines.append(f"- {len(open_)} advised and not noted as begun: {', '.join(open_)}")
    for label, own in (("as advised", followed), ("advised, but done otherwise", elsewhere)):
        known = [gains[patient] for _, patient, _, _ in own if gains.get(patient) is not None]
        if known:
            value = sum(float(gain) for gain in known if gain is not None) / len(known)
            lines.append(
                f"Expected of those begun {label}: on average {value:+.1f} points against the best alternative, over "
                f"{len(known)} with one (+ is better)."
            )
    return lines


def _latest_gains(log: sqlite3.Connection, day: str) -> dict[str, float | None]:
    """Patient -> points by which the latest advice to begin was better than the best alternative, if there was one."""
    rows = log.execute(
        "SELECT patient, better FROM start JOIN advice ON advice.id = start.advice WHERE day = ? "
        "ORDER BY at, advice.id",
        (day,),
    )
    return dict(rows.fetchall())


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _exams(number: int) -> str:
    return f"{number} exam{'s' * (number != 1)} {'was' if number == 1 else 'were'}"


def minute_of(text: str) -> int:
    """A clock time as minutes after midnight.

    :param text: such as ``10:40``
    :raises ValueError: something else
    """
    try:
        return read_clock(text)
    except ValueError:
        raise ValueError(f"--at is {text!r}, but must be a clock time such as 10:40") from None

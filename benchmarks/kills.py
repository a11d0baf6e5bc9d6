"""Kill commands at random moments and in the middle of saves: nothing may be lost, and resumed runs must be equal.

    python benchmarks/kills.py                    # all, and a row for each in kills.csv
    python benchmarks/kills.py --only train       # only commands whose name begins so

Each command first runs undisturbed, in a folder with earlier results of its own and with files of the user's. Then it
is killed (KILL and TERM hit the command alone, as ``kill`` does; INT its workers too, as a terminal's Ctrl-C does) in a
copy of that folder, after a random share of the undisturbed time or as soon as the n-th temporary file appears.
Afterwards

- the exit status is the signal's: -9, -15, and 130 with the word ``interrupted`` and no traceback;
- no process of it is left alive;
- every file of the user's is the same, and every earlier result is the same or a complete newer one;
- every file under a name of its own is whole: tables, JSON, YAML, models, buffers, statistics, pictures;
- the same command ends with status 0, takes what was complete, leaves no temporary file, and its results equal those
  of the undisturbed run: byte for byte, of models the weights, of replay buffers and statistics the arrays.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.kill_checks import TEMPORARY, differing, lost, read_files, temporaries, unreadable  # noqa: E402
from benchmarks.kill_plan import COMMANDS, PLAN, Command, Kill  # noqa: E402
from benchmarks.record import append_row  # noqa: E402
from benchmarks.small_workbook import write_week  # noqa: E402

EXIT = {"KILL": -signal.SIGKILL, "TERM": -signal.SIGTERM, "INT": 130}
LIMIT_S = 300
MINE = b"by hand\n"


class Ended(NamedTuple):
    """How a command ended.

    :param status: exit status; below 0 the signal's number
    :param moment: when the signal was sent, in words; empty where none was
    :param error: standard error
    :param alive: processes of it that are left
    :param rest: seconds from the signal to its end
    """

    status: int
    moment: str
    error: str
    alive: int
    rest: float


class Undisturbed(NamedTuple):
    """A command that was not killed.

    :param start: folder with earlier results, from which every run begins
    :param seconds: how long it took
    :param before: files in that folder
    :param after: files after the run
    :param results: those that it made
    """

    start: Path
    seconds: float
    before: Mapping[str, bytes]
    after: Mapping[str, bytes]
    results: Mapping[str, bytes]


def prepare(name: str, folder: Path) -> Undisturbed:
    """Make earlier results, then run a command undisturbed in a copy of the folder that has them."""
    command, start = COMMANDS[name], folder / "start"
    start.mkdir()
    lay(name, start)
    done = run(command, start, command.earlier.split())
    if done.status != 0:
        raise RuntimeError(f"{name}: earlier results cannot be made: {done.error}")
    for mine in command.mine:
        (start / mine).parent.mkdir(parents=True, exist_ok=True)
        (start / mine).write_bytes(MINE)
    undisturbed = copy(start, folder / "undisturbed")
    begin = time.monotonic()
    done = run(command, undisturbed)
    if done.status != 0:
        raise RuntimeError(f"{name} fails: {done.error}")
    seconds = time.monotonic() - begin
    return Undisturbed(start, seconds, read_files(start), read_files(undisturbed), results_of(command, undisturbed))


def lay(name: str, folder: Path) -> None:
    """Put what a command reads into its folder."""
    if name.startswith("calibrate"):
        write_week(folder / "week.xlsx")
    if name.startswith("learning"):
        lay_benchmarks(folder)


def lay_benchmarks(folder: Path) -> None:
    """Lay out a copy of the benchmarks that learns for a short while only, beside links to all that it calls."""
    (folder / "benchmarks").mkdir()
    for path in ("echo_env", "sb3_ext", "zoo_configs", "train.py", "evaluate.py"):
        (folder / path).symlink_to(ROOT / path)
    for script in ("learning.py", "record.py"):
        shutil.copy(ROOT / "benchmarks" / script, folder / "benchmarks")
    methods = (ROOT / "benchmarks" / "learning_methods.py").read_text()
    for long, short in ((r"\bDAYS = 10_000\b", "DAYS = 200"), (r'"maskable_dqn": 300_000', '"maskable_dqn": 3_000')):
        methods, found = re.subn(long, short, methods)
        if found != 1:
            raise RuntimeError(f"learning_methods.py has no {long}")
    (folder / "benchmarks" / "learning_methods.py").write_text(methods)


def copy(start: Path, folder: Path) -> Path:
    """A copy of a folder; links stay links."""
    return Path(shutil.copytree(start, folder, symlinks=True))


def results_of(command: Command, folder: Path) -> Mapping[str, bytes]:
    """The results of the latest run in a folder."""
    if not command.runs:
        return read_files(folder)
    latest = max(folder.glob(command.runs), key=lambda path: int(path.name.rpartition("_")[2]))
    return read_files(latest)


def run(
    command: Command, folder: Path, more: list[str] | None = None, kill: Kill | None = None, at: float = 0
) -> Ended:
    """Run a command in a folder, and perhaps kill it.

    :param more: arguments to be added
    :param kill: the kill
    :param at: after how many seconds, unless it is aimed at a save
    """
    script, *arguments = shlex.split(command.line)
    if script.endswith(".py") and not (folder / script).exists():
        script = str(ROOT / script)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, script, *arguments, *(more or [])],
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
            # Whoever runs this in the background has children ignore SIGINT, as shells do.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        moment, sent = "", 0.0
        try:
            if kill is not None:
                moment = wait_for(process, folder, kill, at)
                if moment:
                    number = getattr(signal, f"SIG{kill.signal}")
                    sent = time.monotonic()
                    (os.killpg if kill.signal == "INT" else os.kill)(process.pid, number)
            status = process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            status = 1
        rest = time.monotonic() - sent
        alive = left_alive(process.pid)
        for own in alive:
            os.kill(own, signal.SIGKILL)
        process.wait()
        errors.seek(0)
        return Ended(status, moment, errors.read().decode(errors="replace"), len(alive), rest)


def wait_for(process: subprocess.Popen[bytes], folder: Path, kill: Kill, at: float) -> str:
    """Wait for the moment of a kill; empty if the command ends before it."""
    begin = time.monotonic()
    seen = {path.name for path in temporaries(folder)}
    places: list[str] = []
    round_number = 0
    while process.poll() is None:
        now = time.monotonic() - begin
        if not kill.save:
            if now >= at:
                return f"after {now:.2f} s"
            time.sleep(0.002)
            continue
        # Folders are looked for now and then only: a small file is there for less than a millisecond.
        if round_number % 20 == 0:
            places = [place for place, _, _ in os.walk(folder) if not TEMPORARY.fullmatch(Path(place).name)]
        round_number += 1
        new = {name for place in places for name in names_in(place) if TEMPORARY.fullmatch(name)} - seen
        seen |= new
        if len(seen) >= kill.save and new:
            return f"at save {len(seen)}, of {sorted(new)[0].lstrip('.').rpartition('.')[0]}, after {now:.2f} s"
    return ""


def names_in(place: str) -> list[str]:
    """Names in a folder; none if it is gone."""
    try:
        return os.listdir(place)
    except FileNotFoundError:
        return []


def left_alive(session: int) -> list[int]:
    """Processes of a session that have not ended within five seconds."""
    limit = time.monotonic() + 5
    while (found := processes_of(session)) and time.monotonic() < limit:
        time.sleep(0.05)
    return found


def processes_of(session: int) -> list[int]:
    """Processes of a session that have not ended."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, own = status.read_text().rpartition(")")[2].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(own) == session and state != "Z":
            found.append(int(status.parent.name))
    return found


def faults_of(kill: Kill, undisturbed: Undisturbed, folder: Path, at: float) -> tuple[Ended, list[str]]:
    """Kill a command, run it again, and check everything."""
    command = COMMANDS[kill.command]
    # A busy machine is not always equally fast: a command may have ended by then, or a small save gone unnoticed.
    for share in (1.0, 0.6, 0.3):
        shutil.rmtree(folder, ignore_errors=True)
        copy(undisturbed.start, folder)
        killed = run(command, folder, kill=kill, at=share * at)
        after = read_files(folder)
        if not had_ended(killed):
            break
    faults = [] if killed.moment else ["it ended before the signal"]
    faults += wrong_end(kill.signal, killed) + lost(undisturbed.before, after, undisturbed.after)
    faults += unreadable({name: content for name, content in after.items() if name not in command.mine})
    again = run(command, folder)
    if again.status != 0:
        faults.append(f"the same command ends with {again.status}: {again.error[-200:]}")
    faults += [f"{path.name} is left behind" for path in temporaries(folder)]
    faults += not_taken(after, again.error)
    faults += differing(results_of(command, folder), undisturbed.results)
    final = read_files(folder)
    faults += [f"{name} of the user's has changed" for name in command.mine if final.get(name) != MINE]
    return killed, faults


def had_ended(ended: Ended) -> bool:
    """Whether a command had done everything before a signal, if need be but for Python's own clearing up.

    Python then acts on Ctrl-C no longer, and says nothing.
    """
    clearing_up = ended.status in (0, -signal.SIGINT) and not ended.error and ended.rest < 2
    return not ended.moment or clearing_up


def wrong_end(name: str, ended: Ended) -> list[str]:
    """What is wrong with how a killed command ended."""
    faults = [] if ended.status == EXIT[name] else [f"exit status {ended.status} in place of {EXIT[name]}"]
    lines = ended.error.strip().splitlines()
    if name == "INT" and ("Traceback" in ended.error or lines[-1:] != ["interrupted"]):
        faults.append(f"standard error ends with {' '.join(lines)[-200:]!r}")
    if ended.alive:
        faults.append(f"{ended.alive} processes are left alive")
    return faults


def not_taken(files: Mapping[str, bytes], error: str) -> list[str]:
    """Whether the cells of a sweep that were complete are played again."""
    complete = sum(name.startswith("out/cells/") and name.endswith(".csv") for name in files)
    taken = re.search(r"(\d+) of \d+ results are taken", error)
    if complete == (int(taken[1]) if taken else 0):
        return []
    return [f"{complete} results of cells were complete, but the same command says {error[:100]!r}"]


def main() -> int:
    """Do all kills; exit status 1 where something was lost or differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="commands whose name begins so")
    parser.add_argument("--numbers", type=int, nargs="+", metavar="N", help="only these kills of the plan")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments: %(default)s")
    parser.add_argument("--output", default="kills", help="table in benchmarks/ that gets a row for each: %(default)s")
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    shares = rng.uniform(0.05, 0.95, len(PLAN))
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        prepared: dict[str, Undisturbed] = {}
        for number, (kill, share) in enumerate(zip(PLAN, shares, strict=True), start=1):
            if not kill.command.startswith(arguments.only) or number not in (arguments.numbers or [number]):
                continue
            if kill.command not in prepared:
                own = Path(folder) / str(len(prepared))
                own.mkdir()
                prepared[kill.command] = prepare(kill.command, own)
            undisturbed, place = prepared[kill.command], Path(folder) / f"kill {number}"
            ended, faults = faults_of(kill, undisturbed, place, share * undisturbed.seconds)
            shutil.rmtree(place)
            failed += bool(faults)
            row = {"number": number, "killed": kill.command, "signal": kill.signal, "moment": ended.moment}
            row |= {"undisturbed_s": undisturbed.seconds, "exit": ended.status, "faults": "; ".join(faults) or "none"}
            append_row(arguments.output, row)
            print(*row.values(), sep=" | ", flush=True)
    print(f"{failed} of the kills were not survived" if failed else "nothing was lost, and all results are equal")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())

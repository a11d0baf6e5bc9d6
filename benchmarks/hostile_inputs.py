"""Hostile inputs to every command and option: each must end as promised.

    python benchmarks/hostile_inputs.py                # all cases, and their table
    python benchmarks/hostile_inputs.py --only train 'evaluate: lab'   # what begins so

The cases are data, in ``hostile_inputs.yaml``. Each runs in an empty folder of its own, in a process forked from one
that has imported the commands already. A case passes if

- it ends within 60 seconds, without a traceback;
- a refusal has exit status 2, is told in one line on standard error, and leaves no file or folder behind;
- what it was to refuse is refused, and what it was to accept is accepted;
- every file that was there before is there after, unchanged.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import os
import re
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.record import append_row  # noqa: E402
from benchmarks.small_workbook import write_week  # noqa: E402

MARKER = ".echo-lab"
CASES = Path(__file__).with_name("hostile_inputs.yaml")
LIMIT_S = 60
KEPT = "as promised"
OUTCOMES = (
    "refused as promised", "worked as promised", "traceback", "hang", "left behind", "changed a file", "accepted",
    "refused", "not one line",
)  # fmt: skip


class Case(NamedTuple):
    """One input.

    :param family: what it is about, for the table
    :param command: a subcommand of ``echo-lab``
    :param arguments: of the command
    :param files: name -> text, laid into the folder before; a name that ends with a slash is a folder, a text
        ``<FIFO>`` a named pipe, ``<LINK x>`` a link to x, ``<BYTES n>`` n bytes that are no text, ``<NESTED n>`` n
        brackets that are never closed, ``<WEEK how>`` a workbook of :mod:`small_workbook`, whole or not
    :param expect: ``refuse`` or ``accept``
    """

    family: str
    command: str
    arguments: tuple[str, ...]
    files: dict[str, str]
    expect: str


COMPILED_FIRST = tuple(
    Case("first", command, tuple(arguments.split()), {}, "accept")
    for command, arguments in (
        ("evaluate", "--policies policy_2 --days 2 --bound 1"),
        ("evaluate", "--env PatientPathways-v0 --draws 1 --trials 1 --patients 3 --resources 4 --bound"),
        ("optimise", "scarce --seconds 1 --days 2 --most-moves 1"),
        ("train", "--env EchoLabScarce-v0 -n 3000 --log-folder logs"),
    )
)
"""Cases that have the kernels compiled before any is judged."""


def read_cases(path: Path = CASES) -> list[Case]:
    """Every case: an entry with ``values`` stands for one case per value, put in place of ``{}``."""
    found = []
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
        for value in entry.get("values", [""]):
            text = str(value)

            def fill(template: str, text: str = text) -> str:
                return template.replace("{}", text)

            arguments = tuple(fill(str(argument)) for argument in entry["arguments"])
            files = {name: fill(content) for name, content in entry.get("files", {}).items()}
            found.append(Case(entry["family"], entry["command"], arguments, files, entry.get("expect", "refuse")))
    return found


def lay(folder: Path, files: dict[str, str]) -> None:
    """Put the files of a case into its folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        elif content == "<FIFO>":
            os.mkfifo(path)
        elif special := re.fullmatch(r"<(LINK|BYTES|NESTED|WEEK) ?(.*)>", content):
            lay_special(path, special[1], special[2])
        else:
            path.write_text(content, encoding="utf-8", newline="")


def lay_special(path: Path, kind: str, how: str) -> None:
    """Make a file that is no text, see :class:`Case`."""
    if kind == "LINK":
        path.symlink_to(how)
    elif kind == "BYTES":
        path.write_bytes(bytes(range(256)) * (int(how) // 256 + 1))
    elif kind == "NESTED":
        path.write_text("[" * int(how))
    else:
        write_week(path, how=how)


def snapshot(folder: Path) -> dict[str, bytes]:
    """Everything in a folder: files by their content, all else by its kind."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        found[name] = path.read_bytes() if path.is_file() else b"<folder>" if path.is_dir() else b"<special>"
    return found


def play(case: Case, folder: str, answer: Any) -> None:
    """Run a case in this process, and send exit status and what was printed."""
    os.chdir(folder)
    os.setsid()
    out, err = io.StringIO(), io.StringIO()
    status: Any = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = run_command(case)
        except SystemExit as ended:
            status = ended.code
        except BaseException:
            traceback.print_exc()
            status = 1
    answer.send((0 if status is None else status, out.getvalue(), err.getvalue()))


def run_command(case: Case) -> Any:
    """The command of a case, as the console script runs it."""
    import evaluate  # noqa: F401  provides the plug-ins of a clone
    import train  # noqa: F401
    from echo_env.commands.app import main

    return main([case.command, *case.arguments])


def import_all() -> None:
    """Import once what the processes that are forked from this one need, and start no thread."""
    import openpyxl  # noqa: F401
    import pandas  # noqa: F401
    import torch

    torch.set_num_threads(1)
    import evaluate  # noqa: F401
    import sb3_ext.zoo.cli
    import sb3_ext.zoo.training  # noqa: F401
    import train  # noqa: F401
    from echo_env.commands import advise, app, calibrate, optimise, pathways, schema, sweep, template, validate  # noqa: F401


def judge(case: Case, limit_s: float | None = None) -> tuple[str, str]:
    """How a case ended, and what it said.

    :param limit_s: seconds it may take, by default :data:`LIMIT_S`
    """
    context = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as folder:
        lay(Path(folder), case.files)
        before = snapshot(Path(folder))
        receive, send = context.Pipe(duplex=False)
        process = context.Process(target=play, args=(case, folder, send))
        process.start()
        send.close()
        ended = receive.poll(LIMIT_S if limit_s is None else limit_s)
        if not ended:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid or 0, signal.SIGKILL)
            process.kill()
            process.join()
            return "hang", ""
        try:
            status, _, err = receive.recv()
        except EOFError:
            return "traceback", "the process died"
        process.join(5)
        after = snapshot(Path(folder))
    if "Traceback" in err or status not in (0, 2, 130):
        return "traceback", err
    # The list of what we wrote is ours.
    if any(after.get(name) != content for name, content in before.items() if not name.endswith(MARKER)):
        return "changed a file", err
    if status == 0:
        return (KEPT if case.expect == "accept" else "accepted"), err
    if after != before:
        return "left behind", f"{sorted(set(after) - set(before))} {err}"
    if case.expect == "accept":
        return "refused", err
    lines = [line for line in err.strip().splitlines() if line.strip()]
    return (KEPT if len(lines) == 1 or err.startswith("usage") else "not one line"), err


def count(ended: Iterable[tuple[Case, str]]) -> dict[str, Counter[str]]:
    """Command and family -> how many cases ended in which way."""
    counts: dict[str, Counter[str]] = {}
    for case, outcome in ended:
        kept = {"refuse": "refused as promised", "accept": "worked as promised"}[case.expect]
        own = counts.setdefault(f"{case.command}: {case.family}", Counter())
        own[kept if outcome == KEPT else outcome] += 1
    return counts


def table(counts: dict[str, Counter[str]]) -> str:
    """Families by outcome, as Markdown."""
    shown = [outcome for outcome in OUTCOMES if any(own[outcome] for own in counts.values())]
    lines = [["family", "cases", *shown], ["---"] * (2 + len(shown))]
    every = {**counts, "all": sum(counts.values(), Counter())}
    lines += [[name, str(own.total()), *(str(own[outcome]) for outcome in shown)] for name, own in every.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> int:
    """Run the cases; exit status 1 where one did not end as promised."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[""], help="commands, or command: family, by how they begin")
    parser.add_argument("--verbose", action="store_true", help="show what every case said")
    parser.add_argument("--table", default="hostile_inputs", help="in benchmarks/, gets the rows: %(default)s")
    arguments = parser.parse_args()
    import_all()
    for case in COMPILED_FIRST:
        # In a fresh clone the first run compiles for a minute, which is no hang.
        if f"{case.command}: ".startswith(tuple(only.split(":")[0] for only in arguments.only)):
            judge(case, limit_s=600)

    done = []
    for case in read_cases():
        if not f"{case.command}: {case.family}".startswith(tuple(arguments.only)):
            continue
        begin = time.monotonic()
        outcome, said = judge(case)
        done.append((case, outcome))
        if arguments.verbose or outcome != KEPT:
            took, said = time.monotonic() - begin, " ".join(said.split())
            print(
                f"{outcome}: {case.command} {' '.join(case.arguments)[:150]} [{took:.0f} s] {said[-300:]}", flush=True
            )
    counts = count(done)
    for name, own in counts.items():
        append_row(arguments.table, {"family": name, "cases": own.total(), **{key: own[key] for key in OUTCOMES}})
    print(table(counts))
    return int(any(outcome != KEPT for _, outcome in done))


if __name__ == "__main__":
    sys.exit(main())

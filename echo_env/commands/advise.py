"""What to do next, at the whiteboard: who begins, where and with whom, and why.

echo-lab template board.csv --board scarce
echo-lab advise --lab scarce --board board.csv --at 10:40
echo-lab advise --lab scarce --board board.csv --at 10:40 --policy generalist --log advice.db
echo-lab advise --log advice.db --done 17 --room 3 --staff 2 --at 10:41
echo-lab advise --log advice.db --summary

The board is a CSV file with a row for each patient, room and member of staff;
echo-lab template writes one with instructions. It advises, you decide. What
cannot be so on the board is named by row and column. Ids are numbers of your
own: take none that says who a patient is, for the log keeps them.
"""

from __future__ import annotations

import datetime
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from echo_env.commands.common.running import Flag, Whole, exit_status, parse, tables_beside
from echo_env.commands.players.policies import find_policies
from echo_env.common.files import check_file, delivery
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.loading import load_lab

if TYPE_CHECKING:
    from echo_env.lab.advice import Standing
    from echo_env.lab.simulation.policy import Policy

LARGEST_BOARD = 5_000_000
MOST_DRAWS = 10_000


@dataclass(frozen=True, kw_only=True)
class AdviseOptions:
    """Options as typed; field names with hyphens are the flags, and the texts below their help.

    :param lab: preset or YAML file of the lab; lab.yaml#monday is one of its days
    :param board: the board, a CSV file; its appointments count in place of the lab's
    :param at: the time now, such as 10:40
    :param policy: a rule, a trained model as ALGO=PATH, agent or generalist; by default the better of two rules on
        simulated days of this lab
    :param draws: how often the rest of the day is drawn; by default from 32 to 400 times, as work allows
    :param seed: of the draws
    :param json: file for the advice in numbers, or - for standard output
    :param log: SQLite file that keeps advice and what was done
    :param done: note in the log that the exam of this patient has begun; needs room, staff and at
    :param room: of --done
    :param staff: of --done
    :param summary: what the log says of the day
    :param date: of the day in the log, YYYY-MM-DD; today if it is left out
    :param trust: open models that are pickles, which can run code of whoever made them
    """

    lab: str | None = None
    board: str | None = None
    at: str | None = None
    policy: str | None = None
    draws: Whole | None = None
    seed: Whole = 0
    json: Annotated[str | None, Parameter(name="--json")] = None
    log: str | None = None
    done: str | None = None
    room: str | None = None
    staff: str | None = None
    summary: Flag = False
    date: str | None = None
    trust: Flag = False


def run(options: AdviseOptions) -> None:
    """Advise, or note what was done, or sum up."""
    if options.done is not None or options.summary:
        _from_log(options)
        return
    _check(options)
    config = load_lab(options.lab or "")
    standing = _standing(options.board or "", config, options.at or "")
    _advise(options, standing, _policy(options, standing))


def _check(options: AdviseOptions) -> None:
    """Refuse what does not go together.

    :raises ValueError: an option that is missing, empty, out of range or of --done alone
    """
    for name in ("lab", "board", "at"):
        if not getattr(options, name):
            raise ValueError(f"--{name} is missing: advice needs --lab, --board and --at")
    for name in ("room", "staff"):
        if getattr(options, name) is not None:
            raise ValueError(f"--{name} goes with --done alone")
    if options.draws is not None and not 2 <= options.draws <= MOST_DRAWS:
        raise ValueError(f"--draws is {options.draws}, but must be from 2 to {MOST_DRAWS:,}")
    if options.seed < 0:
        raise ValueError(f"--seed is {options.seed}, but must be at least 0")
    if options.policy == "":
        raise ValueError("--policy is '', but must be a rule, a model as ALGO=PATH, agent or generalist")
    if options.date is not None and options.log is None:
        raise ValueError("--date is the day in the log: it goes with --log alone")
    _day(options)
    inputs = {"--board": [options.board or ""], "--lab": [(options.lab or "").partition("#")[0]]}
    if options.json is not None:
        check_file("--json", options.json, {**inputs, "--log": [options.log] if options.log else []})
    if options.log is not None:
        _check_log(options.log, inputs)


def _check_log(path: str, inputs: dict[str, list[str]]) -> None:
    from echo_env.lab.advice.log import check_log

    if path == "-":
        raise ValueError("--log is '-', but must be a file")
    check_file("--log", path, inputs)
    check_log(path)


def _day(options: AdviseOptions) -> str:
    """The date in the log."""
    if options.date is None:
        return datetime.date.today().isoformat()
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", options.date):
            raise ValueError
        return datetime.date.fromisoformat(options.date).isoformat()
    except ValueError:
        raise ValueError(f"--date is {options.date!r}, but must be a date such as 2026-11-26") from None


def _from_log(options: AdviseOptions) -> None:
    """``--done`` and ``--summary``."""
    from echo_env.lab.advice.log import Done, minute_of, note_done, summary

    for name in ("lab", "board", "policy", "draws", "json"):
        if getattr(options, name) is not None:
            raise ValueError(f"--{name} is for advice, and goes neither with --done nor with --summary")
    if not options.log:
        raise ValueError("--log is missing: --done and --summary are of a log")
    if options.done is not None and options.summary:
        raise ValueError("--done and --summary do not go together: give one of them")
    day = _day(options)
    if options.done is not None:
        said = {"done": options.done, "room": options.room, "staff": options.staff, "at": options.at}
        missing = [name for name, value in said.items() if not value]
        if missing:
            raise ValueError(f"--{missing[0]} is missing: --done needs --room, --staff and --at")
        done = Done(options.done, options.room or "", options.staff or "")
        print(note_done(options.log, day, minute_of(options.at or ""), done))
        return
    for name in ("room", "staff", "at"):
        if getattr(options, name) is not None:
            raise ValueError(f"--{name} does not go with --summary")
    print(*summary(options.log, day), sep="\n")


def _standing(board: str, config: Lab, at: str) -> Standing:
    """Read the board; inconsistencies, if there are several, are listed.

    :raises ValueError: it cannot be so
    :raises OSError: it cannot be read
    """
    from echo_env.lab.advice import BoardError, read_standing
    from echo_env.lab.advice.log import minute_of

    now = minute_of(at) - config.hours.opening_min
    if not 0 <= now < config.hours.end_min:
        day = f"{config.hours.clock(0)} to {config.hours.clock(config.hours.end_min - 1)}"
        raise ValueError(f"--at is {at}, but decisions of the lab {config.name!r} are from {day}")
    path = Path(board)
    if path.is_file() and path.stat().st_size > LARGEST_BOARD:
        raise ValueError(f"--board {board} has {path.stat().st_size:,} bytes, but must have at most {LARGEST_BOARD:,}")
    if path.exists() and not path.is_file():
        raise ValueError(f"--board {board} is no file")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"--board {board} is not text: save it as CSV, in UTF-8") from None
    try:
        return read_standing(text, config, now, board)
    except BoardError as error:
        if len(error.findings) == 1:
            raise
        print(*error.findings, sep="\n")
        raise ValueError(f"{board} has {len(error.findings)} inconsistencies, which are listed") from None


def _policy(options: AdviseOptions, standing: Standing) -> Policy:
    """The policy that was typed, or a good one."""
    from echo_env.lab.advice import better_rule

    if options.policy is not None:
        try:
            return find_policies([options.policy], standing.config, {}, options.trust)[options.policy]
        except ValueError as error:
            # Other commands have the option for several.
            raise ValueError(str(error).replace("--policies", "--policy")) from error
    choice = better_rule(standing.config)
    value = f"{choice.difference.mean:+.1f} ± {choice.difference.half_width:.1f}"
    with tables_beside(options.json):
        print(
            f"No --policy: {choice.policy.name}, which costs {value} points of waiting a day against {choice.against} "
            f"on {choice.days} simulated days."
        )
    return choice.policy


def _advise(options: AdviseOptions, standing: Standing, policy: Policy) -> None:
    """Advise, write and print."""
    from echo_env.lab.advice import advice_lines, advise, as_json, load_kernels, method_lines, standing_lines
    from echo_env.lab.advice.log import note_advice

    begin = time.perf_counter()
    if standing.whiteboard.waiting:
        load_kernels(standing)
    loaded, begin = time.perf_counter() - begin, time.perf_counter()
    advice = advise(standing, policy, options.seed, options.draws or 0)
    took = time.perf_counter() - begin
    with delivery() as outputs:
        if options.json is not None:
            outputs.text(options.json, json.dumps(as_json(advice), indent=2, allow_nan=False))
    if options.log is not None:
        note_advice(options.log, _day(options), advice)
    with tables_beside(options.json):
        print(*standing_lines(standing), "", *advice_lines(advice), "", *method_lines(advice), sep="\n")
        print(f"Thought for {took:.2f} s, after {loaded:.1f} s in which the compiled engine was loaded.")


def main(tokens: Sequence[str], program: str = "echo-lab advise") -> int:
    """Run the command.

    :param tokens: the command line without the program's name
    :param program: the program's name
    :return: exit status: 0; 2 for input that cannot be used, said in one sentence; 130 after Ctrl-C
    """

    def work() -> None:
        options = parse(AdviseOptions, tokens, program, __doc__)
        if options is not None:
            run(options)

    return exit_status(work, extra="fast")

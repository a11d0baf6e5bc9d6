"""``evaluate.py --sweep``: lay out, play what is missing, write, print (needs rich)."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from echo_env.common.files import folder_written_whole, written_whole
from echo_env.lab.config import LabConfig
from echo_env.lab.simulation.metrics import METRICS
from echo_env.lab.simulation.policy import Policy
from echo_env.lab.sweep import kept, report
from echo_env.lab.sweep.grid import MODES, Sweep, make_sweep
from echo_env.lab.sweep.play import Player, Task, play_sweep, tasks_of
from echo_env.lab.sweep.results import SweepResults

SHOWN = ("penalty", "waiting_penalty", "wait_min")
"""Metrics that are printed and drawn unless others are asked for."""


def add_sweep_arguments(parser: argparse.ArgumentParser) -> None:
    """Teach a command line about sweeps.

    :param parser: also has ``config``, ``env``, ``days``, ``seed``, ``engine``, ``jobs``, ``reference``, ``output``,
        ``figures`` and ``json``
    """
    parser.add_argument("--sweep", nargs="+", metavar="FIELD=VALUES", help="what if: rooms.non_fetal=3:7, for example")
    parser.add_argument("--sweep-mode", default=MODES[0], metavar="MODE", help=f"{', '.join(MODES)}: %(default)s")
    parser.add_argument(
        "--sweep-metrics",
        nargs="+",
        default=SHOWN,
        metavar="NAME",
        help=f"what is printed and drawn, the first above all: {' '.join(SHOWN)}; sweep.csv has every metric",
    )


def run_sweep(
    arguments: argparse.Namespace,
    config: LabConfig,
    command: str,
    make: Callable[[LabConfig], Mapping[str, Policy]],
) -> SweepResults:
    """Do what was asked for.

    :param arguments: see :func:`add_sweep_arguments`
    :param config: the base lab
    :param command: how it was asked for, for the summary
    :param make: lab -> policies for it, by what was typed
    :raises ValueError: something that cannot be swept or played; nothing has been written
    :raises OSError: something is in the way
    """
    from echo_env.lab.sweep.tables import print_sweep

    _check_metrics(arguments.sweep_metrics)
    sweep = make_sweep(config, arguments.sweep, arguments.sweep_mode)
    typed, given = make(config), arguments.reference or ""
    reference = typed[given].name if given in typed else given
    tasks = tasks_of(sweep, lambda lab: list(make(lab).values()), arguments.days, arguments.seed, arguments.engine)
    results = _played(arguments, sweep, tasks, reference)
    name = arguments.config or arguments.env
    content = report.summary(results, name, arguments.sweep_metrics, command=command)
    if arguments.json:
        with written_whole(arguments.json) as file:
            json.dump(content, file, indent=2, allow_nan=False)
    if arguments.output is not None:
        _write(arguments, content, results, tasks)
    print_sweep(results, arguments.sweep_metrics, f"{name}: {arguments.days} days, seed {arguments.seed}")
    return results


def _check_metrics(metrics: Sequence[str]) -> None:
    for metric in metrics:
        if metric not in METRICS:
            raise ValueError(f"metric is {metric!r}, but must be one of {', '.join(METRICS)}")


def _played(arguments: argparse.Namespace, sweep: Sweep, tasks: Sequence[Task], reference: str) -> SweepResults:
    """Play the days, showing how far it has got, and saying what is kept from earlier and for later."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

    folder = Path(arguments.output).resolve() if arguments.output is not None else None
    player = Player(arguments.days, arguments.seed, folder)
    console = Console(stderr=True)
    before = sum(player.has(task) for task in tasks)
    if folder is not None:
        _tell_kept(arguments, folder, tasks, before)
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            shown = bar.add_task("cells", total=len(tasks), completed=before)
            return play_sweep(
                sweep, tasks, player, arguments.seed, arguments.jobs, reference, lambda task: bar.advance(shown)
            )
    except KeyboardInterrupt:
        if folder is not None:
            done = sum(player.has(task) for task in tasks)
            words = f"{done} of {len(tasks)} results are kept in {arguments.output}/{kept.FOLDER}"
            print(f"{words}: the same command goes on from there", file=sys.stderr)
        raise


def _tell_kept(arguments: argparse.Namespace, folder: Path, tasks: Sequence[Task], before: int) -> None:
    """Say what of an earlier run is used, and what is not."""
    where = f"{arguments.output}/{kept.FOLDER}"
    if before:
        print(f"{before} of {len(tasks)} results are taken from {where}, where they were kept", file=sys.stderr)
    foreign = len(kept.others(folder, [task.file for task in tasks]))
    if foreign:
        are = "results that are" if foreign > 1 else "result that is"
        print(
            f"{where} also has {foreign} {are} not used here: of other cells, policies or settings",
            file=sys.stderr,
        )


def _write(
    arguments: argparse.Namespace, content: dict[str, Any], results: SweepResults, tasks: Sequence[Task]
) -> None:
    """Fill the folder of ``--output``, in place of an earlier one, with what was kept in it."""
    with folder_written_whole(arguments.output, kept.own_files) as folder:
        kept.bring_along(Path(arguments.output).resolve(), folder)
        report.write_long(folder, results)
        report.write_effects(folder, results)
        if arguments.figures:
            from echo_env.lab.sweep.figures import write_figures

            write_figures(folder / "figures", results, arguments.sweep_metrics)
        files: dict[str, dict[str, str]] = {}
        for task in tasks:
            files.setdefault(str(task.cell), {})[task.policy.name] = task.file
        report.write_summary(folder, {**content, "kept": files})

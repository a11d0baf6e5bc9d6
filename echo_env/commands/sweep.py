"""``evaluate --sweep``: lay out the cells, play what is missing, write, print."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from echo_env.commands.common.running import tables_beside
from echo_env.commands.inputs.evaluate_options import EvaluateOptions
from echo_env.commands.inputs.uncertainty import find_labs
from echo_env.commands.players.policies import reference_name
from echo_env.common.files import delivery
from echo_env.common.files.tables import PARQUET
from echo_env.common.tables import progress_bar
from echo_env.lab.config.lab import Lab
from echo_env.lab.simulation.metrics import metrics_of
from echo_env.lab.simulation.policy import Policy
from echo_env.lab.sweep import kept, report
from echo_env.lab.sweep.grid import Sweep, make_sweep
from echo_env.lab.sweep.play import Player, Task, play_sweep, tasks_of
from echo_env.lab.sweep.results import SweepResults, UncertainSweep


def run_sweep(
    options: EvaluateOptions,
    config: Lab,
    command: str,
    make: Callable[[Lab], Mapping[str, Policy]],
) -> SweepResults:
    """Play a sweep and report it.

    :param options: what is asked for
    :param config: the base lab
    :param command: the command line, for the summary
    :param make: lab -> policies for it, by what was typed
    :return: the results
    :raises ValueError: something that cannot be swept or played; nothing has been written
    :raises OSError: something is in the way
    """
    from echo_env.lab.sweep.tables import print_sweep, print_uncertainty

    _check_metrics(options.sweep_metrics, list(metrics_of(config)))
    sweep = make_sweep(config, options.sweep or (), options.sweep_mode)
    reference = reference_name(options.reference, make(config))
    labs = find_labs(options, [axis.path for axis in sweep.axes])
    sweeps = [sweep, *(make_sweep(lab, options.sweep or (), options.sweep_mode) for lab in (labs.labs if labs else ()))]
    tasks = [
        tasks_of(one, lambda lab: list(make(lab).values()), options.days, options.seed, options.engine, options.format)
        for one in sweeps
    ]
    results, *others = _played(options, sweeps, tasks, reference)
    uncertain = UncertainSweep(results, tuple(others), labs.held) if labs else None
    content = report.summary(results, options.lab, options.sweep_metrics, command=command)
    if uncertain is not None:
        said = [sentence for metric in options.sweep_metrics for sentence in uncertain.sentences(metric)]
        content["input_uncertainty"] = {"labs": len(others), "held": list(uncertain.held), "sentences": said}
    with delivery() as outputs:
        if options.output is not None:
            _write(outputs.folder(options.output), options, content, results, tasks, uncertain)
        if options.json:
            outputs.text(options.json, json.dumps(content, indent=2, allow_nan=False))
        if options.report is not None:
            from echo_env.lab.report.page.render import render
            from echo_env.lab.report.page.sweep import sweep_page

            outputs.text(options.report, render(sweep_page(results, make, command, options.lab, uncertain)))
    with tables_beside(options.json):
        print_sweep(results, options.sweep_metrics, f"{options.lab}: {options.days} days, seed {options.seed}")
        if uncertain is not None:
            print_uncertainty(uncertain, options.sweep_metrics[0])
    return results


def _check_metrics(metrics: Sequence[str], allowed: Sequence[str]) -> None:
    for metric in metrics:
        if metric not in allowed:
            raise ValueError(f"--sweep-metrics has {metric!r}, but takes only {', '.join(allowed)}")
    twice = [metric for metric in metrics if metrics.count(metric) > 1]
    if twice:
        raise ValueError(f"--sweep-metrics has {twice[0]!r} twice, but must have each metric once")


def _played(
    options: EvaluateOptions, sweeps: Sequence[Sweep], tasks: Sequence[Sequence[Task]], reference: str
) -> list[SweepResults]:
    """Play the days with a progress bar, and say what was stored earlier and what is stored for later.

    :param sweeps: of the lab itself, and of the labs of the bootstrap
    :param tasks: those of each sweep
    """
    every = [task for own in tasks for task in own]
    folder = Path(options.output).resolve() if options.output is not None else None
    player = Player(options.days, options.seed, folder)
    before = sum(player.has(task) for task in every)
    if folder is not None:
        kept.remove_half_written(folder, [task.file for task in every])
        _tell_kept(options, folder, every, before)
    try:
        with progress_bar("cells", len(every), completed=before) as advance:
            return [
                play_sweep(sweep, own, player, options.seed, options.workers, reference, lambda task: advance(1))
                for sweep, own in zip(sweeps, tasks, strict=True)
            ]
    except KeyboardInterrupt:
        if folder is not None:
            done = sum(player.has(task) for task in every)
            words = f"{done} of {len(every)} results are kept in {options.output}/{kept.FOLDER}"
            print(f"{words}: the same command goes on from there", file=sys.stderr)
        raise


def _tell_kept(options: EvaluateOptions, folder: Path, tasks: Sequence[Task], before: int) -> None:
    """Say which results of an earlier run are used, and which are not."""
    where = f"{options.output}/{kept.FOLDER}"
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
    folder: Path,
    options: EvaluateOptions,
    content: dict[str, Any],
    results: SweepResults,
    tasks: Sequence[Sequence[Task]],
    uncertain: UncertainSweep | None,
) -> None:
    """Write everything but the cached cells, which are in their place since they were played.

    :param folder: an empty folder
    """
    report.write_long(folder, results)
    if options.format == PARQUET:
        report.write_days(folder, results)
    report.write_effects(folder, results)
    if uncertain is not None:
        report.write_uncertainty(folder, uncertain)
    if options.figures:
        from echo_env.lab.sweep.figures import write_figures

        write_figures(folder / "figures", results, options.sweep_metrics)
    files: dict[str, dict[str, str]] = {}
    for task in tasks[0]:
        files.setdefault(str(task.cell), {})[task.policy.name] = task.file
    every = [task.file for own in tasks for task in own]
    report.write_summary(folder, {**content, "kept": files}, elsewhere=every)

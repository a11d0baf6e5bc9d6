"""What ``evaluate --output`` writes for a comparison in a lab."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from echo_env.commands.common.pages import check_page
from echo_env.commands.common.running import check_destinations, files_of_models
from echo_env.commands.inputs.evaluate_options import EvaluateOptions
from echo_env.commands.players import plugins
from echo_env.common.extras import missing
from echo_env.common.files.tables import CSV, FORMATS, check_format
from echo_env.common.results import SUMMARY
from echo_env.lab import Comparison, Lab, Policy
from echo_env.lab.bounds.bounds import Bounds, check_bounds_possible
from echo_env.lab.departures.improvement_report import IMPROVEMENT, check_lookahead_possible, write_improvements
from echo_env.lab.evaluation import results
from echo_env.lab.evaluation.comparison import check_days
from echo_env.lab.report.yardsticks import BOUNDS, write_bounds
from echo_env.lab.sweep import kept, report

if TYPE_CHECKING:
    from echo_env.lab.departures.departures import Departures
    from echo_env.lab.departures.improvement import Improvement


def check_outputs(options: EvaluateOptions) -> None:
    """Refuse what could only fail after all the days have been played.

    :raises ValueError: options that do not go together, or what needs numba without it
    :raises OSError: something is in the way of ``--output``
    """
    if options.seed < 0:
        raise ValueError(f"--seed is {options.seed}, but must be at least 0")
    check_days(options.days)
    check_format("--format", options.format)
    if options.format != CSV and options.output is None:
        raise ValueError(f"--format {options.format} is of the tables of --output, which is not given")
    if not 0 <= options.bound <= options.days:
        raise ValueError(f"--bound is {options.bound}, but must be from 0 to --days, which is {options.days}")
    if not 0 <= options.improvement <= options.days:
        raise ValueError(
            f"--improvement is {options.improvement}, but must be from 0 to --days, which is {options.days}"
        )
    of_one_lab = {
        "--departures": options.departures,
        "--bound": options.bound,
        "--improvement": options.improvement,
        "--animation": options.animation,
    }
    for option, given in of_one_lab.items():
        if given and options.sweep is not None:
            raise ValueError(f"{option} is of one lab, and does not go together with --sweep")
    if options.bound:
        check_bounds_possible()
    if options.improvement:
        check_lookahead_possible()
    inputs = {
        "--config": _files_of_lab(options.config),
        "--policies": files_of_models(options.policies or ()),
        "--import": options.import_,
    }
    check_destinations(options.output, options.json, options.figures, _file_names(options), inputs)
    if options.animation:
        _check_animation(options)
    if options.report is not None:
        taken = {"--output": [options.output or ""], "--json": [options.json or ""]}
        check_page(options.report, inputs | {name: [path for path in own if path] for name, own in taken.items()})
        if options.output and Path(options.output).resolve() in Path(options.report).resolve().parents:
            raise ValueError(f"--report {options.report} lies in --output, which holds files of its own")


def _check_animation(options: EvaluateOptions) -> None:
    """Refuse a video for which there is no page, or that could not be written.

    :raises ValueError: no page
    :raises ModuleNotFoundError: a package is missing; says how to install it
    """
    from echo_env.lab.report.page.moving_day import check_video_possible

    if options.report is None:
        raise ValueError("--animation needs --report FILE.html, on whose page it is shown")
    check_video_possible()


def _files_of_lab(config: str | None) -> list[str]:
    """The file of a lab, which may be followed by ``#`` and the name of a day."""
    return [path for path in dict.fromkeys((config or "", (config or "").rpartition("#")[0])) if path]


def _days() -> list[str]:
    """The tables of days, of this kind or of an earlier run's."""
    return [f"{results.DAYS}.{kind}" for kind in FORMATS]


def _file_names(options: EvaluateOptions) -> list[str]:
    """The files that go into the folder of ``--output``; a slash stands for those that are not known yet."""
    figures = ["figures/"] if options.figures else []
    if options.sweep is not None:
        uncertainty = [report.UNCERTAINTY] if options.input_uncertainty else []
        return [report.SUMMARY, report.LONG, report.EFFECTS, *_days(), *uncertainty, f"{kept.FOLDER}/", *figures]
    bounds = [BOUNDS] if options.bound else []
    departures: list[str] = []
    if options.departures:
        from echo_env.lab.departures.report import CSV, MARKDOWN

        departures = [MARKDOWN, CSV]
    improvement = [IMPROVEMENT] if options.improvement else []
    return [SUMMARY, *_days(), "tensorboard/", *bounds, *departures, *improvement, *figures]


def write_output(
    folder: Path,
    options: EvaluateOptions,
    comparison: Comparison,
    departures: Sequence[Departures],
    bounds: Bounds | None,
    improvements: Sequence[Improvement],
    config: Lab,
    policies: Sequence[Policy],
    command: str,
    more: Mapping[str, Any],
) -> None:
    """Write everything that ``--output`` asks for.

    :param folder: an empty folder
    :param more: further entries of the summary
    """
    results.write_days(folder, comparison, options.format)
    if departures:
        from echo_env.lab.departures.report import write_departures

        write_departures(folder, departures)
    if bounds:
        write_bounds(folder, bounds)
    if improvements:
        write_improvements(folder, improvements)
    pictures: list[Path] = []
    if options.figures:
        from echo_env.lab.report.figures import write_figures

        pictures = write_figures(
            folder / "figures",
            comparison,
            config,
            list(policies),
            comparison.seed,
            say=lambda sentence: print(sentence, file=sys.stderr),
        )
    write_tensorboard(folder / "tensorboard", comparison, pictures)
    results.write_summary(folder, comparison, config, options.lab, command=command, **more)


def write_tensorboard(folder: Path, comparison: Comparison, pictures: Sequence[Path]) -> None:
    """Write running means, settings and pictures for TensorBoard, or say that they were left out.

    :param folder: where
    :param comparison: what the policies did
    :param pictures: PNG files
    """
    try:
        tensorboard = plugins.plugin("tensorboard")
    except ModuleNotFoundError as error:
        print(f"TensorBoard logs are left out: {missing(error)}", file=sys.stderr)
        return
    settings: dict[str, str | int] = {"lab": comparison.lab, "seed": comparison.seed, "days": comparison.days}
    runs = {
        name: tensorboard.Run(results.running_means(comparison, name), settings | {"policy": name, "engine": engine})
        for name, engine in comparison.engines.items()
    }
    tensorboard.write_runs(folder, runs, {picture.stem: picture for picture in pictures})

"""Figures 12 to 24 of the paper with its own agent, and the numbers behind each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from echo_env.common.stats import mean_and_half_width, student_quantile
from echo_env.lab.departures.state_by_state import COLUMNS
from echo_env.lab.plots.learning import log_penalty, moving_mean
from echo_env.lab.report.paper.captions import FIGURES, Caption, learning_title
from echo_env.lab.report.paper.drawn import Drawn, figure_of, violins
from echo_env.lab.report.paper.study import AGENT, COMPARED, RULE, LabStudy, StateDay

Floats = NDArray[np.float64]


def paper_figures(studies: Mapping[str, LabStudy]) -> list[Drawn]:
    """Every figure of the labs that were studied, in the paper's order.

    :param studies: lab -> its study
    """
    made: list[Drawn] = []
    for caption in FIGURES:
        study = studies.get(caption.lab)
        if study is None:
            continue
        if caption.kind == "states":
            pairs = zip("abcd", study.state_days, strict=False)
            made += [_states(caption, study, letter, day) for letter, day in pairs]
        else:
            made.append(_DRAW[caption.kind](caption, study))
    return made


def _learning(caption: Caption, study: LabStudy) -> Drawn:
    from echo_env.lab.plots import learning_curve

    run = study.run
    ax = learning_curve(run.penalty, run.absence_rate, learning_title(caption, study), run.restarts)
    table = pd.DataFrame(
        {
            "day": np.arange(1, run.days + 1),
            "penalty": run.penalty,
            "mean_of_50_days": moving_mean(run.penalty),
            "log": log_penalty(run.penalty),
            "absence_rate": run.absence_rate,
        }
    )
    return Drawn(caption.name, caption, figure_of(ax), {"": table.replace(-np.inf, np.nan)})


def _by_minute(caption: Caption, study: LabStudy) -> Drawn:
    from matplotlib.figure import Figure

    from echo_env.lab import plots
    from echo_env.lab.plots.by_minute import penalties

    figure = Figure(figsize=(8, 7.5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    plots.penalty_by_minute(study.traces, above)
    plots.penalty_since_opening(study.traces, below)
    below.set_title("")
    below.get_legend().remove()
    above.set_xlabel("")
    above.set_title(caption.titled(above.get_title()), fontsize=10)
    columns: dict[str, Any] = {}
    for name, traces in study.traces.items():
        points = penalties(traces)
        for what, values in (("", points), ("_since_opening", np.cumsum(points, axis=1))):
            columns[f"{name}{what}"], columns[f"{name}{what}_half_width"] = mean_and_half_width(values)
    hours, minutes = study.config.hours, range(study.config.hours.end_min)
    table = pd.DataFrame({"minute": list(minutes), "time": [hours.clock(minute) for minute in minutes], **columns})
    return Drawn(caption.name, caption, figure, {"": table})


def _running(caption: Caption, study: LabStudy) -> Drawn:
    from matplotlib.figure import Figure

    from echo_env.lab.evaluation import plots

    part = study.long.part(COMPARED)
    figure = Figure(figsize=(8, 7.5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    plots.running_mean(part, ax=above)
    # The agent is what the figure is about, however far it is from the rules.
    plots.running_difference(part, ax=below, all_on_scale=True)
    above.set_xlabel("")
    above.set_title(caption.titled(above.get_title()), fontsize=10)
    columns: dict[str, Any] = {"day": np.arange(1, part.days + 1)}
    base = part.values[RULE]["penalty"]
    for name, values in part.values.items():
        columns[name], columns[f"{name}_half_width"] = _running_mean(values["penalty"])
        if name != RULE:
            minus = f"{name}_minus_{RULE}"
            columns[minus], columns[f"{minus}_half_width"] = _running_mean(values["penalty"] - base)
    return Drawn(caption.name, caption, figure, {"": pd.DataFrame(columns)})


def _running_mean(values: Floats) -> tuple[Floats, Floats]:
    """Mean of the days so far, and half of its 95 % interval."""
    expanding = pd.Series(values).expanding()
    days = np.arange(1, len(values) + 1)
    half = student_quantile(np.maximum(days - 1, 1)) * expanding.sem().to_numpy()
    return expanding.mean().to_numpy(), half


def _waits(caption: Caption, study: LabStudy) -> Drawn:
    return violins(caption, study.year if caption.wide else study.year.part(COMPARED), "wait_min")


def _quotas(caption: Caption, study: LabStudy) -> Drawn:
    return violins(caption, study.year if caption.wide else study.year.part(COMPARED), "workload")


def _states(caption: Caption, study: LabStudy, letter: str, day: StateDay) -> Drawn:
    from matplotlib.figure import Figure

    from echo_env.lab.departures import plots
    from echo_env.lab.plots.by_minute import penalties

    heights = [2.6, 1.7, plots.table_inches(plots.table_rows(day.differences))]
    # And the titles and the names of axes.
    figure = Figure(figsize=(11, sum(heights) + 1.6), layout="constrained")
    above, middle, below = figure.subplots(3, 1, height_ratios=heights)
    plots.penalties_of_the_day(day.trace, day.differences, above)
    plots.consequences(day.differences, study.config.hours, middle)
    title = f"{above.get_title()}, day {day.number}"
    above.set_title(caption.titled(title, letter), fontsize=10)
    plots.difference_table(day.differences, ax=below)
    own = penalties([day.trace])[0]
    other = own.copy()
    other[day.differences["minute"].to_numpy(dtype=np.int64)] = day.differences["other_penalty"]
    hours = study.config.hours
    clock = [hours.clock(minute) for minute in range(len(own))]
    every = pd.DataFrame({"minute": np.arange(len(own)), "time": clock, RULE: own, AGENT: other})
    tables = {"": every, "_differences": day.differences[list(COLUMNS)]}
    return Drawn(f"{caption.name}{letter}", caption, figure, tables)


_DRAW = {
    "learning": _learning,
    "by_minute": _by_minute,
    "running": _running,
    "waits": _waits,
    "quotas": _quotas,
}

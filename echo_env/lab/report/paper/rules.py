"""The paper's rules in its lab: a year of each, figures 4 to 11."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from echo_env.lab.config import LabConfig
from echo_env.lab.day import sample_days
from echo_env.lab.evaluation.comparison import Comparison
from echo_env.lab.plots.style import mean_and_band
from echo_env.lab.policies.base import make_policy
from echo_env.lab.report.paper.captions import Caption
from echo_env.lab.report.paper.drawn import Drawn, violins
from echo_env.lab.report.paper.rule_captions import RULE_FIGURES
from echo_env.lab.simulation.metrics import day_results, joined_results, metrics_of, metrics_table
from echo_env.lab.simulation.simulator import simulate
from echo_env.lab.simulation.trace import Trace, count_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ON_THE_FLY = ("policy_1", "policy_2", "policy_3", "policy_4")
RESERVING = tuple(f"policy_{number}_case_{case}" for number in (5, 6) for case in (2, 5, 6, 10))


@dataclass(frozen=True)
class RuleStudy:
    """A year of the paper's rules.

    :param config: the lab
    :param year: the rules on the same days
    :param waiting: rule -> (days, 6) float64, patients waiting by class, mean over the minutes of the day
    :param traces: of the rules whose average day is shown
    """

    config: LabConfig
    year: Comparison
    waiting: dict[str, NDArray[np.float64]]
    traces: dict[str, list[Trace]]


def play_rules(config: LabConfig, days: int, seed: int, progress: Callable[[int], None] | None = None) -> RuleStudy:
    """Play every rule on the same days.

    :param config: the lab
    :param days: how many
    :param seed: seed of the days
    :param progress: called with the days that a rule has been through
    """
    drawn, shown = sample_days(config, days, seed), {caption.policy for caption in RULE_FIGURES}
    classes = 3 * len(config.plan.types)
    values, waiting, kept = {}, {}, {}
    for name in (*ON_THE_FLY, *RESERVING):
        rule, traces = make_policy(name, config), []
        for day in drawn:
            traces.append(simulate(config, day, rule))
            if progress:
                progress(1)
        values[name] = metrics_table(config, joined_results([day_results(trace) for trace in traces]))
        waiting[name] = np.array([trace.minutes[:, :classes].mean(axis=0) for trace in traces])
        if name in shown:
            kept[name] = traces
    engines = dict.fromkeys(values, "simpy")
    year = Comparison(config.name, seed, values, engines, "policy_2", metrics_of(config))
    return RuleStudy(config, year, waiting, kept)


def rule_figures(study: RuleStudy) -> list[Drawn]:
    """Figures 4 to 11.

    :param study: of the rules
    """
    return [_draw(caption, study) for caption in RULE_FIGURES]


def _draw(caption: Caption, study: RuleStudy) -> Drawn:
    if caption.kind == "day":
        return Drawn(caption.name, caption, _average_day(caption, study), {"": _counts(caption, study)})
    return violins(caption, study.year, "wait_min" if caption.kind == "rule_waits" else "workload")


def _average_day(caption: Caption, study: RuleStudy) -> Figure:
    """Three panels: who waits, and what is free."""
    from matplotlib.figure import Figure

    from echo_env.lab import plots

    traces = study.traces[caption.policy]
    figure = Figure(figsize=(15, 4.4), layout="constrained")
    axes = figure.subplots(1, 3).tolist()
    for ax, draw in zip(axes, (plots.waiting_by_class, plots.free_rooms, plots.free_sonographers), strict=True):
        draw(traces, ax, caption.band)
        what, _, over = ax.get_title().removeprefix(f"{study.config.name}: ").partition(", ")
        ax.set_title(what, fontsize=10)
    figure.suptitle(caption.titled(f"{study.config.name} under {caption.policy}, {over}"), fontsize=11)
    return figure


def _counts(caption: Caption, study: RuleStudy) -> pd.DataFrame:
    """Mean and band of every count, a row for each minute."""
    traces, config = study.traces[caption.policy], study.config
    names = [name for name in count_names(config) if name.startswith(("waiting_", "free_"))]
    counts = np.stack([trace.minutes for trace in traces]).astype(np.float64)
    ending = "sd" if caption.band == "sd" else "half_width"
    columns: dict[str, Any] = {}
    for name in names:
        own = counts[:, :, count_names(config).index(name)]
        columns[name], columns[f"{name}_{ending}"] = mean_and_band(own, caption.band)
    minutes = range(config.hours.end_min)
    clock = [config.hours.clock(minute) for minute in minutes]
    return pd.DataFrame({"minute": list(minutes), "time": clock, **columns})

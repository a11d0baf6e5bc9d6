"""The figures of a comparison (needs matplotlib)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from echo_env.common.figures import write_figure
from echo_env.pathways.compiled.kernel import GAIN
from echo_env.pathways.config import PathwaysConfig
from echo_env.pathways.evaluation.comparison import Comparison
from echo_env.pathways.instance.instance import sample_draw, trial_luck
from echo_env.pathways.policies.base import make_policy
from echo_env.pathways.policies.bidding import BiddingPolicy
from echo_env.pathways.simulation.policy import Policy
from echo_env.pathways.simulation.simulator import simulate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_EPISODES = 4
"""Largest number of policies whose first episode is drawn."""


def write_figures(directory: Path, comparison: Comparison, policies: Sequence[str | Policy]) -> list[Path]:
    """Write all figures of a comparison as PNG and PDF.

    :param directory: target folder, created if missing
    :param comparison: the comparison
    :param policies: the policies, as given to :func:`~echo_env.pathways.evaluation.comparison.evaluate`
    :return: the PNG files
    """
    figures = comparison_figures(comparison)
    for resources in comparison.resources:
        config = comparison.config.replace(resources=resources, patients=max(comparison.patients))
        made = [make_policy(entry, config) if isinstance(entry, str) else entry for entry in policies]
        figures |= {
            f"{name}_{resources}_resources": figure
            for name, figure in episode_figures(config, made, comparison.seed).items()
        }
    return [write_figure(figure, directory, name) for name, figure in figures.items()]


def comparison_figures(comparison: Comparison) -> dict[str, Figure]:
    """Figure 2 of the paper, one panel for each number of resources, and differences if there are several policies.

    :param comparison: the comparison
    """
    from echo_env.pathways import plots

    def levels(band: str) -> Figure:
        return _panels(comparison, lambda r, ax: plots.utility_by_patients(comparison, r, ax, band))

    figures = {"figure_2": levels("interval"), "figure_2_sd": levels("sd")}
    if comparison.others:
        figures["figure_2_differences"] = _panels(
            comparison, lambda r, ax: plots.advantage_by_patients(comparison, r, ax)
        )
    return figures


def episode_figures(config: PathwaysConfig, policies: Sequence[Policy], seed: int) -> dict[str, Figure]:
    """First trial of the first draw under each policy, and the probabilities learned by the first value-based one.

    :param config: the hospital
    :param policies: the policies; at most :data:`MOST_EPISODES` are shown
    :param seed: seed of the draw
    """
    from matplotlib.figure import Figure

    from echo_env.pathways import plots

    instance = sample_draw(config, seed, 0)
    luck = trial_luck(instance, 0)
    shown = policies[:MOST_EPISODES]
    rows, height = len(shown), 0.2 * config.patients + 1.2
    figure = Figure(figsize=(14, rows * height), layout="constrained")
    axes = figure.subplots(rows, 2, squeeze=False, width_ratios=(3, 2))
    figures = {"episode": figure}
    for (left, right), policy in zip(axes, shown, strict=True):
        trace = simulate(instance, luck, policy)
        title = f"{policy.name}: utility {trace.utility:.3f}"
        plots.health_chart(trace, title, left)
        plots.resource_chart(trace, policy.name, right)
        if "chances" not in figures and isinstance(policy, BiddingPolicy) and policy.rule <= GAIN:
            title = f"Probabilities of winning learned for {policy.name}: {config.patients} patients"
            chart = plots.chances_chart(policy.prospects, title)
            figures["chances"] = _figure_of(chart)
    return figures


def _panels(comparison: Comparison, draw: Callable[[int, Axes], Axes]) -> Figure:
    """One panel for each number of resources, labelled (a), (b), ... if there are several."""
    from matplotlib.figure import Figure

    count = len(comparison.resources)
    figure = Figure(figsize=(7.5 * count, 4.5), layout="constrained")
    axes = figure.subplots(1, count, squeeze=False, sharey=True)[0]
    for number, (resources, ax) in enumerate(zip(comparison.resources, axes, strict=True)):
        draw(resources, ax)
        if count > 1:
            ax.set_title(f"({chr(ord('a') + number)}) {ax.get_title()}", fontsize=10)
    return figure


def _figure_of(ax: Axes) -> Figure:
    return cast("Figure", ax.figure)

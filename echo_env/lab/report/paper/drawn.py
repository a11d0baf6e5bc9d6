"""A figure of the paper, as it is here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from echo_env.lab.evaluation.comparison import Comparison
from echo_env.lab.report.paper.captions import Caption

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Drawn:
    """A figure of the paper, as it is here.

    :param name: of its files, ``figure_12``
    :param caption: what the paper's shows, and what is different here
    :param figure: the figure
    :param tables: ending of the file -> numbers behind it; the ending is empty for the main ones
    """

    name: str
    caption: Caption
    figure: Figure
    tables: Mapping[str, pd.DataFrame]


def figure_of(ax: Axes) -> Figure:
    """The figure that axes are in.

    :param ax: the axes
    """
    return cast("Figure", ax.figure)


def violins(caption: Caption, part: Comparison, metric: str) -> Drawn:
    """A violin for each policy.

    :param caption: the figure
    :param part: policies on the same days
    :param metric: one of their metrics
    """
    from echo_env.lab.evaluation import plots

    ax = plots.daily_violins(part, metric)
    ax.set_title(caption.titled(ax.get_title()), fontsize=10)
    table = pd.DataFrame({"day": np.arange(part.days), **{name: own[metric] for name, own in part.values.items()}})
    return Drawn(caption.name, caption, figure_of(ax), {"": table})

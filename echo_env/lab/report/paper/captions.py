"""What each figure of the paper shows, in plain words, and what is different here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from echo_env.lab.plots.learning import WINDOW

if TYPE_CHECKING:
    from echo_env.lab.report.paper.study import LabStudy

_CURVE_PAPER = "Training: penalty of each day, as log(-R) of the 50-day mean, with the sonographers' absence rate"
_CURVE_HERE = (
    "log(-R) is the natural logarithm of the mean over 50 days; the paper does not say which logarithm, nor whether it "
    "averages before or after taking it. The rate is that of the run's own settings."
)
_RUNNING_PAPER = "Mean penalty of a day so far, over 10,000 days, of policies 1 and 2 and the RL policy"
_RUNNING_HERE = (
    "All policies are on the same days, with 95 % bands; the lower panel has the paired differences to policy 2, "
    "which the paper does not show and in which most of the variation cancels."
)
_WAITS_HERE = (
    "Mean waiting time of the patients served on a day, from the later of arrival and appointment; a violin is over "
    "days."
)
_QUOTAS_HERE = "Exams of a day for each sonographer present; a violin is over days."


@dataclass(frozen=True)
class Caption:
    """A figure of the paper.

    :param number: its number there
    :param lab: the lab it is of
    :param kind: what is drawn
    :param paper: what its caption there means
    :param here: what is different here
    :param wide: whether it has policies 3 and 4 too
    :param policy: the rule whose average day it shows
    :param band: around its means, one of :data:`~echo_env.lab.plots.style.BANDS`
    """

    number: int
    lab: str
    kind: str
    paper: str
    here: str
    wide: bool = False
    policy: str = ""
    band: str = "interval"

    @property
    def name(self) -> str:
        """Of its files."""
        return f"figure_{self.number}"

    def titled(self, title: str, letter: str = "") -> str:
        """A title with the paper's number before it."""
        return f"Figure {self.number}{letter}: {title}"


FIGURES = (
    Caption(12, "baseline", "learning", f"{_CURVE_PAPER}.", _CURVE_HERE),
    Caption(
        13,
        "baseline",
        "by_minute",
        "Average penalty over time of policies 1 and 2 and the RL policy, in a year of 365 days.",
        "Above, the mean penalty of each minute of the day, below, what has accrued since opening: the paper's "
        "sentence can mean either. Bands are 95 % intervals of the mean.",
    ),
    Caption(14, "baseline", "running", f"{_RUNNING_PAPER}.", _RUNNING_HERE),
    Caption(
        15, "baseline", "waits", "Violins of a day's average waiting time, in a year of 365 days.", _WAITS_HERE, True
    ),
    Caption(
        16,
        "baseline",
        "quotas",
        "Violins of the sonographers' daily quota (patients for each sonographer), in a year of 365 days, "
        "of five policies.",
        _QUOTAS_HERE,
        True,
    ),
    Caption(
        17,
        "baseline",
        "states",
        "Four days state by state: policy 2 plays, and in each of its states the RL policy decides too; immediate "
        "penalties of both, the actions, and the states in which they differ.",
        "Penalties are shown for every minute; the days are those of the year whose number of differing minutes is "
        "nearest to the median of the days with a difference, and not chosen by eye.",
    ),
    Caption(18, "abundant", "learning", f"{_CURVE_PAPER}, with abundant resources.", _CURVE_HERE),
    Caption(19, "abundant", "running", f"{_RUNNING_PAPER}, with abundant resources.", _RUNNING_HERE),
    Caption(
        20,
        "abundant",
        "waits",
        "A day's average waiting time under several policies, with abundant resources.",
        f"{_WAITS_HERE} Over the first 365 of the days of figure 19.",
    ),
    Caption(21, "scarce", "learning", f"{_CURVE_PAPER}, with scarce resources.", _CURVE_HERE),
    Caption(22, "scarce", "running", f"{_RUNNING_PAPER}, with scarce resources.", _RUNNING_HERE),
    Caption(
        23,
        "scarce",
        "waits",
        "A day's average waiting time under several policies, with scarce resources.",
        f"{_WAITS_HERE} Over the first 365 of the days of figure 22.",
    ),
    Caption(
        24,
        "scarce",
        "quotas",
        "The sonographers' daily quota under several policies, with scarce resources.",
        f"{_QUOTAS_HERE} Over the first 365 of the days of figure 22.",
    ),
)


def learning_title(caption: Caption, study: LabStudy) -> str:
    """Title of a learning curve.

    :param caption: the figure
    :param study: of its lab
    """
    ended = "" if study.run.ended else ", which has not ended"
    return caption.titled(
        f"{study.config.name}: penalty in training, {WINDOW}-day mean, {study.run.days:,} days{ended}"
    )

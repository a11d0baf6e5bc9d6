"""A finding of the paper, our figure for it, and whether it holds."""

from __future__ import annotations

from dataclasses import dataclass

from echo_env.common.stats import Estimate

HOLDS, FAILS, OPEN = "holds", "does not hold", "not decided"

CLOSE = 5.0
"""Percent within which two policies count as comparable; the paper gives no number."""


@dataclass(frozen=True)
class Finding:
    """A finding of the paper.

    :param where: section and figure
    :param lab: the lab
    :param paper: what the paper says
    :param measure: what our figure is
    :param unit: of it
    :param value: our figure with its 95 % interval
    :param verdict: one of :data:`HOLDS`, :data:`FAILS`, :data:`OPEN`
    """

    where: str
    lab: str
    paper: str
    measure: str
    unit: str
    value: Estimate
    verdict: str


def above(value: Estimate, limit: float = 0.0) -> str:
    """Whether something is above a limit: decided where the interval lies on one side of it.

    :param value: our figure
    :param limit: the limit
    """
    if value.low > limit:
        return HOLDS
    # Without any variation the figure is exact.
    return FAILS if value.high < limit or value.low == value.high else OPEN


def below(value: Estimate, limit: float = 0.0) -> str:
    """The same for below."""
    return above(Estimate(-value.mean, -value.high, -value.low, value.n), -limit)


def within(value: Estimate, limit: float = CLOSE) -> str:
    """Whether a difference is at most as large as a limit, either way.

    :param value: the difference
    :param limit: the limit
    """
    if -limit <= value.low and value.high <= limit:
        return HOLDS
    return FAILS if value.low > limit or value.high < -limit else OPEN


def said(truth: bool) -> str:
    """Whether something holds that the days either show or do not.

    :param truth: whether they do
    """
    return HOLDS if truth else FAILS


def together(verdicts: list[str]) -> str:
    """Verdict on several things that must all hold.

    :param verdicts: of each
    """
    if FAILS in verdicts:
        return FAILS
    return OPEN if OPEN in verdicts else HOLDS


def all_of(values: list[Estimate], judge: str) -> Estimate:
    """Of several figures that must all be above, or all below, a limit the one that is nearest to failing.

    :param values: the figures
    :param judge: ``above`` or ``below``
    """
    return min(values, key=lambda own: own.low) if judge == "above" else max(values, key=lambda own: own.high)

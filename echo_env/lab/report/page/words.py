"""Numbers in the words of people: minutes, shares and differences with how sure they are."""

from __future__ import annotations

import math

from echo_env.common.stats import Estimate
from echo_env.lab.simulation.metrics import Metric

LOWER_IS_BETTER = "lower is better"
NOTHING = "-"
_HIGHER_IS_BETTER = ("within_", "served", "room_utilisation", "sonographer_utilisation", "staff_utilisation")

LABELS = {
    "overall_wait_min": "minutes waited, everybody who came",
    "p90_wait_min": "minutes waited, 90th percentile",
    "within_15_min": "share begun within 15 minutes",
    "within_30_min": "share begun within 30 minutes",
    "staff_overtime_h": "staff overtime, hours a day",
    "turned_away": "patients sent home a day",
    "left_waiting": "patients still waiting at the end of the day",
    "served": "patients examined a day",
    "rebooked": "patients rebooked to another day",
    "paid_h": "paid staff hours a day",
    "cost": "cost a day",
    "waiting_penalty": "penalty points for waiting",
    "wait_on_time_min": "minutes waited, patients who came on time",
    "wait_late_min": "minutes waited, patients who came late",
}
"""What a page calls a metric, where that is plainer than its label in tables."""

COMPARED = (
    "overall_wait_min",
    "p90_wait_min",
    "within_15_min",
    "within_30_min",
    "staff_overtime_h",
    "turned_away",
    "left_waiting",
    "cost",
    "waiting_penalty",
)
"""Metrics of every comparison, in order; those that a lab lacks are left out."""

WATCHED = ("p90_wait_min", "turned_away", "left_waiting", "staff_overtime_h", "cost")
"""What a gain in waiting may be paid with."""


def label(name: str, metric: Metric) -> str:
    """What a page calls a metric.

    :param name: of it
    :param metric: its record
    """
    return LABELS.get(name) or metric.meaning


def higher_is_better(name: str) -> bool:
    """Whether more of a metric is good; of nearly all less is.

    :param name: of the metric
    """
    return name.startswith(_HIGHER_IS_BETTER)


def scaled(value: Estimate, unit: str) -> Estimate:
    """A share in percent, anything else as it is.

    :param value: mean and interval
    :param unit: of the metric
    """
    if unit != "share":
        return value
    return Estimate(100 * value.mean, 100 * value.low, 100 * value.high, value.n)


def decimals(value: Estimate) -> int:
    """Decimals that are worth showing: two significant digits of the half-width, three decimals at most.

    :param value: mean and interval
    """
    half = value.half_width
    if math.isnan(half) or half <= 1e-12 * max(abs(value.mean), 1.0):
        return 0 if value.mean == round(value.mean) else 1
    return min(max(0, 1 - math.floor(math.log10(half))), 3)


def with_interval(value: Estimate, unit: str = "", sign: str = "") -> str:
    """``47.6 (46.4 to 48.8)``.

    :param value: mean and interval
    :param unit: of the metric; shares are shown in percent
    :param sign: ``+`` to show the sign of a difference
    """
    own = scaled(value, unit)
    if math.isnan(own.mean):
        return NOTHING
    digits = decimals(own)
    sign = sign if own.mean or own.half_width else ""

    def text(number: float) -> str:
        # Minus nothing is nothing.
        return f"{round(number, digits) + 0.0:{sign},.{digits}f}"

    percent = " %" if unit == "share" else ""
    if math.isnan(own.half_width) or own.half_width == 0:
        return f"{text(own.mean)}{percent}"
    return f"{text(own.mean)}{percent} ({text(own.low)} to {text(own.high)})"


def changed(value: Estimate, unit: str, less: str = "less", more: str = "more") -> str:
    """A difference in words: ``0.6 minutes less (0.4 to 0.8)``.

    :param value: the difference
    :param unit: in the plural; a share is in percentage points
    :param less: said of a fall
    :param more: said of a rise
    """
    own, name = scaled(value, unit), "percentage points" if unit == "share" else unit
    if not own.excludes_zero:
        if own.mean == 0 and own.half_width == 0:
            return "no change on any day"
        return f"no change that can be told from chance ({with_interval(own, '', '+')} {name})"
    digits = max(decimals(own), 1)
    low, high = sorted((abs(own.low), abs(own.high)))
    word = less if own.mean < 0 else more
    return f"{abs(own.mean):,.{digits}f} {name} {word} ({low:,.{digits}f} to {high:,.{digits}f})"


def listed(items: list[str]) -> str:
    """``a, b and c``.

    :param items: at least one
    """
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def spoken(name: str) -> str:
    """An exam type, a group or a rule as people write it: ``non-fetal``, ``policy 2``.

    :param name: as in files
    """
    return name.replace("_", " ").replace("non fetal", "non-fetal")


def capital(text: str) -> str:
    """With a capital letter.

    :param text: at least one letter
    """
    return text[0].upper() + text[1:]

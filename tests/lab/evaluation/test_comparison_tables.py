"""Tables of comparisons: every number in full, at every width."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest

pytest.importorskip("rich")

from rich.console import Console

from echo_env.common.stats import Estimate
from echo_env.lab import Comparison, LabConfig, evaluate
from echo_env.lab.evaluation.tables import cell, print_comparison
from echo_env.lab.simulation.metrics import METRICS

SCARCE = LabConfig.load("scarce")


def printed(comparison: Comparison, width: int) -> str:
    """What a terminal of this width shows."""
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=True, color_system=None)
    print_comparison(comparison, SCARCE, "some days", console)
    return file.getvalue()


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_no_number_is_cut_off(width: int) -> None:
    """Every mean, difference and half-width is printed in full; below 80 columns a cell may fold at its ± sign."""
    comparison = evaluate(SCARCE, ["policy_2", "policy_1", "fetal_first", "random"], days=30, seed=1)
    text = printed(comparison, width)
    assert "…" not in text
    for name in comparison.values:
        for metric in METRICS:
            cells = [cell(comparison.mean(name, metric))]
            if name != "policy_2" and comparison.paired(name, metric).mean:
                cells.append(cell(comparison.paired(name, metric), sign="+"))
            for whole in cells:
                assert whole in text or (width < 80 and all(part in text for part in whole.split(" ± "))), whole
    assert "left at 19:00" in text
    assert "minus policy_2" in text
    assert f"{comparison.days_needed('random', 'penalty'):,.0f}" in text


def test_policies_stand_side_by_side_as_far_as_they_fit() -> None:
    """Four policies take one table where there is room, else several; no line is wider than the console."""
    comparison = evaluate(SCARCE, ["policy_2", "policy_1", "fetal_first", "random"], days=3, seed=1)
    for width, tables in ((80, 2), (160, 1)):
        text = printed(comparison, width)
        assert text.count("every metric") == tables
        assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize(
    ("value", "sign", "text"),
    [
        (Estimate(6789.04, 6666.2, 6911.9, 10), "", "6,789.0 ± 122.8"),
        (Estimate(-2.4689, -3.1289, -1.8089, 10), "+", "-2.47 ± 0.66"),
        (Estimate(0.78431, 0.78221, 0.78641, 10), "", "0.7843 ± 0.0021"),
        (Estimate(0.0, 0.0, 0.0, 10), "", "0.0 ± 0.0"),
        (Estimate(0.125, 0.125, 0.125, 10), "", "0.125 ± 0.000"),
        (Estimate(33.0, math.nan, math.nan, 1), "", "33.0"),
        (Estimate(math.nan, math.nan, math.nan, 0), "", "-"),
    ],
)
def test_cells_show_two_digits_of_the_half_width(value: Estimate, sign: str, text: str) -> None:
    """Two significant digits of the half-width decide how many decimals are printed."""
    assert cell(value, sign) == text


def test_names_with_brackets_are_printed_as_they_are() -> None:
    """Brackets in names are no markup."""
    values = {name: dict.fromkeys(METRICS, np.array([1.0, 2.0])) for name in ("a[all]", "b")}
    text = printed(Comparison("lab", 1, values, dict.fromkeys(values, "simpy")), 100)
    assert text.count("a[all]") == 3

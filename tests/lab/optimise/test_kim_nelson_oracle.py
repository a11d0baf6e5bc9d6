"""The selection against sim-tools, another implementation of Kim and Nelson's procedure."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from echo_env.lab.optimise.search.kim_nelson import select

FIRST, MOST = 20, 20_000


def sim_tools() -> Any:
    """The module of the procedure, which needs NumPy alone; the package around it needs plotly and scikit-learn."""
    package = importlib.util.find_spec("sim_tools")
    if package is None or not package.submodule_search_locations:
        pytest.skip("sim-tools is not installed")
    path = Path(package.submodule_search_locations[0]) / "ovs" / "indifference_zone.py"
    spec = importlib.util.spec_from_file_location("sim_tools_indifference_zone", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Costs:
    """Costs of systems day by day, handed to sim-tools one by one.

    :param costs: (systems, days)
    """

    def __init__(self, costs: NDArray[np.float64]) -> None:
        self._costs, self._days = costs, [0] * len(costs)

    def register_observer(self, observer: Any) -> None:
        """Who is told what is played."""
        self._observer = observer

    def simulate(self, system: int) -> None:
        """Play the next day of a system."""
        self._observer.feedback(self, system, self._costs[system, self._days[system]])
        self._days[system] += 1


def chosen_by(procedure: Any, costs: NDArray[np.float64]) -> tuple[int, int]:
    """System and days by sim-tools, which plays the last system for a day more before it looks whether it is alone."""
    kim_nelson = procedure(Costs(costs), len(costs), delta=0.3, alpha=0.05, n_0=FIRST, obj="min")
    (best,) = kim_nelson.solve()
    return int(best), kim_nelson._r - 1


def chosen_by_us(costs: NDArray[np.float64]) -> tuple[int, int]:
    """System and days by our selection, which compares after every day here."""

    def play(system: int, first: int, count: int) -> NDArray[np.float64]:
        return costs[system, first : first + count]

    selection = select(play, len(costs), delta=0.3, first=FIRST, step=1, most=MOST)
    assert selection.sure
    return selection.best, selection.days


def normal_costs(seed: int, systems: int) -> NDArray[np.float64]:
    """Costs that differ in their means and spreads, on days that are good or bad for all."""
    rng = np.random.default_rng(seed)
    means, spreads = rng.normal(0, 0.5, systems), rng.uniform(0.5, 2, systems)
    return means[:, None] + spreads[:, None] * rng.normal(size=(systems, MOST)) + rng.normal(size=MOST)


@pytest.mark.parametrize("seed", range(15))
def test_two_systems(seed: int) -> None:
    """The same one of two systems is chosen after the same number of days."""
    costs = normal_costs(seed, 2)
    assert chosen_by_us(costs) == chosen_by(sim_tools().KN, costs)


@pytest.mark.parametrize("seed", range(15))
def test_systems_whose_differences_spread_alike(seed: int) -> None:
    """The same one of five is chosen after the same number of days, where all differences have the same variance.

    sim-tools 1.3.0 looks the variance of a difference up in a wrong place if the second system has the lower number, so
    that its answers can be compared only where that makes no difference.
    """
    costs = normal_costs(seed, 5)
    first = costs[:, :FIRST] - costs[:, :FIRST].mean(axis=1, keepdims=True)
    alike = np.linalg.qr(first.T)[0].T * np.sqrt(FIRST - 1)
    costs[:, :FIRST] += alike - first
    assert chosen_by_us(costs) == chosen_by(sim_tools().KN, costs)


@pytest.mark.parametrize("seed", range(15))
def test_systems_of_any_spread(seed: int) -> None:
    """With that place put right, the same one of five is chosen after the same number of days, whatever they spread."""
    procedure = sim_tools().KN

    class Mended(procedure):  # type: ignore[misc]
        def _limit_to_distance_from_sample_means(self, design_i: int, design_l: int) -> float:
            # Each row is short of its own place on the diagonal: only what stands after that moves up by one.
            return float(super()._limit_to_distance_from_sample_means(design_i, design_l + (design_l < design_i)))

    costs = normal_costs(seed, 5)
    assert chosen_by_us(costs) == chosen_by(Mended, costs)

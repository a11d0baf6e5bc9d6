"""What our search for a better appointment book is worth against optimisers that others keep, at equal CPU time.

Each changes the times of the same appointments on the same grid, pays the same cost on the same common days, and has
the same CPU seconds in one process: our descents, dual annealing of SciPy, CMA-ES of cma, the optimiser that nevergrad
picks (NGOpt) and one of its discrete ones, and TPE of Optuna. The others get what helps ours too: they begin with
today's book, look at ``FEW`` days for four fifths of the time, and play their twenty best books on ``MANY`` days in the
rest.
What each found is then compared with today's book on days that none has seen.

    pip install cma nevergrad "bayesian-optimization<2" optuna
    python benchmarks/optimisers.py --seconds 20 --seeds 3

A row is appended to ``optimisers.csv`` beside this file for each lab, optimiser and seed.
"""

import os

# Before numpy is imported: CPU time counts.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import scipy.optimize
from record import append_row

from echo_env.lab import load_lab
from echo_env.lab.optimise import Choice, template
from echo_env.lab.optimise.levers import Values
from echo_env.lab.optimise.optimise import HELD_OUT_FIRST
from echo_env.lab.optimise.proposal import estimates
from echo_env.lab.optimise.search import FEW, MANY, PROTECTED, WAITING, Bench, Clock, Objective, descend, starts
from echo_env.lab.optimise.search.bench import TimeIsUp

LABS = ("baseline", "scarce")
SHARE, BEST = 0.8, 20
"""Share of the time on few days, and how many books are then played on many."""


@dataclass
class CpuClock(Clock):
    """A clock of this process's CPU seconds, which other processes take none of."""

    begun: float = field(default_factory=time.process_time)

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return time.process_time() - self.begun > self.seconds

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.seconds - (time.process_time() - self.begun)


class Grid:
    """The cost of places on the levers' grids, for optimisers of whole numbers.

    :param bench: plays the days
    """

    def __init__(self, bench: Bench) -> None:
        self.bench, self.levers = bench, bench.levers
        self.sizes = np.array([len(lever.allowed) for lever in self.levers])
        self.today = np.array([lever.allowed.index(lever.first) for lever in self.levers])
        self.asked = 0

    def values(self, places: np.ndarray) -> Values:
        """The values at some places; numbers between places belong to the lower one."""
        whole = np.clip(np.floor(places), 0, self.sizes - 1).astype(int)
        return tuple(lever.allowed[place] for lever, place in zip(self.levers, whole, strict=True))

    def cost(self, places: np.ndarray) -> float:
        """What they cost.

        :raises TimeIsUp: the time is over
        """
        self.asked += 1
        self.bench._clock.check()
        return self.bench.cost(self.values(np.asarray(places)))


def annealing(grid: Grid, seed: int) -> None:
    """Dual annealing, without the gradient search, of which steps know nothing."""
    bounds = [(0, size - 1e-6) for size in grid.sizes]
    begin = grid.today + 0.5
    while True:
        scipy.optimize.dual_annealing(grid.cost, bounds, maxiter=10**6, no_local_search=True, rng=seed, x0=begin)
        seed += 1000


def cma_es(grid: Grid, seed: int) -> None:
    """CMA-ES over whole numbers, begun again wherever it has converged."""
    import cma

    rng = np.random.default_rng(seed)
    begin = grid.today + 0.5
    while True:
        options = {
            "bounds": [[0] * len(grid.sizes), list(grid.sizes - 1e-6)],
            "seed": int(rng.integers(1, 2**31)),
            "verbose": -9,
            "CMA_stds": list(grid.sizes / 35),
        }
        strategy = cma.CMAEvolutionStrategy(list(begin), 4.0, options)
        while not strategy.stop():
            asked = strategy.ask()
            strategy.tell(asked, [grid.cost(places) for places in asked])
        begin = np.clip(begin + rng.normal(0, 3, len(begin)), 0, grid.sizes - 1e-6)


def nevergrad(name: str) -> Callable[[Grid, int], None]:
    """An optimiser of nevergrad, told about how often it may ask."""

    def run(grid: Grid, seed: int) -> None:
        import nevergrad as ng

        begin = time.process_time()
        for place in range(10):
            other = grid.today.copy()
            other[place] = (other[place] + 3) % grid.sizes[place]
            grid.cost(other)
        each = (time.process_time() - begin) / 10
        array = ng.p.Array(init=grid.today.astype(float), lower=0, upper=grid.sizes - 1.0).set_integer_casting()
        array.random_state.seed(seed)
        budget = int(grid.bench._clock.left / each)
        optimiser = ng.optimizers.registry[name](parametrization=array, budget=budget)
        while True:
            asked = optimiser.ask()
            optimiser.tell(asked, grid.cost(asked.value))

    return run


def tpe(grid: Grid, seed: int) -> None:
    """The tree-structured Parzen estimator, Optuna's default."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    names = [str(number) for number in range(len(grid.sizes))]
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.enqueue_trial(dict(zip(names, grid.today.tolist(), strict=True)))

    def cost(trial: "optuna.Trial") -> float:
        sizes = zip(names, grid.sizes.tolist(), strict=True)
        return grid.cost(np.array([trial.suggest_int(name, 0, size - 1) for name, size in sizes]))

    study.optimize(cost, n_trials=None)


OTHERS: dict[str, Callable[[Grid, int], None]] = {
    "dual annealing (scipy)": annealing,
    "CMA-ES (cma)": cma_es,
    "NGOpt (nevergrad)": nevergrad("NGOpt"),
    "DiscreteLenglerOnePlusOne (nevergrad)": nevergrad("DiscreteLenglerOnePlusOne"),
    "TPE (optuna)": tpe,
}


def by_others(run: Callable[[Grid, int], None], objective: Objective, choice: Choice, clock: CpuClock, seed: int):
    """The best book of an optimiser, and how many it asked for."""
    few = Bench(objective, choice, FEW, CpuClock(SHARE * clock.seconds, begun=clock.begun))
    grid = Grid(few)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with suppress(TimeIsUp):
            run(grid, seed)
    many = Bench(objective, choice, MANY, clock)
    return cheapest(many, sorted(few._known, key=few.cost)[:BEST]), grid.asked


def by_us(objective: Objective, choice: Choice, clock: CpuClock, seed: int):
    """The best book of descents from three starts and then from others, and how many they asked for."""
    few, many = Bench(objective, choice, FEW, clock), Bench(objective, choice, MANY, clock)
    found: list[Values] = []
    begun = starts(choice, 100, np.random.default_rng(seed))
    for number, start in enumerate(begun):
        if clock.is_over:
            break
        rng = np.random.default_rng([seed, number])
        found.append(descend(many, descend(few, start, rng, close=many), rng))
    return cheapest(many, found), few.played + many.played


def cheapest(many: Bench, books: list[Values]) -> Values:
    """The book that costs least on many days, of those there is time to play."""
    known = {}
    with suppress(TimeIsUp):
        for values in books:
            known[values] = many.cost(values)
    return min(known, key=known.__getitem__) if known else books[0]


def measure(lab: str, name: str, seed: int, seconds: float, days: int, keep: bool) -> None:
    """Let one optimiser search, compare what it found with today's book, print, and keep."""
    config = load_lab(lab)
    choice = Choice(config, (template(config, 15),))
    objective = Objective(config, WAITING, PROTECTED, "scarce_first", 0)
    objective.scores(choice.lab(choice.today), 0, 1)  # Compiles.
    clock = CpuClock(seconds)
    if name == "ours":
        values, asked = by_us(objective, choice, clock, seed)
    else:
        values, asked = by_others(OTHERS[name], objective, choice, clock, seed)
    spent = seconds - clock.left
    new, old = (objective.scores(choice.lab(own), HELD_OUT_FIRST, days).array for own in (values, choice.today))
    effects = estimates(["waiting", *PROTECTED], new - old, 1)
    waiting = effects.pop("waiting")
    row = {
        "lab": lab,
        "optimiser": name,
        "seed": seed,
        "cpu_s": spent,
        "books_asked": asked,
        "waiting": waiting.mean,
        "low": waiting.low,
        "high": waiting.high,
        "of_today": waiting.mean / float(old[0].mean()),
        "rises": " ".join(metric for metric, own in effects.items() if own.low > 0),
    }
    print(*(f"{value:.4g}" if isinstance(value, float) else value for value in row.values()), flush=True)
    if keep:
        append_row("optimisers", row)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20, help="CPU seconds of each search")
    parser.add_argument("--seeds", type=int, default=3, help="searches of each optimiser in each lab")
    parser.add_argument("--days", type=int, default=4000, help="held-out days")
    parser.add_argument("--labs", nargs="*", default=LABS, help="names of labs")
    parser.add_argument("--only", nargs="*", default=["ours", *OTHERS], help="names of optimisers")
    parser.add_argument("--no-csv", action="store_true", help="print only")
    args = parser.parse_args()
    for seed in range(args.seeds):
        for lab in args.labs:
            for name in args.only:
                measure(lab, name, seed, args.seconds, args.days, not args.no_csv)


if __name__ == "__main__":
    main()

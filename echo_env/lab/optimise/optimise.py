"""The best appointment book of a lab: search, selection among the finalists, and one comparison on held-out days."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from echo_env.common.parallel import map_in_order
from echo_env.lab.config.lab import Lab
from echo_env.lab.optimise.books import Move, PlannedLab, Times, moves_between, with_times
from echo_env.lab.optimise.kim_nelson import Selection, select
from echo_env.lab.optimise.objective import PROTECTED, WAITING, Floats, Objective
from echo_env.lab.optimise.proposal import Proposal, Step, World, estimates
from echo_env.lab.optimise.search import FEW, MANY, Bench, Choice, Clock, choice_of, descend, front, starts
from echo_env.lab.optimise.worlds import other_worlds
from echo_env.lab.simulation.metrics import metrics_of

SELECTION_FIRST, HELD_OUT_FIRST, WORLDS_FIRST = 1_000_000, 2_000_000, 3_000_000
"""Numbers of the first days of selection, comparison and other worlds: beyond those of the search."""
_INDIFFERENT = 0.005
"""Differences below this share of today's objective do not matter."""
TOLD = (*PROTECTED, "overall_wait_min", "p90_wait_min")
"""Metrics that every comparison has, whatever the objective and what is protected."""


@dataclass(frozen=True)
class Budget:
    """How long to search, and how well to measure.

    The search is the same for the same seed however many processes there are, unless the time ends it.

    :param seconds: for the whole search; it ends earlier if nothing gets better
    :param starts: books that descents begin with, at least 1
    :param days: held-out days, at least 2
    :param world_days: days in each other world; 0 leaves them out
    :param jobs: number of processes
    :raises ValueError: a value that is not allowed
    """

    seconds: float = 60.0
    starts: int = 3
    days: int = 4000
    world_days: int = 1000
    jobs: int = 1

    def __post_init__(self) -> None:
        for name, low in (("seconds", 1), ("starts", 1), ("days", 2), ("world_days", 0), ("jobs", 1)):
            if getattr(self, name) < low:
                raise ValueError(f"{name} is {getattr(self, name)!r}, but must be at least {low}")


@dataclass(frozen=True)
class Allowed:
    """Which books may be proposed.

    :param grid_min: minutes between times, from opening on
    :param latest_min: last time, minutes since opening; by default closing
    :param most_moves: so many appointments may move; None for any number
    :param held: times that stay as they are, minutes since opening
    :param windows: exam type -> first and last minute of its appointments
    :raises ValueError: a value that is not allowed
    """

    grid_min: int = 15
    latest_min: int | None = None
    most_moves: int | None = None
    held: frozenset[int] = frozenset()
    windows: dict[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, low in (("grid_min", 1), ("latest_min", 0), ("most_moves", 1)):
            value = getattr(self, name)
            if value is not None and value < low:
                raise ValueError(f"{name} is {value!r}, but must be at least {low}")


class Task(NamedTuple):
    """A part of the search: a descent from a start, or the front for ``start`` -1."""

    start: int


@dataclass(frozen=True)
class Searcher:
    """Does a part of the search; goes to other processes.

    :param objective: what is made smaller
    :param config: the lab
    :param choice: the books that are allowed
    :param starts: number of descents
    :param seconds: for each part
    :param moves: longest front
    :param seed: of the search
    """

    objective: Objective
    config: Lab
    choice: Choice
    starts: int
    seconds: float
    moves: int
    seed: int

    def __call__(self, task: Task) -> tuple[list[Times], int]:
        """Books found, and how many were played."""
        clock = Clock(self.seconds)
        rng = np.random.default_rng([self.seed, task.start + 1])
        few = Bench(self.objective, self.config, self.choice, FEW, clock)
        many = Bench(self.objective, self.config, self.choice, MANY, clock)
        if task.start < 0:
            books = front(few, many, self.moves, rng)
        else:
            begun = starts(self.choice, self.starts, np.random.default_rng(self.seed))[task.start]
            books = [descend(many, descend(few, begun, rng), rng)]
        return books, few.played + many.played


def optimise(
    config: Lab,
    weights: dict[str, float] | None = None,
    protected: Sequence[str] = PROTECTED,
    rule: str = "scarce_first",
    allowed: Allowed | None = None,
    budget: Budget | None = None,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Proposal:
    """Look for a better appointment book, and measure what it is worth.

    :param config: the lab
    :param weights: metric -> weight in the sum that is made smaller; by default the waiting part of the penalty
    :param protected: metrics that may not rise
    :param rule: name of the policy by which exams begin, a rule that the compiled engine plays
    :param allowed: which books may be proposed
    :param budget: how long to search, and how well to measure
    :param seed: of days and search
    :param progress: called with what is done now
    :return: the proposal; its intervals are of days that the search did not play
    :raises ValueError: an unknown metric, or nothing that may move
    """
    weights, allowed, budget = weights or dict(WAITING), allowed or Allowed(), budget or Budget()
    tell = progress or (lambda words: None)
    objective = Objective(config, weights, tuple(protected), rule, seed)
    choice = _choice(config, allowed)
    moves = allowed.most_moves or 6
    tasks = [Task(-1)] if allowed.most_moves else [Task(start) for start in range(-1, budget.starts)]
    seconds = budget.seconds * min(budget.jobs, len(tasks)) / len(tasks)
    searcher = Searcher(objective, config, choice, budget.starts, seconds, min(moves, len(choice.seats)), seed)
    tell("search")
    found = map_in_order(searcher, tasks, budget.jobs, lambda task: None)
    books = _distinct([book for own, _ in found for book in own], choice, allowed, config)
    tell("selection")
    selection = _selected(objective, config, choice, books)
    tell("comparison")
    return _measured(objective, config, choice, books, selection, budget, sum(count for _, count in found))


def _choice(config: Lab, allowed: Allowed) -> Choice:
    names = [own.name for own in config.plan.types]
    for name in allowed.windows:
        if name not in names:
            raise ValueError(f"window of {name!r}, which is no exam type of the lab; it has {', '.join(names)}")
    latest = config.hours.closing_min if allowed.latest_min is None else allowed.latest_min
    windows = {names.index(name): window for name, window in allowed.windows.items()}
    choice = choice_of(config, allowed.grid_min, min(latest, config.hours.closing_min), allowed.held, windows)
    if all(times == (seat.minute,) for seat, times in zip(choice.seats, choice.allowed, strict=True)):
        raise ValueError("no appointment may move: held times, windows and the latest time leave no other time")
    return choice


def _distinct(books: list[Times], choice: Choice, allowed: Allowed, config: Lab) -> list[Times]:
    """The books that differ from today's and from each other, by number of changes; one for each number of a front."""
    seen: dict[tuple[Move, ...], tuple[int, Times]] = {}
    for book in books:
        moves = moves_between(config.plan, choice.seats, book)
        changes = sum(move.number for move in moves)
        if changes and (allowed.most_moves is None or changes <= allowed.most_moves):
            seen.setdefault(tuple(moves), (changes, book))
    return [book for _, book in sorted(seen.values(), key=lambda own: own[0])]


def _selected(objective: Objective, config: Lab, choice: Choice, books: Sequence[Times]) -> Selection | None:
    """The best of the books, by the procedure of Kim and Nelson on days of their own."""
    if len(books) < 2:
        return None
    labs = [with_times(config, choice.seats, book) for book in books]
    today = with_times(config, choice.seats, choice.today)
    scale = float(objective.scores(today, SELECTION_FIRST, 500).objective.mean())

    def play(system: int, first: int, count: int) -> Floats:
        return objective.scores(labs[system], SELECTION_FIRST + first, count).objective

    return select(play, len(books), max(_INDIFFERENT * abs(scale), 1e-6))


def _measured(
    objective: Objective,
    config: Lab,
    choice: Choice,
    books: Sequence[Times],
    selection: Selection | None,
    budget: Budget,
    searched: int,
) -> Proposal:
    """Today's book and all others on held-out days, and the chosen one in other worlds."""
    name = " + ".join(f"{weight:g} {metric}" if weight != 1 else metric for metric, weight in objective.weights.items())
    wide = _with_told(objective)
    names = [name, *wide.protected]
    today = wide.scores(with_times(config, choice.seats, choice.today), HELD_OUT_FIRST, budget.days).array
    comparisons = max(1, len(books) * len(names))
    steps = []
    for book in books:
        scores = wide.scores(with_times(config, choice.seats, book), HELD_OUT_FIRST, budget.days).array
        moves = tuple(moves_between(config.plan, choice.seats, book))
        changes = sum(move.number for move in moves)
        steps.append(Step(book, moves, changes, estimates(names, scores - today, comparisons)))
    chosen = selection.best if selection else 0
    worlds = _elsewhere(wide, names, config, choice, books[chosen], budget) if books else ()
    return Proposal(
        config=config,
        seats=choice.seats,
        objective=name,
        protected=tuple(objective.protected),
        today=estimates(names, today, 1),
        front=tuple(steps),
        chosen=chosen,
        selection=selection,
        worlds=worlds,
        days=budget.days,
        searched=searched,
    )


def _with_told(objective: Objective) -> Objective:
    """The objective with the metrics that are told besides."""
    more = [name for name in TOLD if name in metrics_of(objective.config)]
    return replace(objective, protected=tuple(dict.fromkeys((*objective.protected, *more))))


def _elsewhere(
    objective: Objective, names: Sequence[str], config: Lab, choice: Choice, book: Times, budget: Budget
) -> tuple[World, ...]:
    """The chosen book in other worlds."""
    if not budget.world_days:
        return ()
    worlds = []
    for name, change in other_worlds():
        scores = []
        for times in (book, choice.today):
            lab: PlannedLab = with_times(config, choice.seats, times)
            other = lab.replace(plan=change(lab.plan))
            scores.append(objective.scores(other, WORLDS_FIRST, budget.world_days).array)
        worlds.append(World(name, estimates(names, scores[0] - scores[1], 1)))
    return tuple(worlds)

"""The search in parts: descents from several starts, and the front by number of changes, in one process or several."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from echo_env.common.parallel import Jobs, Signal, map_in_order, signal_to
from echo_env.lab.optimise.levers import Choice, Values
from echo_env.lab.optimise.search.bench import Bench, Clock
from echo_env.lab.optimise.search.descent import FEW, MANY, descend, front, starts
from echo_env.lab.optimise.search.interrupts import stop_on_interrupt
from echo_env.lab.optimise.search.journal import Journal
from echo_env.lab.optimise.search.objective import Objective


class Task(NamedTuple):
    """A part of the search.

    :param start: number of the start that a descent begins with, or -1 for the front
    :param decision: number of the kind of decision that alone may change; -1 for all of them
    """

    start: int
    decision: int = -1


class Found(NamedTuple):
    """What a search, or a part of it, found.

    :param values: of the levers, each a finalist
    :param played: how many were asked for
    :param cut: whether it was ended before nothing got better
    :param interrupted: whether by Ctrl-C
    """

    values: list[Values]
    played: int
    cut: bool
    interrupted: bool


@dataclass(frozen=True)
class Searcher:
    """Does a part of the search; goes to other processes.

    :param objective: what is made smaller
    :param choice: what may change
    :param starts: number of descents
    :param seconds: for each part
    :param most: longest front
    :param seed: of the search
    :param journal: keeps what is played, if anything does
    :param stop: the search ends once this is given
    """

    objective: Objective
    choice: Choice
    starts: int
    seconds: float
    most: int
    seed: int
    journal: Journal | None = None
    stop: Signal | None = None

    def __call__(self, task: Task) -> Found:
        """Do a part.

        :param task: which
        """
        # What is compiled at its first call takes no time of the search.
        self.objective.scores(self.choice.lab(self.choice.today), 0, 1)
        clock = Clock(self.seconds, self.stop)
        with nullcontext() if self.journal is None else self.journal.part(self._number(task)) as kept:
            few, many = (Bench(self.objective, self.choice, days, clock, kept) for days in (FEW, MANY))
            found = self._found(task, few, many)
        return Found(found, few.played + many.played, clock.is_over, clock.is_stopped)

    def _found(self, task: Task, few: Bench, many: Bench) -> list[Values]:
        rng = np.random.default_rng([self.seed, self._number(task)])
        if task.start < 0:
            return front(few, many, self.most, rng)
        begun = starts(self.choice, self.starts, np.random.default_rng(self.seed))[task.start]
        free = None
        if task.decision >= 0:
            place = self.choice.places[task.decision]
            free = range(place.start, place.stop)
        return [descend(many, descend(few, begun, rng, free, many), rng, free)]

    def _number(self, task: Task) -> int:
        """Number of a part, the same whatever parts there are besides."""
        return task.start + 1 if task.decision < 0 else self.starts + 1 + task.decision


def searched(searcher: Searcher, tasks: list[Task], jobs: Jobs) -> Found:
    """Do all parts; Ctrl-C ends them, and what was found until then is the answer.

    :param searcher: does a part, and is told where to look for the end
    :param tasks: the parts
    :param jobs: number of processes, or a cluster's workers
    """
    with signal_to(jobs) as stop, stop_on_interrupt(stop):
        found = map_in_order(replace(searcher, stop=stop), tasks, jobs, lambda task, found: None)
    values, played, cut, interrupted = zip(*found, strict=True)
    return Found([own for part in values for own in part], sum(played), any(cut), any(interrupted))

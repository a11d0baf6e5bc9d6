"""Simulating every policy in every cell of a sweep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from echo_env.common.files.tables import CSV
from echo_env.common.parallel import Jobs, map_in_order
from echo_env.common.results import checked_reference
from echo_env.lab.config import ConfigError
from echo_env.lab.config.lab import Lab
from echo_env.lab.evaluation.comparison import Comparison, check_days, choose_engine, evaluate
from echo_env.lab.simulation.metrics import metrics_of
from echo_env.lab.simulation.policy import Policy, TieredPolicy
from echo_env.lab.sweep import kept
from echo_env.lab.sweep.grid import Sweep
from echo_env.lab.sweep.results import SweepResults

MakePolicies = Callable[[Lab], Sequence[Policy]]
"""Lab -> the policies for it, with the same names in every lab."""


class Task(NamedTuple):
    """The days of one policy in one cell.

    :param cell: number of the cell
    :param config: lab of the cell
    :param policy: the policy, made for that lab
    :param engine: engine that simulates
    :param file: path of the cached days, relative to the folder of the sweep
    """

    cell: int
    config: Lab
    policy: Policy
    engine: str
    file: str


def tasks_of(
    sweep: Sweep, make: MakePolicies, days: int, seed: int, engine: str = "auto", kind: str = CSV
) -> list[Task]:
    """The simulations of a sweep, cell by cell; runs none of them.

    :param sweep: the sweep
    :param make: makes the policies of a cell
    :param days: number of days
    :param seed: seed of the days
    :param engine: as for :func:`~echo_env.lab.evaluation.comparison.evaluate`
    :param kind: of the cached files, one of :data:`~echo_env.common.files.tables.FORMATS`
    :raises ValueError: no days, or a policy that is unknown, does not suit a cell (names it), or has no such engine
    """
    check_days(days)
    tasks = []
    for cell in sweep.cells:
        try:
            policies = make(cell.config)
        except ValueError as error:
            raise ConfigError(f"cell {sweep.name(cell)}: {error}") if cell.number else error from None
        for policy in policies:
            chosen = choose_engine(policy, engine)
            file = kept.file_name(cell.config, policy, days, seed, chosen, kind)
            tasks.append(Task(cell.number, cell.config, policy, chosen, file))
    return tasks


class Player:
    """Runs tasks, and keeps results in a cache. Where tasks are run there need be no cache.

    :param days: number of days
    :param seed: seed of the days
    :param folder: folder of the cache; None for no cache
    """

    def __init__(self, days: int, seed: int, folder: Path | None) -> None:
        self._days, self._seed, self._folder = days, seed, folder

    def __call__(self, task: Task) -> kept.Table:
        """Metrics of the days, simulated."""
        played = evaluate(task.config, [task.policy], self._days, self._seed, engine=task.engine)
        return dict(played.values[task.policy.name])

    def read(self, task: Task) -> kept.Table:
        """Metrics of the days, from the cache."""
        return kept.read_table(self._path(task), self._days, list(metrics_of(task.config)))

    def keep(self, task: Task, table: kept.Table) -> None:
        """Write the metrics of the days to the cache, if there is one."""
        if self._folder is not None:
            kept.write_table(self._path(task), table)

    def has(self, task: Task) -> bool:
        """Whether the days are in the cache."""
        return self._folder is not None and self._path(task).is_file()

    def _path(self, task: Task) -> Path:
        assert self._folder is not None
        return self._folder / task.file


def play_sweep(
    sweep: Sweep,
    tasks: Sequence[Task],
    player: Player,
    seed: int,
    jobs: Jobs = 1,
    reference: str = "",
    progress: Callable[[Task], None] | None = None,
) -> SweepResults:
    """Run a sweep, using cached results where there are any.

    :param sweep: the sweep
    :param tasks: its tasks, from :func:`tasks_of`
    :param player: runs the tasks
    :param seed: seed of the days
    :param jobs: number of processes, or a cluster's workers; the numbers are the same to the bit
    :param reference: name of the reference policy, by default the first
    :param progress: called with each task that has been simulated
    :raises ValueError: the reference is none of the policies, or a cached file has been edited
    """
    names = list(dict.fromkeys(task.policy.name for task in tasks))
    checked_reference(reference, names)
    missing = [task for task in tasks if not player.has(task)]
    # The cache is read first, so that a damaged file is reported before the simulations, not after them.
    done = {_key(task): player.read(task) for task in tasks if player.has(task)}

    def keep(task: Task, table: kept.Table) -> None:
        # Here, because workers elsewhere do not reach the folder.
        player.keep(task, table)
        if progress is not None:
            progress(task)

    compiled = all(task.engine == "compiled" and isinstance(task.policy, TieredPolicy) for task in missing)
    played = map_in_order(player, missing, jobs, keep, compiled)
    done |= dict(zip(map(_key, missing), played, strict=True))
    engines = {task.policy.name: task.engine for task in tasks}
    every = (
        Comparison(
            *(sweep.base.name, seed, {name: done[cell.number, name] for name in names}, engines, reference),
            metrics_of(cell.config),
        )
        for cell in sweep.cells
    )
    return SweepResults(sweep, tuple(every))


def _key(task: Task) -> tuple[int, str]:
    return task.cell, task.policy.name

"""Every policy in every cell of a sweep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from echo_env.common.parallel import map_in_order
from echo_env.lab.config import ConfigError, LabConfig
from echo_env.lab.evaluation.comparison import Comparison, checked_reference, choose_engine, evaluate
from echo_env.lab.simulation.policy import Policy
from echo_env.lab.sweep import kept
from echo_env.lab.sweep.grid import Sweep
from echo_env.lab.sweep.results import SweepResults

MakePolicies = Callable[[LabConfig], Sequence[Policy]]
"""Lab -> the policies for it, everywhere of the same names."""


class Task(NamedTuple):
    """The days of one policy in one cell.

    :param cell: its number
    :param config: its lab
    :param policy: made for it
    :param engine: what plays
    :param file: where they are kept, from the folder on
    """

    cell: int
    config: LabConfig
    policy: Policy
    engine: str
    file: str


def tasks_of(sweep: Sweep, make: MakePolicies, days: int, seed: int, engine: str = "auto") -> list[Task]:
    """What there is to play, cell by cell; nothing is played yet.

    :param sweep: the cells
    :param make: makes the policies of a cell
    :param days: how many days
    :param seed: which
    :param engine: as for :func:`~echo_env.lab.evaluation.comparison.evaluate`
    :raises ValueError: no day, a policy that is unknown, does not fit into a cell (names it), or cannot be played
    """
    if days < 1:
        raise ValueError(f"days is {days}, but must be at least 1")
    tasks = []
    for cell in sweep.cells:
        try:
            policies = make(cell.config)
        except ValueError as error:
            raise ConfigError(f"cell {sweep.name(cell)}: {error}") if cell.number else error from None
        for policy in policies:
            chosen = choose_engine(policy, engine)
            file = kept.file_name(cell.config, policy, days, seed, chosen)
            tasks.append(Task(cell.number, cell.config, policy, chosen, file))
    return tasks


class Player:
    """Plays tasks, and keeps what comes out as soon as it is there.

    :param days: how many days
    :param seed: which
    :param folder: where they are kept; None to keep nothing
    """

    def __init__(self, days: int, seed: int, folder: Path | None) -> None:
        self._days, self._seed, self._folder = days, seed, folder

    def __call__(self, task: Task) -> kept.Table:
        """The metrics of the days, played or as they were kept."""
        if self.has(task):
            return kept.read_table(self._path(task), self._days)
        played = evaluate(task.config, [task.policy], self._days, self._seed, engine=task.engine)
        table = played.values[task.policy.name]
        if self._folder is not None:
            kept.write_table(self._path(task), table)
        return table

    def has(self, task: Task) -> bool:
        """Whether the days have been played already."""
        return self._folder is not None and self._path(task).is_file()

    def _path(self, task: Task) -> Path:
        assert self._folder is not None
        return self._folder / task.file


def play_sweep(
    sweep: Sweep,
    tasks: Sequence[Task],
    player: Player,
    seed: int,
    jobs: int = 1,
    reference: str = "",
    progress: Callable[[Task], None] | None = None,
) -> SweepResults:
    """Play what there is to play.

    :param sweep: the cells
    :param tasks: as :func:`tasks_of` gives them
    :param player: plays them
    :param seed: of the days
    :param jobs: how many processes share the tasks; the numbers are the same to the bit
    :param reference: the policy that the others are compared with, by default the first
    :param progress: called with each task that has been played
    :raises ValueError: the reference is none of the policies, or what was kept has been changed
    """
    names = list(dict.fromkeys(task.policy.name for task in tasks))
    checked_reference(reference, names)
    missing = [task for task in tasks if not player.has(task)]
    # What is kept comes first: a file that cannot be read should not be found out about at the end.
    done = {_key(task): player(task) for task in tasks if player.has(task)}
    played = map_in_order(player, missing, jobs, progress or _nothing)
    done |= dict(zip(map(_key, missing), played, strict=True))
    engines = {task.policy.name: task.engine for task in tasks}
    tables = ({name: done[cell.number, name] for name in names} for cell in sweep.cells)
    every = (Comparison(sweep.base.name, seed, table, engines, reference) for table in tables)
    return SweepResults(sweep, tuple(every))


def _key(task: Task) -> tuple[int, str]:
    return task.cell, task.policy.name


def _nothing(task: Task) -> None:
    """Nobody is told."""

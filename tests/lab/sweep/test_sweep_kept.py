"""The cache of simulated days, from which an interrupted sweep resumes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from echo_env.common.files import files_in
from echo_env.lab import LabConfig, Policy, make_policy
from echo_env.lab.sweep import Player, kept, make_sweep, play, play_sweep, tasks_of
from echo_env.lab.sweep.play import Task

SCARCE = LabConfig.load("scarce")
WANTED = ["rooms.non_fetal=2:4"]


def rules(config: LabConfig) -> list[Policy]:
    """Two policies."""
    return [make_policy(name, config) for name in ("policy_2", "fetal_first")]


def all_tasks(wanted: list[str] = WANTED, days: int = 6, seed: int = 3) -> list[Task]:
    """Tasks of a small sweep."""
    return tasks_of(make_sweep(SCARCE, wanted), rules, days, seed)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """Rooms and policy of every actual simulation; the fourth one is interrupted."""
    seen: list[tuple[int, str]] = []
    real = play.evaluate

    def evaluate(config: LabConfig, policies: list[Policy], *args: Any, **options: Any) -> Any:
        seen.append((config.rooms.non_fetal, policies[0].name))
        if len(seen) == 4:
            raise KeyboardInterrupt
        return real(config, policies, *args, **options)

    monkeypatch.setattr(play, "evaluate", evaluate)
    return seen


def test_an_interrupted_sweep_plays_only_the_rest(tmp_path: Path, calls: list[tuple[int, str]]) -> None:
    """A resumed sweep simulates only the missing tasks and gives the same numbers."""
    sweep, tasks, player = make_sweep(SCARCE, WANTED), all_tasks(), Player(6, 3, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        play_sweep(sweep, tasks, player, 3)
    assert files_in(tmp_path) == {task.file for task in tasks[:3]}
    told: list[Task] = []
    resumed = play_sweep(sweep, tasks, player, 3, progress=told.append)
    # The interrupted fourth one is simulated again; the first three are not.
    assert calls[4:] == [(task.config.rooms.non_fetal, task.policy.name) for task in tasks[3:]]
    assert told == tasks[3:]
    again = play_sweep(sweep, tasks, player, 3)
    assert len(calls) == 7
    fresh = play_sweep(sweep, tasks, Player(6, 3, None), 3)
    for cell in sweep.cells:
        for policy, metric in ((p, m) for p in fresh.policies for m in ("penalty", "wait_fetal_min", "workload")):
            expected = fresh.values(cell, policy, metric)
            for results in (resumed, again):
                assert np.array_equal(results.values(cell, policy, metric), expected, equal_nan=True)


def test_other_settings_are_other_files() -> None:
    """Every setting that affects the numbers changes the name of the cached file."""
    policy, other = rules(SCARCE)
    names = {
        kept.file_name(SCARCE, policy, 6, 3, "simpy"),
        kept.file_name(SCARCE, other, 6, 3, "simpy"),
        kept.file_name(SCARCE, policy, 7, 3, "simpy"),
        kept.file_name(SCARCE, policy, 6, 4, "simpy"),
        kept.file_name(SCARCE, policy, 6, 3, "compiled"),
        kept.file_name(SCARCE.replace(penalty__late=3), policy, 6, 3, "simpy"),
        kept.file_name(SCARCE.replace(appointments__fetal=(15,)), policy, 6, 3, "simpy"),
    }
    assert len(names) == 7
    assert kept.file_name(SCARCE, policy, 6, 3, "simpy") in names
    policy.fingerprint = "a model"  # type: ignore[attr-defined]
    assert kept.file_name(SCARCE, policy, 6, 3, "simpy") not in names


def test_more_values_reuse_what_is_there(tmp_path: Path, calls: list[tuple[int, str]]) -> None:
    """A sweep with more values reuses the cached cells."""
    few, more = all_tasks(["rooms.non_fetal=3:4"]), all_tasks(["rooms.non_fetal=3:5"])
    assert len({task.file for task in more} - {task.file for task in few}) == 2
    assert kept.others(tmp_path, [task.file for task in few]) == []
    player = Player(6, 3, tmp_path)
    player.keep(few[0], player(few[0]))
    assert kept.others(tmp_path, [task.file for task in more]) == []
    assert kept.others(tmp_path, [task.file for task in all_tasks(seed=4)]) == [few[0].file]


@pytest.mark.parametrize("change", ["cut", "longer", "words", "header"])
def test_a_changed_file_is_refused(tmp_path: Path, change: str, calls: list[tuple[int, str]]) -> None:
    """An edited or damaged cache file is refused, with the remedy."""
    tasks, player = all_tasks(), Player(6, 3, tmp_path)
    player.keep(tasks[0], player(tasks[0]))
    path = tmp_path / tasks[0].file
    text = path.read_text()
    lines = text.splitlines(keepends=True)
    changed = {
        "cut": "".join(lines[:-1]),
        "longer": text + lines[-1],
        "words": text.replace(lines[1], "a" + lines[1]),
        "header": text.replace("penalty", "points"),
    }
    path.write_text(changed[change])
    with pytest.raises(ValueError, match=re.escape(f"{path} is damaged or edited: delete it")):
        play_sweep(make_sweep(SCARCE, WANTED), tasks, player, 3)


def test_what_a_kill_left_half_written_is_removed(tmp_path: Path) -> None:
    """Temporary files of the sweep's own cells are removed, and no others."""
    player = Player(6, 3, tmp_path)
    task = all_tasks()[0]
    kept.remove_half_written(tmp_path, [task.file])
    player.keep(task, player(task))
    half_written = f"cells/.{Path(task.file).name}.echo-lab-12345678"
    for name in (half_written, "cells/notes.csv", "cells/.notes.csv.echo-lab-12345678"):
        (tmp_path / name).write_text("x")
    kept.remove_half_written(tmp_path, [task.file])
    assert files_in(tmp_path) == {task.file, "cells/notes.csv", "cells/.notes.csv.echo-lab-12345678"}

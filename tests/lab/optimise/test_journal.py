"""Searches that are stopped, by time, by Ctrl-C or for good, and go on."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tiny_labs import one_room_lab

from echo_env.lab import load_lab
from tests.interrupts import heed_ctrl_c

pytest.importorskip("numba")


import echo_env
from echo_env.lab.optimise import Budget, Choice, optimise, template
from echo_env.lab.optimise.search import (
    PROTECTED,
    WAITING,
    Clock,
    Found,
    Objective,
    Searcher,
    Task,
    fingerprint,
    searched,
)
from echo_env.lab.optimise.search.journal import Journal

ROOT = Path(echo_env.__file__).parents[1]


def searcher_of(folder: Path, seed: int = 3, latest_min: int = 180) -> Searcher:
    """Descents in a lab of one room, one sonographer, and three patients who are booked at the same time."""
    crowded = one_room_lab(60, 60, 60)
    choice = Choice(crowded, (template(crowded, 60, latest_min),))
    objective = Objective(crowded, WAITING, PROTECTED, "policy_2", seed)
    return Searcher(objective, choice, 2, 600, 2, 0, Journal(folder, fingerprint(objective, choice)))


def run(searcher: Searcher, jobs: int = 1) -> Found:
    """The front and both descents."""
    assert searcher.journal is not None
    searcher.journal.check()
    return searched(searcher, [Task(-1), Task(0), Task(1)], jobs)


def test_a_search_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often a search is stopped, and wherever, its last answer is that of one that never was."""
    whole = run(searcher_of(tmp_path / "whole"))
    assert not whole.cut
    lines = sum(len(path.read_text().splitlines()) - 1 for path in (tmp_path / "whole").iterdir())
    assert lines <= whole.played
    rng, looks = np.random.default_rng(0), {"left": 0}

    def is_over(clock: Clock) -> bool:
        looks["left"] -= 1
        return looks["left"] < 0

    monkeypatch.setattr(Clock, "is_over", property(is_over))
    found, runs = whole._replace(cut=True), 0
    while found.cut and runs < 200:
        looks["left"] = int(rng.integers(1, 15))
        found, runs = run(searcher_of(tmp_path / "parts")), runs + 1
    assert runs > 3
    assert found == whole


def test_jobs_share_a_journal(tmp_path: Path) -> None:
    """Two processes find what one finds, and leave a journal of which the next search plays nothing again."""
    alone, together = run(searcher_of(tmp_path / "alone")), run(searcher_of(tmp_path / "together"), jobs=2)
    assert together == alone
    kept = {path.name: path.read_bytes() for path in (tmp_path / "together").iterdir()}
    assert sorted(kept) == ["part_0.jsonl", "part_1.jsonl", "part_2.jsonl"]
    assert run(searcher_of(tmp_path / "together")) == alone
    assert kept == {path.name: path.read_bytes() for path in (tmp_path / "together").iterdir()}


@pytest.mark.parametrize("torn", ["[150, 12.5, [60", '{"format": "costs of'])
def test_a_line_that_was_not_finished_is_dropped(torn: str, tmp_path: Path) -> None:
    """What a killed process left half-written is played again, and the journal is whole once more."""
    whole = run(searcher_of(tmp_path))
    path = tmp_path / "part_1.jsonl"
    text = path.read_text()
    path.write_text(torn if torn.startswith("{") else text[: text.rindex("\n", 0, -1) + 1] + torn)
    assert run(searcher_of(tmp_path)) == whole
    for line in path.read_text().splitlines():
        json.loads(line)
    assert torn not in path.read_text().splitlines()


def test_a_journal_of_something_else_is_refused(tmp_path: Path) -> None:
    """Other days, other values and an edited line are one sentence each; a file that is no journal too."""
    run(searcher_of(tmp_path))
    for other in (searcher_of(tmp_path, seed=4), searcher_of(tmp_path, latest_min=240)):
        with pytest.raises(ValueError, match="is the journal of another search"):
            run(other)
    path = tmp_path / "part_0.jsonl"
    header, first, *lines = path.read_text().splitlines()
    path.write_text("\n".join([header, "150 and more", first, *lines, ""]))
    with pytest.raises(ValueError, match=re.escape(f"line 2 of {path} was edited or damaged")):
        run(searcher_of(tmp_path))
    path.write_text("my notes\n")
    with pytest.raises(ValueError, match="is the journal of another search"):
        run(searcher_of(tmp_path))


def test_optimise_keeps_a_journal(tmp_path: Path) -> None:
    """A search whose costs are known plays none of them, and proposes the same."""
    config = load_lab("baseline")
    decide = [template(config, 60, held=frozenset(range(1, 600)))]
    budget = Budget(seconds=60, starts=1, days=20, world_days=0)
    first = optimise(config, decide, budget=budget, journal=tmp_path)
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sum(text.count(b"\n") for text in kept.values()) > 5
    assert optimise(config, decide, budget=budget, journal=tmp_path) == first
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept


SCRIPT = """
import sys
from pathlib import Path
from echo_env.lab import load_lab
from echo_env.lab.optimise import Budget, optimise

if __name__ == "__main__":
    folder, jobs, days = sys.argv[1:]
    budget = Budget(seconds=300, starts=1, days=int(days), world_days=0, jobs=int(jobs))
    config = load_lab("scarce")
    proposal = optimise(config, budget=budget, journal=Path(folder), progress=lambda stage: print(stage, flush=True))
    print(proposal.interrupted, proposal.cut, len(proposal.front), flush=True)
"""


def started(folder: Path, jobs: int, days: int) -> subprocess.Popen[str]:
    """A search that takes minutes, in a process of its own, once it has played a few values in each part."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), str(jobs), str(days)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    )
    parts = [folder / f"part_{number}.jsonl" for number in range(jobs)]
    while process.poll() is None and not all(path.exists() and path.read_text().count("\n") > 100 for path in parts):
        time.sleep(0.05)
    return process


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_ends_the_search_alone(jobs: int, tmp_path: Path) -> None:
    """After the first Ctrl-C the best so far is measured; after one more nothing is."""
    process = started(tmp_path / "one", jobs, 20)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=100)
    assert (process.returncode, errors) == (0, "")
    *stages, last = out.splitlines()
    assert stages == ["search", "selection", "comparison"]
    interrupted, cut, steps = last.split()
    assert (interrupted, cut) == ("True", "True")
    assert int(steps) >= 1
    process = started(tmp_path / "two", jobs, 100_000)
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=100)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in errors
    assert "True" not in out


@pytest.mark.slow
def test_a_killed_search_goes_on(tmp_path: Path) -> None:
    """What was played before a KILL is not played again, and both searches together find what one finds."""
    code = "; ".join(
        [
            "import sys",
            f"sys.path[:0] = {[str(ROOT), str(Path(__file__).parent)]!r}",
            "from pathlib import Path",
            "from test_journal import run, searcher_of",
            "run(searcher_of(Path(sys.argv[1])))",
        ]
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "killed")], cwd=ROOT)
    first = tmp_path / "killed" / "part_0.jsonl"
    while process.poll() is None and not (first.exists() and first.read_text().count("\n") > 5):
        time.sleep(0.01)
    process.kill()
    process.wait()
    before = first.read_text()
    assert run(searcher_of(tmp_path / "killed")) == run(searcher_of(tmp_path / "whole"))
    after = first.read_text()
    assert after.startswith(before[: before.rindex("\n") + 1])
    lines = [tuple(json.loads(line)[::2][0:1]) + (str(json.loads(line)[2]),) for line in after.splitlines()[1:]]
    assert len(lines) == len(set(lines))

"""Train in every way, in every lab, with several seeds, and evaluate all on the same held-out days.

    python benchmarks/learning.py --labs scarce baseline --table rules
    python benchmarks/learning.py --labs scarce baseline abundant --seeds 5 --jobs 2
    python benchmarks/learning.py --labs scarce --table paper --seeds 1
    python benchmarks/learning.py --labs scarce --table ablations --seeds 3 --jobs 2

What is trained stands in learning_methods.py. Each training is a call of train.py, which chooses the best model of
the run on monitoring days (in ablations, and without masks, the last one is taken). Each row is a call of evaluate.py
on other days, on which nothing was chosen. A row goes to learning.csv as soon as it is there. What has its row is not
done again, so an interrupted run goes on where it was; rows of other hyperparameters have to be removed first.
learning_table.py makes tables and a figure of the rows.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import yaml
from learning_methods import DAYS, LABS, TABLES, Lab, Method
from record import FOLDER, append_row, digest, read_rows

ROOT = FOLDER.resolve().parent
sys.path.insert(0, str(ROOT))

from echo_env.common.parallel import map_in_order  # noqa: E402
from echo_env.common.stats import paired_difference  # noqa: E402
from sb3_ext.zoo import MASKABLE  # noqa: E402

SEED = 2027
"""Of the held-out days."""
EVALUATIONS, MONITORING_DAYS = 10, 1000
"""How often a training is evaluated, and on how many days."""
LOGS, RESULTS = Path("logs/learning"), Path("results/learning")
REFERENCES = ("policy_2", "scarce_first")
METRICS = ("waiting_penalty", "overall_wait_min", "p90_wait_min", "left_waiting", "penalty")
COMPARED = "waiting_penalty"
"""What differences are of: the whole penalty has points for idle rooms, of which nobody has anything."""
CSV = "learning"

RUNNING: set[subprocess.Popen[bytes]] = set()
"""Trainings and evaluations that have not ended."""
PR_SET_PDEATHSIG = 1
"""Linux's number of it."""

Row = dict[str, Any]


class Task(NamedTuple):
    """One row to be made.

    :param table: which table it belongs to
    :param lab: name of the lab
    :param method: name of the way of training, or of the rule
    :param seed: of the training; 0 for a rule
    """

    table: str
    lab: str
    method: str
    seed: int

    @property
    def folder(self) -> Path:
        """Where its files go, below :data:`LOGS` and :data:`RESULTS`."""
        plain = "".join(letter if letter.isalnum() else "_" for letter in self.method)
        return Path(self.table) / self.lab / plain / str(self.seed)


def end_with_parent() -> None:
    """Have Linux end this process when the one that started it ends, however that comes about."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def call(command: Sequence[str]) -> float:
    """Run a command of the repository on one core.

    :param command: what follows ``python``
    :return: CPU seconds
    :raises RuntimeError: it failed
    """
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=end_with_parent,
    )
    RUNNING.add(process)
    assert process.stderr is not None
    words = process.stderr.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    RUNNING.discard(process)
    if process.returncode != 0:
        raise RuntimeError(f"python {shlex.join(command)} ended with {process.returncode}: {words[-1500:]}")
    return usage.ru_utime + usage.ru_stime


def training_command(task: Task, method: Method, lab: Lab) -> tuple[list[str], int]:
    """The call of train.py, and how many environment steps it makes.

    :param task: what for
    :param method: how
    :param lab: where
    """
    conf_file = conf_file_of(method)
    steps = method.steps or int(yaml.safe_load((ROOT / conf_file).read_text())[lab.env_id]["n_timesteps"])
    logs = LOGS / task.folder
    command = ["train.py", "--algo", method.algo, "--env", lab.env_id, "--conf-file", conf_file]
    command += ["-n", str(steps), "--seed", str(task.seed), "--num-threads", "1", "--verbose", "0"]
    # An ablation compares where trainings end, not the best that was met on the way. Without masks evaluations run on
    # single environments, and a thousand days would take longer than the training.
    last_one = task.table == "ablations" or method.algo not in MASKABLE
    every = -1 if last_one else max(steps // EVALUATIONS, 1)
    command += ["--eval-freq", str(every), "--eval-episodes", str(MONITORING_DAYS)]
    command += ["--log-folder", str(logs), "--tensorboard-log", str(logs / "tensorboard")]
    env_kwargs = ([f"config:{lab.config}"] if lab.config else []) + list(method.env_kwargs)
    for flag, pairs in (("-params", method.params), ("--env-kwargs", env_kwargs)):
        command += [flag, *pairs] if pairs else []
    return command, steps


def evaluated(task: Task, lab: Lab, policy: str, days: int) -> Row:
    """Means of a policy on the held-out days, and its paired differences to the references in the waiting part.

    :param task: what for
    :param lab: where
    :param policy: as evaluate.py takes it
    :param days: how many of the days
    """
    output = RESULTS / task.folder
    where = ["--config", lab.config] if lab.config else ["--env", lab.env_id]
    policies = [*REFERENCES, *({policy} - set(REFERENCES))]
    command = ["evaluate.py", *where, "--policies", *policies, "--days", str(days), "--seed", str(SEED)]
    call([*command, "--output", str(output)])
    table = pd.read_csv(ROOT / output / "days.csv")
    names = table["policy"].drop_duplicates().tolist()
    values = {name: table[table["policy"] == name].set_index("day") for name in names}
    own = values[policy if policy in REFERENCES else names[-1]]
    row: Row = {"days": days, **{metric: f"{own[metric].mean():.3f}" for metric in METRICS}}
    for reference in REFERENCES:
        difference = paired_difference(own[COMPARED], values[reference][COMPARED].reindex(own.index))
        row |= {f"minus_{reference}": f"{difference.mean:.3f}", f"half_{reference}": f"{difference.half_width:.3f}"}
    return row


def done(task: Task) -> Row:
    """The row of a task, after the training and the evaluation that it takes."""
    lab = LABS[task.lab]
    method = TABLES[task.table][task.method]
    if isinstance(method, int):
        return {"steps": 0, "cpu_s": 0, **evaluated(task, lab, task.method, method), "trained_by": ""}
    # What an interrupted run left there.
    shutil.rmtree(ROOT / LOGS / task.folder, ignore_errors=True)
    command, steps = training_command(task, method, lab)
    cpu = call(command)
    model = f"{method.algo}={LOGS / task.folder / method.algo / lab.env_id}_1"
    row = evaluated(task, lab, model, DAYS)
    return {"steps": steps, "cpu_s": round(cpu), **row, "trained_by": shlex.join(["python", *command])}


def settings_of(task: Task) -> str:
    """What a training is made with, as a digest; empty for a rule.

    :param task: the training
    """
    method, lab = TABLES[task.table][task.method], LABS[task.lab]
    if isinstance(method, int):
        return ""
    hyperparameters = yaml.safe_load((ROOT / conf_file_of(method)).read_text())[lab.env_id]
    return digest([hyperparameters, *method, lab.config])


def conf_file_of(method: Method) -> str:
    """The file of a method's hyperparameters, from the repository's root."""
    return method.conf_file or f"zoo_configs/{method.algo}.yml"


def rows_so_far() -> dict[Task, str]:
    """What has a row in learning.csv, and the digest of its settings."""
    return {Task(row["table"], row["lab"], row["method"], int(row["seed"])): row["settings"] for row in read_rows(CSV)}


def tasks(arguments: argparse.Namespace) -> list[Task]:
    """What is asked for and not there yet; first one seed of everything, then the next.

    :raises ValueError: there is a row of other hyperparameters: tables would mix both
    """
    methods = arguments.methods or list(TABLES[arguments.table])
    seeds = [0] if arguments.table == "rules" else range(1, arguments.seeds + 1)
    wanted = [
        Task(arguments.table, lab, method, seed) for seed in seeds for lab in arguments.labs for method in methods
    ]
    there = rows_so_far()
    for task in wanted:
        if there.get(task, own := settings_of(task)) != own:
            name = f"{task.table}, {task.lab}, {task.method}, seed {task.seed}"
            raise ValueError(f"{CSV}.csv has a row of other hyperparameters for {name}: remove it first")
    return [task for task in wanted if task not in there]


def main() -> int:
    """Do all tasks: 0, 1 if some failed, or 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labs", nargs="+", default=["scarce"], choices=LABS, help="where: %(default)s")
    parser.add_argument("--table", default="comparison", choices=TABLES, help="what: %(default)s")
    parser.add_argument("--methods", nargs="+", metavar="NAME", help="only these rows of the table")
    parser.add_argument("--seeds", type=int, default=5, help="how many trainings of each: %(default)s")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time: %(default)s")
    arguments = parser.parse_args()
    unknown = set(arguments.methods or ()) - set(TABLES[arguments.table])
    if unknown:
        parser.error(f"{min(unknown)!r} is not in {arguments.table}: {', '.join(TABLES[arguments.table])}")
    try:
        wanted = tasks(arguments)
    except ValueError as error:
        parser.error(str(error))
    try:
        return do_all(wanted, arguments.jobs)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def do_all(wanted: Sequence[Task], jobs: int) -> int:
    """Do tasks, and add a row for each as soon as it is there: 0, or 1 if some failed."""
    return int(any(isinstance(row, str) for row in map_in_order(tried, wanted, jobs, keep)))


def tried(task: Task) -> Row | str:
    """The row of a task, or why it failed."""
    try:
        return done(task)
    except RuntimeError as error:
        return str(error)


def keep(task: Task, row: Row | str) -> None:
    """Add the row of a task."""
    if isinstance(row, str):
        print(f"{task}: {row}", file=sys.stderr, flush=True)
        return
    append_row(CSV, {**task._asdict(), "settings": settings_of(task), **row})
    print(*task, f"minus policy_2 {row['minus_policy_2']}, scarce_first {row['minus_scarce_first']}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""The decision of the morning, learned and fixed: EchoLabPlan-v0 on the scarce lab.

The best fixed plan (so many of each type are rebooked with so many members of staff absent) is found by trying all of
them on days of its own. Agents are trained by ``train.py`` with the hyperparameters of ``zoo_configs/``. All are then
compared on the same held-out days: waiting part of the penalty plus the points for rebooked patients.

    python benchmarks/morning_plans.py --seeds 3

A row is appended to ``morning_plans.csv`` beside this file for each plan and agent.
"""

import os

# Before numpy is imported: torch is not the only library that would start a thread on every core.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import itertools
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch as th
from numpy.typing import NDArray
from record import FOLDER, append_row

import echo_env
from echo_env.common.parallel import map_in_order
from echo_env.common.stats import estimate
from echo_env.lab import Day, load_lab, sample_days
from echo_env.lab.envs.mornings import Mornings, lab_of_mornings
from echo_env.lab.envs.plan_env import REBOOK_POINTS
from echo_env.lab.simulation.penalty import penalty_points
from sb3_ext import MaskableDQN, MaskablePPO

Floats = NDArray[np.float64]

CONFIG = lab_of_mornings(load_lab("scarce"))
RULE, MOST = "scarce_first", 8
ALGORITHMS = {"maskable_dqn": MaskableDQN, "maskable_ppo": MaskablePPO}
SEARCH_FIRST, HELD_OUT_FIRST = 1_000_000, 2_000_000


def costs_of(days: Sequence[Day], rebooked: tuple[int, ...]) -> Floats:
    """(n,) waiting part plus points if so many patients of each type are rebooked.

    :param days: n days
    :param rebooked: patients of each type
    """
    mornings, numbers = Mornings(CONFIG, len(days), RULE, MOST), range(len(days))
    mornings.begin(numbers, days)
    for number, (kind, count) in itertools.product(numbers, enumerate(rebooked)):
        for _ in range(count):
            mornings.decide(number, kind)
    waiting = penalty_points(CONFIG, mornings.play(numbers).units.T).waiting
    return np.asarray(waiting + REBOOK_POINTS * sum(rebooked))


def absent_on(days: Sequence[Day]) -> NDArray[np.int64]:
    """(n,) regular members of staff who are absent."""
    return np.array([int((~day.present).sum()) for day in days])


def best_plan(absent: int, days: int) -> tuple[int, ...]:
    """Of all numbers of patients to rebook, those that cost least on search days with so many absent.

    :param absent: members of staff
    :param days: number of such days
    """
    drawn = list(sample_days(CONFIG, 20 * days, 0, SEARCH_FIRST))
    own = [day for day, gone in zip(drawn, absent_on(drawn), strict=True) if gone == absent][:days]
    plans = [plan for plan in itertools.product(range(MOST + 1), repeat=len(CONFIG.plan.types)) if sum(plan) <= MOST]
    return min(plans, key=lambda plan: float(costs_of(own, plan).mean()))


def train(algo: str, seed: int, folder: Path) -> Path:
    """Train an agent, and return its file.

    :param algo: name of the algorithm
    :param seed: of the training
    :param folder: for the logs
    """
    own = folder / str(seed)
    command = [
        "--algo",
        algo,
        "--env",
        echo_env.PLAN_ID,
        "--seed",
        str(seed),
        "--eval-freq",
        "-1",
        "--num-threads",
        "1",
    ]
    train_py = str(FOLDER.parent / "train.py")
    subprocess.run([sys.executable, train_py, *command, "--verbose", "0", "--log-folder", str(own)], check=True)
    return next(own.rglob(f"{echo_env.PLAN_ID}.zip"))


def trained_in(folder: Path, task: tuple[str, int]) -> Path:
    """The file of an agent after its training, in a folder of its algorithm.

    :param folder: for the logs of all trainings
    :param task: (algorithm, seed)
    """
    algo, seed = task
    return train(algo, seed, folder / algo)


def costs_of_agent(algo: str, file: Path, days: Sequence[Day]) -> Floats:
    """(n,) waiting part plus points if an agent decides.

    :param algo: name of its algorithm
    :param file: the model
    :param days: n days
    """
    model = ALGORITHMS[algo].load(file, device="cpu")
    env = gym.make_vec(echo_env.PLAN_ID, num_envs=len(days)).unwrapped
    observations, _ = env.reset(seed=0, options={"days": days})
    total, over = np.zeros(len(days)), np.zeros(len(days), dtype=bool)
    while not over.all():
        masks = env.action_masks()  # type: ignore[attr-defined]
        actions, _ = model.predict(observations, action_masks=masks, deterministic=True)
        observations, rewards, ended, _, _ = env.step(actions)
        # Who has opened goes on with another morning, which does not count.
        total[~over] -= rewards[~over]
        over |= ended
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each algorithm")
    parser.add_argument("--days", type=int, default=4000, help="held-out days")
    parser.add_argument("--search-days", type=int, default=300, help="days for the fixed plan, by number absent")
    parser.add_argument("--jobs", type=int, default=2, help="trainings at the same time")
    args = parser.parse_args()
    th.set_num_threads(1)
    days = list(sample_days(CONFIG, args.days, 0, HELD_OUT_FIRST))
    absent = absent_on(days)
    nothing = costs_of(days, (0,) * len(CONFIG.plan.types))
    fixed, said = np.zeros(len(days)), []
    for gone in np.unique(absent).tolist():
        plan, own = best_plan(gone, args.search_days), np.flatnonzero(absent == gone)
        fixed[own] = costs_of([days[number] for number in own], plan)
        said.append(f"{gone} absent: {' + '.join(map(str, plan))}")
    rows = [("nothing", "", nothing), ("best fixed plan", "; ".join(said), fixed)]
    with tempfile.TemporaryDirectory() as folder:
        tasks = list(itertools.product(ALGORITHMS, range(1, args.seeds + 1)))
        work = partial(trained_in, Path(folder))
        files = map_in_order(work, tasks, args.jobs, lambda task, file: None)
        for (algo, seed), file in zip(tasks, files, strict=True):
            rows.append((algo, str(seed), costs_of_agent(algo, file, days)))
    for name, which, costs in rows:
        cost, more = estimate(costs), estimate(costs - fixed)
        row = {
            "plan": name, "which": which, "days": len(days), "cost": cost.mean, "half": cost.half_width,
            "minus_fixed": more.mean, "minus_fixed_half": more.half_width,
        }  # fmt: skip
        append_row("morning_plans", row)
        print(row, flush=True)


if __name__ == "__main__":
    main()

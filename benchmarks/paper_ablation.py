"""What each part of the paper's training is worth, and MaskablePPO on the paper's own task.

    python benchmarks/paper_ablation.py --labs scarce baseline --seeds 3 --jobs 2
    python benchmarks/paper_ablation.py --methods "maskable_dqn, all of it" "maskable_ppo, equal steps"
    python benchmarks/paper_ablation.py --divisor 15000 --days 20 --seeds 1 --csv /tmp/tiny

Every training by deep Q-learning is zoo_configs/paper_protocol.yml with all numbers of days divided by ``--divisor``,
and exploration that falls as many times as fast, with one part left out. MaskablePPO has the hyperparameters of
zoo_configs/maskable_ppo_joint.yml and the paper's environment: the minute clock, idling and the plain penalty, at the
absence rate of the lab. It is trained for as many steps as the paper's agent, and for as many CPU seconds: these steps
follow from the least that both took of all seeds in the lab, since whatever else a machine does makes steps cost more,
and never less. Where a training ends is evaluated, not the best met on the way, on held-out days that all have in
common. A row goes to paper_ablation.csv as soon as it is there; what has its row, for the same hyperparameters, divisor
and number of days, is not done again.
"""

from __future__ import annotations

import argparse
import copy
import shlex
import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import yaml
from learning import LOGS, ROOT, RUNNING, Row, Task, call, evaluated
from learning_methods import DAYS, LABS
from record import append_row, digest, read_rows

CSV = "paper_ablation"
PROTOCOL, PPO = ROOT / "zoo_configs" / "paper_protocol.yml", ROOT / "zoo_configs" / "maskable_ppo_joint.yml"
CALLBACKS = "sb3_ext.callbacks."
WHOLE, EQUAL_STEPS, EQUAL_CPU = "maskable_dqn, all of it", "maskable_ppo, equal steps", "maskable_ppo, equal CPU time"
WITHOUT: dict[str, dict[str, Any]] = {
    WHOLE: {},
    "maskable_dqn, no curriculum": {"callback": "AbsenceRateCurriculum"},
    "maskable_dqn, no epsilon reset": {"callback": "EpsilonReset"},
    "maskable_dqn, uniform replay": {"prioritized_replay": False, "replay_buffer_kwargs": {}},
    "maskable_dqn, no double Q": {"double_q": False},
}
"""Row -> settings in place of the paper's; ``callback`` is one that is left out."""
METHODS = (*WITHOUT, EQUAL_STEPS, EQUAL_CPU)


def q_learning(env_id: str, method: str, divisor: int) -> dict[str, Any]:
    """The paper's hyperparameters, shortened, with one part left out.

    :param env_id: the environment
    :param method: of :data:`WITHOUT`
    :param divisor: of all numbers of days
    """
    settings: dict[str, Any] = copy.deepcopy(yaml.safe_load(PROTOCOL.read_text())[env_id])
    changes = dict(WITHOUT[method])
    left_out = CALLBACKS + changes.pop("callback", "")
    settings["callback"] = [entry for entry in settings["callback"] if left_out not in entry]
    for name in ("n_timesteps", "learning_starts"):
        settings[name] //= divisor
    settings["exploration_decay"] **= divisor
    for entry in settings["callback"]:
        for arguments in entry.values():
            arguments.update(
                {name: value // divisor for name, value in arguments.items() if name in ("hold", "anneal", "episode")}
            )
    return settings | changes


def ppo(env_id: str, steps: int) -> dict[str, Any]:
    """MaskablePPO's hyperparameters on the paper's environment.

    :param env_id: the environment
    :param steps: of the training
    """
    settings: dict[str, Any] = copy.deepcopy(yaml.safe_load(PPO.read_text())[env_id])
    settings["env_kwargs"] = yaml.safe_load(PROTOCOL.read_text())[env_id]["env_kwargs"]
    return settings | {"n_timesteps": steps}


def settings_of(lab: str, method: str, divisor: int) -> dict[str, Any]:
    """Hyperparameters of a method, with the steps of the paper's agent; for equal CPU time others follow from rows.

    :param lab: name of the lab
    :param method: of :data:`METHODS`
    :param divisor: of all numbers of days
    """
    env_id = LABS[lab].env_id
    if method in WITHOUT:
        return q_learning(env_id, method, divisor)
    return ppo(env_id, q_learning(env_id, WHOLE, divisor)["n_timesteps"])


def trained(task: Task, settings: dict[str, Any]) -> tuple[str, float, str]:
    """The model of a training as evaluate.py takes it, the CPU seconds, and the command.

    :param task: what for
    :param settings: hyperparameters
    """
    algo, env_id, folder = task.method.partition(",")[0], LABS[task.lab].env_id, LOGS / task.folder
    # What an interrupted run left there.
    shutil.rmtree(ROOT / folder, ignore_errors=True)
    (ROOT / folder).mkdir(parents=True)
    conf_file = folder / "hyperparameters.yml"
    (ROOT / conf_file).write_text(yaml.safe_dump({env_id: settings}))
    command = ["train.py", "--algo", algo, "--env", env_id, "--conf-file", str(conf_file), "--seed", str(task.seed)]
    command += ["--num-threads", "1", "--verbose", "0", "--eval-freq", "-1", "--log-folder", str(folder)]
    cpu = call(command)
    return f"{algo}={folder / algo / env_id}_1", cpu, shlex.join(["python", *command])


def seed_rows(lab: str, seed: int, methods: Sequence[str], arguments: argparse.Namespace) -> list[str]:
    """Do the trainings of a seed that have no row yet.

    :param lab: name of the lab
    :param seed: of the trainings
    :param methods: which
    :param arguments: of the command line
    :return: what was found, in words
    """
    found = []
    for method in methods:
        there = times(lab, arguments)
        if (method, seed) in there:
            continue
        settings = settings_of(lab, method, arguments.divisor)
        mark = digest(settings)
        if method == EQUAL_CPU:
            least = {name: min(cpu for (own, _), cpu in there.items() if own == name) for name in (WHOLE, EQUAL_STEPS)}
            settings["n_timesteps"] = max(int(settings["n_timesteps"] * least[WHOLE] / least[EQUAL_STEPS]), 1)
        task = Task(CSV, lab, method, seed)
        model, cpu, command = trained(task, settings)
        row: Row = {**task._asdict(), "settings": mark, "divisor": arguments.divisor}
        row |= {"steps": settings["n_timesteps"], "cpu_s": round(cpu, 1)}
        row |= {**evaluated(task, LABS[lab], model, arguments.days), "trained_by": command}
        append_row(arguments.csv, row)
        found.append(f"{lab}, {method}, seed {seed}: {cpu:.0f} s, minus policy_2 {row['minus_policy_2']}")
        print(found[-1], flush=True)
    return found


def times(lab: str, arguments: argparse.Namespace) -> dict[tuple[str, int], float]:
    """CPU seconds of a lab's trainings that have a row of the present hyperparameters, by method and seed."""
    wanted = (lab, str(arguments.divisor), str(arguments.days))
    marks = {method: digest(settings_of(lab, method, arguments.divisor)) for method in METHODS}
    return {
        (row["method"], int(row["seed"])): float(row["cpu_s"])
        for row in read_rows(arguments.csv)
        if (row["lab"], row["divisor"], row["days"]) == wanted and row["settings"] == marks[row["method"]]
    }


def main(tokens: Sequence[str] | None = None) -> int:
    """Do all trainings: 0, or 130 after Ctrl-C.

    :param tokens: the command line
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labs", nargs="+", default=["scarce"], choices=LABS, help="where: %(default)s")
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS, help="which, by default all")
    parser.add_argument("--divisor", type=int, default=60, help="of all numbers of days: %(default)s")
    parser.add_argument("--days", type=int, default=DAYS, help="held-out days of an evaluation: %(default)s")
    parser.add_argument("--seeds", type=int, default=3, help="how many trainings of each: %(default)s")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time: %(default)s")
    parser.add_argument("--csv", default=CSV, help="name of the table beside this file, or its path: %(default)s")
    arguments = parser.parse_args(tokens)
    if not 1 <= arguments.divisor <= 15_000:
        parser.error(f"--divisor must be from 1 to 15000, so that two days are left, not {arguments.divisor}")
    if EQUAL_CPU in arguments.methods and not {WHOLE, EQUAL_STEPS} <= set(arguments.methods):
        parser.error(f"--methods has {EQUAL_CPU!r}, whose steps follow from the times of {WHOLE!r} and {EQUAL_STEPS!r}")
    pool = ThreadPoolExecutor(arguments.jobs)
    wanted = [(lab, seed) for seed in range(1, arguments.seeds + 1) for lab in arguments.labs]
    first = [method for method in METHODS if method in arguments.methods and method != EQUAL_CPU]
    try:
        # The last one needs the times of others.
        for methods in (first, [EQUAL_CPU] if EQUAL_CPU in arguments.methods else []):
            for future in as_completed([pool.submit(seed_rows, lab, seed, methods, arguments) for lab, seed in wanted]):
                future.result()
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list(RUNNING):
            process.kill()
        print("interrupted", file=sys.stderr)
        return 130
    finally:
        pool.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())

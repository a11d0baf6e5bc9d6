"""The commands that kills.py kills, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Command(NamedTuple):
    """A command that is killed.

    :param line: script and arguments, of which the first is relative to the repository
    :param earlier: arguments that are added for the earlier results; of an option given twice the last one counts
    :param mine: files of the user's, among those of the command
    :param runs: pattern of the folders of which each run makes a new one, if it does
    """

    line: str
    earlier: str
    mine: tuple[str, ...]
    runs: str = ""


class Kill(NamedTuple):
    """One kill.

    :param command: name of the command
    :param signal: ``KILL``, ``TERM`` or ``INT``
    :param save: number of the temporary file at whose appearance the signal is sent; 0 for a random moment
    """

    command: str
    signal: str
    save: int = 0


_TRAIN = "--env EchoLabScarce-v0 --seed 1 --num-threads 1 --verbose 0 --log-folder logs --eval-episodes 20"
_IN_RUN = "EchoLabScarce-v0_1/mine.txt"
COMMANDS: Mapping[str, Command] = {
    "evaluate": Command(
        "evaluate.py --policies policy_2 policy_3 --days 60 --engine simpy --jobs 2 --output out --json out.json",
        "--days 10",
        ("mine.txt", "out/mine.txt", "out/figures/mine.txt"),
    ),
    "sweep": Command(
        "evaluate.py --policies policy_2 policy_3 --days 25 --engine simpy --jobs 2 --output out --sweep "
        "rooms.non_fetal=3:6",
        "--sweep rooms.non_fetal=3:4",
        ("out/mine.txt", "out/cells/mine.txt"),
    ),
    "calibrate": Command(
        "-m echo_env calibrate week.xlsx --output lab.yaml --report report --resamples 40",
        "--resamples 20",
        ("mine.txt", "report/mine.txt"),
    ),
    "train, maskable_dqn": Command(
        f"train.py --algo maskable_dqn {_TRAIN} -n 4000 --eval-freq 1500 --save-freq 1000 --save-replay-buffer "
        "-params buffer_size:50000",
        "-n 2500",
        ("mine.txt", "logs/mine.txt", f"logs/maskable_dqn/{_IN_RUN}"),
        "logs/maskable_dqn/*_[0-9]*",
    ),
    "train, maskable_ppo": Command(
        f"train.py --algo maskable_ppo {_TRAIN} -n 16000 --eval-freq 4000 --save-freq 4000 -params normalize:True",
        "-n 2000",
        ("mine.txt", "logs/mine.txt", f"logs/maskable_ppo/{_IN_RUN}"),
        "logs/maskable_ppo/*_[0-9]*",
    ),
    "learning, rules": Command(
        "benchmarks/learning.py --labs abundant --table rules --methods policy_1 policy_2",
        "--methods random",
        ("mine.txt", "results/mine.txt", "results/learning/mine.txt"),
    ),
    "learning, a training": Command(
        "benchmarks/learning.py --labs scarce --table ablations --seeds 1 --methods 'maskable_dqn: 5-step returns'",
        "--table rules --methods policy_1",
        ("mine.txt", "results/mine.txt", "logs/learning/mine.txt"),
    ),
}

PLAN = (
    *(Kill("evaluate", name) for name in ("KILL", "TERM", "INT", "INT", "INT")),
    Kill("evaluate", "KILL", save=1),
    Kill("evaluate", "TERM", save=1),
    *(Kill("sweep", name) for name in ("KILL", "TERM", "INT")),
    Kill("sweep", "KILL", save=2),
    Kill("sweep", "INT", save=3),
    *(Kill("calibrate", name) for name in ("KILL", "TERM", "INT")),
    Kill("calibrate", "KILL", save=1),
    Kill("calibrate", "INT", save=1),
    *(Kill("train, maskable_dqn", name) for name in ("KILL", "TERM", "INT")),
    Kill("train, maskable_dqn", "KILL", save=2),
    Kill("train, maskable_dqn", "KILL", save=5),
    Kill("train, maskable_dqn", "TERM", save=4),
    *(Kill("train, maskable_ppo", name) for name in ("KILL", "INT")),
    Kill("train, maskable_ppo", "KILL", save=3),
    Kill("learning, rules", "KILL"),
    Kill("learning, rules", "INT"),
    Kill("learning, a training", "KILL"),
    Kill("learning, a training", "TERM"),
)
"""30 kills, 10 of them aimed at saves."""

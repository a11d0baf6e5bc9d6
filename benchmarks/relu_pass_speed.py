"""What the hand-written network passes of MaskableDQN are worth in the default trainings.

``python train.py --algo maskable_dqn`` is run in this process with the zoo's hyperparameters, evaluations included, for
fewer steps: once with the passes of ``sb3_ext.maskable_dqn.fast``, once with PyTorch's automatic differentiation in
their place. The two runs of a pair share the seed and come in alternating order; what counts is the ratio of their
CPU seconds on one thread, since other processes may load the machine.

    python benchmarks/relu_pass_speed.py --steps 60000 --pairs 6

A row is appended to ``relu_pass_speed.csv`` beside this file for each pair, and one for each environment.
"""

import os

# Before numpy is imported: torch is not the only library that would start a thread on every core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import contextlib
import io
import statistics
import tempfile
import time
from pathlib import Path

import torch as th
from record import append_row

from sb3_ext.maskable_dqn.fast import relu_pass
from sb3_ext.zoo import cli
from sb3_ext.zoo.replacing import replaced

ENVIRONMENTS = ("EchoLabScarce-v0", "EchoLab-v0")
CONFIGS = Path(__file__).resolve().parent.parent / "zoo_configs"


def train(env_id: str, steps: int, seed: int) -> float:
    """CPU seconds of a default training."""
    defaults = cli.ZooDefaults("maskable_dqn", env_id, CONFIGS, gym_packages=("echo_env",), eval_episodes=100)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        command = f"-n {steps} --seed {seed} --num-threads 1 --verbose 0 --vec-env native -f {folder}"
        begin = time.process_time()
        cli.train([*command.split(), "--eval-env-kwargs", "reward:penalty"], defaults)
        return time.process_time() - begin


def train_by_autograd(env_id: str, steps: int, seed: int) -> float:
    """The same without the hand-written passes."""
    never = {"is_plain_relu": lambda policy: False}
    with replaced(relu_pass, **never):
        return train(env_id, steps, seed)


def time_pairs(env_id: str, steps: int, pairs: int, keep: bool) -> None:
    """Time pairs of trainings and print, and keep, the ratios of their seconds."""
    train(env_id, 6_000, 0)  # Compiles the environment, and touches memory.
    ratios = []
    for pair in range(pairs):
        runs = [("hand-written", train), ("autograd", train_by_autograd)]
        seconds = {name: run(env_id, steps, pair) for name, run in (runs if pair % 2 == 0 else runs[::-1])}
        ratios.append(seconds["autograd"] / seconds["hand-written"])
        report(f"{env_id}, pair {pair}", keep, seconds["hand-written"], seconds["autograd"], ratios[-1], "")
    quartiles = statistics.quantiles(ratios, n=4)
    spread = f"quartiles {quartiles[0]:.3f} to {quartiles[2]:.3f}"
    report(f"{env_id}, median of {pairs} pairs", keep, "", "", statistics.median(ratios), spread)


def report(what: str, keep: bool, ours: float | str, autograd: float | str, ratio: float, spread: str) -> None:
    """Print a row, and append it to the table where it is to be kept."""
    row = {"what": what, "hand_written_cpu_s": ours, "autograd_cpu_s": autograd, "ratio": ratio, "spread": spread}
    print(*(f"{value:.4g}" if isinstance(value, float) else value for value in row.values()), flush=True)
    if keep:
        append_row("relu_pass_speed", row)


def main() -> None:
    """Read the command line and time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=60_000, help="environment steps of each training")
    parser.add_argument("--pairs", type=int, default=6, help="pairs of trainings on each environment, at least 2")
    parser.add_argument("--no-csv", action="store_true", help="print only")
    args = parser.parse_args()
    th.set_num_threads(1)
    for env_id in ENVIRONMENTS:
        time_pairs(env_id, args.steps, args.pairs, not args.no_csv)


if __name__ == "__main__":
    main()

"""Many seeds of deep Q-learning on CartPole-v1 at once, in one batched product: an implementation of its own.

For questions about prioritized replay that need more trainings than one at a time allows: 20 seeds with two layers of
64 units take about 140 CPU seconds together. All else is as in ``stability.py``, rl-zoo's hyperparameters included, and
rows have the same measures. The replay buffer is MaskableDQN's only in its sum tree.

    python benchmarks/stability_seeds.py --variants double_per plain lap
    python benchmarks/stability_seeds.py --units 256 --seeds 10

Rows are appended to ``stability_seeds.csv`` beside this file; ``--table`` prints what it says.
"""

import os

# Before numpy is imported: torch is not the only library that would start a thread on every core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch as th

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.record import append_row, read_rows
from benchmarks.stability_parts import Networks, evaluate, move
from sb3_ext.replay import LOSS_ADJUSTED, SumTree

TABLE = "stability_seeds"
STEPS, ROUND, UPDATES, BATCH, WARM_UP = 50_000, 256, 128, 64, 1000
GAMMA, LEARNING_RATE, MAX_GRAD_NORM, FIRST_PRIORITY, EPISODE = 0.99, 2.3e-3, 10.0, 1.0, 500


class Settings(NamedTuple):
    """What is switched on.

    :param double: the online network selects the next action
    :param per: prioritized replay; what follows is PrioritizedReplayBuffer's
    :param weights: what importance weights are divided by: the largest of the "batch" or of the "buffer", their "mean",
        or "nothing"
    """

    double: bool = True
    per: bool = True
    alpha: float = 0.6
    beta: float = 0.4
    beta_increment: float = 1e-4
    min_priority: float = 0.01
    max_priority: float = 10.0
    weights: str = "batch"
    epsilon: float = 1e-6


NO_LIMITS = {"min_priority": 1e-8, "max_priority": 1e8}
VARIANTS = {
    "plain": Settings(double=False, per=False),
    "double": Settings(per=False),
    "per": Settings(double=False),
    "double_per": Settings(),
    "beta_1": Settings(beta=1.0),
    "beta_0.4": Settings(beta_increment=0.0),
    "slow_beta": Settings(beta_increment=0.6 / (STEPS / ROUND * UPDATES)),
    "no_limits": Settings(**NO_LIMITS),
    "no_limits_beta_1": Settings(**NO_LIMITS, beta=1.0),
    "alpha_0.3": Settings(alpha=0.3),
    "low_first_priority": Settings(max_priority=1.0),
    "high_least_priority": Settings(min_priority=1.0),
    "largest_of_buffer": Settings(weights="buffer"),
    "weights_of_mean_1": Settings(weights="mean"),
    "weights_not_normalized": Settings(weights="nothing"),
    "lap": Settings(**LOSS_ADJUSTED),
    "lap_single": Settings(**LOSS_ADJUSTED, double=False),
}


class Memory:
    """The transitions of all seeds, with priorities where they are used.

    :param n_seeds: S
    :param settings: what is switched on
    :param rng: source of draws
    """

    def __init__(self, n_seeds: int, settings: Settings, rng: np.random.Generator) -> None:
        self.settings, self.rng, self.n_seeds = settings, rng, n_seeds
        self.observations = np.zeros((n_seeds, STEPS, 4), dtype=np.float32)
        self.next_observations = np.zeros_like(self.observations)
        self.actions = np.zeros((n_seeds, STEPS), dtype=np.int64)
        self.ends = np.zeros((n_seeds, STEPS), dtype=np.float32)
        self.size = 0
        # Every seed has a subtree of its own, whose root is one of the nodes from `roots` on.
        self.room, self.roots = 1 << (STEPS - 1).bit_length(), 1 << (n_seeds - 1).bit_length()
        self.tree = SumTree(self.roots * self.room)
        self.begins = np.arange(n_seeds) * self.room
        self.largest = np.full(n_seeds, FIRST_PRIORITY).clip(settings.min_priority, settings.max_priority)

    def add(self, observations: np.ndarray, following: np.ndarray, actions: np.ndarray, ends: np.ndarray) -> None:
        """Store a transition of each seed: (S, 4), (S, 4), (S,) int and (S,) bool, terminal states."""
        at = self.size
        self.observations[:, at], self.next_observations[:, at] = observations, following
        self.actions[:, at], self.ends[:, at] = actions, ends
        self.size += 1
        if self.settings.per:
            self.tree.write(self.begins + at, (self.largest + self.settings.epsilon) ** self.settings.alpha)

    def draw(self, beta: float) -> tuple[np.ndarray, np.ndarray | None]:
        """Rows (S, B) of a batch, and importance weights (S, B) where there are priorities."""
        if not self.settings.per:
            return self.rng.integers(self.size, size=(self.n_seeds, BATCH)), None
        self.tree._refresh()
        totals = self.tree._nodes[self.roots : self.roots + self.n_seeds]
        starts = np.concatenate([[0.0], totals.cumsum()[:-1]])
        numbers = starts[:, None] + self.rng.random((self.n_seeds, BATCH)) * totals[:, None]
        rows = self.tree.find(numbers.ravel()).reshape(self.n_seeds, BATCH) - self.begins[:, None]
        rows = rows.clip(0, self.size - 1)
        powers = self.tree.values(self.begins[:, None] + rows)
        reference = totals[:, None] / self.size
        if self.settings.weights == "batch":
            reference = powers.min(axis=1, keepdims=True)
        elif self.settings.weights == "buffer":
            leaves = self.tree._nodes[self.tree._first_leaf :].reshape(self.roots, self.room)
            reference = leaves[: self.n_seeds, : self.size].min(axis=1, keepdims=True)
        weights = (powers / reference) ** -beta
        if self.settings.weights == "mean":
            weights /= weights.mean(axis=1, keepdims=True)
        return rows, weights.astype(np.float32)

    def update_priorities(self, rows: np.ndarray, td_errors: np.ndarray) -> None:
        """Set priorities of rows (S, B) from their TD errors (S, B)."""
        own = self.settings
        errors = np.abs(td_errors).astype(np.float64).clip(own.min_priority, own.max_priority)
        np.maximum(self.largest, errors.max(axis=1), out=self.largest)
        self.tree.write((self.begins[:, None] + rows).ravel(), ((errors + own.epsilon) ** own.alpha).ravel())


class Trainings:
    """Trainings of several seeds.

    :param seeds: of the networks and of the evaluations; S of them
    :param settings: what is switched on
    :param units: of each of the two hidden layers
    """

    def __init__(self, seeds: list[int], settings: Settings, units: int) -> None:
        self.settings, self.beta = settings, settings.beta
        self.rng = np.random.default_rng([seeds[0], len(seeds), 7])
        sizes = (4, units, units, 2)
        self.online, self.target = Networks(seeds, sizes), Networks(seeds, sizes)
        self.target.weights.copy_(self.online.weights)
        parameters = th.nn.Parameter(self.online.weights)
        parameters.grad = self.online.gradients
        self.optimizer = th.optim.Adam([parameters], lr=LEARNING_RATE, fused=True)
        self.memory = Memory(len(seeds), settings, self.rng)
        starts = [np.random.default_rng(10_000 + seed).uniform(-0.05, 0.05, (10, 4)) for seed in seeds]
        self.episodes = np.stack(starts)

    def train(self) -> np.ndarray:
        """The mean returns of 25 evaluations in the second half, (S, 25)."""
        n_seeds, returns = len(self.episodes), []
        states, ages = self.rng.uniform(-0.05, 0.05, (n_seeds, 4)), np.zeros(n_seeds, dtype=int)
        for step in range(STEPS):
            actions = self.choose(states, step)
            following, ends = move(states, actions)
            ages += 1
            self.memory.add(states, following, actions, ends)
            done = ends | (ages >= EPISODE)
            following[done] = self.rng.uniform(-0.05, 0.05, (int(done.sum()), 4))
            ages[done], states = 0, following
            if step + 1 > STEPS // 2 and (step + 1) % (STEPS // 50) == 0:
                returns.append(evaluate(self.online, self.episodes))
            if (step + 1) % ROUND == 0:
                self.target.weights.copy_(self.online.weights)
                if step + 1 > WARM_UP:
                    for _ in range(UPDATES):
                        self.update()
        return np.array(returns).T

    def choose(self, states: np.ndarray, step: int) -> np.ndarray:
        """Epsilon-greedy actions (S,) in states (S, 4)."""
        epsilon = 1.0 + min(1.0, step / STEPS / 0.16) * (0.04 - 1.0)
        actions = self.rng.integers(2, size=len(states))
        if step < WARM_UP:
            return actions
        greedy = self.online(th.from_numpy(states.astype(np.float32)[:, None]))[:, 0].argmax(1).numpy()
        return np.where(self.rng.random(len(states)) < epsilon, actions, greedy)

    def update(self) -> None:
        """One update of every seed's network."""
        memory, own = self.memory, np.arange(len(self.episodes))[:, None]
        rows, weights = memory.draw(self.beta)
        self.beta = min(1.0, self.beta + self.settings.beta_increment)
        now = th.from_numpy(memory.observations[own, rows])
        later = th.from_numpy(memory.next_observations[own, rows])
        actions = th.from_numpy(memory.actions[own, rows])[..., None]
        first, second = self.online.hidden(th.cat([now, later], 1) if self.settings.double else now)
        values, following = self.online.last(second), self.target(later)
        best = (values[:, BATCH:] if self.settings.double else following).argmax(2, keepdim=True)
        live = 1 - th.from_numpy(memory.ends[own, rows])
        targets = 1 + GAMMA * live * following.gather(2, best)[..., 0]
        errors = targets - values[:, :BATCH].gather(2, actions)[..., 0]
        # Huber's loss with its bend at 1.
        slopes = errors.clamp(-1, 1) if weights is None else errors.clamp(-1, 1) * th.from_numpy(weights)
        upstream = th.zeros(len(own), BATCH, 2).scatter_(2, actions, slopes[..., None] / -BATCH)
        self.online.backward(now, first[:, :BATCH], second[:, :BATCH], upstream)
        self.online.clip_gradients(MAX_GRAD_NORM)
        self.optimizer.step()
        if self.settings.per:
            memory.update_priorities(rows, errors.numpy())


def print_table() -> None:
    """Means over seeds with their 95 % intervals, and the lower quartile."""
    groups: dict[tuple[str, str], list[list[float]]] = defaultdict(list)
    for row in read_rows(TABLE):
        groups[row["units"], row["variant"]].append([float(row[n]) for n in ("second_half", "last_three", "last")])
    print("| units | variant | seeds | second half | lower quartile | last three | last |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    for (units, variant), rows in groups.items():
        values = np.array(rows)
        means, errors = values.mean(axis=0), 1.96 * values.std(axis=0, ddof=1) / len(values) ** 0.5
        half, three, last = (f"{mean:.0f} ± {error:.0f}" for mean, error in zip(means, errors, strict=True))
        quartile = f"{np.quantile(values[:, 0], 0.25):.0f}"
        print(f"| {units} | {variant} | {len(values)} | {half} | {quartile} | {three} | {last} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="trainings of each variant, at least 2")
    parser.add_argument("--first-seed", type=int, default=0, help="seed of the first training")
    parser.add_argument("--units", type=int, default=64, help="of each of the two hidden layers; rl-zoo has 256")
    parser.add_argument("--variants", nargs="*", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--table", action="store_true", help="print the table of all rows instead")
    args = parser.parse_args()
    if args.table:
        print_table()
        return
    th.set_num_threads(1)
    th.set_grad_enabled(False)
    seeds = list(range(args.first_seed, args.first_seed + args.seeds))
    for variant in args.variants:
        begun = time.process_time()
        returns = Trainings(seeds, VARIANTS[variant], args.units).train()
        cpu_s = (time.process_time() - begun) / len(seeds)
        for seed, own in zip(seeds, returns, strict=True):
            measures = {"second_half": float(own.mean()), "last_three": float(own[[14, 19, 24]].mean())}
            head = {"units": args.units, "variant": variant, "seed": seed}
            append_row(TABLE, {**head, **measures, "last": float(own[-1]), "cpu_s": cpu_s})


if __name__ == "__main__":
    main()

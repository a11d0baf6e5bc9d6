"""Speed of MaskableDQN beside SB3's DQN with MultiInputPolicy and CnnPolicy.

Seconds are CPU seconds of this one-threaded process. The models of a case learn in turns, a slice of steps each, and
what counts are the ratios within a turn. All have the same network, batch size and update frequency (an update of 32
transitions for every 4 environment steps). Observations, rewards and masks come out of tables, so that the algorithm is
what is timed.

- ``plain``: SB3's DQN in all settings, ``double_q=False, prioritized_replay=False``, with masks that the environment is
  asked for after every step
- ``plain, masks in info``: the same, and ``info["action_mask"]`` carries them
- ``plain, no masks``: the same with ``learn(use_masking=False)``, nothing but DQN
- ``default``: double Q-learning and prioritized replay, with masks

    python benchmarks/policy_speed.py --turns 15

Rows are appended to ``policy_speed.csv`` beside this file.
"""

import os

# Before numpy is imported: torch is not the only library that would start a thread on every core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import statistics
import time
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch as th
from stable_baselines3 import DQN
from stable_baselines3.common.vec_env import DummyVecEnv

from sb3_ext import MaskableDQN

N_ACTIONS, N_KINDS, EPISODE = 18, 12, 200
FIRST_STEPS = 400
SETTINGS: dict[str, Any] = {
    "buffer_size": 5_000,
    "learning_starts": 200,
    "batch_size": 32,
    "target_update_interval": 1_000,
    "device": "cpu",
    "seed": 0,
}


class Case(NamedTuple):
    """
    What is learned.

    :param policy: Name of the policy
    :param picture: Shape of the picture that is observed, or part of what is; None: there is none
    :param n_envs: Environments at a time
    """

    policy: str
    picture: tuple[int, int, int] | None
    n_envs: int


CASES = {
    "numbers by key": Case("MultiInputPolicy", None, 1),
    "numbers by key, 8 envs": Case("MultiInputPolicy", None, 8),
    "numbers and a picture by key": Case("MultiInputPolicy", (36, 36, 1), 1),
    "small pictures": Case("CnnPolicy", (36, 36, 1), 1),
    "small pictures, 8 envs": Case("CnnPolicy", (36, 36, 1), 8),
    "Atari's pictures": Case("CnnPolicy", (84, 84, 4), 1),
}


class TableEnv(gym.Env[Any, np.int64]):
    """
    Random observations and masks out of a table, in episodes of 200 steps.

    :param case: What is observed
    :param tells_masks: Whether ``info`` carries the mask of the state returned
    """

    def __init__(self, case: Case, tells_masks: bool) -> None:
        self.action_space = gym.spaces.Discrete(N_ACTIONS)
        self._tells_masks = tells_masks
        parts: dict[str, gym.spaces.Space[Any]] = {
            "numbers": gym.spaces.Box(-1.0, 1.0, (6,), np.float32),
            "kind": gym.spaces.Discrete(N_KINDS),
            "flags": gym.spaces.MultiBinary(4),
        }
        if case.picture is not None:
            parts["picture"] = gym.spaces.Box(0, 255, case.picture, np.uint8)
        by_key = case.policy == "MultiInputPolicy"
        self.observation_space = gym.spaces.Dict(parts) if by_key else parts["picture"]
        self.observation_space.seed(0)
        self._observations = [self.observation_space.sample() for _ in range(EPISODE + 1)]
        self._masks = np.random.default_rng(0).random((EPISODE + 1, N_ACTIONS)) < 1 / 3
        self._masks[:, 0] = True
        self._t = 0

    def action_masks(self) -> np.ndarray:
        """(18,) bool."""
        return self._masks[self._t]

    def _info(self) -> dict[str, Any]:
        return {"action_mask": self._masks[self._t]} if self._tells_masks else {}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        self._t = 0
        return self._observations[0], self._info()

    def step(self, action: np.int64) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """One step of 200."""
        self._t += 1
        return self._observations[self._t], float(action) / N_ACTIONS, self._t == EPISODE, False, self._info()


class Learner:
    """
    A model, and how it goes on learning.

    :param case: What it learns
    :param algorithm: DQN or MaskableDQN
    :param plain: Whether MaskableDQN is to be SB3's DQN in its settings
    :param tells_masks: Whether ``info`` carries masks
    :param use_masking: Whether MaskableDQN uses masks
    """

    def __init__(
        self,
        case: Case,
        algorithm: type[DQN],
        plain: bool = True,
        tells_masks: bool = False,
        use_masking: bool = True,
    ) -> None:
        masked = algorithm is MaskableDQN
        env = DummyVecEnv([lambda: TableEnv(case, tells_masks)] * case.n_envs)
        own = {"double_q": False, "prioritized_replay": False} if masked and plain else {}
        # As many updates a transition, however many environments there are.
        freq = {"train_freq": max(4 // case.n_envs, 1), "gradient_steps": max(case.n_envs // 4, 1)}
        self.model = algorithm(case.policy, env, **SETTINGS, **freq, **own)
        self._options: dict[str, Any] = {"use_masking": use_masking} if masked else {}
        # The first updates take longer, and epsilon falls.
        self.model.learn(SETTINGS["learning_starts"] + FIRST_STEPS, **self._options)

    def steps_per_second(self, steps: int) -> float:
        """Go on learning for some transitions; how many a CPU second."""
        begin = time.process_time()
        self.model.learn(steps, reset_num_timesteps=False, **self._options)
        return steps / (time.process_time() - begin)


def learners_of(case: Case) -> dict[str, Learner]:
    """The models of a case, SB3's first."""
    return {
        "SB3 DQN": Learner(case, DQN),
        "plain, no masks": Learner(case, MaskableDQN, use_masking=False),
        "plain, masks in info": Learner(case, MaskableDQN, tells_masks=True),
        "plain": Learner(case, MaskableDQN),
        "default": Learner(case, MaskableDQN, plain=False),
    }


def time_case(name: str, seconds: float, turns: int) -> list[dict[str, Any]]:
    """
    Time the models of a case in turns.

    :param name: Of the case
    :param seconds: About how many CPU seconds a slice takes
    :param turns: How many
    :return: a row for each model: its steps a second, and the median over the turns of its ratio to SB3's, with
        quartiles
    """
    learners = learners_of(CASES[name])
    steps = max(int(learners["SB3 DQN"].steps_per_second(200) * seconds) // 8 * 8, 8)
    timed: dict[str, list[float]] = {label: [] for label in learners}
    for turn in range(turns):
        # Whoever comes next to another's garbage is not always the same.
        order = list(learners) if turn % 2 == 0 else list(reversed(learners))
        for label in order:
            timed[label].append(learners[label].steps_per_second(steps))
    return [row_of(name, label, values, timed["SB3 DQN"]) for label, values in timed.items()]


def row_of(name: str, label: str, values: list[float], reference: list[float]) -> dict[str, Any]:
    """The row of a model, see :func:`time_case`."""
    ratios = [a / b for a, b in zip(values, reference, strict=True)]
    low, _, high = statistics.quantiles(ratios, n=4)
    return {
        "policy": CASES[name].policy,
        "case": name,
        "learner": label,
        "steps_per_cpu_second": statistics.median(values),
        "ratio_to_sb3": statistics.median(ratios),
        "quartiles": f"{low:.3f} to {high:.3f}",
    }


def main() -> None:
    """Read the command line and time."""
    from record import append_row

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", choices=list(CASES), default=list(CASES), help="default: all")
    parser.add_argument("--turns", type=int, default=15, help="turns of all models of a case, at least 2")
    parser.add_argument("--seconds", type=float, default=0.5, help="CPU seconds of each in a turn, about")
    parser.add_argument("--no-csv", action="store_true", help="print only")
    args = parser.parse_args()
    th.set_num_threads(1)
    for name in args.cases:
        for row in time_case(name, args.seconds, args.turns):
            print(
                *(f"{value:.4g}" if isinstance(value, float) else value for value in row.values()), sep="; ", flush=True
            )
            if not args.no_csv:
                append_row("policy_speed", row)


if __name__ == "__main__":
    main()

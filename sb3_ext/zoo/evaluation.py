"""Evaluation during training: masked where the model supports it, on the same episodes, against a reference."""

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sb3_contrib.common.maskable.callbacks import MaskableEvalCallback
from sb3_contrib.common.maskable.evaluation import evaluate_policy
from scipy import stats
from stable_baselines3.common.base_class import BaseAlgorithm

from sb3_ext.common.saving import saved_whole
from sb3_ext.common.vec_env import GymnasiumVecEnv
from sb3_ext.common.wrappers import SeededEpisodes
from sb3_ext.zoo.algorithms import takes_masks

# Far from the small seeds that trainings use: a VecEnv gives environment i the seed plus i.
EVALUATION_SEED = 1_000_003
# Seed of the held-out episodes, on which no model is selected.
HELD_OUT_SEED = 3_000_003


class Reference(NamedTuple):
    """
    A policy that models are compared with, episode by episode.

    In the log, lower differences are better, whichever way round the quantity goes: the model's cost minus the
    reference's, or the reference's reward minus the model's.

    :param name: Its name in the log
    :param rewards: (seeds, episodes) -> its reward in each of the first ``episodes[i]`` episodes of an environment
        after ``reset(seed=seeds[i])``, in this order: all those of the first seed, then those of the second
    :param cost: What minus the reward of an episode is called where rewards stand for a cost
    """

    name: str
    rewards: Callable[[Sequence[int], Sequence[int]], np.ndarray]
    cost: str | None = None

    @property
    def difference(self) -> str:
        """Name of the mean paired difference, of which less is better: ``cost_minus_rule``, ``rule_minus_own``."""
        return f"{self.name}_minus_own" if self.cost is None else f"{self.cost}_minus_{self.name}"


#: (id of an environment, arguments of the evaluation environments) -> what to compare with in it, if anything.
FindReference = Callable[[str, Mapping[str, Any]], Reference | None]
#: Draws level lines of other policies into TensorBoard's folder, on the episodes of the evaluations: (folder, id of an
#: environment, arguments of the evaluation environments, seeds, episodes of each, steps of the training).
DrawLevels = Callable[[Path, str, Mapping[str, Any], Sequence[int], Sequence[int], int], None]


class EpisodeRewards:
    """
    Rewards of the episodes of one ``evaluate_policy``, whose own list is in the order in which they end.

    :param n_envs: Number of environments
    """

    def __init__(self, n_envs: int) -> None:
        self._of_envs: list[list[float]] = [[] for _ in range(n_envs)]

    def __len__(self) -> int:
        return sum(map(len, self._of_envs))

    def take(self, locals_: dict[str, Any], _globals: dict[str, Any]) -> None:
        """Take one step of one environment: the ``callback`` of ``evaluate_policy``."""
        i, info = locals_["i"], locals_["info"]
        if not locals_["done"]:
            return
        if not locals_["is_monitor_wrapped"]:
            self._of_envs[i].append(float(locals_["current_rewards"][i]))
        elif "episode" in info:
            self._of_envs[i].append(float(info["episode"]["r"]))

    def by_env(self) -> np.ndarray:
        """(n_episodes,) float64: the first environment's episodes, then the second's."""
        return np.array([reward for own in self._of_envs for reward in own])


class ZooEvalCallback(MaskableEvalCallback):
    """
    SB3's ``EvalCallback`` for any algorithm: passes action masks to the models that take them, and to no other.

    ``evaluations.npz`` is written under a temporary name and then renamed.

    Every evaluation starts from the same seed, so that all play the same episodes. In a noisy environment returns
    differ far more between episodes than between policies, and with new episodes each time the best model would be
    the one with the luckiest episodes.

    With a reference each evaluation also records the mean over the episodes of the difference to it in the same
    episode, ``eval/`` and :attr:`Reference.difference`, and the ends of its 95 % confidence interval, ``..._low`` and
    ``..._high``. Below 0 the model is better. The best model is still the one with the highest mean reward, which on
    common episodes is the one with the lowest difference.

    :param args: Arguments of ``EvalCallback``
    :param evaluation_seed: Seed of the evaluation environments at the start of each evaluation, or ``None``
        to continue with new episodes
    :param reference: Policy to compare with, which needs a seed
    :param kwargs: Keyword arguments of ``EvalCallback``
    """

    def __init__(
        self,
        *args: Any,
        evaluation_seed: int | None = EVALUATION_SEED,
        reference: Reference | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.evaluation_seed = evaluation_seed
        self.reference = reference
        self._reference_rewards: np.ndarray | None = None
        #: To the reference, at the last evaluation; below 0 the model is better.
        self.last_difference = math.nan
        #: Called once, after the first evaluation.
        self.after_first: Callable[[], None] | None = None

    def _init_callback(self) -> None:
        with warnings.catch_warnings():
            if isinstance(self.eval_env.unwrapped, GymnasiumVecEnv):
                # Other environments than those that train are meant then.
                warnings.filterwarnings("ignore", "Training and eval env are not of the same type")
            super()._init_callback()
        self.use_masking = takes_masks(self.model)
        if self.reference is not None:
            if self.evaluation_seed is None:
                raise ValueError("ZooEvalCallback: evaluation_seed must be a number for a reference, not None.")
            self._reference_rewards = self.reference.rewards(*self.episodes())

    def episodes(self) -> tuple[list[int], list[int]]:
        """
        Which episodes an evaluation plays: seeds, and the number of episodes that an environment plays after each.

        :raises ValueError: there is no ``evaluation_seed``, so they are others each time
        """
        if self.evaluation_seed is None:
            raise ValueError("ZooEvalCallback: without evaluation_seed the episodes are others each time.")
        n_envs = self.eval_env.num_envs
        # As evaluate_policy shares the episodes out.
        counts = [(self.n_eval_episodes + i) // n_envs for i in range(n_envs)]
        seeds = range(self.evaluation_seed, self.evaluation_seed + n_envs)
        if not all(self.eval_env.env_is_wrapped(SeededEpisodes)):
            return list(seeds), counts
        each = [seed + k * n_envs for seed, count in zip(seeds, counts, strict=True) for k in range(count)]
        return each, [1] * len(each)

    def _on_step(self) -> bool:
        if self.eval_freq <= 0 or self.n_calls % self.eval_freq != 0:
            return super()._on_step()
        if self.evaluation_seed is not None:
            self.eval_env.seed(self.evaluation_seed)
        self._rewards = EpisodeRewards(self.eval_env.num_envs)
        going_on = self._evaluate()
        self._evaluated()
        if self.after_first is not None:
            self.after_first()
            self.after_first = None
        return going_on

    def _evaluate(self) -> bool:
        path: Any = self.log_path
        if path is None:
            return super()._on_step()
        # NumPy, which would write the file in place, also takes an open one.
        with saved_whole(path, "npz") as file:
            try:
                self.log_path = file  # type: ignore[assignment]
                return super()._on_step()
            finally:
                self.log_path = path

    def _log_success_callback(self, locals_: dict[str, Any], globals_: dict[str, Any]) -> None:
        super()._log_success_callback(locals_, globals_)
        self._rewards.take(locals_, globals_)
        # Here and not after the evaluation, which ends with writing the log.
        if self._reference_rewards is not None and len(self._rewards) == self.n_eval_episodes:
            assert self.reference is not None
            self._compared(dict(differences(self.reference, self._rewards.by_env(), self._reference_rewards)))

    def _compared(self, compared: dict[str, float]) -> None:
        """Log the differences to the reference; a subclass may do more with them."""
        assert self.reference is not None
        self.last_difference = compared[self.reference.difference]
        for name, value in compared.items():
            self.logger.record(f"eval/{name}", value)

    def _evaluated(self) -> None:
        """Called after each evaluation, for subclasses."""

    def held_out(self, agent: BaseAlgorithm, n_episodes: int) -> dict[str, float]:
        """
        Evaluate an agent on episodes that no evaluation of the training used: number k is what an environment plays
        after ``reset(seed=HELD_OUT_SEED + k)``, however many environments there are.

        :param agent: Of the algorithm that was trained
        :param n_episodes: How many episodes
        :return: ``mean_reward`` and, with a reference, the difference to it with the ends of its interval
        """
        n_envs = self.eval_env.num_envs
        rounds = [self._play_held_out(agent, k, min(n_envs, n_episodes - k)) for k in range(0, n_episodes, n_envs)]
        rewards = np.concatenate(rounds)
        results = {"mean_reward": float(rewards.mean())}
        if self.reference is not None:
            seeds = range(HELD_OUT_SEED, HELD_OUT_SEED + n_episodes)
            results |= differences(self.reference, rewards, self.reference.rewards(seeds, [1] * n_episodes))
        return results

    def _play_held_out(self, agent: BaseAlgorithm, first: int, count: int) -> np.ndarray:
        """Rewards of ``count`` held-out episodes from the one numbered ``first`` on, one in an environment."""
        rewards = EpisodeRewards(self.eval_env.num_envs)
        # Where there are fewer episodes than environments, evaluate_policy plays them in the last of these.
        self.eval_env.seed(HELD_OUT_SEED + first + count - self.eval_env.num_envs)
        evaluate_policy(
            agent,  # type: ignore[arg-type]  # sb3-contrib names only its own algorithm
            self.eval_env,
            n_eval_episodes=count,
            deterministic=self.deterministic,
            callback=rewards.take,
            warn=False,
            use_masking=takes_masks(agent),
        )
        return rewards.by_env()


def differences(reference: Reference, rewards: np.ndarray, reference_rewards: np.ndarray) -> list[tuple[str, float]]:
    """
    The mean paired difference to a reference, with Student's 95 % confidence interval. Below 0, rewards are higher
    than the reference's.

    :param reference: What is compared with
    :param rewards: (n,) float
    :param reference_rewards: (n,) float, in the same episodes
    :return: the mean under the name :attr:`Reference.difference` and, with two episodes or more, the ends of the
        interval under this name with ``_low`` and ``_high``
    :raises ValueError: as many rewards must be given on both sides
    """
    name = reference.difference
    if len(rewards) != len(reference_rewards):
        raise ValueError(
            f"{reference.name} must have {len(rewards)} rewards to be compared with, not {len(reference_rewards)}."
        )
    paired = reference_rewards - rewards
    mean = float(paired.mean())
    if len(paired) == 1:
        return [(name, mean)]
    half = float(stats.t.ppf(0.975, len(paired) - 1) * paired.std(ddof=1) / math.sqrt(len(paired)))
    return [(name, mean), (f"{name}_low", mean - half), (f"{name}_high", mean + half)]

"""``enjoy`` says what an episode was worth, and not its reward, which may be normalised or shaped."""

import builtins
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from sb3_ext.callbacks.metrics import EpisodeMetrics

KEY = EpisodeMetrics().key


class EpisodeScores(VecEnvWrapper):
    """
    Keeps a metric of each finished episode, which the environment puts into ``info["metrics"]`` on its last step.

    :param venv: The environments
    :param name: Name of the metric
    """

    def __init__(self, venv: VecEnv, name: str) -> None:
        super().__init__(venv)
        self.name = name
        self.scores: list[float] = []

    def reset(self) -> VecEnvObs:
        """Reset all environments."""
        return self.venv.reset()

    def step_wait(self) -> VecEnvStepReturn:
        """Step them, keeping the metric of those whose episodes end."""
        observations, rewards, dones, infos = self.venv.step_wait()
        for i in np.flatnonzero(dones):
            metrics = infos[i].get(KEY, {})
            if self.name in metrics:
                self.scores.append(float(metrics[self.name]))
        return observations, rewards, dones, infos


class ScorePrinter:
    """
    Stands for ``print`` in rl_zoo3's script: lines about rewards become lines about the metric, where there is one.

    :param envs: The environments made so far
    """

    def __init__(self, envs: list[VecEnv]) -> None:
        self.envs = envs

    def __call__(self, *words: Any, **kwargs: Any) -> None:
        """Print, or print the metric instead."""
        builtins.print(self._line(str(words[0])) if len(words) == 1 else " ".join(map(str, words)), **kwargs)

    def _line(self, text: str) -> str:
        env = self.envs[-1] if self.envs else None
        if not isinstance(env, EpisodeScores) or not env.scores:
            return text
        if text.startswith("Episode Reward:"):
            return f"Episode {env.name}: {env.scores[-1]:,.2f}"
        if text.startswith("Mean reward:"):
            return f"Mean {env.name}: {np.mean(env.scores):,.2f} +/- {np.std(env.scores):,.2f}"
        return text

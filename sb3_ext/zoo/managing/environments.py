"""The part of the experiment manager that makes environments."""

import copy
import os
from collections.abc import Callable
from functools import partial
from typing import Any

from rl_zoo3.exp_manager import ExperimentManager
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv

from sb3_ext.common.snapshots import EpisodeState
from sb3_ext.common.wrappers import SeededEpisodes
from sb3_ext.zoo.algorithms import MASKABLE
from sb3_ext.zoo.errors import UsageError
from sb3_ext.zoo.inputs.checks import check_env_kwargs, check_memory
from sb3_ext.zoo.inputs.continuing import apply_normalize, load_statistics, statistics_of
from sb3_ext.zoo.inputs.native import make_native, vector_wrappers, why_not_native
from sb3_ext.zoo.search.manager import SearchingManager

# Largest default number of environments in an evaluation: with one for each episode, number k is what is played after
# the seed plus k, in every training, and the model is asked about all of them at once.
MOST_EVAL_ENVS = 1000


class EnvironmentsManager(SearchingManager):
    """
    rl_zoo3's ``ExperimentManager`` with these differences where it makes environments:

    - environment arguments of the command line are merged with those of the config, and evaluation
      environments get them too (rl_zoo3 drops the config's for evaluation);
    - ``--vec-env native`` trains on the environment's own vectorized form, see ``GymnasiumVecEnv``; evaluations play on
      it too where they may, whatever trains;
    - episode k of an evaluation is what an environment plays after ``reset(seed=EVALUATION_SEED + k)``, whatever makes
      the environments: natively there is an environment for each, and elsewhere one that gets a seed for each.
    """

    native: bool
    native_evaluation: bool
    env_kwargs: dict[str, Any]
    n_eval_envs: int | None
    _hyperparams_read: dict[str, Any]

    @property
    def evaluates_natively(self) -> bool:
        """Whether evaluations play on the environment's own vectorized form."""
        if self.native:
            return True
        env_id = self.env_name.gym_id
        return self.native_evaluation and why_not_native(env_id, self._hyperparams_read, self.eval_env_kwargs) is None

    def choose_n_eval_envs(self) -> None:
        """Choose the number of evaluation environments, where none was given, once the hyperparameters are read."""
        if self.n_eval_envs is None:
            self.n_eval_envs = min(self.n_eval_episodes, MOST_EVAL_ENVS) if self.evaluates_natively else 1
            self.args.n_eval_envs = self.n_eval_envs

    def check_environments(self) -> None:
        """Make one environment of each kind in this process: a subprocess would end in a traceback of its own."""
        maker = copy.copy(self)
        maker.vec_env_class, maker.verbose = DummyVecEnv, 0
        evaluates = self.eval_freq > 0 or self.optimize_hyperparameters
        for eval_env in (False, True) if evaluates else (False,):
            env = maker.create_envs(1, eval_env=eval_env, no_log=True)
            env.close()
        check_memory(self.algo, self._hyperparams_read, env.observation_space, env.action_space)

    def merge_env_kwargs(
        self, hyperparams: dict[str, Any], saved: dict[str, Any], from_command_line: dict[str, Any]
    ) -> None:
        """
        Merge the environment arguments of the config and of the command line, and check them.

        :param hyperparams: The config's, which get what was merged
        :param saved: What will be saved of them, likewise
        :param from_command_line: Arguments of the command line, which win
        """
        merged = {**(hyperparams.get("env_kwargs") or {}), **from_command_line}
        self.env_kwargs = merged
        self.eval_env_kwargs = {**merged, **(self._eval_env_kwargs_args or {})}
        check_env_kwargs(self.env_name.gym_id, self.eval_env_kwargs)
        if merged:
            hyperparams["env_kwargs"] = saved["env_kwargs"] = merged
            # enjoy and record_video rebuild the environment from the saved arguments.
            self.args.env_kwargs = merged

    def create_envs(self, n_envs: int, eval_env: bool = False, no_log: bool = False) -> VecEnv:
        """
        Make environments, and see to it that a maskable algorithm gets masks from them.

        :param n_envs: How many
        :param eval_env: Whether they are for evaluation
        :param no_log: Whether to write no monitor files
        :return: the environments
        """
        maker = copy.copy(self)  # since trials of a search may run in threads
        if self.evaluates_natively if eval_env else self.native:
            env_kwargs = self.eval_env_kwargs if eval_env else self.env_kwargs
            log_folder = None if eval_env or no_log else self.save_path
            monitor = {"info_keywords": tuple(self.monitor_kwargs.get("info_keywords", ()))}
            monitor["override_existing"] = self.monitor_kwargs.get("override_existing", True)
            wrappers = [wrapper for wrapper in vector_wrappers(self._hyperparams_read) if wrapper is not None]
            given = self.env_name.gym_id, env_kwargs, log_folder, monitor, wrappers
            maker.vec_env_class = partial(make_native, *given)
        else:
            maker.env_wrapper = partial(_wrapped, [self.env_wrapper, *self._outer_wrappers(n_envs, eval_env)])
        env: VecEnv = ExperimentManager.create_envs(maker, n_envs, eval_env, no_log)
        if self.continue_training:
            apply_normalize(env, bool(self.normalize), self.normalize_kwargs, eval_env, self.trained_agent)
        if self.algo in MASKABLE and not env.has_attr("action_masks"):
            env.close()
            raise UsageError(
                f"{self.algo} needs an environment with a method action_masks(), and {self.env_name} has none."
            )
        return env

    def _outer_wrappers(self, n_envs: int, eval_env: bool) -> list[Callable[[Any], Any]]:
        """What goes around the config's wrappers of single environments, the innermost first."""
        wrappers: list[Callable[[Any], Any]] = [partial(SeededEpisodes, step=n_envs)] if eval_env else []
        asked = self.save_freq > 0 and self.vec_env_class is SubprocVecEnv
        return [*wrappers, EpisodeState] if asked else wrappers

    def _maybe_normalize(self, env: VecEnv, eval_env: bool) -> VecEnv:
        """Normalise as rl_zoo3 does, by the statistics that belong to the model to go on with."""
        path = statistics_of(self.trained_agent, self.env_name)
        if self.continue_training and path.is_file():
            return load_statistics(path, env, eval_env)
        # A copy without the model: rl_zoo3 would take the statistics of the end of its run.
        fresh = copy.copy(self)
        fresh.trained_agent = os.path.join(os.devnull, "none.zip")
        fresh.normalize_kwargs = self.trials_normalize_kwargs()
        normalized: VecEnv = ExperimentManager._maybe_normalize(fresh, env, eval_env)
        return normalized


def _wrapped(wrappers: list[Callable[[Any], Any] | None], env: Any) -> Any:
    """Wrap an environment, by the first wrapper first."""
    for wrapper in wrappers:
        env = env if wrapper is None else wrapper(env)
    return env

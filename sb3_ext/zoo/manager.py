"""rl_zoo3's experiment manager, with checks before anything is written and masks where they belong."""

import copy
import glob
import os
import shutil
from collections.abc import Callable
from functools import partial, partialmethod
from pathlib import Path
from typing import Any

from rl_zoo3 import ALGOS, exp_manager
from rl_zoo3.exp_manager import ExperimentManager
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import CheckpointCallback
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv, sync_envs_normalization

from sb3_ext.callbacks import (
    ActionMaskStatistics,
    DivergenceCheck,
    EpisodeMetrics,
    EvaluationCharts,
    ResumableCheckpoint,
    Resume,
)
from sb3_ext.common.saving import remove_left_behind
from sb3_ext.common.snapshots import EpisodeState, set_last_observations
from sb3_ext.zoo.algorithms import MASKABLE
from sb3_ext.zoo.errors import UsageError
from sb3_ext.zoo.evaluation import DrawLevels, FindReference, ZooEvalCallback
from sb3_ext.zoo.failures import NewFolders
from sb3_ext.zoo.inputs.checks import check_env_kwargs, check_hyperparameters, check_memory, read_texts, why_unusable
from sb3_ext.zoo.inputs.continuing import (
    apply_normalize,
    buffer_of,
    check_policy_kept,
    check_same_environment,
    load_buffer,
    load_statistics,
    statistics_of,
    tell_what_is_missing,
)
from sb3_ext.zoo.inputs.native import check_native, make_native
from sb3_ext.zoo.inputs.resuming import check_same_settings, copy_best, load_state
from sb3_ext.zoo.outcome import kept_agent, record_outcome, writes_tensorboard
from sb3_ext.zoo.replacing import replaced
from sb3_ext.zoo.search.manager import SearchingManager
from sb3_ext.zoo.search.spaces import merged

# Beside rl_zoo3's dummy and subproc: the environment's own vector_entry_point.
NATIVE = "native"
# Largest default number of environments in an evaluation: with one for each episode, number k is what is played after
# the seed plus k, in every training, and the model is asked about all of them at once.
MOST_EVAL_ENVS = 1000


class ZooExperimentManager(SearchingManager):
    """
    rl_zoo3's ``ExperimentManager`` with these differences, and those of ``SearchingManager`` in a search:

    - hyperparameters and environment arguments are checked by name, type and range before any folder is made, and
      a training that fails before it has learned anything leaves none behind;
    - environment arguments of the command line are merged with those of the config, and evaluation
      environments get them too (rl_zoo3 drops the config's for evaluation);
    - the environment's id and arguments are stored in the model, as ``model.env_spec``;
    - training continued from a model (``--trained-agent``) continues its count of steps, and with it exploration
      and schedules, where rl_zoo3 restarts them;
    - there, settings win over those in a saved replay buffer or normalisation, or are refused by name;
    - every training logs the environment's own metrics of an episode, see ``EpisodeMetrics``, and, where there
      are masks, how many actions they leave feasible, see ``ActionMaskStatistics``;
    - evaluations compare with a reference policy where there is one, see ``ZooEvalCallback``;
    - a training that is evaluated and logged to TensorBoard ends with an evaluation of its best model on held-out
      episodes, which stands beside the hyperparameters in the tab HPARAMS;
    - off-policy algorithms log every 4 episodes of each environment, where SB3 counts those of all together;
    - ``--vec-env native`` trains and evaluates on the environment's own vectorized form, see ``GymnasiumVecEnv``,
      and by default has an environment for each episode of an evaluation, as others have;
    - a loss or a reward of nan or infinity ends the training, see ``DivergenceCheck``;
    - after Ctrl-C the model is saved, as in rl_zoo3, and then ``KeyboardInterrupt`` is raised;
    - what a killed training has left of files that it was saving is removed when the next one begins;
    - checkpoints have their own normalisation statistics beside them and, with ``save_replay_buffer``, their own
      replay buffer, which a training that continues from them takes, and not those of the end of the run;
    - ``--resume CHECKPOINT`` goes on with an interrupted run as if it had not been interrupted, see
      ``ResumableCheckpoint``.

    :param args: Arguments of ``ExperimentManager``
    :param vec_env_type: "dummy", "subproc" or "native"
    :param find_reference: Finds what evaluations compare with
    :param draw_levels: Draws level lines of other policies into TensorBoard's folder
    :param held_out_episodes: Episodes of the evaluation at the end
    :param kwargs: Keyword arguments of ``ExperimentManager``
    """

    env_kwargs: dict[str, Any]
    custom_hyperparams: dict[str, Any] | None
    log_interval: int
    trial_id: int | None

    def __init__(
        self,
        *args: Any,
        vec_env_type: str = "dummy",
        find_reference: FindReference | None = None,
        draw_levels: DrawLevels | None = None,
        held_out_episodes: int = 200,
        **kwargs: Any,
    ) -> None:
        self.native = vec_env_type == NATIVE
        self.find_reference = find_reference
        self.draw_levels = draw_levels
        self.held_out_episodes = held_out_episodes
        self.interrupted = False
        # What a failure has to clean up, and to say.
        self._new: NewFolders | None = None
        self._model: BaseAlgorithm | None = None
        self._updates_before = 0
        self._doing = "set up"
        self._hyperparams_read: dict[str, Any] = {}
        # Of the run, as a checkpoint keeps them, and what a checkpoint kept of the run that is resumed.
        self._settings: dict[str, Any] = {}
        self._resumed: dict[str, Any] | None = None
        super().__init__(*args, vec_env_type="dummy" if self.native else vec_env_type, **kwargs)
        if self.n_eval_envs is None:
            self.n_eval_envs: int = min(self.n_eval_episodes, MOST_EVAL_ENVS)
            self.args.n_eval_envs = self.n_eval_envs

    def setup_experiment(self) -> tuple[BaseAlgorithm, dict[str, Any]] | None:
        """
        Read the hyperparameters, check them, make environments, callbacks and model.

        :return: the model and its hyperparameters as read, or ``None`` for a hyperparameter search
        """
        self._remove_left_behind()
        results: tuple[Any, dict[str, Any]] | None = super().setup_experiment()
        if results is not None:
            self._saved_hyperparams = results[1]
            self._model = results[0]
            results[0].env_spec = {"id": self.env_name.gym_id, "kwargs": dict(self.env_kwargs)}
            self._doing = "trained"
        return results

    def _remove_left_behind(self) -> None:
        """Remove temporary files of killed trainings, this environment's with this algorithm."""
        for run in Path(self.save_path).parent.glob(f"{glob.escape(self.env_name)}_*"):
            remove_left_behind(run)
            remove_left_behind(run / self.env_name)

    def create_log_folder(self) -> None:
        """Make the run's folder, after a last check: that the environments can be made."""
        self._check_environments()
        self._new = NewFolders([Path(self.save_path)])
        super().create_log_folder()
        if self._resumed is not None:
            copy_best(self.trained_agent, self.env_name, Path(self.save_path))

    def _check_environments(self) -> None:
        """Make one environment of each kind in this process: a subprocess would end in a traceback of its own."""
        maker = copy.copy(self)
        maker.vec_env_class, maker.verbose = DummyVecEnv, 0
        evaluates = self.eval_freq > 0 or self.optimize_hyperparameters
        for eval_env in (False, True) if evaluates else (False,):
            env = maker.create_envs(1, eval_env=eval_env, no_log=True)
            env.close()
        check_memory(self.algo, self._hyperparams_read, env.observation_space, env.action_space)

    def clean_up_after_failure(self) -> str:
        """
        Remove the run's folder, and its log for TensorBoard, if the model has learned nothing yet.

        :return: what could not be done, for the message
        """
        model = self._model
        if self._new is not None and getattr(model, "_n_updates", 0) == self._updates_before:
            if model is not None and not self.continue_training and hasattr(model, "_logger") and model.logger.dir:
                shutil.rmtree(model.logger.dir, ignore_errors=True)
            self._new.remove()
        return f"{self.algo} on {self.env_name} cannot be {self._doing}"

    def read_hyperparameters(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """
        The hyperparameters of the environment from the config file, with those of the command line over them.

        :return: the hyperparameters, and a sorted copy that will be saved
        """
        from_command_line: dict[str, Any] = self.env_kwargs
        # Hidden from rl_zoo3, which would replace all of the config's by them.
        self.env_kwargs = {}
        sampled = self.load_sampled()
        # rl_zoo3 would ignore trial 0, and replace all of policy_kwargs by those of the others.
        self.trial_id = None
        try:
            hyperparams, saved = super().read_hyperparameters()
        except Exception as error:  # a config in Python can raise anything
            raise UsageError(why_unusable(self.config, self.env_name.gym_id, error)) from error
        read_texts(hyperparams, self.args.allow_code, vars(exp_manager))
        if sampled is not None:
            print(f"Hyperparameters of the trial: {sampled}")
            given = self.custom_hyperparams or {}
            hyperparams.update(merged(hyperparams, sampled) | {name: hyperparams[name] for name in given})
            saved.update({name: hyperparams[name] for name in sampled})
        check_hyperparameters(self.algo, hyperparams, self.config)
        if self.n_timesteps > 0:
            hyperparams["n_timesteps"] = saved["n_timesteps"] = self.n_timesteps
        self._merge_env_kwargs(hyperparams, saved, from_command_line)
        if self.native:
            check_native(self.env_name.gym_id, hyperparams, self.eval_env_kwargs)
        self._hyperparams_read = dict(hyperparams)
        run = {"algo": self.algo, "env": self.env_name.gym_id, "seed": self.seed}
        # A copy: rl_zoo3 writes into the settings of normalize.
        self._settings = copy.deepcopy({**saved, **run, "n_timesteps": int(hyperparams["n_timesteps"])})
        if getattr(self.args, "resume", None):
            self._resumed = load_state(self.trained_agent)
            check_same_settings(self._resumed, self._settings, self.trained_agent)
        return hyperparams, saved

    def _merge_env_kwargs(
        self, hyperparams: dict[str, Any], saved: dict[str, Any], from_command_line: dict[str, Any]
    ) -> None:
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
        maker = self
        if self.native:
            # A copy, since trials of a search may run in threads.
            maker = copy.copy(self)
            env_kwargs = self.eval_env_kwargs if eval_env else self.env_kwargs
            log_folder = None if eval_env or no_log else self.save_path
            keywords = tuple(self.monitor_kwargs.get("info_keywords", ()))
            maker.vec_env_class = partial(make_native, self.env_name.gym_id, env_kwargs, log_folder, keywords)
        elif self.save_freq > 0 and maker.vec_env_class is SubprocVecEnv:
            maker = copy.copy(self)
            maker.env_wrapper = partial(_outermost, self.env_wrapper)
        env: VecEnv = ExperimentManager.create_envs(maker, n_envs, eval_env, no_log)
        if self.continue_training:
            apply_normalize(env, bool(self.normalize), self.normalize_kwargs, eval_env, self.trained_agent)
        if self.algo in MASKABLE and not env.has_attr("action_masks"):
            env.close()
            raise UsageError(
                f"{self.algo} needs an environment with a method action_masks(), and {self.env_name} has none."
            )
        return env

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

    def _load_pretrained_agent(self, hyperparams: dict[str, Any], env: VecEnv) -> BaseAlgorithm:
        """Load the model to go on with, and its replay buffer, over whose settings those at hand win."""
        algorithm, path = ALGOS[self.algo], buffer_of(self.trained_agent)
        # rl_zoo3 would load the replay buffer of the end of the run.
        loading = {"load_replay_buffer": lambda *_, **__: None} if hasattr(algorithm, "load_replay_buffer") else {}
        with replaced(algorithm, **loading):
            model: BaseAlgorithm = super()._load_pretrained_agent(hyperparams, env)
        if loading and path.is_file():
            print(f"Loading replay buffer {path}")
            check_same_environment(model, path, self.env_name.gym_id, self.env_kwargs)
            truncates = {"truncate_last_traj": self.truncate_last_trajectory and self._resumed is None}
            load_buffer(model, path, partial(model.load_replay_buffer, path, **truncates))  # type: ignore[attr-defined]
        tell_what_is_missing(model, self.trained_agent, bool(self.normalize))
        given = dict(self.custom_hyperparams or {})
        read_texts(given, self.args.allow_code, vars(exp_manager))
        check_policy_kept(model, given, self.trained_agent)
        self._updates_before = getattr(model, "_n_updates", 0)
        if self._resumed is not None:
            set_last_observations(model, self._resumed["training"])
        return model

    def create_callbacks(self) -> None:
        """Add rl_zoo3's own callbacks and those that log to the ones of the config; tell evaluations the reference."""
        checkpoint = partial(ResumableCheckpoint, settings=self._settings)
        with replaced(exp_manager, CheckpointCallback=checkpoint):
            super().create_callbacks()
        for wanted in (EpisodeMetrics, ActionMaskStatistics, DivergenceCheck):
            if not any(isinstance(callback, wanted) for callback in self.callbacks):
                self.callbacks.append(wanted())
        for callback in self.callbacks:
            if isinstance(callback, CheckpointCallback):
                callback.save_replay_buffer = self.save_replay_buffer
                callback.save_vecnormalize = True
        # After all others, which have done their part of a step by then.
        self.callbacks.sort(key=lambda callback: isinstance(callback, ResumableCheckpoint))
        for callback in self.callbacks:
            if isinstance(callback, ResumableCheckpoint):
                callback.companions = tuple(self.callbacks)
        if self._resumed is not None:
            self.callbacks.append(Resume(self._resumed, self.callbacks))
        evaluation = self._evaluation()
        if evaluation is not None and self.find_reference is not None:
            evaluation.reference = self.find_reference(self.env_name.gym_id, self.eval_env_kwargs)
        if evaluation is not None:
            reference = evaluation.reference
            self.callbacks.append(EvaluationCharts(None if reference is None else reference.name))

    def _evaluation(self) -> ZooEvalCallback | None:
        return next((callback for callback in self.callbacks if isinstance(callback, ZooEvalCallback)), None)

    def learn(self, model: BaseAlgorithm) -> None:
        """
        Train the model, close its environments, and record the results.

        :param model: The model
        """
        if self.log_interval == -1 and isinstance(model, OffPolicyAlgorithm):
            # SB3's 4 episodes, of every environment: with hundreds of them it would write the log in every step.
            self.log_interval = 4 * model.n_envs
        if self._resumed is not None:
            self.n_timesteps -= model.num_timesteps
        self._draw_levels()
        algorithm = type(model)
        options: dict[str, Any] = {"tb_log_name": f"{self.algo}_seed_{self.seed}"}
        if self.continue_training:
            options["reset_num_timesteps"] = False
        # On the class and for a while: on the model it would be saved with it.
        with replaced(algorithm, learn=partialmethod(self.noting_interrupts(algorithm.learn), **options)):
            super().learn(model)
        if not self.interrupted:
            self._record_outcome(model)

    def _draw_levels(self) -> None:
        evaluation = self._evaluation()
        if self.draw_levels is None or evaluation is None or self.tensorboard_log is None:
            return
        evaluation_of = self.env_name.gym_id, self.eval_env_kwargs
        self.draw_levels(Path(self.tensorboard_log), *evaluation_of, *evaluation.episodes(), self.n_timesteps)

    def save_trained_model(self, model: BaseAlgorithm) -> None:
        """
        Save the model and what belongs to it.

        :param model: The model
        :raises KeyboardInterrupt: its training was interrupted
        """
        super().save_trained_model(model)
        if self.interrupted:
            raise KeyboardInterrupt

    def _record_outcome(self, model: BaseAlgorithm) -> None:
        evaluation = self._evaluation()
        if evaluation is None or not writes_tensorboard(model):
            return
        if model.get_vec_normalize_env() is not None:
            # As at an evaluation, and as the agent will be found in the folder of the run.
            sync_envs_normalization(evaluation.training_env, evaluation.eval_env)
        agent = kept_agent(model, Path(self.save_path))
        results = evaluation.held_out(agent, self.held_out_episodes)
        run = {"algo": self.algo, "env": self.env_name.gym_id, "seed": self.seed}
        record_outcome(model, {**run, **self._saved_hyperparams}, results)
        if self.verbose > 0:
            print("On held-out episodes:", ", ".join(f"{name} {value:.2f}" for name, value in results.items()))


def _outermost(inner: Callable[[Any], Any] | None, env: Any) -> EpisodeState:
    """Wrap an environment by the config's wrapper, if there is one, and then by ours."""
    return EpisodeState(env if inner is None else inner(env))

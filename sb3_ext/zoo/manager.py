"""rl_zoo3's experiment manager, with checks before anything is written and masks where they belong."""

import copy
import glob
import shutil
from functools import partial, partialmethod
from pathlib import Path
from typing import Any

from rl_zoo3 import ALGOS, exp_manager
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from sb3_ext.common.saving import remove_left_behind
from sb3_ext.common.snapshots import set_last_observations
from sb3_ext.zoo.errors import UsageError
from sb3_ext.zoo.evaluation import DrawLevels, FindReference
from sb3_ext.zoo.failures import NewFolders
from sb3_ext.zoo.inputs.checks import check_hyperparameters, read_texts, why_unusable
from sb3_ext.zoo.inputs.continuing import (
    buffer_of,
    check_policy_kept,
    check_same_environment,
    load_buffer,
    tell_what_is_missing,
)
from sb3_ext.zoo.inputs.native import why_not_native
from sb3_ext.zoo.inputs.resuming import check_same_settings, copy_best, copy_monitors, load_state
from sb3_ext.zoo.managing.evaluations import EvaluationsManager
from sb3_ext.zoo.replacing import replaced
from sb3_ext.zoo.saved.plain import can_be_trained, train_on
from sb3_ext.zoo.search.spaces import merged

# Beside rl_zoo3's dummy and subproc: the environment's own vector_entry_point.
NATIVE = "native"


class ZooExperimentManager(EvaluationsManager):
    """
    rl_zoo3's ``ExperimentManager`` with these differences, and those of its bases: ``SearchingManager`` in a search,
    ``EnvironmentsManager`` where it makes environments, ``EvaluationsManager`` where it evaluates and logs:

    - hyperparameters and environment arguments are checked by name, type and range before any folder is made, and
      a training that fails before it has learned anything leaves none behind;
    - the environment's id and arguments are stored in the model, as ``model.env_spec``;
    - training continued from a model (``--trained-agent``) continues its count of steps, and with it exploration
      and schedules, where rl_zoo3 restarts them;
    - there, settings win over those in a saved replay buffer or normalisation, or are refused by name;
    - off-policy algorithms log every 4 episodes of each environment, where SB3 counts those of all together;
    - after Ctrl-C the model is saved, as in rl_zoo3, and then ``KeyboardInterrupt`` is raised;
    - what a killed training has left of files that it was saving is removed when the next one begins;
    - ``--resume CHECKPOINT`` goes on with an interrupted run as if it had not been interrupted, see
      ``ResumableCheckpoint``.

    :param args: Arguments of ``ExperimentManager``
    :param vec_env_type: "dummy", "subproc" or "native"
    :param find_reference: Finds what evaluations compare with
    :param draw_levels: Draws level lines of other policies into TensorBoard's folder
    :param held_out_episodes: Episodes of the evaluation at the end
    :param native_evaluation: Whether evaluations play on the environment's own vectorized form, where there is one and
        the config's wrappers have a form for it (``vector_form``), whatever trains. Its environment i must play after
        ``reset(seed=s)`` what a single one plays after ``reset(seed=s + i)``.
    :param kwargs: Keyword arguments of ``ExperimentManager``
    """

    custom_hyperparams: dict[str, Any] | None
    log_interval: int
    monitor_kwargs: dict[str, Any]
    trial_id: int | None

    def __init__(
        self,
        *args: Any,
        vec_env_type: str = "dummy",
        find_reference: FindReference | None = None,
        draw_levels: DrawLevels | None = None,
        held_out_episodes: int = 200,
        native_evaluation: bool = False,
        **kwargs: Any,
    ) -> None:
        self.native = vec_env_type == NATIVE
        self.find_reference = find_reference
        self.draw_levels = draw_levels
        self.held_out_episodes = held_out_episodes
        self.native_evaluation = native_evaluation
        self.interrupted = False
        # What a failure has to clean up, and to say.
        self._new: NewFolders | None = None
        self._model: BaseAlgorithm | None = None
        self._updates_before = 0
        self._doing = "set up"
        self._hyperparams_read = {}
        self._settings = {}
        self._resumed = None
        super().__init__(*args, vec_env_type="dummy" if self.native else vec_env_type, **kwargs)

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
        self.check_environments()
        self._new = NewFolders([Path(self.save_path)])
        super().create_log_folder()
        if self._resumed is not None:
            copy_best(self.trained_agent, self.env_name, Path(self.save_path))
            copy_monitors(self._resumed, self.trained_agent, Path(self.save_path))
            if any(Path(self.save_path).glob("*.monitor.csv")):
                self.monitor_kwargs = {**self.monitor_kwargs, "override_existing": False}

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
        self.merge_env_kwargs(hyperparams, saved, from_command_line)
        why_not = why_not_native(self.env_name.gym_id, hyperparams, self.eval_env_kwargs) if self.native else None
        if why_not is not None:
            raise UsageError(f"--vec-env native: {why_not}")
        self._hyperparams_read = dict(hyperparams)
        self.choose_n_eval_envs()
        run = {"algo": self.algo, "env": self.env_name.gym_id, "seed": self.seed}
        # A copy: rl_zoo3 writes into the settings of normalize.
        self._settings = copy.deepcopy({**saved, **run, "n_timesteps": int(hyperparams["n_timesteps"])})
        if getattr(self.args, "resume", None):
            self._resumed = load_state(self.trained_agent)
            check_same_settings(self._resumed, self._settings, self.trained_agent)
        return hyperparams, saved

    def _load_pretrained_agent(self, hyperparams: dict[str, Any], env: VecEnv) -> BaseAlgorithm:
        """Load the model to go on with, and its replay buffer, over whose settings those at hand win."""
        algorithm, path = ALGOS[self.algo], buffer_of(self.trained_agent)
        # rl_zoo3 would load the replay buffer of the end of the run.
        loading = {"load_replay_buffer": lambda *_, **__: None} if hasattr(algorithm, "load_replay_buffer") else {}
        if not can_be_trained(Path(self.trained_agent)):
            return self._train_on_exported(hyperparams, env)
        with replaced(algorithm, **loading):
            model: BaseAlgorithm = super()._load_pretrained_agent(hyperparams, env)
        if loading and path.is_file():
            print(f"Loading replay buffer {path}")
            check_same_environment(model, path, self.env_name.gym_id, self.env_kwargs)
            truncates = {"truncate_last_traj": self.truncate_last_trajectory and self._resumed is None}
            load_buffer(model, path, partial(model.load_replay_buffer, path, **truncates))  # type: ignore[attr-defined]
        tell_what_is_missing(model, self.trained_agent, bool(self.normalize))
        self._check_policy_kept(model)
        self._updates_before = getattr(model, "_n_updates", 0)
        if self._resumed is not None:
            set_last_observations(model, self._resumed["training"])
        return model

    def _train_on_exported(self, hyperparams: dict[str, Any], env: VecEnv) -> BaseAlgorithm:
        """A new model with the weights of an exported agent."""
        print(f"Training on from the weights of {self.trained_agent}")
        own = {name: value for name, value in hyperparams.items() if name not in ("policy", "policy_kwargs")}
        settings = {"seed": self.seed, "verbose": self.verbose, "device": self.device}
        model = train_on(Path(self.trained_agent), env=env, tensorboard_log=self.tensorboard_log, **settings, **own)
        self._check_policy_kept(model)
        return model

    def _check_policy_kept(self, model: BaseAlgorithm) -> None:
        """Refuse a network of the command line that is not the model's."""
        given = dict(self.custom_hyperparams or {})
        read_texts(given, self.args.allow_code, vars(exp_manager))
        check_policy_kept(model, given, self.trained_agent)

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
        self.will_draw_levels(model)
        algorithm = type(model)
        options: dict[str, Any] = {"tb_log_name": f"{self.algo}_seed_{self.seed}"}
        if self.continue_training:
            options["reset_num_timesteps"] = False
        # On the class and for a while: on the model it would be saved with it.
        with replaced(algorithm, learn=partialmethod(self.noting_interrupts(algorithm.learn), **options)):
            super().learn(model)
        if not self.interrupted:
            self.record_outcome(model)

    def save_trained_model(self, model: BaseAlgorithm) -> None:
        """
        Save the model and what belongs to it.

        :param model: The model
        :raises KeyboardInterrupt: its training was interrupted
        """
        super().save_trained_model(model)
        if self.interrupted:
            raise KeyboardInterrupt

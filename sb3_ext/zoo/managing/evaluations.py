"""The part of the experiment manager that evaluates and logs."""

from functools import partial
from pathlib import Path
from typing import Any

from rl_zoo3 import exp_manager
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import CheckpointCallback
from stable_baselines3.common.vec_env import sync_envs_normalization

from sb3_ext.callbacks import (
    ActionMaskStatistics,
    DivergenceCheck,
    EpisodeMetrics,
    EvaluationCharts,
    ResumableCheckpoint,
    Resume,
)
from sb3_ext.zoo.evaluation import DrawLevels, ZooEvalCallback
from sb3_ext.zoo.managing.environments import EnvironmentsManager
from sb3_ext.zoo.outcome import kept_agent, record_outcome, writes_tensorboard
from sb3_ext.zoo.replacing import replaced


class EvaluationsManager(EnvironmentsManager):
    """
    rl_zoo3's ``ExperimentManager`` with these differences where it evaluates and logs:

    - every training logs the environment's own metrics of an episode, see ``EpisodeMetrics``, and, where there
      are masks, how many actions they leave feasible, see ``ActionMaskStatistics``;
    - a loss or a reward of nan or infinity ends the training, see ``DivergenceCheck``;
    - evaluations compare with a reference policy where there is one, see ``ZooEvalCallback``, and the first one draws
      the level lines of other policies;
    - a training that is evaluated and logged to TensorBoard ends with an evaluation of its best model on held-out
      episodes, which stands beside the hyperparameters in the tab HPARAMS;
    - checkpoints have their own normalisation statistics beside them and, with ``save_replay_buffer``, their own
      replay buffer, which a training that continues from them takes, and not those of the end of the run;
    - a run of a checkpoint's can go on, see ``ResumableCheckpoint``.
    """

    draw_levels: DrawLevels | None
    held_out_episodes: int
    # Of the run, as a checkpoint keeps them, and what a checkpoint kept of the run that is resumed.
    _settings: dict[str, Any]
    _resumed: dict[str, Any] | None
    _saved_hyperparams: dict[str, Any]

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
        evaluation = self.evaluation()
        if evaluation is not None:
            if self.find_reference is not None:
                evaluation.reference = self.find_reference(self.env_name.gym_id, self.eval_env_kwargs)
            self.callbacks.append(EvaluationCharts(evaluation.reference and evaluation.reference.difference))
        # After all others, which have done their part of a step by then.
        self.callbacks.sort(key=lambda callback: isinstance(callback, ResumableCheckpoint))
        for callback in self.callbacks:
            if isinstance(callback, ResumableCheckpoint):
                callback.companions = tuple(self.callbacks)
        if self._resumed is not None:
            self.callbacks.append(Resume(self._resumed, self.callbacks))

    def evaluation(self) -> ZooEvalCallback | None:
        """The callback that evaluates, if any does."""
        return next((callback for callback in self.callbacks if isinstance(callback, ZooEvalCallback)), None)

    def will_draw_levels(self, model: BaseAlgorithm) -> None:
        """
        Have the level lines drawn with the first evaluation, up to the end of the training.

        :param model: The model, about to be trained
        """
        evaluation = self.evaluation()
        if self.draw_levels is None or evaluation is None or self.tensorboard_log is None:
            return
        folder, env = Path(self.tensorboard_log), (self.env_name.gym_id, self.eval_env_kwargs)
        end = self.n_timesteps + (model.num_timesteps if self.continue_training else 0)
        evaluation.after_first = partial(self.draw_levels, folder, *env, *evaluation.episodes(), end)

    def record_outcome(self, model: BaseAlgorithm) -> None:
        """
        Evaluate what a run has led to on held-out episodes, and record it, where TensorBoard is to show it.

        :param model: The model, trained
        """
        evaluation = self.evaluation()
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

"""The part of the experiment manager that searches for hyperparameters."""

import contextlib
import copy
import functools
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import optuna
from rl_zoo3 import exp_manager
from rl_zoo3.exp_manager import ExperimentManager
from rl_zoo3.hyperparams_opt import HYPERPARAMS_CONVERTER, HYPERPARAMS_SAMPLER

from sb3_ext.zoo.errors import UsageError, first_line
from sb3_ext.zoo.evaluation import FindReference, Reference
from sb3_ext.zoo.failures import tells_of_nan
from sb3_ext.zoo.replacing import replaced
from sb3_ext.zoo.search.spaces import merged
from sb3_ext.zoo.search.storage import creating_living
from sb3_ext.zoo.search.trials import ZooTrialEvalCallback


class SearchingManager(ExperimentManager):  # type: ignore[misc]  # rl_zoo3 is untyped
    """
    rl_zoo3's ``ExperimentManager`` with these differences in a search (``--optimize``):

    - samplers know the config's hyperparameters, and what they sample is merged with ``policy_kwargs`` and keeps the
      shape of a rate's schedule, where rl_zoo3 replaces both;
    - rewards are normalised with the trial's discount factor;
    - trials are compared with the reference on common episodes, see ``ZooTrialEvalCallback``;
    - a trial whose process was killed is run again by another process on the same study;
    - a loss or a reward of nan or infinity prunes a trial, and any other error ends the search, where rl_zoo3 would
      count the trial as pruned and so hide, for instance, that infeasible actions are taken.
    """

    find_reference: FindReference | None
    interrupted: bool
    # Of a copy that runs a trial.
    trial: optuna.Trial | None = None

    def noting_interrupts(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, which notes Ctrl-C; rl_zoo3 passes over it in silence."""

        @functools.wraps(function)
        def noting(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except KeyboardInterrupt:
                self.interrupted = True
                raise

        return noting

    def load_sampled(self) -> dict[str, Any] | None:
        """
        The hyperparameters of the trial that ``--trial-id`` names.

        :return: as sampled; ``None`` without a trial
        :raises UsageError: there is no such trial
        """
        number = self.trial_id
        if number is None:
            return None
        try:
            sampled: dict[str, Any] = self.load_trial(str(self.storage), str(self.study_name), number)
        except IndexError as error:
            raise UsageError(f"--trial-id: the study {self.study_name} has no trial {number}.") from error
        except Exception as error:  # of Optuna or of its database
            raise UsageError(f"--trial-id: trial {number} cannot be read: {first_line(error)}") from error
        return sampled

    def objective(self, trial: optuna.Trial) -> float:
        """
        Train and evaluate with sampled hyperparameters.

        :param trial: Optuna trial
        :return: its last evaluation: the mean difference to the reference, else the mean reward
        """
        # A copy, since trials may run in threads.
        runner = copy.copy(self)
        runner.trial = trial
        try:
            return float(self.noting_interrupts(partial(ExperimentManager.objective, runner))(trial))
        except optuna.exceptions.TrialPruned as pruned:
            cause = pruned.__cause__
            # Without a cause it is the pruner's doing.
            if cause is None or tells_of_nan(cause):
                raise
            raise cause from None
        except RuntimeError as error:
            # PyTorch's words for nan, where rl_zoo3 looks for two other kinds of errors.
            if tells_of_nan(error):
                raise optuna.exceptions.TrialPruned from error
            raise
        except ValueError as error:
            if "dynamic value space" in str(error):
                raise UsageError(
                    f"The study {self.study_name} was made with another search space: give a new --study-name."
                ) from error
            raise

    def trials_normalize_kwargs(self) -> dict[str, Any]:
        """Arguments of ``VecNormalize``; in a trial with its own discount factor, as training takes the config's."""
        if self.trial is None:
            return dict(self.normalize_kwargs)
        gamma = HYPERPARAMS_CONVERTER[self.algo](self.trial.params).get("gamma")
        return {**self.normalize_kwargs, **({} if gamma is None else {"gamma": gamma})}

    def _sample(
        self, trial: optuna.Trial, n_actions: int, n_envs: int, additional_args: Mapping[str, Any]
    ) -> dict[str, Any]:
        more = {"hyperparams": self._hyperparams, "n_timesteps": self.n_timesteps}
        sampled = HYPERPARAMS_SAMPLER[self.algo](trial, n_actions, n_envs, {**additional_args, **more})
        return merged(self._hyperparams, sampled)

    def hyperparameters_optimization(self) -> None:
        """Search for hyperparameters and write the report; after Ctrl-C that of the trials until then."""
        if self.algo not in HYPERPARAMS_SAMPLER:
            raise UsageError(f"--optimize-hyperparameters: there is no search space for {self.algo}.")
        make_evaluation = partial(_evaluation_of_trial, self._common_reference())
        try:
            journal = self.storage if self.storage is not None and self.storage.endswith(".log") else None
            with (
                replaced(exp_manager, HYPERPARAMS_SAMPLER={self.algo: self._sample}, TrialEvalCallback=make_evaluation),
                replaced(optuna, create_study=creating_living(journal)),
                _without_experimental_warnings(),
            ):
                super().hyperparameters_optimization()
        except ValueError as error:
            # Optuna's words when a study has no best trial; any other error is what it is.
            if "No trials are completed" not in str(error):
                raise
            if not self.interrupted:
                raise UsageError("No trial was completed, so there is no best one: allow more trials.") from error
        if self.interrupted:
            raise KeyboardInterrupt

    def _common_reference(self) -> Reference | None:
        """The reference, which plays the episodes of the evaluations once for all trials."""
        find = self.find_reference
        reference = None if find is None else find(self.env_name.gym_id, self.eval_env_kwargs)
        if reference is None:
            return None
        play = functools.cache(lambda seeds, episodes: reference.rewards(seeds, episodes))
        return reference._replace(rewards=lambda seeds, episodes: play(tuple(seeds), tuple(episodes)))


@contextlib.contextmanager
def _without_experimental_warnings() -> Iterator[None]:
    # Optuna says of its signs of life that they are experimental, each time.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield


def _evaluation_of_trial(reference: Reference | None, *args: Any, **kwargs: Any) -> ZooTrialEvalCallback:
    evaluation = ZooTrialEvalCallback(*args, **kwargs)
    evaluation.reference = reference
    return evaluation

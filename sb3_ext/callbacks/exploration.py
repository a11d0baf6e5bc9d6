"""Exploration restarted in the middle of a training."""

from collections.abc import Callable
from typing import Any

from sb3_ext.callbacks.state import StatefulCallback


class RestartedSchedule:
    """
    A schedule that began again in the middle of a training, over what remained of it.

    :param schedule: Epsilon by the progress remaining, from 1 to 0
    :param since: Progress remaining when it began again, above 0
    """

    def __init__(self, schedule: Callable[[float], float], since: float) -> None:
        self.schedule = schedule
        self.since = since

    def __call__(self, progress_remaining: float) -> float:
        """Epsilon; see SB3's schedules."""
        return self.schedule(min(progress_remaining / self.since, 1.0))


class EpsilonReset(StatefulCallback):
    """
    Restarts the exploration of a model once, after a number of episodes: epsilon is set back to its initial value, and
    falls again over the same fraction of what remains of the training. A model with a method
    ``restart_exploration()`` does it itself; that of SB3's DQN and sb3-contrib's QRDQN is given another
    ``exploration_schedule``.

    Setting ``model.exploration_rate`` would do nothing, since SB3 recomputes it at every step. Whether it
    was done is kept in the model (see :class:`~sb3_ext.callbacks.state.StatefulCallback`): a training that
    continues does not do it again, and goes on with the exploration that was restarted.

    :param episode: Number of finished episodes, over all environments, at which to restart
    :param verbose: Verbosity level: 0 for no output, 1 for a line at the reset
    """

    def __init__(self, episode: int = 20_000, verbose: int = 0) -> None:
        super().__init__(verbose)
        if episode < 0:
            raise ValueError(f"EpsilonReset: episode must be at least 0, not {episode}.")
        self.episode = episode

    def initial_state(self) -> dict[str, Any]:
        """No episode is finished, no reset was done."""
        return {"episodes": 0, "resets": 0}

    def _init_callback(self) -> None:
        super()._init_callback()
        if not self._restarts_itself() and not callable(getattr(self.model, "exploration_schedule", None)):
            raise TypeError(
                "EpsilonReset needs a model that explores by epsilon, such as MaskableDQN or DQN, "
                f"and {type(self.model).__name__} has neither restart_exploration() nor an exploration_schedule."
            )

    def _restarts_itself(self) -> bool:
        return callable(getattr(self.model, "restart_exploration", None))

    def _on_training_start(self) -> None:
        if self._restarts_itself():
            return
        model: Any = self.model
        schedule = model.exploration_schedule
        model.exploration_schedule = schedule.schedule if isinstance(schedule, RestartedSchedule) else schedule
        # SB3 makes a new schedule for a loaded model. A training that starts anew has all of its progress before it.
        since = self.state.get("progress_remaining")
        if since is not None and model.num_timesteps > 0:
            model.exploration_schedule = RestartedSchedule(model.exploration_schedule, since)

    def _restart(self) -> None:
        model: Any = self.model
        if self._restarts_itself():
            model.restart_exploration()
            return
        # As SB3 computes it once the callbacks have been called.
        since = 1.0 - model.num_timesteps / model._total_timesteps
        if since > 0.0:
            self.state["progress_remaining"] = since
            model.exploration_schedule = RestartedSchedule(model.exploration_schedule, since)

    def _on_step(self) -> bool:
        self.state["episodes"] += self.episodes_just_finished()
        if self.state["resets"] == 0 and self.state["episodes"] >= self.episode:
            self._restart()
            self.state["resets"] = 1
            if self.verbose > 0:
                print(f"Exploration restarted after {self.state['episodes']} episodes")
        return True

"""A curriculum over finished episodes: an environment parameter that moves from one value to another."""

from typing import Any

from sb3_ext.callbacks.state import StatefulCallback


class AbsenceRateCurriculum(StatefulCallback):
    """
    Sets a rate of the environment by the number of the day (episode): ``start`` for ``hold`` days, then
    linearly to ``end`` over ``anneal`` days, then ``end``.

    The environment is told by a method call through ``VecEnv.env_method``, which looks through wrappers, and
    must apply the rate from its next reset on: a day never changes under way. A VecEnv resets an environment
    inside the step that ends its day, before any callback runs, so the rate told is always that of the *next*
    day to start; the first day of each environment, which began before the first callback, runs at the
    environment's own rate. With several environments the days of all of them are counted together.

    Evaluation environments are left alone. The count of days is kept in the model (see
    :class:`~sb3_ext.callbacks.state.StatefulCallback`): a continued training goes on with the curriculum.

    :param start: Rate of the first ``hold`` days, in [0, 1]
    :param end: Rate of the last days, in [0, 1]
    :param hold: Days at ``start``
    :param anneal: Days over which the rate moves linearly
    :param method: Name of the environment's method that takes the rate
    :param verbose: Verbosity level: 0 for no output, 1 for a line at each change
    """

    def __init__(
        self,
        start: float = 0.8,
        end: float = 0.1,
        hold: int = 10_000,
        anneal: int = 10_000,
        method: str = "set_absence_rate",
        verbose: int = 0,
    ) -> None:
        super().__init__(verbose)
        for name, rate in (("start", start), ("end", end)):
            if not 0.0 <= rate <= 1.0:
                raise ValueError(f"AbsenceRateCurriculum: {name} must be in [0, 1], not {rate}.")
        for name, days in (("hold", hold), ("anneal", anneal)):
            if days < 0:
                raise ValueError(f"AbsenceRateCurriculum: {name} must be at least 0 days, not {days}.")
        self.start = start
        self.end = end
        self.hold = hold
        self.anneal = anneal
        self.method = method
        self._rate_told: float | None = None

    def initial_state(self) -> dict[str, Any]:
        """No day is finished."""
        return {"days": 0}

    def rate(self, day: int) -> float:
        """
        The rate of one day of the curriculum.

        :param day: Number of the day, from 0
        :return: the rate of that day
        """
        if day < self.hold:
            return self.start
        if day >= self.hold + self.anneal:
            return self.end
        return self.start + (self.end - self.start) * (day - self.hold) / self.anneal

    def _init_callback(self) -> None:
        super()._init_callback()
        # Asked first: without the method a subprocess would die with it, and leave a bare EOFError.
        if not self.training_env.has_attr(self.method):
            raise TypeError(
                f"AbsenceRateCurriculum needs an environment with a method {self.method}(rate), "
                "and the training environment has none."
            )

    def _on_training_start(self) -> None:
        # A new training may have new environments, which know no rate yet.
        self._rate_told = None
        self._tell_environments()

    def _on_step(self) -> bool:
        finished = self.episodes_just_finished()
        if finished:
            self.state["days"] += finished
            self._tell_environments()
        return True

    def _tell_environments(self) -> None:
        days_running = self.training_env.num_envs
        rate = self.rate(self.state["days"] + days_running)
        self.logger.record("curriculum/absence_rate", self.rate(self.state["days"]))
        if rate == self._rate_told:
            return
        self.training_env.env_method(self.method, rate)
        self._rate_told = rate
        if self.verbose > 0:
            print(f"Day {self.state['days']}: absence rate {rate:.4f} from the next day on")

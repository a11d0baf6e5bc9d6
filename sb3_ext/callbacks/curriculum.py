"""Curricula over finished episodes: an environment parameter that moves from one value to another."""

from typing import Any

from sb3_ext.callbacks.state import StatefulCallback, begin_episodes_anew


class ParameterCurriculum(StatefulCallback):
    """
    Sets a parameter of the environment by the number of the episode: ``start`` for ``hold`` episodes, then linearly
    to ``end`` over ``anneal`` episodes, then ``end``.

    The environment receives the value by a method call through ``VecEnv.env_method``, which looks through wrappers, and
    must apply it from its next reset on: it never changes within an episode. A VecEnv resets an environment
    inside the step that ends its episode, before any callback runs, so the value is always that of the *next*
    episode to start. SB3 resets all environments before any callback as well, at their own value: when a training
    begins (``num_timesteps`` is 0) they are therefore reset once more, at the value of the first episode. A training
    that goes on is not disturbed. With several environments their episodes are counted together.

    Evaluation environments are left alone. The count of episodes is kept in the model (see
    :class:`~sb3_ext.callbacks.state.StatefulCallback`): a continued training continues the curriculum.

    :param method: Name of the environment's method that takes the value; without a leading ``set_`` it is the name of
        the parameter in the log and in messages
    :param start: Value in the first ``hold`` episodes
    :param end: Value in the last episodes
    :param hold: Episodes at ``start``
    :param anneal: Episodes over which the value moves linearly
    :param limits: Smallest and largest value allowed, or None for any
    :param verbose: Verbosity level: 0 for no output, 1 for a line at each change
    :raises ValueError: a value lies outside of the limits, or a number of episodes is negative
    """

    def __init__(
        self,
        method: str,
        start: float,
        end: float,
        hold: int,
        anneal: int,
        limits: tuple[float, float] | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(verbose)
        own = type(self).__name__
        self.parameter = method.removeprefix("set_")
        # So that curricula of several parameters can be used together.
        self.state_name = f"{own}({method})"
        for name, value in (("start", start), ("end", end)):
            if limits is not None and not limits[0] <= value <= limits[1]:
                raise ValueError(f"{own}: {name} must be in [{limits[0]:g}, {limits[1]:g}], not {value}.")
        for name, episodes in (("hold", hold), ("anneal", anneal)):
            if episodes < 0:
                raise ValueError(f"{own}: {name} must be at least 0 episodes, not {episodes}.")
        self.method = method
        self.start = start
        self.end = end
        self.hold = hold
        self.anneal = anneal
        self._value_set: float | None = None

    def initial_state(self) -> dict[str, Any]:
        """No episode is finished."""
        return {"episodes": 0}

    def value(self, episode: int) -> float:
        """
        The parameter in one episode of the curriculum.

        :param episode: Number of the episode, from 0
        :return: its value
        """
        if episode < self.hold:
            return self.start
        if episode >= self.hold + self.anneal:
            return self.end
        return self.start + (self.end - self.start) * (episode - self.hold) / self.anneal

    def _init_callback(self) -> None:
        super()._init_callback()
        # Checked first: without the method a subprocess would crash and leave a bare EOFError.
        if not self.training_env.has_attr(self.method):
            raise TypeError(
                f"{type(self).__name__} needs an environment with a method {self.method}(value), "
                "and the training environment has none."
            )
        if self.model.num_timesteps == 0:
            # Here, where an algorithm that watches for resets by others does not watch yet.
            self.training_env.env_method(self.method, self.value(self.state["episodes"]))
            begin_episodes_anew(self.model)

    def _on_training_start(self) -> None:
        # A new training may have new environments, which have not received a value yet.
        self._value_set = None
        self._set_value()

    def _on_step(self) -> bool:
        finished = self.episodes_just_finished()
        if finished:
            self.state["episodes"] += finished
            self._set_value()
        return True

    def _set_value(self) -> None:
        finished, running = self.state["episodes"], self.training_env.num_envs
        value = self.value(finished + running)
        self.logger.record(f"curriculum/{self.parameter}", self.value(finished))
        if value == self._value_set:
            return
        self.training_env.env_method(self.method, value)
        self._value_set = value
        if self.verbose > 0:
            print(f"Episode {finished}: {self.parameter.replace('_', ' ')} {value:.4f} from the next episode on")


class AbsenceRateCurriculum(ParameterCurriculum):
    """A :class:`ParameterCurriculum` of ``set_absence_rate``, under the name and with the defaults that configs use."""

    def __init__(
        self,
        start: float = 0.8,
        end: float = 0.1,
        hold: int = 10_000,
        anneal: int = 10_000,
        method: str = "set_absence_rate",
        verbose: int = 0,
    ) -> None:
        super().__init__(method, start, end, hold, anneal, limits=(0.0, 1.0), verbose=verbose)
        self.parameter, self.state_name = "absence_rate", "AbsenceRateCurriculum"

    def _init_state(self) -> None:
        super()._init_state()
        # Models saved by earlier versions count episodes under another name.
        self.state["episodes"] = self.state.get("episodes", 0) + self.state.pop("days", 0)

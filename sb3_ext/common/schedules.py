"""Exploration schedules: epsilon as a function of the steps since exploration (re)started."""

from dataclasses import dataclass
from typing import Protocol


def _check_probability(owner: object, name: str, value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{type(owner).__name__}: {name} must be in [0, 1], not {value}.")


class ExplorationSchedule(Protocol):
    """A picklable function that gives epsilon for a step."""

    def __call__(self, steps: int, horizon: int) -> float:
        """
        Epsilon at one step.

        :param steps: Environment steps since exploration (re)started, at least 0
        :param horizon: Remaining steps of the training when exploration (re)started
        :return: probability of a random action, in [0, 1]
        """


@dataclass(frozen=True)
class LinearExploration:
    """
    SB3's schedule: linear from ``initial`` to ``final`` over the first ``fraction`` of the training.

    :param initial: Epsilon at the start
    :param final: Epsilon once the fraction is over
    :param fraction: Part of the training over which epsilon falls, in [0, 1]
    """

    initial: float = 1.0
    final: float = 0.05
    fraction: float = 0.1

    def __post_init__(self) -> None:
        for name in ("initial", "final", "fraction"):
            _check_probability(self, name, getattr(self, name))

    def __call__(self, steps: int, horizon: int) -> float:
        """See :meth:`ExplorationSchedule.__call__`."""
        decay_steps = self.fraction * horizon
        if steps >= decay_steps:
            return self.final
        return self.initial + (self.final - self.initial) * steps / decay_steps


@dataclass(frozen=True)
class MultiplicativeExploration:
    """
    The paper's schedule (A.4.4): epsilon is multiplied by ``factor`` every ``every`` steps and never falls
    below ``final``. It does not depend on how long the training is.

    :param initial: Epsilon at the start
    :param final: Floor of epsilon, at most ``initial``
    :param factor: What epsilon is multiplied by, in (0, 1]
    :param every: Environment steps between two multiplications
    """

    initial: float = 1.0
    final: float = 0.1
    factor: float = 0.99999
    every: int = 4

    def __post_init__(self) -> None:
        for name in ("initial", "final"):
            _check_probability(self, name, getattr(self, name))
        if self.final > self.initial:
            raise ValueError(
                f"MultiplicativeExploration: final must be at most initial ({self.initial}), not {self.final}."
            )
        if not 0.0 < self.factor <= 1.0:
            raise ValueError(f"MultiplicativeExploration: factor must be in (0, 1], not {self.factor}.")
        if self.every < 1:
            raise ValueError(f"MultiplicativeExploration: every must be at least 1 step, not {self.every}.")

    def __call__(self, steps: int, horizon: int = 0) -> float:
        """See :meth:`ExplorationSchedule.__call__`; ``horizon`` does not matter."""
        return max(self.final, self.initial * self.factor ** (steps // self.every))


def exploration_schedule(
    initial: float, final: float, fraction: float, decay: float | None = None, decay_every: int = 4
) -> ExplorationSchedule:
    """
    The schedule described by plain numbers, such as those of a YAML file.

    :param initial: Epsilon at the start
    :param final: Epsilon at the end
    :param fraction: Part of the training over which epsilon falls linearly
    :param decay: If given, epsilon is multiplied by it instead
    :param decay_every: Environment steps between two multiplications
    :return: the schedule
    """
    if decay is None:
        return LinearExploration(initial, final, fraction)
    return MultiplicativeExploration(initial, final, decay, decay_every)


class ExplorationClock:
    """Keeps when exploration (re)started, and gives the current epsilon. It is saved with the model."""

    #: Epsilon by the steps since then.
    schedule: ExplorationSchedule

    def __init__(self) -> None:
        self.start: int | None = None
        self.horizon = 0

    def restart(self, now: int, end: int) -> None:
        """
        Let the schedule begin at this step, or in the next training if this one is over.

        :param now: Environment steps so far
        :param end: Environment steps at the end of the training
        """
        self.start = now if now < end else None
        self.horizon = end - now

    def rate(self, now: int) -> float:
        """
        Epsilon.

        :param now: Environment steps so far
        :return: in [0, 1]
        """
        if self.start is None:
            # The next training has an unknown length: the initial value.
            return self.schedule(0, 1)
        return self.schedule(now - self.start, self.horizon)

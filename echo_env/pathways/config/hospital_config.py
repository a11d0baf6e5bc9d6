"""The description of a hospital in which patients follow pathways: who needs what, how health moves, how long.

Every number that an episode depends on is here. The dataclasses are frozen and check themselves;
:meth:`PathwaysConfig.load` reads a preset or a YAML file into them. Time is counted in steps, as in the paper:
Hosseini, Hoey and Cohen, *Multi-agent patient scheduling through auctioned decentralized MDPs*. Numbers that it
leaves open (priors, horizon, levels of health) are marked as ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from echo_env.common.config_file import ConfigError, build, check_number, read_layers, replaced
from echo_env.pathways.config.pathway import MOST_NEEDS, Order, check_order, predecessor_masks

__all__ = ["Changes", "ConfigError", "Learning", "PathwaysConfig", "Prior"]

PACKAGE = "echo_env.pathways"

SHAPES = ("linear", "partial", "unordered")
"""Kinds of pathway by name; or predecessor lists, see :class:`PathwaysConfig`."""

REWARDS = ("success", "completion")
"""What a patient's Markov decision process is rewarded for: see ``pathways.instance.model.state_rewards``."""


@dataclass(frozen=True)
class Prior:
    """How the health dynamics of a condition are drawn (section 5: Dirichlet and Beta priors; the numbers are ours).

    The probabilities that health goes down, stays and goes up are one draw from a Dirichlet distribution for each
    condition, level of health, and task held (or none).

    :param concentration: of the Dirichlet distributions: how close draws are to the means
    :param waiting_mean: mean (down, stay, up) while nothing is held, for a condition of severity 1; down is
        multiplied by the severity, and stay is what remains
    :param holding_mean: mean (down, stay, up) while a resource is held
    :param severity_shape: both shapes of the Beta distribution from which a severity is drawn, once a condition;
        twice that draw, so that severities have the mean 1 and are below 2
    """

    concentration: float = 4.0
    waiting_mean: tuple[float, float, float] = (0.30, 0.65, 0.05)
    holding_mean: tuple[float, float, float] = (0.05, 0.50, 0.45)
    severity_shape: float = 1.5

    def __post_init__(self) -> None:
        check_number("prior.concentration", self.concentration, 1e-6)
        check_number("prior.severity_shape", self.severity_shape, 1e-6)
        for name in ("waiting_mean", "holding_mean"):
            mean = _sequence(f"prior.{name}", getattr(self, name), 3, "three probabilities: down, stay, up")
            for probability in mean:
                check_number(f"prior.{name}", probability, 0, 1)
            if not math.isclose(sum(mean), 1, abs_tol=1e-9):
                raise ConfigError(f"prior.{name} is {list(mean)}, which sums to {sum(mean):g}, but must sum to 1")
            object.__setattr__(self, name, mean)
        if 2 * self.waiting_mean[0] + self.waiting_mean[2] > 1:
            raise ConfigError(
                f"prior.waiting_mean is {list(self.waiting_mean)}, but twice its first entry plus its last must be "
                "at most 1, because severities reach 2"
            )


@dataclass(frozen=True)
class Changes:
    """Pathways that change while they are followed (section 6 asks for it; none do in the paper's experiments).

    Each happens to a patient at most once, at a step drawn evenly from those after the arrival; not both.

    :param appear_rate: probability that a further need appears
    :param disappear_rate: probability that a need disappears, with its place in the order
    """

    appear_rate: float = 0.0
    disappear_rate: float = 0.0

    def __post_init__(self) -> None:
        check_number("changes.appear_rate", self.appear_rate, 0, 1)
        check_number("changes.disappear_rate", self.disappear_rate, 0, 1 - self.appear_rate)


@dataclass(frozen=True)
class Learning:
    """How patients learn their chance of winning: see :mod:`echo_env.pathways.compiled.learning` (ours).

    :param rounds: rounds of fictitious play
    :param episodes: auctions over the whole horizon that are simulated in each round
    :param step: how far the chances move towards what was seen, from 0 to 1
    """

    rounds: int = 5
    episodes: int = 30
    step: float = 0.5

    def __post_init__(self) -> None:
        check_number("learning.rounds", self.rounds, 0, whole=True)
        check_number("learning.episodes", self.episodes, 1, whole=True)
        check_number("learning.step", self.step, 0, 1)


@dataclass(frozen=True)
class PathwaysConfig:
    """One hospital. The defaults are the paper's where it says something.

    >>> PathwaysConfig.load("baseline").replace(patients=6, learning__rounds=3).patients
    6

    :param name: what to call it
    :param patients: N, how many there are
    :param max_patients: largest N that anything sized for it (an observation, a network) is to take
    :param resources: R, how many kinds of resource there are
    :param units: how many of each; one number for all, or one for each resource
    :param needs: K, how many resources each patient needs, all different
    :param health_levels: H; health is 0 to H-1, success Phi(h) = h / (H - 1) (ours: 5)
    :param horizon: T, steps of an episode (ours: 30)
    :param gamma: discount of the patients' decision processes (section 3.1: 1); utility is never discounted
    :param reward: ``success``, Phi(h) at each step, or ``completion``, the paper's H_max - H(t) on finishing. Under
        the second, who bids regret profits from waiting until sicker, and utility falls
    :param lethal: whether health 0 is death, or can be recovered from
    :param conditions: fewest and most conditions of an instance (section 5: 3 to 4)
    :param pathway: ``linear``; ``unordered``; ``partial``, each pair ordered with ``precedence_probability``; or for
        each need the needs that come before it, as ``[[], [0], [0], [1, 2]]``
    :param precedence_probability: of ``partial`` pathways
    :param initial_health: lowest and highest level at arrival, drawn evenly
    :param durations: shortest and longest task, steps, drawn evenly for each need of a condition; a holder keeps its
        unit (section 4: all 1)
    :param last_arrival: patients arrive at steps drawn evenly from 0 to this one (section 4: all at 0)
    """

    name: str = "pathways"
    patients: int = 20
    max_patients: int = 20
    resources: int = 4
    units: int | tuple[int, ...] = 1
    needs: int = 4
    health_levels: int = 5
    horizon: int = 30
    gamma: float = 1.0
    reward: str = "success"
    lethal: bool = False
    conditions: tuple[int, int] = (3, 4)
    pathway: str | Order = "linear"
    precedence_probability: float = 0.5
    initial_health: tuple[int, int] = (1, 3)
    durations: tuple[int, int] = (1, 1)
    last_arrival: int = 0
    prior: Prior = field(default_factory=Prior)
    changes: Changes = field(default_factory=Changes)
    learning: Learning = field(default_factory=Learning)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ConfigError(f"name is {self.name!r}, but must be a word or two")
        self._check_sizes()
        self._check_pathway()
        check_number("gamma", self.gamma, 0, 1)
        if self.reward not in REWARDS:
            raise ConfigError(f"reward is {self.reward!r}, but must be one of {', '.join(REWARDS)}")
        if not isinstance(self.lethal, bool):
            raise ConfigError(f"lethal is {self.lethal!r}, but must be true or false")
        check_number("last_arrival", self.last_arrival, 0, self.horizon - 1, whole=True)
        self._check_range("conditions", 1, 99)
        self._check_range("initial_health", 0, self.health_levels - 1)
        self._check_range("durations", 1, self.horizon)

    def _check_sizes(self) -> None:
        check_number("max_patients", self.max_patients, 1, 9999, whole=True)
        check_number("patients", self.patients, 1, whole=True)
        if self.patients > self.max_patients:
            raise ConfigError(
                f"patients is {self.patients}, but must be at most {self.max_patients}, which is max_patients"
            )
        check_number("resources", self.resources, 1, 999, whole=True)
        check_number("health_levels", self.health_levels, 2, 99, whole=True)
        check_number("horizon", self.horizon, 1, 9999, whole=True)
        if isinstance(self.units, (list, tuple)):
            object.__setattr__(self, "units", _sequence("units", self.units, self.resources, "one for each resource"))
        for units in self.units_of:
            check_number("units", units, 1, 9999, whole=True)

    def _check_pathway(self) -> None:
        check_number("needs", self.needs, 1, MOST_NEEDS, whole=True)
        if self.needs > self.resources:
            raise ConfigError(
                f"needs is {self.needs}, but must be at most {self.resources}, which is resources: "
                "the resources that a patient needs are all different"
            )
        check_number("precedence_probability", self.precedence_probability, 0, 1)
        if isinstance(self.pathway, str):
            if self.pathway not in SHAPES:
                raise ConfigError(
                    f"pathway is {self.pathway!r}, but must be one of {', '.join(SHAPES)}, or a list of predecessors "
                    "for each need"
                )
            return
        object.__setattr__(self, "pathway", check_order("pathway", self.pathway, self.needs))
        predecessor_masks("pathway", self.pathway)

    def _check_range(self, name: str, low: int, high: int) -> None:
        ends = _sequence(name, getattr(self, name), 2, "the lowest and the highest")
        check_number(name, ends[0], low, high, whole=True)
        check_number(name, ends[1], ends[0], high, whole=True)
        object.__setattr__(self, name, ends)

    @property
    def units_of(self) -> tuple[int, ...]:
        """(R,) units of each resource."""
        return self.units if isinstance(self.units, tuple) else (self.units,) * self.resources

    @classmethod
    def load(cls, source: PathwaysConfig | str | Path) -> PathwaysConfig:
        """Read a hospital.

        :param source: a preset's name (``baseline``), the path of a YAML file, or a config, returned as it is
        :raises ConfigError: names the field, its value and what is allowed
        """
        if isinstance(source, PathwaysConfig):
            return source
        return build(cls, read_layers(PACKAGE, source))

    def replace(self, **changes: Any) -> PathwaysConfig:
        """A copy with fields changed by their path, a double underscore for the dot.

        :raises ConfigError: no such field, or a value that is not allowed
        """
        return replaced(self, "pathways", changes)


def _sequence(name: str, value: Any, length: int, meaning: str) -> tuple[Any, ...]:
    """A list of so many entries, as a tuple.

    :raises ConfigError: it is none
    """
    if not isinstance(value, (list, tuple)) or len(value) != length:
        raise ConfigError(f"{name} is {value!r}, but must be a list of {length} entries: {meaning}")
    return tuple(value)

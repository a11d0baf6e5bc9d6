"""The description of a hospital in which patients follow pathways: who needs what, how health moves, how long.

Every number that an episode depends on has a name here; the numbers themselves are in the presets. The sections are
frozen and check themselves; :meth:`PathwaysConfig.load` reads a preset or a YAML file into them. Time is counted in
steps, as in the paper: Hosseini, Hoey and Cohen, *Multi-agent patient scheduling through auctioned decentralized
MDPs*. Numbers that it leaves open (priors, horizon, levels of health) are marked as ours.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator

from echo_env.common import config_file
from echo_env.common.config_model import (
    SLACK,
    ConfigError,
    Name,
    Positive,
    Probability,
    check_number,
    check_sum,
    replaced,
    section,
)
from echo_env.pathways.config.pathway import MOST_NEEDS, check_order, predecessor_masks

__all__ = ["Changes", "ConfigError", "Learning", "PathwaysConfig", "Prior", "preset_names"]

PACKAGE = "echo_env.pathways"

Shape = Literal["linear", "partial", "unordered"]
"""Kinds of pathway by name; or predecessor lists, see :class:`PathwaysConfig`."""

Reward = Literal["success", "completion"]
"""What a patient's Markov decision process is rewarded for: see ``pathways.instance.model.state_rewards``."""

Count = Annotated[int, Field(strict=True, ge=0, le=9999)]
AtLeastOne = Annotated[int, Field(strict=True, ge=1, le=9999)]
Health = Annotated[int, Field(strict=True, ge=0, le=98)]
Conditions = Annotated[int, Field(strict=True, ge=1, le=99)]
Need = Annotated[int, Field(strict=True, ge=0, le=MOST_NEEDS - 1)]
A_RANGE = Field(json_schema_extra={"x-allowed": "a list of 2 entries: the lowest and the highest"})
Mean = Annotated[
    tuple[Probability, Probability, Probability],
    Field(json_schema_extra={"x-allowed": "a list of 3 entries: three probabilities: down, stay, up"}),
]
Pathway = Annotated[
    Shape | tuple[tuple[Need, ...], ...],
    Field(
        json_schema_extra={"x-allowed": f"one of {', '.join(get_args(Shape))}, or a list of predecessors for each need"}
    ),
]


def preset_names() -> list[str]:
    """Names of the hospitals that ship with the package."""
    return config_file.preset_names(PACKAGE)


@section("prior")
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

    concentration: Positive
    waiting_mean: Mean
    holding_mean: Mean
    severity_shape: Positive

    @model_validator(mode="after")
    def _check(self) -> Prior:
        for name in ("waiting_mean", "holding_mean"):
            mean = getattr(self, name)
            if not math.isclose(sum(mean), 1, abs_tol=SLACK):
                raise ConfigError(f"{name} is {list(mean)}, which sums to {sum(mean):g}, but must sum to 1")
        if 2 * self.waiting_mean[0] + self.waiting_mean[2] > 1 + SLACK:
            raise ConfigError(
                f"waiting_mean is {list(self.waiting_mean)}, but twice its first entry plus its last must be "
                "at most 1, because severities reach 2"
            )
        return self


@section("changes")
class Changes:
    """Pathways that change while they are followed (section 6 asks for it; none do in the paper's experiments).

    Each happens to a patient at most once, at a step drawn evenly from those after the arrival; not both.

    :param appear_rate: probability that a further need appears
    :param disappear_rate: probability that a need disappears, with its place in the order
    """

    appear_rate: Probability
    disappear_rate: Probability

    @model_validator(mode="after")
    def _check(self) -> Changes:
        check_sum("disappear_rate", self.disappear_rate, self.appear_rate)
        return self


@section("learning")
class Learning:
    """How patients learn their chance of winning: see :mod:`echo_env.pathways.compiled.learning` (ours).

    :param rounds: rounds of fictitious play
    :param episodes: auctions over the whole horizon that are simulated in each round
    :param step: how far the chances move towards what was seen, from 0 to 1
    """

    rounds: Count
    episodes: AtLeastOne
    step: Probability


@section("")
class PathwaysConfig:
    """One hospital. Its numbers come from a preset or a file; ``baseline`` has the paper's where it says something.

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

    name: Name
    patients: AtLeastOne
    max_patients: AtLeastOne
    resources: Annotated[int, Field(strict=True, ge=1, le=999)]
    units: AtLeastOne | tuple[AtLeastOne, ...]
    needs: Annotated[int, Field(strict=True, ge=1, le=MOST_NEEDS)]
    health_levels: Annotated[int, Field(strict=True, ge=2, le=99)]
    horizon: AtLeastOne
    gamma: Probability
    reward: Reward
    lethal: Annotated[bool, Field(strict=True)]
    conditions: Annotated[tuple[Conditions, Conditions], A_RANGE]
    pathway: Pathway
    precedence_probability: Probability
    initial_health: Annotated[tuple[Health, Health], A_RANGE]
    durations: Annotated[tuple[AtLeastOne, AtLeastOne], A_RANGE]
    last_arrival: Count
    prior: Prior
    changes: Changes
    learning: Learning

    @model_validator(mode="after")
    def _check(self) -> PathwaysConfig:
        if self.patients > self.max_patients:
            raise ConfigError(
                f"patients is {self.patients}, but must be at most {self.max_patients}, which is max_patients"
            )
        if isinstance(self.units, tuple) and len(self.units) != self.resources:
            raise ConfigError(
                f"units is {list(self.units)}, but must be a list of {self.resources} entries: one for each resource"
            )
        if self.needs > self.resources:
            raise ConfigError(
                f"needs is {self.needs}, but must be at most {self.resources}, which is resources: "
                "the resources that a patient needs are all different"
            )
        if not isinstance(self.pathway, str):
            predecessor_masks("pathway", check_order("pathway", self.pathway, self.needs))
        check_number("last_arrival", self.last_arrival, 0, self.horizon - 1, whole=True)
        _check_range("conditions", self.conditions, 1, 99)
        _check_range("initial_health", self.initial_health, 0, self.health_levels - 1)
        _check_range("durations", self.durations, 1, self.horizon)
        return self

    @property
    def units_of(self) -> tuple[int, ...]:
        """(R,) units of each resource."""
        return self.units if isinstance(self.units, tuple) else (self.units,) * self.resources

    @classmethod
    def load(cls, source: PathwaysConfig | str | Path) -> PathwaysConfig:
        """Read a hospital.

        :param source: a preset's name (``baseline``), the path of a YAML file, or a config, returned as it is
        :raises ConfigError: names the field, its value, what is allowed, and the line of the file
        """
        if isinstance(source, PathwaysConfig):
            return source
        return config_file.load(cls, PACKAGE, source)

    def replace(self, **changes: Any) -> PathwaysConfig:
        """A copy with fields changed by their path, a double underscore for the dot.

        :raises ConfigError: no such field, or a value that is not allowed
        """
        return replaced(self, "pathways", changes)


def _check_range(name: str, ends: tuple[int, int], low: int, high: int) -> None:
    check_number(name, ends[0], low, high, whole=True)
    check_number(name, ends[1], ends[0], high, whole=True)

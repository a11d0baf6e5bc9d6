"""Labs of a family one after the other, as a Gymnasium environment: what one agent for any lab is trained in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import InvalidAction, ResetNeeded
from numpy.typing import NDArray

from echo_env.common.extras import require
from echo_env.common.spaces import FeasibleDiscrete, KeepsFeasible
from echo_env.lab.config import ConfigError, load_lab
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import draw_days
from echo_env.lab.decisions.padding import Padding
from echo_env.lab.envs.arguments import PENALTY, check_env_arguments
from echo_env.lab.envs.env import EchoLabEnv
from echo_env.lab.family.family import LabFamily, Stream
from echo_env.lab.family.prepared import LabPool, Prepared


class AnyLabArguments:
    """The arguments that the single and the vector environment share.

    :param stream: ``training``, ``validation`` or ``held_out``: labs of one are never labs of another
    :param labs: size of the pool: each visit is to one of the first so many labs of the stream
    :param days: days that are played in a lab before the next one
    :param config: one lab in place of a family's, to tune an agent for it
    :param family: settings of the family
    :param clock: ``event`` or ``minute``, see :class:`~echo_env.lab.envs.env.EchoLabEnv`
    :param idling: likewise
    :param competitors: whether rows say who competes for a type's resources, see
        :data:`~echo_env.lab.decisions.wide_rows.RIVAL_FEATURES`; else these columns are 0: for ablations
    :param reservations: minutes for which what a type needs can be kept, see
        :class:`~echo_env.lab.envs.env.EchoLabEnv`: further actions
    :param reward: ``paired`` or ``advantage``, in units of the lab; or ``penalty``, minus the penalty in points
    :raises ValueError: names the argument, its value and what is allowed
    """

    def __init__(
        self,
        stream: str,
        labs: int,
        days: int,
        config: Lab | str | Path | None,
        family: LabFamily | None,
        clock: str,
        idling: bool,
        reward: str,
        competitors: bool,
        reservations: Sequence[int],
    ) -> None:
        require("numba")
        check_env_arguments(clock, reward, idling)
        if competitors not in (True, False):
            raise ValueError(f"competitors is {competitors!r}, but must be one of True, False")
        self.padding = Padding(reservations, competitors)
        streams = [own.name.lower() for own in Stream]
        if stream not in streams:
            raise ValueError(f"stream is {stream!r}, but must be one of {', '.join(streams)}")
        for name, number in (("labs", labs), ("days", days)):
            if number < 1:
                raise ValueError(f"{name} is {number!r}, but must be a whole number of at least 1")
        self.days, self.clock, self.idling, self.reward = days, clock, idling, reward
        only = None if config is None else load_lab(config)
        self.pool = LabPool(family or LabFamily(), labs, Stream[stream.upper()], only)


class EchoLabAnyEnv(KeepsFeasible, gym.Env[np.ndarray, np.int64]):
    """Each few days another lab: one agent for all.

    ## Description
    An episode is a day in a lab of a :class:`~echo_env.lab.family.family.LabFamily`: 1 to 8 exam types, any
    capabilities, books, shifts and laws. After ``days`` days the next lab is drawn from a pool.

    ## Action space
    ``Discrete(25)``: :class:`~echo_env.lab.decisions.starts.StartActions` for 8 exam types. Actions of types that a
    lab does not have are masked; the last one is always stop. ``reservations=(10, 30)`` beside these:
    ``Discrete(25 + 8 D)`` for D lengths, D for each type between starts and stop.

    ## Observation space
    ``Box(25, C)``: ``rows_wide``, see :mod:`~echo_env.lab.decisions.wide_rows`. Rows of types that a lab does not have
    are zero. With reservations ``Box(25 + 8 D, C + 4)``: a row for each, of zeros where it is not on offer, and how
    long each type's has lasted and may last; see :mod:`~echo_env.lab.decisions.padding`.

    ## Rewards
    ``reward="paired"``: what the lab's better rule pays over the same minutes of the same day, minus the penalty, in
    units of the lab: the spread (standard deviation over days) of the difference between the two rules, so that every
    lab counts alike. ``reward="advantage"``: what the day costs if that rule decides from before the action on, minus
    the same from after it, in the same units. Over a day its sum is that of ``paired``, but each action gets at once
    what it changed, and 0 where the rule would have done the same (potential-based shaping: Ng et al., 1999). Both know
    the future of the day, so they are for training only. ``reward="penalty"``: minus the penalty, points.

    ## Starting state
    A new day; ``reset(seed=s)`` gives the same lab and day again. It needs numba, to decide which rule is better.

    ## Episode end
    Terminates at the end of the day; never truncates.

    ## Information
    ``action_mask``; ``minute``; ``elapsed_min``; ``penalty`` of the step, points; with the last step ``metrics`` with
    the ``penalty`` of the day and, where rewards are in units of the lab, ``minus_rule``, the difference to the better
    rule in points.

    ## Arguments
    See :class:`AnyLabArguments`.

    ## Version history
    - v0: first version
    """

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(
        self,
        stream: str = "training",
        labs: int = 4096,
        days: int = 16,
        config: Lab | str | Path | None = None,
        family: LabFamily | None = None,
        clock: str = "event",
        idling: bool = False,
        reward: str = "paired",
        competitors: bool = True,
        reservations: Sequence[int] = (),
        render_mode: str | None = None,
    ) -> None:
        if render_mode is not None:
            raise ValueError(f"render_mode is {render_mode!r}, but this env draws nothing: use a lab's own env")
        self._given = AnyLabArguments(
            stream, labs, days, config, family, clock, idling, reward, competitors, reservations
        )
        self.render_mode = None
        self._padding = self._given.padding
        self.observation_space = self._padding.space()
        self.action_space: FeasibleDiscrete = FeasibleDiscrete(self._padding.actions)
        self._days_left = 0
        self._lab: Prepared | None = None
        self._env: EchoLabEnv | None = None
        self._penalty = self._rewards = 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin a day.

        :param seed: see "Starting state"
        :param options: none
        :raises ConfigError: an option
        """
        super().reset(seed=seed)
        if options:
            raise ConfigError(f"reset option {min(options)!r} is unknown: there are none")
        if seed is not None or not self._days_left:
            self._visit(self._given.pool[int(self.np_random.integers(self._given.pool.size))])
        assert self._env is not None
        self._days_left -= 1
        self._penalty = self._rewards = 0.0
        day = draw_days(self._env.config, [self.np_random])[0]
        observation, info = self._env.reset(options={"day": day})
        return self._padded(observation), self._info(info)

    def step(self, action: Any) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Carry out an action and go on to the next choice.

        :param action: a feasible one
        :raises InvalidAction: not feasible; nothing has been done
        """
        if self._env is None or self._lab is None:
            raise ResetNeeded("there is no day to play: call reset() first")
        choice = int(action)
        if not (0 <= choice < self._padding.actions and self.action_masks()[choice]):
            raise InvalidAction(f"action {choice} is not feasible: it must be one of those that action_masks() allows")
        own = self._padding.own(np.array(choice), len(self._env.config.plan.types))
        observation, reward, over, cut, told = self._env.step(int(own))
        self._penalty += told["penalty"]
        self._rewards += reward
        info = {**self._info(told), "penalty": told["penalty"]}
        paired = self._given.reward != PENALTY
        if over:
            info["metrics"] = {"penalty": self._penalty, **({"minus_rule": -self._rewards} if paired else {})}
        return self._padded(observation), reward / self._lab.unit if paired else reward, over, cut, info

    def action_masks(self) -> NDArray[np.bool_]:
        """(actions,) bool, the action mask now."""
        if self._env is None:
            raise ResetNeeded("there is no day to play: call reset() first")
        return self._padding.mask(self._env.action_masks())

    @property
    def lab(self) -> Prepared:
        """The lab of the present day.

        :raises ResetNeeded: there is none
        """
        if self._lab is None:
            raise ResetNeeded("there is no day to play: call reset() first")
        return self._lab

    def _visit(self, lab: Prepared) -> None:
        given = self._given
        self._lab, self._days_left = lab, given.days
        self._env = EchoLabEnv(
            lab.config,
            observation=self._padding.observation,
            idling=given.idling,
            clock=given.clock,
            reward=given.reward,
            paired_with=lab.rule,
            actions="start",
            reservations=self._padding.reservations,
        )

    def _padded(self, observation: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._padding.rows(observation[None], self.action_masks()[None])[0]

    def _info(self, told: dict[str, Any]) -> dict[str, Any]:
        mask = self._padding.mask(told["action_mask"])
        self.action_space.feasible = mask
        return {"action_mask": mask, "minute": told["minute"], "elapsed_min": told["elapsed_min"]}

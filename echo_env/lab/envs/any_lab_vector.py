"""Many labs as one Gymnasium vector environment, a different one in every place, compiled."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.utils.seeding import np_random
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from echo_env.common.spaces import one_action_each, one_seed_each
from echo_env.lab.compiled.continuation import THE_RULE, Choose
from echo_env.lab.compiled.layout import CLASSES_PER_TYPE, MINUTE, PAID
from echo_env.lab.compiled.places.continued import continue_under_choices, continue_under_rules
from echo_env.lab.compiled.places.stepping import begin_places, grown, move_in, no_places, step_places
from echo_env.lab.config import ConfigError
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.plan import MOST_TYPES
from echo_env.lab.envs.any_lab import AnyLabArguments
from echo_env.lab.envs.arguments import ADVANTAGE, PAIRED, PENALTY
from echo_env.lab.envs.vector_infos import only, with_masks
from echo_env.lab.envs.visits import Visit, draw_visit
from echo_env.lab.family.family import LabFamily
from echo_env.lab.policies.rule_action import compiled_rule
from echo_env.lab.simulation.penalty import UNITS, PenaltyParts, penalty_weights

BETTER_RULE = "better_rule"
"""Each lab's own: the one of :data:`~echo_env.lab.family.prepared.RULES` that pays less there."""


class EchoLabAnyVectorEnv(gym.vector.VectorEnv):
    """B places at once: ``gymnasium.make_vec("EchoLabAny-v0", num_envs=256)``.

    Observations, actions, rewards, masks, infos and seeds are those of B single environments,
    :class:`~echo_env.lab.envs.any_lab.EchoLabAnyEnv`, to the bit. A place whose day is over begins another within the
    same step (``AutoresetMode.SAME_STEP``), in the next lab after ``days`` days.

    :param num_envs: how many places
    :param stream: see :class:`~echo_env.lab.envs.any_lab.AnyLabArguments`, as for all others
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012

    def __init__(
        self,
        num_envs: int = 1,
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
            raise ValueError(f"render_mode is {render_mode!r}, but the vector env draws nothing")
        self._given = AnyLabArguments(
            stream, labs, days, config, family, clock, idling, reward, competitors, reservations
        )
        self._padding = self._given.padding
        self._in_units, self._paired, self._advantage = reward != PENALTY, reward == PAIRED, reward == ADVANTAGE
        self.num_envs, self.render_mode = num_envs, None
        self.single_observation_space = self._padding.space()
        self.single_action_space = gym.spaces.Discrete(self._padding.actions)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._places = no_places(num_envs, self._padding.actions)
        self._rngs: list[np.random.Generator] = []
        self._visits: list[Visit | None] = [None] * num_envs
        # Each place's generator as it was before the visit was drawn: copies and pickles draw it again.
        self._before: list[np.random.Generator | None] = [None] * num_envs
        self._day = np.zeros(num_envs, dtype=np.int64)
        self._every = np.arange(num_envs)
        # Of each place's lab: penalty weights, unit of rewards, end of the day, and its better rule and what that pays.
        self._weights = np.zeros((num_envs, UNITS))
        self._unit, self._end = np.ones(num_envs), np.zeros(num_envs, dtype=np.int64)
        self._base = np.zeros((num_envs, 0))
        self._tiers = np.full((num_envs, CLASSES_PER_TYPE * MOST_TYPES), -1, dtype=np.int64)
        # What infos have reported so far; and sums over the day.
        self._paid = np.zeros((num_envs, UNITS), dtype=np.int64)
        self._paid_until, self._minute = np.zeros((2, num_envs), dtype=np.int64)
        self._penalty, self._rewards, self._under_rule = np.zeros((3, num_envs))

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin a day in every place.

        :param seed: place i gets ``seed + i``, or the i-th of several
        :param options: none
        :raises ConfigError: an option
        :raises ValueError: another number of seeds than places
        """
        if options:
            raise ConfigError(f"reset option {min(options)!r} is unknown: there are none")
        for i, own in enumerate(one_seed_each(seed, self.num_envs)):
            if len(self._rngs) <= i:
                self._rngs.append(np_random(own)[0])
            elif own is not None:
                self._rngs[i] = np_random(own)[0]
                self._visits[i] = self._before[i] = None
        self._begin(self._every)
        info = with_masks(self._state(self._minute.copy(), self._minute.copy()), np.ones(self.num_envs, dtype=np.bool_))
        return self._observed(), info

    def step(
        self, actions: Any
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Carry out an action in every place.

        :param actions: (B,) int, each feasible
        :raises InvalidAction: one is not, or there are not B of them; nothing has been done
        """
        chosen, places = one_action_each(actions, self.num_envs), self._places
        self._check(chosen)
        step_places(chosen, places, self._given.idling, self._given.clock == "event")
        minute = places.lab[:, MINUTE].astype(np.int64)
        over = minute >= self._end
        paid = places.lab[:, PAID].astype(np.int64)
        penalty = self._points(paid - self._paid, self._every)
        rewards = -penalty
        if self._paired:
            rewards += self._base[self._every, minute] - self._base[self._every, self._paid_until]
        elif self._advantage:
            before, self._under_rule = self._under_rule, self._whole_days(self._every)
            rewards = before - self._under_rule
        self._penalty += penalty
        self._rewards += rewards
        rewards = rewards / self._unit if self._in_units else rewards
        self._paid, self._paid_until = paid, minute.copy()
        elapsed, self._minute = minute - self._minute, minute.copy()
        if over.any():
            info = self._finish(over, minute, elapsed, penalty)
        else:
            info = with_masks({**self._state(minute, elapsed), "penalty": penalty}, ~over)
        return self._observed(), rewards, over, np.zeros_like(over), info

    def action_masks(self) -> NDArray[np.bool_]:
        """(B, actions) bool, the action masks now."""
        return self._places.mask.copy()

    def action_returns(self, choose: Choose | None = None, rule: str = BETTER_RULE) -> NDArray[np.float64]:
        """Return of each feasible action: the sum of rewards from now to the end of the day.

        See :meth:`~echo_env.lab.envs.vector_env.EchoLabVectorEnv.action_returns`: returns know the future of the day,
        so they are for training only.

        :param choose: decides after the first action, wherever there is a choice on the event clock, for many copies
            at once: ``choose(observations, masks) -> actions``, (n, actions, C) float32 and (n, actions) bool -> (n,)
        :param rule: what decides in its place if there is none: :data:`BETTER_RULE`, in each lab its own
        :return: (B, actions), nan where infeasible; all nan in a place with only one feasible action
        :raises ValueError: another rule
        :raises InvalidAction: ``choose`` gives an infeasible action
        """
        if rule != BETTER_RULE:
            raise ValueError(f"rule is {rule!r}, but must be {BETTER_RULE}, in each lab its own")
        if not self._rngs:
            raise ResetNeeded("there is no day to play: call reset() first")
        places = self._places
        which, actions = np.nonzero(places.mask & (places.size > 1)[:, None])
        if choose is None:
            units = continue_under_rules(places, which, actions, self._tiers)
        else:
            units = continue_under_choices(places, which, actions, self._given.idling, choose, self._padding)
        rewards = -self._points(units - (0 if self._advantage else self._paid[which]), which)
        if self._paired:
            rewards += (self._base[self._every, self._end] - self._base[self._every, self._paid_until])[which]
        elif self._advantage:
            rewards += self._under_rule[which]
        rewards = rewards / self._unit[which] if self._in_units else rewards
        returns = np.full(places.mask.shape, np.nan)
        returns[which, actions] = rewards
        return returns

    def _whole_days(self, which: NDArray[np.int64]) -> NDArray[np.float64]:
        """What the days of some places cost if each lab's better rule decides from now on, points."""
        rule = np.full(len(which), THE_RULE)
        return self._points(continue_under_rules(self._places, which, rule, self._tiers), which)

    def _points(self, units: NDArray[np.int64], which: NDArray[np.int64]) -> NDArray[np.float64]:
        """Points of (n, 7) units of some places."""
        return np.asarray(PenaltyParts(*(units * self._weights[which]).T).total)

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles hold: all but the days of visits, which are many and can be drawn again."""
        return {**self.__dict__, "_visits": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Draw the present visits again."""
        self.__dict__.update(state)
        self._visits = [None if rng is None else self._drawn(deepcopy(rng)) for rng in self._before]

    def _drawn(self, rng: np.random.Generator) -> Visit:
        given = self._given
        return draw_visit(given.pool, rng, given.days, self._paired, self._padding.reservations)

    def _observed(self, which: NDArray[np.int64] | slice = slice(None)) -> NDArray[np.float32]:
        """A copy of the observations of some places."""
        places = self._places
        return self._padding.shown(places.observation[which], places.kept[which], places.mask[which])

    def _begin(self, which: NDArray[np.int64]) -> None:
        """Begin the next days of some places."""
        given = self._given
        for b in which.tolist():
            visit = self._visits[b]
            if visit is None or self._day[b] == given.days:
                self._before[b] = deepcopy(self._rngs[b])
                visit = self._visits[b] = self._drawn(self._rngs[b])
                self._move_in(b, visit)
                self._day[b] = 0
            self._put_day(b, visit, int(self._day[b]))
            self._day[b] += 1
        begin_places(which, self._places, given.idling, given.clock == "event")
        if self._advantage:
            self._under_rule[which] = self._whole_days(which)
        self._paid[which] = self._paid_until[which] = 0
        self._penalty[which] = self._rewards[which] = 0
        self._minute[which] = self._places.lab[which, MINUTE]

    def _move_in(self, b: int, visit: Visit) -> None:
        config = visit.lab.config
        self._places = move_in(self._places, b, visit.rules, visit.shown)
        self._places = grown(self._places, lab=visit.cells.shape[1:], break_draw=visit.break_draw.shape[1:])
        tiers = compiled_rule(config, visit.lab.rule, "rule")
        self._tiers[b, : len(tiers)] = tiers
        # One unit of each kind.
        self._weights[b] = penalty_weights(config)
        self._unit[b], self._end[b] = visit.lab.unit, config.hours.end_min
        if visit.base.shape[1] > self._base.shape[1]:
            self._base = np.pad(self._base, ((0, 0), (0, visit.base.shape[1] - self._base.shape[1])))

    def _put_day(self, b: int, visit: Visit, day: int) -> None:
        cells, draw = visit.cells[day], visit.break_draw[day]
        self._places.lab[b, : len(cells)] = cells
        self._places.break_draw[b, : draw.shape[0], : draw.shape[1]] = draw
        self._base[b, : visit.base.shape[1]] = visit.base[day]

    def _finish(
        self,
        over: NDArray[np.bool_],
        minute: NDArray[np.int64],
        elapsed: NDArray[np.int64],
        penalty: NDArray[np.float64],
    ) -> dict[str, Any]:
        """Infos of a step that ends days, and the next days begun.

        :param over: (B,) bool, whose days
        :param minute: (B,) int64, now; of the next days after this
        :param elapsed: (B,) int64, minutes since the last step; likewise
        :param penalty: (B,) points of the step
        """
        which, places, ended = np.flatnonzero(over), self._places, over.copy()
        metrics = {"penalty": only(self._penalty, which)}
        if self._in_units:
            metrics["minus_rule"] = only(-self._rewards, which)
        told: dict[str, Any] = {"action_mask": only(places.mask, which), "minute": only(minute, which)}
        told |= {"elapsed_min": only(elapsed, which), "penalty": only(penalty, which), "metrics": metrics}
        final, observed = np.full(self.num_envs, None, dtype=object), self._observed(which)
        for i, last in zip(which, observed, strict=True):
            final[i] = last
        info = {"final_obs": final, "_final_obs": ended, "final_info": with_masks(told, ended), "_final_info": ended}
        if len(which) < self.num_envs:
            penalty = np.where(over, 0.0, penalty)
            info |= with_masks({"penalty": penalty}, ~over)
        self._begin(which)
        minute[which] = elapsed[which] = self._minute[which]
        info |= with_masks(self._state(minute, elapsed), np.ones_like(over))
        return info

    def _state(self, minute: NDArray[np.int64], elapsed: NDArray[np.int64]) -> dict[str, Any]:
        """The entries that all infos have."""
        return {"action_mask": self._places.mask.copy(), "minute": minute, "elapsed_min": elapsed}

    def _check(self, actions: NDArray[np.int64]) -> None:
        """Raise for infeasible actions."""
        if not self._rngs:
            raise ResetNeeded("there is no day to play: call reset() first")
        inside = (actions >= 0) & (actions < self._padding.actions)
        allowed = inside & self._places.mask[self._every, np.where(inside, actions, 0)]
        if not allowed.all():
            i = int(np.argmin(allowed))
            raise InvalidAction(
                f"action {actions[i]} of place {i} is not feasible: it must be one of the {self._places.size[i]} "
                "that action_masks() allows"
            )

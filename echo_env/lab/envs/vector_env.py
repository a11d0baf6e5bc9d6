"""Many labs as one Gymnasium vector environment, compiled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from echo_env.common.extras import require
from echo_env.common.spaces import one_action_each, one_seed_each
from echo_env.lab.compiled import batch, continuation
from echo_env.lab.compiled import steps as batch_steps
from echo_env.lab.compiled.layout import MINUTE, PAID
from echo_env.lab.compiled.observations import BatchObservation
from echo_env.lab.config import ConfigError, load_lab
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Day, check_day, checked_rate
from echo_env.lab.decisions.action_sets import make_actions
from echo_env.lab.decisions.observation import default_observation, make_observation
from echo_env.lab.envs.arguments import ADVANTAGE, PENALTY, check_env_arguments
from echo_env.lab.envs.base_rule import BaseRule
from echo_env.lab.envs.days_ahead import DaysAhead, Mode, make_rows
from echo_env.lab.envs.vector_infos import metrics_info, only, penalty_info, penalty_table, with_masks
from echo_env.lab.policies.rule_action import compiled_rule
from echo_env.lab.simulation.penalty import UNITS, penalty_points


class EchoLabVectorEnv(gym.vector.VectorEnv):
    """B labs at once: ``gymnasium.make_vec("EchoLab-v0", num_envs=64)``.

    Observations, actions, rewards, masks, infos and seeds are those of B single environments,
    :class:`~echo_env.lab.envs.env.EchoLabEnv`, to the bit: with ``reset(seed=s)`` lab i plays the days that a single
    one plays after ``reset(seed=s + i)``. A lab whose day is over begins another within the same step
    (``AutoresetMode.SAME_STEP``): the day's last observation and info are in ``info["final_obs"]`` and
    ``info["final_info"]``.

    Arguments are those of :class:`~echo_env.lab.envs.env.EchoLabEnv`, but nothing is drawn, and ``paired_with`` must be
    a rule without reservations, which is what is compiled.

    :param num_envs: how many labs
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012

    def __init__(
        self,
        num_envs: int = 1,
        config: Lab | str | Path = "baseline",
        observation: str | None = None,
        idling: bool = True,
        clock: str = "minute",
        reward: str = "penalty",
        paired_with: str = "policy_2",
        actions: str | None = None,
        render_mode: str | None = None,
        reservations: Sequence[int] = (),
    ) -> None:
        require("numba")
        check_env_arguments(clock, reward, idling)
        if render_mode is not None:
            raise ValueError(f"render_mode is {render_mode!r}, but the vector env draws nothing: use a single env")
        self.num_envs = num_envs
        self.render_mode = None
        self.config = load_lab(config)
        self.actions = make_actions(actions, self.config, reservations)
        shown = default_observation(self.config) if observation is None else observation
        self.single_observation_space, _ = make_observation(shown, self.config)
        self.single_action_space = gym.spaces.Discrete(self.actions.size)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._mode = Mode(self.actions.name == "joint", idling, clock == "event")
        self._observed = BatchObservation(shown, self.config)
        self._base = None if reward == PENALTY else BaseRule(self.config, paired_with, num_envs)
        self._advantage = reward == ADVANTAGE
        self._rules = batch.rules_of(self.config, reservations)
        self._now, ahead = (
            make_rows(
                self.config, num_envs, self.actions.size, self.single_observation_space.shape or (), reward != PENALTY
            )
            for _ in range(2)
        )
        self._ahead = DaysAhead(self.config, ahead, self._mode, self._observed, self._base, self._rules)
        self._every = np.arange(num_envs)
        # What infos have reported so far: penalty units, up to which minute, and when the last step was.
        self._paid = np.zeros((num_envs, UNITS), dtype=np.int64)
        self._paid_until, self._minute = np.zeros((2, num_envs), dtype=np.int64)
        # Whole days' points if the rule decides from now on.
        self._under_rule = np.zeros(num_envs)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin a day in every lab.

        :param seed: lab i gets ``seed + i``, or the i-th of several
        :param options: ``absence_rate`` or ``days`` (B of them), for these days only
        :raises ConfigError: unknown option, or a day of another lab
        :raises ValueError: another number of seeds than labs
        """
        self._ahead.seed(one_seed_each(seed, self.num_envs))
        if options:
            # A day is drawn whatever the options, so later days stay what they were.
            self._ahead.replace(days_of_reset(self.config, self._ahead.drawn(), options))
        self._begin(self._every)
        info = with_masks(self._state(self._minute.copy(), self._minute.copy()), np.ones(self.num_envs, dtype=np.bool_))
        return self._now.observation.copy(), info

    def step(
        self, actions: Any
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Carry out an action in every lab.

        :param actions: (B,) int, each feasible
        :raises InvalidAction: one is not, or there are not B of them; nothing has been done
        """
        chosen = one_action_each(actions, self.num_envs)
        self._check(chosen)
        now = self._now
        batch_steps.step_labs(chosen, now.labs, self._rules, *self._mode, now.mask, now.size, now.first)
        self._observed(now.labs, now.observation)
        minute = now.lab[:, MINUTE].astype(np.int64)
        over = minute >= self.config.hours.end_min
        parts = penalty_points(self.config, (now.lab[:, PAID] - self._paid).T)
        rewards = -np.asarray(parts.total)
        if self._advantage:
            before, self._under_rule = self._under_rule, self._whole_days()
            rewards = before - self._under_rule
        elif self._base is not None:
            rewards += self._base_paid(minute) - self._base_paid(self._paid_until)
        self._paid[:], self._paid_until[:] = now.lab[:, PAID], minute
        elapsed, self._minute = minute - self._minute, minute.copy()
        table = penalty_table(parts)
        if over.any():
            info = self._finish(over, minute, elapsed, table)
        else:
            info = with_masks({**self._state(minute, elapsed), **penalty_info(table)}, ~over)
        return now.observation.copy(), rewards, over, np.zeros_like(over), info

    def action_masks(self) -> NDArray[np.bool_]:
        """(B, actions) bool, the action masks now."""
        return self._now.mask.copy()

    def action_returns(
        self, choose: continuation.Choose | None = None, rule: str = "scarce_first"
    ) -> NDArray[np.float64]:
        """Return of each feasible action: the sum of rewards from now to the end of the day.

        The day goes on with its own future arrivals and durations: returns know the future, so they are for training
        only, and no policy may use them. The labs stay as they are. As in this env, what has not been
        paid by a step yet, minutes before a day's first step, is paid from now on.

        Through SB3's interface it is ``vec_env.env_method("action_returns", choose, rule)``: a row for each lab.

        :param choose: decides after the first action, wherever there is a choice on the event clock, for many copies
            at once: ``choose(observations, masks) -> actions``, (n, ...) float32 and (n, actions) bool -> (n,)
        :param rule: decides in its place if there is none: a rule that serves by class, in every minute
        :return: (B, actions), nan where infeasible; all nan in a lab with only one feasible action, where nothing is
            to be decided
        :raises ValueError: the rule is unknown, or not one that is compiled
        :raises InvalidAction: ``choose`` gives an infeasible action
        """
        self._check_playing()
        which, actions = np.nonzero(self._now.mask & (self._now.size > 1)[:, None])
        if choose is None:
            tiers = compiled_rule(self.config, rule, "rule")
            units = continuation.continue_under_rule(
                self._now.labs, which, actions, self._rules, self._mode.joint, tiers
            )
        else:
            units = continuation.continue_under_choices(
                self._now.labs,
                which,
                actions,
                self._rules,
                self._mode.joint,
                self._mode.idling,
                lambda labs, masks: choose(self._observed(labs), masks),
            )
        rewards = -self._points(units if self._advantage else units - self._paid[which])
        if self._advantage:
            rewards += self._under_rule[which]
        elif self._base is not None:
            whole_day = self._base_paid(np.full(self.num_envs, self.config.hours.end_min))
            rewards += (whole_day - self._base_paid(self._paid_until))[which]
        returns = np.full((self.num_envs, self.actions.size), np.nan)
        returns[which, actions] = rewards
        return returns

    def rule_actions(self, rule: str) -> NDArray[np.int64]:
        """A rule's actions now; see :meth:`~echo_env.lab.envs.env.EchoLabEnv.rule_actions`. No lab changes.

        :param rule: name of a rule that serves by class
        :return: (B,) int64, feasible actions
        :raises ValueError: the rule is unknown, or not one that serves by class
        """
        self._check_playing()
        tiers = compiled_rule(self.config, rule, "rule")
        actions = np.zeros(self.num_envs, dtype=np.int64)
        now, scratch = self._now, batch.make_labs(self.config, 1)
        batch_steps.rule_actions(
            now.labs, scratch, self._rules, self._mode.joint, tiers, now.mask, now.size, now.first, actions
        )
        return actions

    def set_absence_rate(self, rate: float) -> None:
        """Use another absence rate from each lab's next day on.

        :param rate: 0 to 1
        """
        self._ahead.set_absence_rate(checked_rate(rate))

    def _begin(self, which: NDArray[np.int64]) -> None:
        """Begin the next days of some labs."""
        self._ahead.take(which, self._now)
        self._paid[which] = self._paid_until[which] = 0
        if self._advantage:
            self._under_rule[which] = self._now.base[which, -1]
        self._minute[which] = self._now.lab[which, MINUTE]

    def _finish(
        self,
        over: NDArray[np.bool_],
        minute: NDArray[np.int64],
        elapsed: NDArray[np.int64],
        table: NDArray[np.float64],
    ) -> dict[str, Any]:
        """Infos of a step that ends days, and the next days begun.

        :param over: (B,) bool, whose days
        :param minute: (B,) int64, now; of the next days after this
        :param elapsed: (B,) int64, minutes since the last step; likewise
        :param table: (8, B) float64, see :func:`~echo_env.lab.envs.vector_infos.penalty_table`
        """
        which, now = np.flatnonzero(over), self._now
        told = {"action_mask": only(now.mask, which), "minute": only(minute, which)}
        paid = np.zeros_like(table)
        paid[:, which] = table[:, which]
        told |= {"elapsed_min": only(elapsed, which), **penalty_info(paid)}
        ended = over.copy()
        final, observed = np.full(self.num_envs, None, dtype=object), now.observation[which]
        for i, last in zip(which, observed, strict=True):
            final[i] = last
        results = batch.results_of(self.config, now.labs, which, now.absence_rate[which])
        told_last = with_masks(told, ended)
        told_last |= {"metrics": metrics_info(self.config, results, which, self.num_envs), "_metrics": ended}
        info = {"final_obs": final, "_final_obs": ended, "final_info": told_last, "_final_info": ended}
        if len(which) < self.num_envs:
            # Of the others, what the step paid; of all, their present state.
            table[:, which] = 0
            info |= with_masks(penalty_info(table), ~over)
        self._begin(which)
        minute[which] = elapsed[which] = self._minute[which]
        info |= with_masks(self._state(minute, elapsed), np.ones_like(over))
        return info

    def _state(self, minute: NDArray[np.int64], elapsed: NDArray[np.int64]) -> dict[str, Any]:
        """The entries that all infos have."""
        return {"action_mask": self._now.mask.copy(), "minute": minute, "elapsed_min": elapsed}

    def _whole_days(self) -> NDArray[np.float64]:
        """(B,) points that the days cost if the rule decides from now on."""
        assert self._base is not None
        rule = np.full(self.num_envs, continuation.THE_RULE)
        units = continuation.continue_under_rule(
            self._now.labs, self._every, rule, self._rules, self._mode.joint, self._base.tiers
        )
        return self._points(units)

    def _points(self, units: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n,) points of (n, 7) units."""
        return np.asarray(penalty_points(self.config, units.T).total)

    def _base_paid(self, minute: NDArray[np.int64]) -> NDArray[np.float64]:
        """(B,) points that the rule of the paired reward pays before a minute of each lab's day."""
        return self._now.base[self._every, minute]

    def _check_playing(self) -> None:
        if not self._ahead.seeded:
            raise ResetNeeded("there is no day to play: call reset() first")

    def _check(self, actions: NDArray[np.int64]) -> None:
        """Raise for infeasible actions."""
        self._check_playing()
        if len(actions) == 1 and 0 <= actions[0] < self.actions.size and self._now.mask[0, actions[0]]:
            # What follows takes longer than a lab's minute.
            return
        inside = (actions >= 0) & (actions < self.actions.size)
        allowed = inside & self._now.mask[self._every, np.where(inside, actions, 0)]
        if not allowed.all():
            i = int(np.argmin(allowed))
            name = self.actions.describe(int(actions[i])) if inside[i] else f"{actions[i]}"
            raise InvalidAction(
                f"action {name} of lab {i} is not feasible: it must be one of the {self._now.size[i]} "
                "that action_masks() allows"
            )


def days_of_reset(config: Lab, drawn: Sequence[Day], options: dict[str, Any]) -> list[Day]:
    """The days that a reset is to play with options.

    :param config: the lab
    :param drawn: what was drawn for it, a day for each lab
    :param options: ``days`` or ``absence_rate``
    :raises ConfigError: another option, or days of another lab
    """
    unknown = set(options) - {"days", "absence_rate"}
    if unknown:
        raise ConfigError(f"reset option {min(unknown)!r} is unknown, allowed are 'days' and 'absence_rate'")
    days = _checked_days(config, options["days"], len(drawn)) if "days" in options else list(drawn)
    return [day.with_absence_rate(options["absence_rate"]) for day in days] if "absence_rate" in options else days


def _checked_days(config: Lab, days: Any, count: int) -> list[Day]:
    if len(days) != count or not all(isinstance(day, Day) for day in days):
        raise ConfigError(f"reset option 'days' must be {count} days, one for each lab")
    for day in days:
        check_day(config, day)
    return list(days)

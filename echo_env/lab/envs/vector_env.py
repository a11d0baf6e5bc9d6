"""Many labs as one Gymnasium vector environment, compiled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.utils.seeding import np_random
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from echo_env.common.extras import require
from echo_env.common.spaces import one_action_each, one_seed_each
from echo_env.lab.compiled import batch, continuation
from echo_env.lab.compiled import steps as batch_steps
from echo_env.lab.compiled.layout import MINUTE, PAID, Labs
from echo_env.lab.compiled.observations import BatchObservation
from echo_env.lab.config import ConfigError, load_lab
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Day, check_day, checked_rate, draw_days
from echo_env.lab.decisions.action_sets import make_actions
from echo_env.lab.decisions.observation import default_observation, make_observation
from echo_env.lab.envs.env import check_env_arguments
from echo_env.lab.policies.rule_action import compiled_rule
from echo_env.lab.simulation.metrics import metrics_table
from echo_env.lab.simulation.penalty import UNITS, PenaltyParts, penalty_points


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
    ) -> None:
        require("numba")
        check_env_arguments(clock, reward, idling)
        if render_mode is not None:
            raise ValueError(f"render_mode is {render_mode!r}, but the vector env draws nothing: use a single env")
        self.num_envs = num_envs
        self.render_mode = None
        self.config = load_lab(config)
        self.actions = make_actions(actions, self.config)
        shown = default_observation(self.config) if observation is None else observation
        self.single_observation_space, _ = make_observation(shown, self.config)
        self.single_action_space = gym.spaces.Discrete(self.actions.size)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._joint, self._idling, self._event_clock = self.actions.name == "joint", idling, clock == "event"
        self._observed = BatchObservation(shown, self.config)
        self._absence_rate: float | None = None
        self._rngs: list[np.random.Generator] = []
        self._rules = batch.rules_of(self.config)
        self._labs = batch.make_labs(self.config, num_envs)
        self._rates = np.zeros(num_envs)
        self._mask = np.zeros((num_envs, self.actions.size), dtype=np.bool_)
        self._size, self._first = np.zeros((2, num_envs), dtype=np.int64)
        self._observation: NDArray[np.float32] = np.zeros((num_envs, *self.single_observation_space.shape), np.float32)
        # What infos have reported so far: penalty units, up to which minute, and when the last step was.
        self._paid = np.zeros((num_envs, UNITS), dtype=np.int64)
        self._paid_until, self._minute = np.zeros((2, num_envs), dtype=np.int64)
        self._base = _BaseRule(self.config, paired_with, num_envs) if reward == "paired" else None

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin a day in every lab.

        :param seed: lab i gets ``seed + i``, or the i-th of several
        :param options: ``absence_rate`` or ``days`` (B of them), for these days only
        :raises ConfigError: unknown option, or a day of another lab
        :raises ValueError: another number of seeds than labs
        """
        for i, own in enumerate(one_seed_each(seed, self.num_envs)):
            if not self._rngs or len(self._rngs) <= i:
                self._rngs.append(np_random(own)[0])
            elif own is not None:
                self._rngs[i] = np_random(own)[0]
        every = np.arange(self.num_envs)
        self._begin(every, options or {})
        info: dict[str, Any] = {}
        _tell(info, self._state_info(every), np.ones(self.num_envs, dtype=bool))
        return self._observation.copy(), info

    def step(
        self, actions: Any
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Carry out an action in every lab.

        :param actions: (B,) int, each feasible
        :raises InvalidAction: one is not, or there are not B of them; nothing has been done
        """
        chosen = one_action_each(actions, self.num_envs)
        self._check(chosen)
        batch_steps.step_labs(chosen, self._labs, self._rules, *self._mode, self._mask, self._size, self._first)
        self._observe()
        lab = self._labs.lab
        over = lab[:, MINUTE] >= self.config.hours.end_min
        units = lab[:, PAID] - self._paid
        parts = penalty_points(self.config, units.T)
        rewards = -np.asarray(parts.total)
        if self._base is not None:
            rewards += self._base.paid(lab[:, MINUTE]) - self._base.paid(self._paid_until)
        self._paid[:], self._paid_until[:] = lab[:, PAID], lab[:, MINUTE]
        info: dict[str, Any] = {}
        told = {**self._state_info(np.arange(self.num_envs)), **_penalty_info(parts)}
        if over.any():
            self._finish(over, told, info)
        else:
            _tell(info, told, ~over)
        return self._observation.copy(), rewards, over, np.zeros_like(over), info

    def action_masks(self) -> NDArray[np.bool_]:
        """(B, actions) bool, the action masks now."""
        return self._mask.copy()

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
        which, actions = np.nonzero(self._mask & (self._size > 1)[:, None])
        if choose is None:
            tiers = compiled_rule(self.config, rule, "rule")
            units = continuation.continue_under_rule(self._labs, which, actions, self._rules, self._joint, tiers)
        else:
            units = continuation.continue_under_choices(
                self._labs,
                which,
                actions,
                self._rules,
                self._joint,
                self._idling,
                lambda labs, masks: choose(self._observed(labs), masks),
            )
        rewards = -np.asarray(penalty_points(self.config, (units - self._paid[which]).T).total)
        if self._base is not None:
            whole_day = self._base.paid(np.full(self.num_envs, self.config.hours.end_min))
            rewards += (whole_day - self._base.paid(self._paid_until))[which]
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
        labs, scratch = self._labs, batch.make_labs(self.config, 1)
        mask, size, first = self._mask, self._size, self._first
        batch_steps.rule_actions(labs, scratch, self._rules, self._joint, tiers, mask, size, first, actions)
        return actions

    def set_absence_rate(self, rate: float) -> None:
        """Use another absence rate from each lab's next day on.

        :param rate: 0 to 1
        """
        self._absence_rate = checked_rate(rate)

    @property
    def _mode(self) -> tuple[bool, bool, bool]:
        """As the compiled steps take it: whether actions are joint, masks include idling, and the clock jumps."""
        return self._joint, self._idling, self._event_clock

    def _begin(self, which: NDArray[np.int64], options: dict[str, Any]) -> None:
        """Begin new days in some labs."""
        unknown = set(options) - {"days", "absence_rate"}
        if unknown:
            raise ConfigError(f"reset option {min(unknown)!r} is unknown, allowed are 'days' and 'absence_rate'")
        rate = options.get("absence_rate", self._absence_rate)
        drawn = draw_days(self.config, [self._rngs[i] for i in which])
        days: Any = drawn if rate is None else drawn.with_absence_rate(rate)
        rates = np.full(len(which), np.max(days.absence_rate))
        if "days" in options:
            days = _checked_days(self.config, options["days"], self.num_envs)
            if "absence_rate" in options:
                days = [day.with_absence_rate(rate) for day in days]
            rates = np.array([np.max(day.absence_rate) for day in days])
        self._rates[which] = rates
        batch.begin_days(self.config, self._labs, which, days)
        if self._base is not None:
            self._base.begin(which, days)
        self._paid[which] = self._paid_until[which] = self._minute[which] = 0
        batch_steps.begin_labs(which, self._labs, self._rules, *self._mode, self._mask, self._size, self._first)
        self._observe()

    def _observe(self) -> None:
        self._observed(self._labs, self._observation)

    def _finish(self, over: NDArray[np.bool_], told: dict[str, Any], info: dict[str, Any]) -> None:
        """Move the infos of finished days to ``final_info``, and begin the next days."""
        which = np.flatnonzero(over)
        final = np.full(self.num_envs, None, dtype=object)
        for i in which:
            final[i] = self._observation[i].copy()
        info["final_obs"], info["_final_obs"] = final, over
        info["final_info"], info["_final_info"] = {}, over.copy()
        _tell(info["final_info"], told, over)
        self._tell_metrics(info["final_info"], over, which)
        # Of the others, the infos of the step; of all, their present state.
        state = {name: told.pop(name).copy() for name in ("action_mask", "minute", "elapsed_min")}
        if not over.all():
            _tell(info, told, ~over)
        self._begin(which, {})
        new = self._state_info(which)
        for name, values in state.items():
            values[over] = new[name][over]
        _tell(info, state, np.ones(self.num_envs, dtype=bool))

    def _tell_metrics(self, info: dict[str, Any], over: NDArray[np.bool_], which: NDArray[np.int64]) -> None:
        """Add the metrics of finished days."""
        table = metrics_table(self.config, batch.results_of(self.config, self._labs, which, self._rates[which]))
        rows = np.zeros((len(table), self.num_envs))
        told = np.zeros(rows.shape, dtype=np.bool_)
        values = np.array(list(table.values()))
        # A mean over nobody is left out.
        told[:, which] = ~np.isnan(values)
        rows[:, which] = np.where(told[:, which], values, 0.0)
        info["metrics"] = {}
        for name, row, its in zip(table, rows, told, strict=True):
            if its.any():
                info["metrics"][name], info["metrics"][f"_{name}"] = row, its
        info["_metrics"] = over.copy()

    def _state_info(self, which: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Mask, minute and minutes since the last step; moves on the time of the last step of these labs."""
        minute = self._labs.lab[:, MINUTE].astype(np.int64)
        elapsed = minute - self._minute
        self._minute[which] = minute[which]
        return {"action_mask": self._mask.copy(), "minute": minute, "elapsed_min": elapsed}

    def _check_playing(self) -> None:
        if not self._rngs:
            raise ResetNeeded("there is no day to play: call reset() first")

    def _check(self, actions: NDArray[np.int64]) -> None:
        """Raise for infeasible actions."""
        self._check_playing()
        inside = (actions >= 0) & (actions < self.actions.size)
        allowed = inside & self._mask[np.arange(self.num_envs), np.where(inside, actions, 0)]
        if not allowed.all():
            i = int(np.argmin(allowed))
            name = self.actions.describe(int(actions[i])) if inside[i] else f"{actions[i]}"
            raise InvalidAction(
                f"action {name} of lab {i} is not feasible: it must be one of the {self._size[i]} "
                "that action_masks() allows"
            )


class _BaseRule:
    """What a rule pays on the days being played, for the paired reward.

    :param config: the lab
    :param name: of the rule
    :param count: how many labs
    :raises ValueError: the rule is not one that is compiled
    """

    def __init__(self, config: Lab, name: str, count: int) -> None:
        self._config = config
        self._tiers = compiled_rule(config, name, "paired_with")
        self._rules = batch.rules_of(config)
        self._labs = batch.make_labs(config, count)
        self._points = np.zeros((count, config.hours.end_min + 1))
        self._units = np.zeros((count, config.hours.end_min + 1, UNITS), dtype=np.int64)

    def begin(self, which: NDArray[np.int64], days: Any) -> None:
        """Play the rule through new days of some labs."""
        n = len(which)
        labs = Labs._make(array[:n] for array in self._labs)
        batch.begin_days(self._config, labs, np.arange(n), days)
        batch.run_days(labs, self._rules, self._tiers, self._units[:n])
        self._points[which] = penalty_points(self._config, np.moveaxis(self._units[:n], 2, 0)).total

    def paid(self, minute: NDArray[Any]) -> NDArray[np.float64]:
        """(B,) points paid before a minute of each lab's day."""
        return self._points[np.arange(len(minute)), minute]


def _checked_days(config: Lab, days: Any, count: int) -> list[Day]:
    if len(days) != count or not all(isinstance(day, Day) for day in days):
        raise ConfigError(f"reset option 'days' must be {count} days, one for each lab")
    for day in days:
        check_day(config, day)
    return list(days)


def _penalty_info(parts: PenaltyParts) -> dict[str, Any]:
    return {"penalty": np.asarray(parts.total), "penalty_parts": dict(parts._asdict())}


def _tell(info: dict[str, Any], told: dict[str, Any], whom: NDArray[np.bool_]) -> None:
    """Add arrays to a vector env's info, with Gymnasium's ``_key`` masks; rows of the others are zero."""
    _tell_rows(info, told, whom, np.flatnonzero(whom))


def _tell_rows(info: dict[str, Any], told: dict[str, Any], whom: NDArray[np.bool_], rows: NDArray[np.int64]) -> None:
    for name, values in told.items():
        if isinstance(values, dict):
            info[name] = {}
            _tell_rows(info[name], values, whom, rows)
        elif len(rows) == len(whom):
            info[name] = values
        else:
            info[name] = np.zeros_like(values)
            info[name][rows] = values[rows]
        info[f"_{name}"] = whom.copy()

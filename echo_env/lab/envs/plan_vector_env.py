"""Many mornings as one Gymnasium vector environment: all days that open in a step are played together, compiled."""

from __future__ import annotations

from collections import deque
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
from echo_env.lab.config import load_lab
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Day, checked_rate, draw_days
from echo_env.lab.envs.mornings import Mornings, lab_of_mornings
from echo_env.lab.envs.plan_env import CALL_POINTS, REBOOK_POINTS, check_plan_arguments, plan_space
from echo_env.lab.envs.vector_env import days_of_reset
from echo_env.lab.envs.vector_infos import metrics_info, only, penalty_info, penalty_table, with_masks
from echo_env.lab.simulation.penalty import penalty_points

_AHEAD = 16
"""Days that are drawn at a time for a lab that has none ahead."""


class EchoLabPlanVectorEnv(gym.vector.VectorEnv):
    """B mornings at once: ``gymnasium.make_vec("EchoLabPlan-v0", num_envs=64)``.

    Observations, actions, rewards, masks, infos and seeds are those of B single environments,
    :class:`~echo_env.lab.envs.plan_env.EchoLabPlanEnv`, to the bit: with ``reset(seed=s)`` lab i has the mornings that
    a single one has after ``reset(seed=s + i)``. A lab that opens begins another morning within the same step
    (``AutoresetMode.SAME_STEP``): the last observation and info are in ``info["final_obs"]`` and
    ``info["final_info"]``.

    Arguments are those of :class:`~echo_env.lab.envs.plan_env.EchoLabPlanEnv`.

    :param num_envs: how many labs
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012

    def __init__(
        self,
        num_envs: int = 1,
        config: Lab | str | Path = "scarce",
        policy: str = "scarce_first",
        rebook_points: float = REBOOK_POINTS,
        call_points: float = CALL_POINTS,
        most_rebooked: int = 8,
        reward: str = "penalty",
        render_mode: str | None = None,
    ) -> None:
        require("numba")
        check_plan_arguments(reward, rebook_points, call_points, most_rebooked, render_mode)
        self.num_envs, self.render_mode, self.reward = num_envs, None, reward
        self.config = lab_of_mornings(load_lab(config))
        self._mornings = Mornings(self.config, num_envs, policy, most_rebooked)
        self.single_observation_space = plan_space(self.config)
        self.single_action_space = gym.spaces.Discrete(self._mornings.actions)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._points = np.array([*[rebook_points] * self._mornings.types, call_points, 0.0])
        self._every = np.arange(num_envs)
        self._rngs: list[np.random.Generator] = []
        self._ahead: list[deque[Day]] = [deque() for _ in range(num_envs)]
        self._absence_rate: float | None = None

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin a morning in every lab.

        :param seed: lab i gets ``seed + i``, or the i-th of several
        :param options: ``absence_rate`` or ``days`` (B of them), for these mornings only
        :raises ConfigError: unknown option, or a day of another lab
        :raises ValueError: another number of seeds than labs
        """
        for i, own in enumerate(one_seed_each(seed, self.num_envs)):
            if len(self._rngs) <= i:
                self._rngs.append(np_random(own)[0])
            elif own is not None:
                self._rngs[i] = np_random(own)[0]
                self._ahead[i].clear()
        days = days_of_reset(self.config, self._next_days(self._every), options or {})
        self._mornings.begin(self._every.tolist(), days)
        return self._mornings.observe(), with_masks(self._state(), np.ones(self.num_envs, dtype=np.bool_))

    def step(
        self, actions: Any
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Carry out an action in every lab.

        :param actions: (B,) int, each feasible
        :raises InvalidAction: one is not, or there are not B of them; nothing has been done
        """
        if not self._rngs:
            raise ResetNeeded("there is no morning to decide on: call reset() first")
        chosen = one_action_each(actions, self.num_envs)
        self._check(chosen)
        rewards = -self._points[chosen]
        over = chosen == self._mornings.actions - 1
        for i in np.flatnonzero(~over).tolist():
            self._mornings.decide(i, int(chosen[i]))
        info: dict[str, Any] = {}
        if over.any():
            info = self._open(over, rewards)
        info |= with_masks(self._state(), np.ones_like(over))
        return self._mornings.observe(), rewards, over, np.zeros_like(over), info

    def action_masks(self) -> NDArray[np.bool_]:
        """(B, actions) bool, the action masks now."""
        return self._mornings.masks()

    def set_absence_rate(self, rate: float) -> None:
        """Use another absence rate from each lab's next morning on.

        :param rate: 0 to 1
        """
        self._absence_rate = checked_rate(rate)

    def _open(self, over: NDArray[np.bool_], rewards: NDArray[np.float64]) -> dict[str, Any]:
        """Play the days of some labs, and begin their next mornings.

        :param over: (B,) bool, whose days
        :param rewards: (B,), filled in for these
        :return: the infos of the days
        """
        which = np.flatnonzero(over)
        results = self._mornings.play(which.tolist())
        parts = penalty_points(self.config, results.units.T)
        rewards[which] = -np.asarray(parts.waiting)
        if self.reward == "paired":
            undecided = self._mornings.play(which.tolist(), planned=False)
            rewards[which] += np.asarray(penalty_points(self.config, undecided.units.T).waiting)
        state = self._state()
        state["action_mask"][:, :-1] = False
        paid = np.zeros((len(penalty_table(parts)), self.num_envs))
        paid[:, which] = penalty_table(parts)
        told = with_masks({**{name: only(own, which) for name, own in state.items()}, **penalty_info(paid)}, over)
        told |= {"metrics": metrics_info(self.config, results, which, self.num_envs), "_metrics": over}
        final, observed = np.full(self.num_envs, None, dtype=object), self._mornings.observe()
        for i in which:
            final[i] = observed[i]
        self._mornings.begin(which.tolist(), self._next_days(which))
        return {"final_obs": final, "_final_obs": over, "final_info": told, "_final_info": over}

    def _next_days(self, which: NDArray[np.int64]) -> list[Day]:
        """The next days of some labs, those that a single environment would have next."""
        empty = [i for i in which.tolist() if not self._ahead[i]]
        if empty:
            days = draw_days(self.config, [self._rngs[i] for i in empty for _ in range(_AHEAD)])
            for place, i in enumerate(empty):
                self._ahead[i].extend(days[place * _AHEAD : (place + 1) * _AHEAD])
        taken = [self._ahead[i].popleft() for i in which.tolist()]
        return taken if self._absence_rate is None else [day.with_absence_rate(self._absence_rate) for day in taken]

    def _state(self) -> dict[str, Any]:
        """The entries that all infos have."""
        rebooked, called = self._mornings.counts()
        return {"action_mask": self._mornings.masks(), "rebooked": rebooked, "called": called}

    def _check(self, actions: NDArray[np.int64]) -> None:
        """Raise for infeasible actions."""
        masks = self._mornings.masks()
        inside = (actions >= 0) & (actions < masks.shape[1])
        allowed = inside & masks[self._every, np.where(inside, actions, 0)]
        if not allowed.all():
            i = int(np.argmin(allowed))
            words = ", ".join(map(str, np.flatnonzero(masks[i]).tolist()))
            raise InvalidAction(f"action {actions[i]} of lab {i} is not feasible: it must be one of {words}")

"""The decision of the morning as a Gymnasium environment: whom to rebook, and whom to call in."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import InvalidAction, ResetNeeded
from numpy.typing import NDArray

from echo_env.common.spaces import FeasibleDiscrete, KeepsFeasible
from echo_env.lab.config import GeneralLabConfig, load_lab
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import check_day, checked_rate, sample_day
from echo_env.lab.envs.arguments import PAIRED, PENALTY, day_of_reset
from echo_env.lab.envs.mornings import Mornings, lab_of_mornings, morning_numbers
from echo_env.lab.simulation.metrics import metrics_table, told_metrics
from echo_env.lab.simulation.penalty import penalty_points

REWARDS = (PENALTY, PAIRED)
REBOOK_POINTS = 960.0
"""As much as four hours of an on-time patient's waiting: a patient who is rebooked waits for days."""
CALL_POINTS = 1920.0
"""As much as eight hours, the day of the member who is called in."""


def check_plan_arguments(
    reward: str, rebook_points: float, call_points: float, most_rebooked: int, render_mode: str | None
) -> None:
    """Check the arguments that both environments of mornings share.

    :raises ValueError: names the argument, its value and what is allowed
    """
    if reward not in REWARDS:
        raise ValueError(f"reward is {reward!r}, but must be one of {', '.join(REWARDS)}")
    for name, value in (("rebook_points", rebook_points), ("call_points", call_points)):
        if not 0 <= value < math.inf:
            raise ValueError(f"{name} is {value!r}, but must be a number of at least 0")
    if most_rebooked < 1:
        raise ValueError(f"most_rebooked is {most_rebooked!r}, but must be at least 1")
    if render_mode is not None:
        raise ValueError(f"render_mode is {render_mode!r}, but a morning is not drawn: it must be None")


def plan_space(config: GeneralLabConfig) -> gym.spaces.Box:
    """The observation space of mornings.

    :param config: the lab
    """
    most = np.array([number.most for number in morning_numbers(config)], dtype=np.float32)
    return gym.spaces.Box(0.0, most, dtype=np.float32)


class EchoLabPlanEnv(KeepsFeasible, gym.Env[np.ndarray, np.int64]):
    r"""The morning in a lab: some staff are absent, and the day's book is full. Whom to rebook to another day?

    ## Description
    One episode is one morning, 08:00. Who is absent is known, who will come late or not at all is not. The lab may
    telephone patients and rebook them to another day, each at a cost, and call in members of staff who are on call.
    Then it opens, and exams begin by a rule until the end of the day.

    ## Action space
    ``Discrete(K + 2)`` for K exam types. Action k rebooks one more patient of type k: whose appointment begins the most
    crowded hour (most patients of all types who are not rebooked), the latest of several. Action K calls a member in:
    the first who can be of the group with most absent members who are not replaced yet. Action K + 1 opens.

    Not every action is feasible: :meth:`action_masks` and ``info["action_mask"]``, (K + 2,) bool, say which are. An
    infeasible one raises ``gymnasium.error.InvalidAction``. ``action_space.sample()`` draws among the feasible ones.

    ## Observation space
    ``Box(3 G + 3 K + 1,)``, float32, for G groups of staff, per
    :func:`~echo_env.lab.envs.mornings.morning_numbers`:

    | numbers | field |
    |---|---|
    | 3 g, 3 g + 1 | shares of the regular members of group g who are present, absent |
    | 3 g + 2 | share of its members on call who have been called |
    | 3 G + 3 k | share of the appointments of type k that are left in the book |
    | 3 G + 3 k + 1 | load: mean exam minutes of these, by the minutes until closing of who and what can do them |
    | 3 G + 3 k + 2 | patients of type k rebooked, by the most that may be in all |
    | 3 G + 3 K | patients rebooked, likewise |

    ## Rewards
    ``-rebook_points`` for each patient rebooked, ``-call_points`` for each member called in. Opening gives minus the
    waiting part of the day's penalty, with ``reward="paired"`` minus what it is above that of the same day if nothing
    is decided in the morning: undiscounted, the best policy is the same, and most of the noise is gone.

    ## Starting state
    A new morning, drawn from the env's generator: the day that :class:`~echo_env.lab.envs.env.EchoLabEnv` of the same
    lab plays after ``reset(seed=s)``, but nobody on call comes without being called, and nobody is rebooked.
    ``options={"day": Day}`` and ``options={"absence_rate": p}`` as there.

    ## Episode end
    Terminates when the lab opens; never truncates.

    ## Information
    ``action_mask``; ``rebooked`` and ``called``, how many so far; with the last step also ``penalty`` and
    ``penalty_parts`` of the day, without the points of the morning, and ``metrics``, its numbers
    (:func:`~echo_env.lab.simulation.metrics.told_metrics`) without means over nobody.

    ## Arguments
    ```python
    gymnasium.make("EchoLabPlan-v0", config="my_lab.yaml", rebook_points=300)
    ```

    :param config: the lab: a preset's name, the path of a YAML file, or a config; its own absence plan is left out
    :param policy: name of the rule by which exams begin, one that serves by class
    :param rebook_points: cost of a rebooked patient; by default four hours of an on-time patient's wait
    :param call_points: cost of a member who is called in; by default eight such hours
    :param most_rebooked: so many patients are rebooked at most
    :param reward: ``penalty`` or ``paired``
    :param render_mode: None: nothing is drawn

    ## Copies
    The environment can be copied and pickled at any time, and the copy goes on equally.

    ## Version history
    - v0: first version
    """

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(
        self,
        config: Lab | str | Path = "scarce",
        policy: str = "scarce_first",
        rebook_points: float = REBOOK_POINTS,
        call_points: float = CALL_POINTS,
        most_rebooked: int = 8,
        reward: str = "penalty",
        render_mode: str | None = None,
    ) -> None:
        check_plan_arguments(reward, rebook_points, call_points, most_rebooked, render_mode)
        self.config = lab_of_mornings(load_lab(config))
        self.render_mode = None
        self.reward = reward
        self.observation_space: gym.spaces.Box = plan_space(self.config)
        self._morning = Mornings(self.config, 1, policy, most_rebooked)
        self.action_space: FeasibleDiscrete = FeasibleDiscrete(self._morning.actions)
        self._points = [rebook_points] * self._morning.types + [call_points]
        self._absence_rate: float | None = None
        self._mask: NDArray[np.bool_] | None = None
        self._over = True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin a morning.

        :param seed: see "Starting state"
        :param options: ``day`` or ``absence_rate``, for this morning only
        :raises ConfigError: unknown option, or a day of another lab
        """
        super().reset(seed=seed)
        day = day_of_reset(sample_day(self.config, self.np_random), options or {}, self._absence_rate)
        check_day(self.config, day)
        self._morning.begin([0], [day])
        self._over = False
        return self._morning.observe()[0], self._info()

    def step(self, action: Any) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Rebook somebody, call somebody in, or open.

        :param action: a feasible one
        :raises InvalidAction: not feasible; nothing has been done
        """
        if self._over or self._mask is None:
            raise ResetNeeded("there is no morning to decide on: call reset() first")
        choice = int(action)
        if not (0 <= choice < self._morning.actions and self._mask[choice]):
            allowed = ", ".join(map(str, np.flatnonzero(self._mask).tolist()))
            raise InvalidAction(f"action {choice} is not feasible: it must be one of {allowed}")
        if choice < len(self._points):
            self._morning.decide(0, choice)
            return self._morning.observe()[0], -self._points[choice], False, False, self._info()
        results = self._morning.play([0])
        parts = penalty_points(self.config, results.units[0].tolist())
        reward = -parts.waiting
        if self.reward == "paired":
            reward += penalty_points(self.config, self._morning.play([0], planned=False).units[0].tolist()).waiting
        self._over = True
        info = self._info()
        info["penalty"], info["penalty_parts"] = parts.total, parts._asdict()
        numbers = metrics_table(self.config, results, told_metrics(self.config)).items()
        info["metrics"] = {name: values.item() for name, values in numbers if not math.isnan(values.item())}
        return self._morning.observe()[0], reward, True, False, info

    def action_masks(self) -> NDArray[np.bool_]:
        """(actions,) bool, the action mask now. After the last step only opening is feasible."""
        if self._mask is None:
            raise ResetNeeded("there is no morning to decide on: call reset() first")
        return self._mask.copy()

    def set_absence_rate(self, rate: float) -> None:
        """Use another absence rate from the next reset on.

        :param rate: 0 to 1
        """
        self._absence_rate = checked_rate(rate)

    def _info(self) -> dict[str, Any]:
        """Info of every reset and step; also updates the mask."""
        mask: NDArray[np.bool_] = self._morning.masks()[0]
        if self._over:
            mask[:-1] = False
        self._mask = self.action_space.feasible = mask
        rebooked, called = self._morning.counts()
        return {"action_mask": mask.copy(), "rebooked": int(rebooked[0]), "called": int(called[0])}

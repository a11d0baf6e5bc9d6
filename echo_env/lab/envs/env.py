"""The lab as a Gymnasium environment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import InvalidAction, ResetNeeded
from numpy.typing import NDArray

from echo_env.common.spaces import FeasibleDiscrete, KeepsFeasible
from echo_env.lab.config import load_lab
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Day, checked_rate, sample_day
from echo_env.lab.decisions.action_sets import make_actions
from echo_env.lab.decisions.actions import Offer
from echo_env.lab.decisions.observation import default_observation, make_observation
from echo_env.lab.envs.arguments import ADVANTAGE, base_of, check_env_arguments, day_of_reset
from echo_env.lab.policies.rule_action import rule_action, tiered_rule
from echo_env.lab.simulation.metrics import day_metrics, told_metrics
from echo_env.lab.simulation.penalty import UNITS, penalty_points
from echo_env.lab.simulation.simulator import Simulator, play_on, simulate
from echo_env.lab.simulation.trace import Trace


class EchoLabEnv(KeepsFeasible, gym.Env[np.ndarray, np.int64]):
    r"""An echocardiography lab: who gets the next free room and sonographer?

    ## Description
    One episode is one day, 08:00 to 19:00. Patients come for 38 appointments, 9 of them fetal; some are
    late, some early, some do not come. An exam needs a room and a sonographer; a fetal exam needs
    fetal-capable ones, which are few. Sonographers take breaks, and may be absent all day. The model is that
    of Sun et al., sections 3 to 5; :class:`~echo_env.lab.config.lab_config.LabConfig` holds its numbers.

    ## Action space
    ``Discrete(729)``: six digits in base 3, [A_ft, A_fl, A_fe, A_nt, A_nl, A_ne], how many fetal on-time,
    late, early and non-fetal on-time, late, early patients begin an exam now (0 to 2 each), those who have
    waited longest. Fetal patients claim first; non-fetal ones take non-fetal resources first.

    ``actions="start"``, for any lab: ``Discrete(3 K + 1)`` for K exam types. Action 3 k + j begins the exam of whoever
    has waited longest among the patients of type k who are on time, late or early (j = 0, 1, 2); the last action lets
    time pass. Several starts may follow each other in one minute.

    ``reservations=(5, 10, 20)`` beside these: ``Discrete(3 K + 1 + K D)`` for D lengths. Action 3 K + 1 + D k + d keeps
    the last free room and the last free member of staff that can do type k for that many minutes, or until somebody of
    type k can begin: see :mod:`~echo_env.lab.decisions.starts`.

    Not every action is feasible: :meth:`action_masks` and ``info["action_mask"]``, (actions,) bool, say which
    are. An infeasible one raises ``gymnasium.error.InvalidAction``. ``action_space.sample()`` draws
    among the feasible ones.

    ## Observation space
    ``observation="paper"``: ``Box(13,)``, float32, section 5.1:

    | number | field | shown as 1 |
    |---|---|---|
    | 0, 1, 2 | fetal patients waiting: early, on time, late | 5 |
    | 3, 4, 5 | non-fetal patients waiting: early, on time, late | 5 |
    | 6, 7 | free rooms: non-fetal, fetal-capable | all |
    | 8, 9 | free sonographers: non-fetal, fetal-capable | all |
    | 10, 11 | sonographers on break: non-fetal, fetal-capable | all |
    | 12 | minutes since opening | 660 |

    ``observation="rich"``: these and, per
    :func:`~echo_env.lab.decisions.observation.rich_fields`, what the paper's Future Work asks for: the longest wait in
    each class; per kind the patients due within 15, 30 and 60 minutes and today, those overdue, and the minutes to the
    next one; per sonographer whether present, whether in an exam, for how long busy, and breaks left.

    ``observation="staffed"``: the paper's numbers, the same of appointments, and
    :func:`~echo_env.lab.decisions.staffed.fields_of_staff`: who is present, when the next are expected to be free, and
    what is kept.

    ``observation="rows"``, for any lab: ``Box(3 K + 1, C)``, a row of features for each action of ``start``, per
    :func:`~echo_env.lab.decisions.rows.row_features`; the last row is of the whole lab.

    ## Rewards
    ``reward="penalty"``: minus the penalty of the minutes since the last step: 4 per on-time and 2 per late
    patient and minute of waiting, 10 more per patient and minute from 17:00 on, and the idle part.
    ``reward="paired"``: what the rule ``paired_with`` pays over the same minutes of the same day, minus that.
    No action changes what the rule pays, so undiscounted (or discounted by elapsed minutes) the best policy
    is the same, and most of the noise is gone.
    ``reward="advantage"``: what the day costs if that rule decides from before the action on, minus the same from
    after it. Over a day its sum is that of ``paired``, but each action gets at once what it changed, and 0 where the
    rule would have done the same (potential-based shaping: Ng et al., 1999). It knows the future of the day, as
    ``paired`` does, so it is for training only; the rule must be one that serves by class.

    ## Starting state
    A new day, drawn from the env's generator. ``reset(seed=s)`` gives the same day again; resets without a
    seed go on to other days, which depend on no action. ``options={"day": Day}`` plays a given day,
    ``options={"absence_rate": p}`` this one day with that rate; neither outlives the episode.

    ## Episode end
    Terminates at the end of the day; never truncates.

    ## Information
    ``action_mask``; ``minute``; ``elapsed_min``, minutes this step took; ``penalty`` of the step and
    ``penalty_parts``; with the last step also ``metrics``, numbers of the day
    (:func:`~echo_env.lab.simulation.metrics.told_metrics`) without means over nobody. These are the true penalties,
    whatever the reward.

    ## Arguments
    ```python
    gymnasium.make("EchoLabScarce-v0", clock="event", idling=False)
    ```

    :param config: the lab: a preset's name, the path of a YAML file, or a config
    :param observation: ``paper``, ``rich``, ``staffed`` (for labs of two nested exam types) or ``rows``; by default
        ``paper`` where it is possible, else ``rows``
    :param idling: mask in every feasible action; if False only those to which no further start could be added
    :param clock: ``minute``: a step a minute, 660 a day (the paper's). ``event``: a step only in minutes
        where more than one action is feasible (in a day without any, one step in its last minute); the same
        decisions give the same total. Minutes before the first step are paid with the first step
    :param reward: ``penalty``, ``paired`` or ``advantage``
    :param paired_with: name of the policy that the other two rewards compare with
    :param actions: ``joint`` (for labs of two nested exam types) or ``start``; by default ``joint`` where possible
    :param render_mode: ``ansi`` (a screen of text), ``rgb_array`` or ``human`` (the whiteboard as a
        chart; ``human`` shows it after every step)
    :param reservations: with ``start``, minutes for which resources can be kept

    ## Copies
    The environment can be copied and pickled at any time, in the middle of a day too, and the copy goes on equally.

    ## Version history
    - v0: first version
    """

    metadata = {"render_modes": ["human", "rgb_array", "ansi"], "render_fps": 4}  # noqa: RUF012

    def __init__(
        self,
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
        check_env_arguments(clock, reward, idling)
        if render_mode not in (None, *self.metadata["render_modes"]):
            allowed = ", ".join(self.metadata["render_modes"])
            raise ValueError(f"render_mode is {render_mode!r}, but must be one of None, {allowed}")
        self.config = load_lab(config)
        self.actions = make_actions(actions, self.config, reservations)
        self.idling = idling
        self.clock = clock
        self.render_mode = render_mode
        self.observation_space: gym.spaces.Box
        self.observation_space, self._observe = make_observation(
            default_observation(self.config) if observation is None else observation, self.config
        )
        self.action_space: FeasibleDiscrete = FeasibleDiscrete(self.actions.size)
        self._base = base_of(reward, paired_with, self.config)
        self._advantage, self._under_rule = reward == ADVANTAGE, 0.0
        self._absence_rate: float | None = None
        self._lab: Simulator | None = None
        self._picture: Any = None
        self._window: Any = None
        self._base_points: NDArray[np.float64] | None = None
        self._offered: Offer
        # What infos have reported so far: penalty units, up to which minute, and when the last step was.
        self._paid, self._paid_until, self._minute = (0,) * UNITS, 0, 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin a day.

        :param seed: see "Starting state"
        :param options: ``day`` or ``absence_rate``, for this day only
        :raises ConfigError: unknown option, or a day of another lab
        """
        super().reset(seed=seed)
        self._lab = Simulator(self.config, self._new_day(options or {}))
        self._paid, self._paid_until, self._minute = (0,) * UNITS, 0, 0
        if self._base is not None:
            self._base_points = simulate(self.config, self._lab.day, self._base).cumulated_penalty
            self._under_rule = float(self._base_points[-1])
        self._to_next_choice(beginning=True)
        if self.render_mode == "human":
            self.render()
        return self._observe(self._lab.view), self._info()

    def step(self, action: Any) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Carry out an action and go on to the next choice.

        :param action: a feasible one
        :raises InvalidAction: not feasible; nothing has been done
        """
        lab = self._playing()
        choice = int(action)
        if not (0 <= choice < self.actions.size and self._offered.mask[choice]):
            raise InvalidAction(self._why_not(choice))
        if self.actions.carry_out(choice, lab):
            lab.advance(self._at_most())
        self._to_next_choice()
        units = [now - before for now, before in zip(lab.units, self._paid, strict=True)]
        parts = penalty_points(self.config, units)
        reward = -parts.total
        if self._advantage:
            before, self._under_rule = self._under_rule, self._whole_day()
            reward = before - self._under_rule
        elif self._base_points is not None:
            reward += float(self._base_points[lab.board.minute] - self._base_points[self._paid_until])
        self._paid, self._paid_until = lab.units, lab.board.minute
        info = self._info()
        info["penalty"] = parts.total
        info["penalty_parts"] = parts._asdict()
        if lab.over:
            # A mean over nobody is left out: nan would make equal infos differ.
            numbers = day_metrics(lab.trace(), told_metrics(self.config)).items()
            info["metrics"] = {name: value for name, value in numbers if not math.isnan(value)}
        if self.render_mode == "human":
            self.render()
        return self._observe(lab.view), reward, lab.over, False, info

    def action_masks(self) -> NDArray[np.bool_]:
        """(actions,) bool, the action mask now. After the last step only what lets time pass is feasible: action 0 of
        ``joint``, 3 K of ``start``."""
        self._playing(over_is_fine=True)
        return self._offered.mask.copy()

    def rule_actions(self, rule: str) -> int:
        """The feasible action nearest to a rule's decision now; nothing is begun.

        A demonstration for an agent; see :func:`~echo_env.lab.policies.rule_action.rule_action`.
        Through SB3's interface it is ``vec_env.env_method("rule_actions", rule)``, one action for each lab, and so it
        is of :class:`~echo_env.lab.envs.vector_env.EchoLabVectorEnv`.

        :param rule: name of a rule that serves by class, such as ``fetal_first``
        :raises ValueError: the rule is unknown, or not one that serves by class
        """
        policy = tiered_rule(self.config, rule, "rule")
        return rule_action(policy, self._playing().view, self._offered, self.actions)

    def set_absence_rate(self, rate: float) -> None:
        """Use another absence rate from the next reset on.

        :param rate: 0 to 1
        """
        self._absence_rate = checked_rate(rate)

    @property
    def trace(self) -> Trace:
        """What has happened so far today."""
        return self._playing(over_is_fine=True).trace()

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles hold: all but pictures and windows."""
        return {**super().__getstate__(), "_picture": None, "_window": None}

    @property
    def simulator(self) -> Simulator:
        """The day as it stands: copies of it can be played on.

        :raises ResetNeeded: there is none
        """
        return self._playing(over_is_fine=True)

    def _playing(self, over_is_fine: bool = False) -> Simulator:
        """The day being played, or an error if there is none."""
        if self._lab is None or (self._lab.over and not over_is_fine):
            raise ResetNeeded("there is no day to play: call reset() first")
        return self._lab

    def _whole_day(self) -> float:
        """What the day costs if the rule decides from now on, points."""
        lab, base = deepcopy(self._playing(over_is_fine=True)), self._base
        assert base is not None
        play_on(lab, base)
        return float(penalty_points(self.config, lab.units).total)

    def _new_day(self, options: dict[str, Any]) -> Day:
        """The day that reset is to play."""
        # The generator is used in the same way whatever the options, so later days stay what they were.
        return day_of_reset(sample_day(self.config, self.np_random), options, self._absence_rate)

    def _at_most(self, beginning: bool = False) -> int | None:
        """How far the clock may run in one go."""
        if self.clock == "minute":
            return self._playing().board.minute + 1
        return self.config.hours.end_min - 1 if beginning else None

    def _to_next_choice(self, beginning: bool = False) -> None:
        """Play on until there is a choice to make, taking the action wherever only one is feasible.

        :param beginning: stop in the last minute of the day at the latest: an episode has a step
        """
        lab = self._playing(over_is_fine=True)
        view, end = lab.view, self.config.hours.end_min
        while True:
            self._offered = self.actions.none() if lab.over else self.actions.offered(view, self.idling)
            if lab.over or self.clock == "minute" or self._offered.size > 1:
                break
            if beginning and lab.board.minute == end - 1:
                break
            if self.actions.carry_out(self._offered.first, lab):
                lab.advance(self._at_most(beginning))
        self.action_space.feasible = self._offered.mask

    def _info(self) -> dict[str, Any]:
        """Info of every reset and step; also updates the time of the last step."""
        minute = self._playing(over_is_fine=True).board.minute
        elapsed, self._minute = minute - self._minute, minute
        return {"action_mask": self._offered.mask.copy(), "minute": minute, "elapsed_min": elapsed}

    def _why_not(self, action: int) -> str:
        """The message for an infeasible action."""
        if not 0 <= action < self.actions.size:
            return f"action {action} is out of range: it must be from 0 to {self.actions.size - 1}"
        clock = self.config.hours.clock(self._playing().board.minute)
        return (
            f"action {self.actions.describe(action)} is not feasible at {clock}: "
            f"it must be one of the {self._offered.size} that action_masks() allows"
        )

    def render(self) -> Any:
        """Draw the present whiteboard.

        :return: text for ``ansi``, (600, 900, 3) uint8 for ``rgb_array``, None for ``human``
        """
        if self.render_mode is None:
            gym.logger.warn("render() needs a render_mode, given to gymnasium.make()")
            return None
        from echo_env.lab.envs import render

        lab = self._playing(over_is_fine=True)
        if self.render_mode == "ansi":
            return render.whiteboard_text(lab.view)
        if self._picture is None:
            self._picture = render.WhiteboardPicture(self.config)
        pixels = self._picture.draw(lab)
        if self.render_mode == "rgb_array":
            return pixels
        if self._window is None:
            from echo_env.common import figures

            self._window = figures.Window("Echo lab", *pixels.shape[:2])
        self._window.show(pixels)
        return None

    def close(self) -> None:
        """Close the window of ``render_mode="human"``."""
        if self._window is not None:
            self._window.close()
            self._window = None

"""The hospital as a Gymnasium environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from echo_env.common.spaces import FeasibleDiscrete, KeepsFeasible
from echo_env.pathways.config import PathwaysConfig
from echo_env.pathways.decisions.observation import MAX_RESOURCES, Layout
from echo_env.pathways.envs import render
from echo_env.pathways.envs.episode import Episode
from echo_env.pathways.envs.resets import draw_episode, load_config
from echo_env.pathways.simulation.trace import Trace


class PatientPathwaysEnv(KeepsFeasible, gym.Env[np.ndarray, np.int64]):
    r"""A hospital in which patients need several resources in order: which patient gets this unit?

    ## Description
    N patients with uncertain health each need K of R resources, in an order, within T steps. Health moves up or
    down depending on the patient's condition and the resource it holds; a patient whose needs are all met is healthy.
    The model is that of Hosseini, Hoey and Cohen, *Multi-agent patient scheduling through auctioned decentralized
    MDPs*; :class:`~echo_env.pathways.config.hospital_config.PathwaysConfig` holds its parameters. Here an agent takes
    the auction's place.

    In each step, resources are processed by number and their free units one by one. A unit requested by two or more
    patients is one decision of the agent. A unit requested by one patient goes to that patient, and steps without
    contested units pass without a decision. A patient who has won a unit requests no other in that step.

    ## Action space
    ``Discrete(max_patients + 1)``: the number of the patient who gets the unit, or nobody, the last action, which also
    leaves the resource's other units idle in this step. Feasible are the patients who request the unit, and nobody:
    :meth:`action_masks` and ``info["action_mask"]``, (max_patients + 1,) bool. An infeasible action raises
    ``gymnasium.error.InvalidAction``; :class:`~echo_env.pathways.envs.wrappers.NobodyInstead` serves algorithms
    without action masks. ``action_space.sample()`` draws feasible actions.

    ## Observation space
    ``Box(max_patients + 1, columns)``, float32, all from 0 to 1: row a describes action a, so the last row is the
    hospital's. Rows of absent patients are 0, and so are the columns of needs and resources that do not exist.
    ``env.layout.patient_columns()`` and ``env.layout.hospital_columns()`` name the columns:

    | of a patient | columns |
    |---|---|
    | present; requests this unit; has won one in this step; finished; holds a resource; steps left with it (/ T) | 6 |
    | one-hot health | H |
    | probabilities that health goes down, up in this step | 2 |
    | the same while waiting, at each level of health | 2 H |
    | urgency of each resource: 1 / (1 + needs before it), 0 if no longer needed | max_resources |
    | each remaining need, the one that this unit serves first: see below | K (7 + 2 H) |

    A remaining need: 1; can be requested now; is served by this unit; its duration (/ T); requests for its resource
    now, patients who still have to win it, free units (each / max_patients, at most 1); probabilities that health goes
    down, up while it is held, at each level.

    | of the hospital | columns |
    |---|---|
    | time left (/ T); requests for this unit, free units of this resource, patients present (/ max_patients) | 4 |
    | of each resource: is this one; requests for it, patients who still have to win it; free units | 4 max_resources |

    Numbers of patients and of units are divided by ``max_patients`` and capped at 1 throughout.

    ## Rewards
    Success is health scaled to [0, 1]. The reward is the sum of the successes of all patients who have arrived, over
    the steps since the last decision, divided by the number of patient-steps of the whole episode. The undiscounted
    return is the utility that evaluations report: mean success over patients and steps.

    ## Starting state
    A new instance and its random draws, all drawn at the reset from the env's generator: ``reset(seed=s)`` starts
    ``instance = sample_instance(config, rng)`` with ``sample_luck(instance, rng)``, where ``rng`` is
    ``gymnasium.utils.seeding.np_random(s)[0]``. Resets without a seed continue this generator, independently of the
    actions. ``options={"instance": Instance, "luck": Luck}`` starts a given episode, such as one of an evaluation; no
    seed ever draws those.

    ## Episode end
    Terminates after the last step; never truncates. An episode without any decision stops once, in its last step,
    with nobody as the only feasible action.

    ## Information
    ``action_mask``; ``step``; ``resource``, that of the unit to allocate (R if there is none); after the last step
    also ``metrics`` (:data:`~echo_env.pathways.simulation.metrics.METRICS`), without those that are undefined.

    ## Arguments
    ```python
    gymnasium.make("PatientPathways-v0", patients=6, resources=4)
    ```

    :param config: the hospital: a preset's name, the path of a YAML file, or a config
    :param patients: N, in place of the config's
    :param resources: R, in place of the config's
    :param max_patients: largest number of patients of observations and actions, in place of the config's
    :param max_resources: largest number of resources of observations
    :param render_mode: ``ansi`` (one line for each patient), ``rgb_array`` or ``human`` (health by steps up to now,
        and who requests the unit, as a picture; needs matplotlib)

    ## Copies
    The environment can be copied and pickled at any time, and the copy goes on equally.

    ## Version history
    - v0: first version
    """

    metadata = {"render_modes": ["human", "rgb_array", "ansi"], "render_fps": 4}  # noqa: RUF012

    def __init__(
        self,
        config: PathwaysConfig | str | Path = "baseline",
        patients: int | None = None,
        resources: int | None = None,
        max_patients: int | None = None,
        max_resources: int = MAX_RESOURCES,
        render_mode: str | None = None,
    ) -> None:
        if render_mode not in (None, *self.metadata["render_modes"]):
            allowed = ", ".join(self.metadata["render_modes"])
            raise ValueError(f"render_mode is {render_mode!r}, but must be one of None, {allowed}")
        self.config = load_config(config, patients, resources, max_patients)
        self.layout = Layout.of(self.config, max_resources)
        self.render_mode = render_mode
        self.observation_space = self.layout.space()
        self.action_space: FeasibleDiscrete = FeasibleDiscrete(self.layout.patients + 1)
        self._episode: Episode | None = None
        self._picture: render.EpisodePicture | None = None
        self._window: Any = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Start an episode.

        :param seed: see "Starting state"
        :param options: ``instance`` and ``luck``, for this episode only
        :raises ConfigError: an unknown option, one without the other, or an instance of another hospital
        """
        super().reset(seed=seed)
        instance, luck = draw_episode(self.config, self.np_random, options or {})
        self._episode = Episode(instance, luck, self.layout)
        if self.render_mode == "human":
            self.render()
        return self._told(self._episode)

    def step(self, action: Any) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Allocate the unit and advance to the next decision.

        :param action: a patient who requests it, or ``max_patients`` for nobody
        :raises InvalidAction: an infeasible action; the episode is unchanged
        """
        episode = self._playing()
        if episode.over:
            raise ResetNeeded("the episode is over: call reset() first")
        episode.check(int(action))
        reward = episode.give(int(action))
        if self.render_mode == "human":
            self.render()
        observation, info = self._told(episode)
        return observation, reward, episode.over, False, info

    def __getstate__(self) -> dict[str, Any]:
        """The environment without what it draws with, which a copy makes anew."""
        return {**super().__getstate__(), "_picture": None, "_window": None}

    def action_masks(self) -> NDArray[np.bool_]:
        """(max_patients + 1,) bool, the feasible actions; nobody is always feasible."""
        return self._playing().mask()

    @property
    def trace(self) -> Trace:
        """The trajectory of this episode so far."""
        return self._playing().trace()

    def render(self) -> Any:
        """Draw the episode so far.

        :return: text for ``ansi``, (height, width, 3) uint8 for ``rgb_array``, None for ``human``
        """
        if self.render_mode is None:
            gym.logger.warn("render() was called, but render_mode is None: give gymnasium.make one")
            return None
        episode = self._playing()
        if self.render_mode == "ansi":
            return render.hospital_text(episode)
        if self._picture is None:
            self._picture = render.EpisodePicture(self.config)
        pixels = self._picture.draw(episode)
        if self.render_mode == "rgb_array":
            return pixels
        if self._window is None:
            from echo_env.common import figures

            self._window = figures.Window("Patient pathways", *pixels.shape[:2])
        self._window.show(pixels)
        return None

    def close(self) -> None:
        """Close the window of ``render_mode="human"``."""
        if self._window is not None:
            self._window.close()
            self._window = None

    def _playing(self) -> Episode:
        if self._episode is None:
            raise ResetNeeded("no episode has been started: call reset() first")
        return self._episode

    def _told(self, episode: Episode) -> tuple[NDArray[np.float32], dict[str, Any]]:
        shown: NDArray[np.float32] = np.zeros(self.layout.shape, dtype=np.float32)
        episode.observe(shown)
        info = episode.info()
        self.action_space.feasible = info["action_mask"].copy()
        return shown, info

"""The hospital as a Gymnasium environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import InvalidAction, ResetNeeded
from numpy.typing import NDArray

from echo_env.common.config_file import ConfigError
from echo_env.common.spaces import FeasibleDiscrete
from echo_env.pathways.config import PathwaysConfig
from echo_env.pathways.decisions.observation import MAX_RESOURCES, Layout
from echo_env.pathways.envs.episode import Episode
from echo_env.pathways.instance.instance import Instance, Luck, sample_instance, sample_luck
from echo_env.pathways.simulation.trace import Trace


def load_config(
    config: PathwaysConfig | str | Path,
    patients: int | None = None,
    resources: int | None = None,
    max_patients: int | None = None,
) -> PathwaysConfig:
    """A hospital with other numbers, where they are given.

    :raises ConfigError: names the field, its value and what is allowed
    """
    given = {"patients": patients, "resources": resources, "max_patients": max_patients}
    return PathwaysConfig.load(config).replace(**{name: number for name, number in given.items() if number is not None})


class PatientPathwaysEnv(gym.Env[np.ndarray, np.int64]):
    r"""A hospital in which patients need several resources in order: who gets this unit?

    ## Description
    N patients with uncertain health each need K of R resources, in an order, within T steps. Health moves up or
    down by the patient's condition and by what it holds; whoever has had all it needs is healthy. The model is that
    of Hosseini, Hoey and Cohen, *Multi-agent patient scheduling through auctioned decentralized MDPs*;
    :class:`~echo_env.pathways.config.hospital_config.PathwaysConfig` holds its numbers. Here an agent takes the
    auction's place.

    In each step the resources come up by number, and of each its free units one after the other. A unit that two or
    more patients ask for is one decision of the agent. One that a single patient asks for goes to that patient, and
    steps in which nothing is contested pass by themselves. Whoever has won a unit asks for no other in that step.

    ## Action space
    ``Discrete(max_patients + 1)``: the patient who gets the unit, by number, or nobody, the last action, which also
    leaves the resource's other units idle in this step. Only patients who ask for the unit can get it, and nobody
    always can: :meth:`action_masks` and ``info["action_mask"]``, (max_patients + 1,) bool. Any other action raises
    ``gymnasium.error.InvalidAction``; :class:`~echo_env.pathways.envs.wrappers.NobodyInstead` lets algorithms without
    masks act. ``action_space.sample()`` draws among those that can.

    ## Observation space
    ``Box(max_patients + 1, columns)``, float32, all from 0 to 1: row a is about action a, so the last one is the
    hospital's. Rows of patients who are not there (yet, or any more) are 0, and so is all that a row or the hospital
    has too few of. ``env.layout.patient_columns()`` and ``env.layout.hospital_columns()`` name the columns:

    | of a patient | columns |
    |---|---|
    | is here; asks for this unit; has won one in this step; is finished; holds something; for how long yet (/ T) | 6 |
    | its health is 0, 1, ... | H |
    | probabilities that health goes down, up in this step | 2 |
    | the same while waiting, at each level of health | 2 H |
    | when it needs each resource: 1 / (1 + needs before it), 0 if not any more | max_resources |
    | each need that is left, that for this unit first: see below | K (7 + 2 H) |

    A need that is left: 1; can be asked for now; is for this unit; its duration (/ T); how many ask for its resource
    now, how many still have to get it, how many units are free (each / max_patients, at most 1); probabilities that
    health goes down, up while it is held, at each level.

    | of the hospital | columns |
    |---|---|
    | time left (/ T); how many ask for this unit, units of this resource, patients here (/ max_patients) | 4 |
    | of each resource: is this one; how many ask for it, still have to get it; units free | 4 max_resources |

    Numbers of patients and of units are divided by ``max_patients`` throughout, and at most 1.

    ## Rewards
    Success is health from 0 to 1. The reward is the sum of the successes of all patients who have arrived, after
    each step that has passed since the last decision, divided by the number of such patients and steps in the whole
    episode. The undiscounted return is the utility that evaluations report: mean success over patients and steps.

    ## Starting state
    A new hospital and its luck, all drawn at the reset from the env's generator: ``reset(seed=s)`` plays
    ``instance = sample_instance(config, rng)`` with ``sample_luck(instance, rng)``, where ``rng`` is
    ``gymnasium.utils.seeding.np_random(s)[0]``. Resets without a seed go on to others, which depend on no action.
    ``options={"instance": Instance, "luck": Luck}`` plays a given episode, such as those of evaluations, which are
    never among those of any seed.

    ## Episode end
    Terminates after the last step; never truncates. An episode without any choice stops once, in its last step,
    with nobody as the only action.

    ## Information
    ``action_mask``; ``step``; ``resource``, of the unit that is given away (R if none is); with the last step also
    ``metrics``, the numbers of the episode (:data:`~echo_env.pathways.simulation.metrics.METRICS`) without means over
    nobody.

    ## Arguments
    ```python
    gymnasium.make("PatientPathways-v0", patients=6, resources=4)
    ```

    :param config: the hospital: a preset's name, the path of a YAML file, or a config
    :param patients: N, in place of the config's
    :param resources: R, in place of the config's
    :param max_patients: most patients that observations and actions have room for, in place of the config's
    :param max_resources: most resources that observations have room for
    :param render_mode: ``ansi``: a line for each patient

    ## Version history
    - v0: first version
    """

    metadata = {"render_modes": ["ansi"], "render_fps": 4}  # noqa: RUF012

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
            raise ValueError(f"render_mode is {render_mode!r}, but must be None or ansi")
        self.config = load_config(config, patients, resources, max_patients)
        self.layout = Layout.of(self.config, max_resources)
        self.render_mode = render_mode
        self.observation_space = self.layout.space()
        self.action_space: FeasibleDiscrete = FeasibleDiscrete(self.layout.patients + 1)
        self._episode: Episode | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin an episode.

        :param seed: see "Starting state"
        :param options: ``instance`` and ``luck``, for this episode only
        :raises ConfigError: unknown option, one without the other, or an instance of another hospital
        """
        super().reset(seed=seed)
        instance, luck = draw_episode(self.config, self.np_random, options or {})
        self._episode = Episode(instance, luck, self.layout)
        return self._told(self._episode)

    def step(self, action: Any) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Give the unit away and go on to the next choice.

        :param action: a patient who asks for it, or ``max_patients``
        :raises InvalidAction: anybody else; nothing has been done
        """
        episode = self._playing()
        if episode.over:
            raise ResetNeeded("the episode is over: call reset() first")
        check_action(episode, int(action))
        reward = episode.give(int(action))
        observation, info = self._told(episode)
        return observation, reward, episode.over, False, info

    def action_masks(self) -> NDArray[np.bool_]:
        """(max_patients + 1,) bool, who can get the unit; nobody always can."""
        return self._playing().mask()

    @property
    def trace(self) -> Trace:
        """What has happened so far in this episode."""
        return self._playing().trace()

    def render(self) -> str | None:
        """A line for each patient: health, what it holds, what it has had, whether it asks for this unit."""
        if self.render_mode is None:
            gym.logger.warn("render() was called, but render_mode is None: give gymnasium.make render_mode='ansi'")
            return None
        episode = self._playing()
        trace, asking = episode.trace(), episode.mask()
        count = trace.instance.model.had_count[trace.condition[-1], trace.state[-1]]
        top = self.config.health_levels - 1
        lines = [f"step {episode.step} of {self.config.horizon}, a unit of resource {episode.resource}"]
        for n, (health, held) in enumerate(zip(trace.health[-1], trace.held[-1], strict=True)):
            holds = f"holds {held}" if held >= 0 else "holds nothing"
            asks = ", asks for it" if asking[n] else ""
            lines.append(f"patient {n}: health {health} of {top}, {holds}, had {count[n]} needs{asks}")
        return "\n".join(lines)

    def _playing(self) -> Episode:
        if self._episode is None:
            raise ResetNeeded("there is no episode to play: call reset() first")
        return self._episode

    def _told(self, episode: Episode) -> tuple[NDArray[np.float32], dict[str, Any]]:
        shown: NDArray[np.float32] = np.zeros(self.layout.shape, dtype=np.float32)
        episode.observe(shown)
        info = episode.info()
        self.action_space.feasible = info["action_mask"].copy()
        return shown, info


def check_action(episode: Episode, action: int) -> None:
    """Refuse what cannot be done.

    :raises InvalidAction: says who can get the unit
    """
    mask = episode.mask()
    if not (0 <= action < len(mask) and mask[action]):
        can = ", ".join(map(str, np.flatnonzero(mask)))
        raise InvalidAction(
            f"action {action} cannot be done: the unit of resource {episode.resource} can go to {can}, "
            f"the last of which is nobody"
        )


def draw_episode(config: PathwaysConfig, rng: np.random.Generator, options: dict[str, Any]) -> tuple[Instance, Luck]:
    """What a reset begins.

    :param config: the hospital
    :param rng: where the luck comes from
    :param options: of the reset
    :raises ConfigError: unknown option, one without the other, or an instance of another hospital
    """
    unknown = set(options) - {"instance", "luck"}
    if unknown:
        raise ConfigError(f"reset option {min(unknown)!r} is unknown, allowed are 'instance' and 'luck'")
    if len(options) == 1:
        raise ConfigError(f"reset options have only {min(options)!r}, but must have both 'instance' and 'luck'")
    if not options:
        instance = sample_instance(config, rng)
        return instance, sample_luck(instance, rng)
    instance, luck = options["instance"], options["luck"]
    for name in ("patients", "resources", "health_levels", "horizon"):
        own, asked = getattr(instance.config, name), getattr(config, name)
        if own != asked:
            raise ConfigError(f"reset option 'instance' has {name} {own}, but the env has {asked}")
    return instance, luck

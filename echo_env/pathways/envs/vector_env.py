"""A batch of hospitals as one Gymnasium vector environment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.utils.seeding import np_random
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from echo_env.common.config_file import ConfigError
from echo_env.common.spaces import one_action_each, one_seed_each
from echo_env.pathways.config import PathwaysConfig
from echo_env.pathways.decisions.observation import MAX_RESOURCES, Layout
from echo_env.pathways.envs.episode import Episode
from echo_env.pathways.envs.resets import draw_episode, load_config
from echo_env.pathways.simulation.metrics import METRICS


class PatientPathwaysVectorEnv(gym.vector.VectorEnv):
    """A batch of B hospitals: ``gymnasium.make_vec("PatientPathways-v0", num_envs=64)``.

    Observations, actions, rewards, masks, infos and seeds equal those of B single environments,
    :class:`~echo_env.pathways.envs.env.PatientPathwaysEnv`, to the bit: after ``reset(seed=s)``, hospital i has the
    episodes of a single one after ``reset(seed=s + i)``. Episodes are reset within the step in which they end
    (``AutoresetMode.SAME_STEP``): the last observation and info are in ``info["final_obs"]`` and
    ``info["final_info"]``.

    :param num_envs: B
    :param config: this and the further arguments are those of
        :class:`~echo_env.pathways.envs.env.PatientPathwaysEnv`; rendering is not supported
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012

    def __init__(
        self,
        num_envs: int = 1,
        config: PathwaysConfig | str | Path = "baseline",
        patients: int | None = None,
        resources: int | None = None,
        max_patients: int | None = None,
        max_resources: int = MAX_RESOURCES,
        render_mode: str | None = None,
    ) -> None:
        if render_mode is not None:
            raise ValueError(f"render_mode is {render_mode!r}, but the vector env does not render: use a single env")
        self.num_envs, self.render_mode = num_envs, None
        self.config = load_config(config, patients, resources, max_patients)
        self.layout = Layout.of(self.config, max_resources)
        self.single_observation_space = self.layout.space()
        self.single_action_space = gym.spaces.Discrete(self.layout.patients + 1)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._rngs: list[np.random.Generator] = []
        self._episodes: list[Episode] = []
        self._shown = np.zeros((num_envs, *self.layout.shape), dtype=np.float32)
        self._mask = np.zeros((num_envs, self.layout.patients + 1), dtype=np.bool_)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Start an episode in every hospital.

        :param seed: hospital i gets ``seed + i``, or the i-th of a sequence
        :raises ConfigError: any option; given episodes are for single environments
        :raises ValueError: another number of seeds than B
        """
        if options:
            raise ConfigError(f"reset option {min(options)!r} is unknown: the vector env takes none")
        for i, own in enumerate(one_seed_each(seed, self.num_envs)):
            if len(self._rngs) <= i:
                self._rngs.append(np_random(own)[0])
            elif own is not None:
                self._rngs[i] = np_random(own)[0]
        self._episodes = [self._new_episode(rng) for rng in self._rngs]
        for i in range(self.num_envs):
            self._look(i)
        info: dict[str, Any] = {}
        _tell(info, self._state_info(), np.ones(self.num_envs, dtype=bool))
        return self._shown.copy(), info

    def step(
        self, actions: Any
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Allocate a unit in every hospital.

        :param actions: (B,) int, all feasible
        :raises InvalidAction: an infeasible action, or another number of them than B; all episodes are unchanged
        """
        chosen = one_action_each(actions, self.num_envs)
        self._check(chosen)
        rewards = np.array([own.give(a) for own, a in zip(self._episodes, chosen.tolist(), strict=True)])
        for i in range(self.num_envs):
            self._look(i)
        over = np.array([episode.over for episode in self._episodes])
        info: dict[str, Any] = {}
        if over.any():
            self._finish(over, info)
        _tell(info, self._state_info(), np.ones(self.num_envs, dtype=bool))
        return self._shown.copy(), rewards, over, np.zeros_like(over), info

    def action_masks(self) -> NDArray[np.bool_]:
        """(B, max_patients + 1) bool, the feasible actions in each hospital."""
        return self._mask.copy()

    def _new_episode(self, rng: np.random.Generator) -> Episode:
        return Episode(*draw_episode(self.config, rng, {}), self.layout)

    def _look(self, i: int) -> None:
        """Update observation and mask of hospital i."""
        self._episodes[i].observe(self._shown[i])
        self._mask[i] = self._episodes[i].mask()

    def _finish(self, over: NDArray[np.bool_], info: dict[str, Any]) -> None:
        """Report the episodes that are over, and start the next ones."""
        final = np.full(self.num_envs, None, dtype=object)
        table = np.full((len(METRICS), self.num_envs), np.nan)
        told: dict[str, Any] = self._state_info()
        for i in np.flatnonzero(over):
            final[i] = self._shown[i].copy()
            own = self._episodes[i].metrics()
            table[:, i] = [own.get(name, np.nan) for name in METRICS]
            self._episodes[i] = self._new_episode(self._rngs[i])
            self._look(int(i))
        info["final_obs"], info["_final_obs"] = final, over
        info["final_info"], info["_final_info"] = {}, over.copy()
        _tell(info["final_info"], told, over)
        metrics: dict[str, Any] = {}
        info["final_info"]["metrics"] = metrics
        info["final_info"]["_metrics"] = over.copy()
        for name, row in zip(METRICS, table, strict=True):
            # Undefined metrics are left out.
            if not np.isnan(row).all():
                _tell(metrics, {name: np.nan_to_num(row)}, ~np.isnan(row))

    def _state_info(self) -> dict[str, NDArray[Any]]:
        return {
            "action_mask": self._mask.copy(),
            "step": np.array([episode.step for episode in self._episodes]),
            "resource": np.array([episode.resource for episode in self._episodes]),
        }

    def _check(self, actions: NDArray[np.int64]) -> None:
        """Refuse infeasible actions."""
        if not self._episodes:
            raise ResetNeeded("no episode has been started: call reset() first")
        inside = (actions >= 0) & (actions <= self.layout.patients)
        allowed = inside & self._mask[np.arange(self.num_envs), np.where(inside, actions, 0)]
        if not allowed.all():
            i = int(np.argmin(allowed))
            self._episodes[i].check(int(actions[i]))


def _tell(info: dict[str, Any], told: dict[str, NDArray[Any]], whom: NDArray[np.bool_]) -> None:
    """Add arrays to a vector env's info with Gymnasium's ``_key`` masks; masked rows are zero."""
    for name, values in told.items():
        info[name] = values.copy()
        info[name][~whom] = 0
        info[f"_{name}"] = whom.copy()
